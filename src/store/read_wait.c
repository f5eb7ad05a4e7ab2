#include "model/goroutine.h"
#include "store/read.h"

#include <limits.h>

struct resource read_resource(const struct fields *fields)
{
	struct resource resource = {.fd = -1};
	if (!fields->object)
		return resource;
	field_require(fields, "kind");
	resource.kind = field_text(fields, "kind");
	resource.address = field_address(fields, "address");
	resource.name = field_text(fields, "name");
	resource.fd = (int)field_number(fields, "fd", INT_MAX, -1);
	resource.detail = field_text(fields, "detail");
	resource.identity = field_text(fields, "identity");
	return resource;
}

struct thread_id read_thread_id(const struct fields *fields)
{
	return (struct thread_id){field_pid(fields, "pid"), field_pid(fields, "tid")};
}

static void read_call(const struct fields *fields, struct wait *wait)
{
	struct fields call = fields_of(fields, "syscall");
	const json_t *arguments = field_array(&call, "arguments"), *argument;
	size_t i;
	/* Without that key, in dumps of hangdump 0.1, it is not known. */
	bool is_in_none = !field_flag(fields, "in_syscall") &&
			  json_is_false(json_object_get(fields->object, "in_syscall"));
	wait->has_syscall = call.object || is_in_none;
	wait->syscall.number = -1;
	if (!call.object)
		return;
	field_require(&call, "number");
	wait->syscall.number = (long)field_number(&call, "number", LONG_MAX, -1);
	wait->syscall.name = field_text(&call, "name");
	if (json_array_size(arguments) > ARRAY_SIZE(wait->syscall.arguments)) {
		cursor_fail(call.cursor, "\"arguments\" of a system call are at most %zu",
			    ARRAY_SIZE(wait->syscall.arguments));
		return;
	}
	wait->syscall.argument_count = (unsigned)json_array_size(arguments);
	json_array_foreach(arguments, i, argument)
	{
		wait->syscall.arguments[i] = element_address(&call, "arguments", argument);
	}
}

static void read_owners(const struct fields *fields, struct wait *wait)
{
	const json_t *owners = field_array(fields, "owners"), *owner;
	size_t i;
	json_array_foreach(owners, i, owner)
	{
		struct fields id = fields_of_element(fields, owner);
		*array_append(&wait->owners) = read_thread_id(&id);
	}
}

/* A word of a later version is shown as it is. */
static void read_class(const struct fields *fields, struct wait *wait)
{
	const char *word = field_text(fields, "class");
	if (word && !wait_class_from_name(word, &wait->class))
		wait->words = word;
}

/* Go has "sleep" too: its own words come first. */
void read_go_wait(const struct fields *fields, struct wait *wait)
{
	bool idle;
	read_wait(fields, wait);
	const char *word = field_text(fields, "class");
	if (!word)
		return;
	enum wait_class class = go_wait_class(word, &idle);
	if (class == WAIT_PARK && !wait->words)
		return;
	wait->class = class;
	wait->words = word;
}

void read_wait(const struct fields *fields, struct wait *wait)
{
	field_require(fields, "class");
	field_require(fields, "confidence");
	read_class(fields, wait);
	wait->since_ms = field_number(fields, "since_ms", INT64_MAX, -1);
	wait->timeout_ms = field_number(fields, "timeout_ms", INT64_MAX, -1);
	wait->idle = field_flag(fields, "idle");
	wait->confidence = (enum confidence)field_choice(fields, "confidence", confidence_names,
							 ARRAY_SIZE(confidence_names), 0);
	read_call(fields, wait);
	struct fields resource = fields_of(fields, "resource");
	wait->resource = read_resource(&resource);
	read_owners(fields, wait);
	wait->owner_state = (enum owner_state)field_choice(fields, "owner_state", owner_state_names,
							   OWNER_STATES, OWNER_NOBODY);
	wait->owner_confidence =
		(enum confidence)field_choice(fields, "owner_confidence", confidence_names,
					      ARRAY_SIZE(confidence_names), CONFIDENCE_LIKELY);
	wait->reach = (enum wait_reach)field_choice(fields, "reach", wait_reach_names, REACHES,
						    REACH_ANYBODY);
	wait->overdue = field_flag(fields, "overdue");
	wait->rule = field_text(fields, "rule");
}

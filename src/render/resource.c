/* What a thread waits on, and who has to act for that wait to end. */
#include "render/parts.h"
#include "render/words.h"

#include <inttypes.h>
#include <string.h>

#define MOST_OWNERS 4

/*
 * What the kernel calls a thing that has no other name: "pipe:[1234]" and "socket:[1234]" are the
 * same in every process.
 */
static const char *kernel_name(const struct resource *resource)
{
	const char *identity = resource->identity;
	return identity && strstr(identity, ":[") ? identity : NULL;
}

/* How much of the name the kind says already: the "socket" of "unix socket", "socket:[1234]". */
static size_t said_by_kind(const char *kind, const char *name)
{
	size_t n = strcspn(name, ":"), length = strlen(kind);
	return name[n] && n <= length && memcmp(kind + length - n, name, n) == 0 ? n : 0;
}

void print_resource(struct printer *p, const struct resource *resource, bool with_address)
{
	const char *name = resource->name ? resource->name : kernel_name(resource);
	bool named = name || resource->fd >= 0;
	print_foreign(p, resource->kind);
	if (name) {
		size_t said = said_by_kind(resource->kind, name);
		print(p, said ? "" : " ");
		print_foreign(p, name + said);
	}
	if (resource->fd >= 0)
		print_format(p, " fd %d", resource->fd);
	if (resource->address && (with_address || !named))
		print_format(p, "%s 0x%" PRIx64, named ? " at" : "", resource->address);
}

void print_detail(struct printer *p, const struct resource *resource)
{
	if (!resource->detail)
		return;
	print(p, " (");
	print_foreign(p, resource->detail);
	print(p, ")");
}

/* Not every process's descriptors could be looked at. */
static bool may_have_others(const struct wait *wait)
{
	switch (wait->class) {
	case WAIT_PIPE_READ:
	case WAIT_PIPE_WRITE:
	case WAIT_SOCKET_READ:
	case WAIT_SOCKET_WRITE:
		return wait->owner_state == OWNER_ALIVE && wait->reach == REACH_ANYBODY;
	default:
		return false;
	}
}

static void print_owner_list(struct printer *p, const struct wait *wait, pid_t home,
			     bool with_names)
{
	size_t most = p->options->verbose ? SIZE_MAX : MOST_OWNERS;
	print(p, wait->owner_confidence == CONFIDENCE_LIKELY ? "likely " : "");
	print_format(p, "%s ", wait_words[wait->class].owner);
	for (size_t i = 0; i < wait->owners.count; i++) {
		if (i == most) {
			print_format(p, " and %zu more", wait->owners.count - i);
			return;
		}
		if (i)
			print(p, i + 1 == wait->owners.count ? " and " : ", ");
		struct thread_id owner = wait->owners.items[i];
		print_thread_id(p, owner, home, with_names);
		if (with_names && wait->owner_state == OWNER_ALIVE &&
		    !(owner.tid ? printer_thread(p, owner) != NULL
				: printer_process(p, owner.pid) != NULL))
			print(p, " (not in this dump)");
	}
	if (may_have_others(wait))
		print(p, ", maybe others");
}

void print_owners(struct printer *p, const char *before, const struct wait *wait, pid_t home,
		  bool with_names)
{
	const char *state = owner_state_words[wait->owner_state];
	if (!wait->owners.count && wait->owner_state == OWNER_EXITED)
		state = "held by a thread that has exited";
	if (wait->owners.count) {
		print(p, before);
		print_owner_list(p, wait, home, with_names);
		before = ", ";
	}
	if (state) {
		print(p, before);
		print(p, state);
	}
}

static bool equal(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Members wait on one thing, but what was seen of it may differ from one to the next. */
static bool details_agree(const struct thread *threads, const struct group *group)
{
	const char *detail = threads[group->members.items[0]].wait.resource.detail;
	array_for_each (&group->members, member) {
		if (!equal(threads[*member].wait.resource.detail, detail))
			return false;
	}
	return true;
}

void print_waiting_on(struct printer *p, const struct group *group)
{
	const struct thread *threads = group_threads_of(p->dump, group);
	const struct wait *wait = &threads[group->members.items[0]].wait;
	if (!wait->resource.kind && !wait->owners.count)
		return;
	if (wait->resource.kind) {
		print(p, "on ");
		print_resource(p, &wait->resource, true);
		if (details_agree(threads, group))
			print_detail(p, &wait->resource);
		else
			print(p, " (details differ)");
	}
	print_owners(p, wait->resource.kind ? ", " : "", wait,
		     p->dump->processes.items[group->process].pid, true);
	print_end(p);
}

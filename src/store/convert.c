#include "store/convert.h"

#include "store/json.h"
#include "store/store.h"

#include <time.h>

json_t *convert_moment(int64_t ns)
{
	if (ns <= 0)
		return json_null();
	time_t seconds = (time_t)(ns / 1000000000);
	struct tm tm;
	char day[32], moment[64];
	if (!gmtime_r(&seconds, &tm) || !strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm))
		return json_null();
	snprintf(moment, sizeof(moment), "%s.%03dZ", day, (int)(ns / 1000000 % 1000));
	return json_string(moment);
}

json_t *convert_head(const struct dump *dump)
{
	json_t *clock = json_object(), *host = json_object(), *head = json_object();
	json_put_text(clock, "boot_id", dump->boot_id);
	json_put(clock, "monotonic_ns", json_nonzero(dump->monotonic_ns));
	json_put_text(host, "name", dump->host_name);
	json_put_text(host, "kernel", dump->kernel);
	json_put_text(host, "arch", dump->arch);
	json_put(head, "format", json_string(STORE_FORMAT));
	json_put(head, "version", json_integer(STORE_VERSION));
	json_put_text(head, "generator", dump->generator);
	json_put(head, "taken_at", convert_moment(dump->taken_at_ns));
	json_put_text(head, "occasion", dump->occasion);
	json_put(head, "clock", clock);
	json_put(head, "watched_ms", json_nonzero((uint64_t)dump->watched_ms));
	json_put(head, "host", host);
	json_put(head, "tree", json_boolean(dump->tree));
	return head;
}

static void put_command(json_t *object, const struct process *process)
{
	json_t *command = json_array(), *bytes = json_array();
	bool is_exact = true;
	array_for_each (&process->command, argument) {
		json_t *text = json_text(*argument);
		json_array_append_new(command, text);
		json_array_append_new(bytes, json_bytes(*argument ? *argument : ""));
		is_exact = is_exact && json_is_exact(text, *argument);
	}
	json_put(object, "command", command);
	if (!is_exact)
		json_put(object, "command" JSON_BYTES, json_incref(bytes));
	json_decref(bytes);
}

static json_t *convert_signals(uint64_t signals)
{
	json_t *numbers = json_array();
	for (int i = 0; i < 64; i++) {
		if (signals >> i & 1)
			json_array_append_new(numbers, json_integer(i + 1));
	}
	return numbers;
}

json_t *convert_process(const struct process *process)
{
	json_t *object = json_object();
	json_put(object, "pid", json_nonzero((uint64_t)process->pid));
	json_put(object, "ppid", json_known(process->ppid));
	json_put_text(object, "name", process->name);
	json_put_text(object, "executable", process->executable);
	put_command(object, process);
	json_put(object, "start_time", json_nonzero(process->start_time));
	json_put(object, "pid_namespace", json_nonzero(process->pid_namespace));
	json_put(object, "running_ms", json_known(process->running_ms));
	json_put(object, "frozen_us", json_known(process->frozen_us));
	json_put(object, "signals_caught", convert_signals(process->signals_caught));
	json_put(object, "timers", json_boolean(process->timers));
	return object;
}

static json_t *convert_cpu(const struct thread *thread)
{
	bool split = thread->cpu_user_ns >= 0 || thread->cpu_system_ns >= 0;
	if (!split && thread->cpu_total_ns < 0)
		return json_null();
	json_t *cpu = json_object();
	if (split) {
		json_put(cpu, "user", json_known(thread->cpu_user_ns));
		json_put(cpu, "system", json_known(thread->cpu_system_ns));
	}
	if (thread->cpu_total_ns >= 0)
		json_put(cpu, "total", json_integer(thread->cpu_total_ns));
	return cpu;
}

static json_t *convert_switches(const struct thread *thread)
{
	if (thread->switches_voluntary < 0 && thread->switches_involuntary < 0)
		return json_null();
	json_t *switches = json_object();
	json_put(switches, "voluntary", json_known(thread->switches_voluntary));
	json_put(switches, "involuntary", json_known(thread->switches_involuntary));
	return switches;
}

static json_t *convert_syscall(const struct wait *wait)
{
	const struct syscall_fact *call = &wait->syscall;
	if (!wait->has_syscall || call->number < 0)
		return json_null();
	json_t *arguments = json_array(), *object = json_object();
	/* How many a call takes is only known of calls with a name. */
	unsigned count = call->name ? call->argument_count : ARRAY_SIZE(call->arguments);
	for (unsigned i = 0; i < count && i < ARRAY_SIZE(call->arguments); i++)
		json_array_append_new(arguments, json_address(call->arguments[i]));
	json_put_text(object, "name", call->name);
	json_put(object, "number", json_integer(call->number));
	json_put(object, "arguments", arguments);
	return object;
}

static json_t *convert_resource(const struct resource *resource)
{
	if (!resource->kind)
		return json_null();
	json_t *object = json_object();
	json_put_text(object, "kind", resource->kind);
	json_put(object, "address",
		 resource->address ? json_address(resource->address) : json_null());
	json_put_text(object, "name", resource->name);
	json_put(object, "fd", json_known(resource->fd));
	json_put_text(object, "detail", resource->detail);
	json_put_text(object, "identity", resource->identity);
	return object;
}

static json_t *convert_thread_id(const struct thread_id *id)
{
	json_t *object = json_object();
	json_put(object, "pid", json_nonzero((uint64_t)id->pid));
	json_put(object, "tid", json_nonzero((uint64_t)id->tid));
	return object;
}

static json_t *convert_wait(const struct wait *wait)
{
	json_t *owners = json_array(), *object = json_object();
	array_for_each (&wait->owners, owner)
		json_array_append_new(owners, convert_thread_id(owner));
	json_put_text(object, "class", wait_name(wait));
	json_put(object, "since_ms", json_known(wait->since_ms));
	json_put(object, "timeout_ms", json_known(wait->timeout_ms));
	json_put(object, "idle", json_boolean(wait->idle));
	json_put(object, "confidence", json_string(confidence_names[wait->confidence]));
	json_put(object, "in_syscall",
		 wait->has_syscall ? json_boolean(wait->syscall.number >= 0) : json_null());
	json_put(object, "syscall", convert_syscall(wait));
	json_put(object, "resource", convert_resource(&wait->resource));
	json_put(object, "owners", owners);
	json_put_text(object, "owner_state", owner_state_names[wait->owner_state]);
	json_put(object, "owner_confidence", json_string(confidence_names[wait->owner_confidence]));
	json_put(object, "reach", json_string(wait_reach_names[wait->reach]));
	json_put(object, "overdue", json_boolean(wait->overdue));
	json_put_text(object, "rule", wait->rule);
	return object;
}

static json_t *convert_second_look(const struct thread *thread)
{
	if (!thread->look_ns)
		return json_null();
	json_t *object = json_object();
	json_put(object, "after_ns", json_integer(thread->look_ns));
	json_put(object, "cpu_ns", json_known(thread->look_cpu_ns));
	json_put(object, "run_delay_ns", json_known(thread->look_delay_ns));
	json_put(object, "same_from_frame",
		 thread->look_frame < thread->stack.count ? json_count(thread->look_frame)
							  : json_null());
	return object;
}

json_t *convert_thread(const struct thread *thread)
{
	char state[] = {thread->state, '\0'};
	json_t *object = json_object();
	json_put(object, "tid", json_integer(thread->tid));
	json_put_text(object, "name", thread->name);
	json_put(object, "start_time", json_nonzero(thread->start_time));
	json_put_text(object, "state", thread->state ? state : NULL);
	json_put(object, "cpu_ns", convert_cpu(thread));
	json_put(object, "switches", convert_switches(thread));
	json_put(object, "own_stops", json_integer(thread->own_stops));
	json_put(object, "steady", json_boolean(thread->steady));
	json_put(object, "second_look", convert_second_look(thread));
	json_put_text(object, "progress", progress_names[thread->progress]);
	json_put(object, "wait", convert_wait(&thread->wait));
	return object;
}

static json_t *convert_creator(const struct creator *creator)
{
	if (!creator->function)
		return json_null();
	json_t *object = json_object();
	json_put_text(object, "function", creator->function);
	json_put(object, "offset", json_nonzero(creator->offset));
	json_put_text(object, "file", creator->file);
	json_put(object, "line", json_nonzero(creator->line));
	return object;
}

json_t *convert_goroutine(const struct thread *thread)
{
	const struct goroutine *goroutine = thread->goroutine;
	json_t *creator = convert_creator(&goroutine->created_by), *object = json_object();
	if (json_is_object(creator))
		json_put(creator, "goid", json_nonzero(goroutine->created_by.goid));
	json_put(object, "goid", json_count(goroutine->goid));
	json_put_text(object, "status", goroutine->status);
	json_put_text(object, "progress", progress_names[thread->progress]);
	json_put(object, "tid", json_nonzero((uint64_t)thread->tid));
	json_put(object, "locked_to_thread", json_boolean(goroutine->locked_to_thread));
	json_put(object, "system", json_boolean(goroutine->system));
	json_put_text(object, "bubble", goroutine->bubble);
	json_put_text(object, "labels", goroutine->labels);
	json_put(object, "created_by", creator);
	json_put(object, "wait", convert_wait(&thread->wait));
	return object;
}

json_t *convert_runtime(const struct runtime *runtime)
{
	json_t *object = json_object();
	json_put_text(object, "name", runtime->name);
	json_put_text(object, "version", runtime->version);
	return object;
}

json_t *convert_stack_end(const struct stack *stack)
{
	json_t *object = json_object();
	json_put(object, "complete", json_boolean(stack->complete));
	json_put_text(object, "incomplete_because", stack->complete ? NULL : stack->incomplete);
	json_put(object, "omitted", json_count(stack->omitted));
	json_put(object, "omitted_outer", json_count(stack->omitted_outer));
	return object;
}

json_t *convert_frame(const struct frame *frame)
{
	bool kernel = frame->kind == FRAME_KERNEL;
	json_t *object = json_object();
	json_put(object, "kind", json_string(frame_kind_names[frame->kind]));
	json_put(object, "pc", kernel || !frame->pc ? json_null() : json_address(frame->pc));
	json_put_text(object, "function", frame->function);
	json_put(object, "offset", frame->function ? json_count(frame->offset) : json_null());
	json_put_text(object, "module", frame->module);
	json_put(object, "module_offset",
		 frame->module && !kernel ? json_address(frame->module_offset) : json_null());
	json_put_text(object, "build_id", frame->build_id);
	json_put_text(object, "file", frame->file);
	json_put(object, "line", json_nonzero(frame->line));
	json_put(object, "inlined", json_boolean(frame->inlined));
	json_put(object, "found_by", json_string(found_by_names[frame->found_by]));
	json_put(object, "doubtful", json_boolean(frame->doubtful));
	return object;
}

json_t *convert_module(const struct module *module)
{
	json_t *object = json_object();
	json_put_text(object, "path", module->path);
	json_put_text(object, "build_id", module->build_id);
	json_put(object, "start", json_address(module->start));
	json_put(object, "end", json_address(module->end));
	return object;
}

/* Each parent once, in the order of the members. */
static json_t *convert_parents(const struct thread *threads, const struct group *group)
{
	json_t *goids = json_array();
	uint64_t last = 0;
	array_for_each (&group->members, member) {
		uint64_t goid = threads[*member].goroutine->created_by.goid;
		if (goid && goid != last)
			json_array_append_new(goids, json_count(goid));
		last = goid;
	}
	return goids;
}

/* Stacks of schedulers all have the number 0: which ones these are, their indexes say. */
static json_t *convert_members(const struct group *group)
{
	json_t *members = json_array();
	array_for_each (&group->members, member)
		json_array_append_new(members, json_count(*member));
	return members;
}

json_t *convert_progress(const size_t count[PROGRESSES])
{
	json_t *object = json_object();
	for (int i = PROGRESS_NONE + 1; i < PROGRESSES; i++) {
		if (count[i])
			json_put(object, progress_names[i], json_count(count[i]));
	}
	return object;
}

static json_t *convert_group_progress(const struct dump *dump, const struct group *group)
{
	const struct thread *threads = group_threads_of(dump, group);
	size_t count[PROGRESSES] = {0};
	if (!dump->watched_ms)
		return json_null();
	array_for_each (&group->members, member)
		count[threads[*member].progress]++;
	return convert_progress(count);
}

json_t *convert_group(const struct dump *dump, const struct group *group)
{
	const struct process *process = &dump->processes.items[group->process];
	const struct thread *threads = group_threads_of(dump, group);
	const struct thread *first = &threads[group->members.items[0]];
	json_t *ids = json_array(), *since = json_object(), *object = json_object();
	json_t *creator =
		first->goroutine ? convert_creator(&first->goroutine->created_by) : json_null();
	bool are_distinct = true;
	array_for_each (&group->members, member) {
		uint64_t number = thread_number(&threads[*member]);
		json_array_append_new(ids, json_count(number));
		are_distinct = are_distinct && number;
	}
	if (json_is_object(creator))
		json_put(creator, "goids", convert_parents(threads, group));
	json_put(since, "min", json_known(group->since_min_ms));
	json_put(since, "max", json_known(group->since_max_ms));
	json_put(object, "pid", json_nonzero((uint64_t)process->pid));
	json_put(object, "process", json_count(group->process));
	json_put(object, group->of_goroutines ? "goids" : "tids", ids);
	if (!are_distinct)
		json_put(object, "members", convert_members(group));
	json_put_text(object, "class", wait_name(&first->wait));
	json_put(object, "since_ms", since);
	json_put(object, "idle", json_boolean(group->idle));
	json_put(object, "progress", convert_group_progress(dump, group));
	json_put(object, "created_by", creator);
	return object;
}

json_t *convert_finding(const struct finding *finding)
{
	json_t *threads = json_array(), *resources = json_array(), *evidence = json_array();
	json_t *object = json_object(), *doubts = json_array();
	for (unsigned i = 0; i < FINDING_DOUBTS; i++) {
		if (finding->doubts & 1u << i)
			json_array_append_new(doubts, json_string(finding_doubt_names[i]));
	}
	array_for_each (&finding->evidence, sentence)
		json_array_append_new(evidence, json_text(*sentence));
	array_for_each (&finding->threads, id)
		json_array_append_new(threads, convert_thread_id(id));
	array_for_each (&finding->resources, resource)
		json_array_append_new(resources, convert_resource(resource));
	json_put(object, "kind", json_string(finding_kind_names[finding->kind]));
	json_put(object, "confidence", json_string(confidence_names[finding->confidence]));
	json_put(object, "doubts", doubts);
	json_put_text(object, "summary", finding->summary);
	json_put(object, "threads", threads);
	json_put(object, "behind", json_count(finding->behind));
	json_put(object, "resources", resources);
	json_put(object, "evidence", evidence);
	return object;
}

json_t *convert_neighbour(const struct neighbour *neighbour)
{
	char state[] = {neighbour->state, '\0'};
	json_t *object = convert_thread_id(&neighbour->id);
	json_put_text(object, "name", neighbour->name);
	json_put_text(object, "state", neighbour->state ? state : NULL);
	json_put(object, "start_time", json_nonzero(neighbour->start_time));
	return object;
}

json_t *convert_error(const struct dump_error *error)
{
	json_t *object = json_object();
	json_put(object, "pid", json_nonzero((uint64_t)error->pid));
	json_put(object, "tid", json_nonzero((uint64_t)error->tid));
	json_put_text(object, "what", error->what);
	json_put_text(object, "why", error->why);
	return object;
}

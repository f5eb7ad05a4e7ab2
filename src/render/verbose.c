/* What -v adds: where the dump comes from, the facts of each thread, the modules. */
#include "render/parts.h"

#include <inttypes.h>
#include <time.h>

void print_origin(struct printer *p)
{
	const struct dump *dump = p->dump;
	time_t seconds = (time_t)(dump->taken_at_ns / 1000000000);
	struct tm tm;
	char when[40];
	if (dump->taken_at_ns > 0 && gmtime_r(&seconds, &tm) &&
	    strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", &tm)) {
		print_format(p, "taken: %s", when);
		print_end(p);
	}
	if (dump->host_name || dump->kernel) {
		print(p, "host: ");
		print_foreign(p, dump->host_name ? dump->host_name : "unknown");
		print(p, ", ");
		print_foreign(p, dump->kernel ? dump->kernel : "unknown kernel");
		if (dump->arch)
			print(p, " ");
		print_foreign(p, dump->arch);
		print_end(p);
	}
	if (dump->generator) {
		print(p, "by: ");
		print_foreign(p, dump->generator);
		print_end(p);
	}
}

static void print_cpu(struct printer *p, const struct thread *thread)
{
	if (thread->cpu_user_ns >= 0 && thread->cpu_system_ns >= 0)
		print_format(p, ", cpu %" PRId64 " ms user %" PRId64 " ms system",
			     thread->cpu_user_ns / 1000000, thread->cpu_system_ns / 1000000);
	else if (thread->cpu_total_ns >= 0)
		print_format(p, ", cpu %" PRId64 " ms", thread->cpu_total_ns / 1000000);
	if (thread->switches_voluntary >= 0 && thread->switches_involuntary >= 0)
		print_format(p,
			     ", switches %" PRId64 " voluntary %" PRId64
			     " involuntary (%u by hangdump)",
			     thread->switches_voluntary, thread->switches_involuntary,
			     thread->own_stops);
}

static void print_call(struct printer *p, const struct wait *wait)
{
	const struct syscall_fact *call = &wait->syscall;
	if (!wait->has_syscall)
		return;
	if (call->number < 0) {
		print(p, ", in no system call");
		return;
	}
	print(p, ", ");
	if (call->name)
		print_foreign(p, call->name);
	else
		print_format(p, "system call %ld", call->number);
	unsigned count = call->name ? call->argument_count : ARRAY_SIZE(call->arguments);
	for (unsigned i = 0; i < count && i < ARRAY_SIZE(call->arguments); i++)
		print_format(p, "%s0x%" PRIx64, i ? ", " : "(", call->arguments[i]);
	print(p, count ? ")" : "()");
}

static void print_goroutine(struct printer *p, const struct thread *thread)
{
	const struct goroutine *goroutine = thread->goroutine;
	print_format(p, "  goroutine %" PRIu64 ": status ", goroutine->goid);
	print_foreign(p, goroutine->status ? goroutine->status : "unknown");
	if (thread->wait.since_ms >= 0)
		print_format(p, ", for %" PRId64 " ms", thread->wait.since_ms);
	if (thread->tid)
		print_format(p, ", on thread %d", thread->tid);
	if (goroutine->created_by.goid)
		print_format(p, ", created in goroutine %" PRIu64, goroutine->created_by.goid);
	if (goroutine->labels) {
		print(p, ", labels ");
		print_foreign(p, goroutine->labels);
	}
	print_end(p);
}

void print_member_details(struct printer *p, const struct group *group)
{
	const struct thread *threads = group_threads_of(p->dump, group);
	array_for_each (&group->members, member) {
		const struct thread *thread = &threads[*member];
		if (thread->goroutine) {
			print_goroutine(p, thread);
			continue;
		}
		char state[] = {thread->state, '\0'};
		print_format(p, "  thread %d: state ", thread->tid);
		print_foreign(p, thread->state ? state : "unknown");
		if (thread->wait.since_ms >= 0)
			print_format(p, ", for %" PRId64 " ms", thread->wait.since_ms);
		print_cpu(p, thread);
		print_call(p, &thread->wait);
		print(p, thread->steady ? ", did not move" : ", may have moved");
		if (thread->wait.rule) {
			print(p, ", rule ");
			print_foreign(p, thread->wait.rule);
		}
		print_end(p);
	}
}

void print_modules(struct printer *p)
{
	array_for_each (&p->dump->processes, process) {
		if (!process->modules.count)
			continue;
		print_end(p);
		style_on(p, STYLE_TITLE);
		print_format(p, "Modules of process %d:", process->pid);
		style_off(p);
		print_end(p);
		array_for_each (&process->modules, module) {
			print_format(p, "  0x%" PRIx64 "-0x%" PRIx64 " ", module->start,
				     module->end);
			print_foreign(p, module->path ? module->path : "unknown");
			print(p, module->build_id ? " build id " : " without a build id");
			print_foreign(p, module->build_id);
			print_end(p);
		}
	}
}

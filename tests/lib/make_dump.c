#include "lib/make_dump.h"

#include "group/group.h"

#include <stdio.h>
#include <string.h>

struct process *make_process(struct dump *dump, pid_t pid, const char *name)
{
	struct process *process = array_append(&dump->processes);
	process->pid = pid;
	process->ppid = 1;
	process->name = strpool_add(&dump->strings, name);
	process->running_ms = -1;
	return process;
}

struct thread *make_thread(struct dump *dump, struct process *process, pid_t tid, const char *name,
			   enum wait_class class)
{
	struct thread *thread = array_append(&process->threads);
	thread->tid = tid;
	thread->name = strpool_add(&dump->strings, name);
	thread->state = 'S';
	thread->cpu_user_ns = thread->cpu_system_ns = thread->cpu_total_ns = -1;
	thread->switches_voluntary = thread->switches_involuntary = -1;
	wait_init(&thread->wait);
	thread->wait.class = class;
	thread->stack.complete = true;
	return thread;
}

struct frame *make_frame(struct dump *dump, struct thread *thread, const char *function,
			 uint64_t offset, const char *file, unsigned line)
{
	struct stack *stack = &thread->stack;
	stack->frames = xreallocarray(stack->frames, stack->count + 1, sizeof(*stack->frames));
	struct frame *frame = &stack->frames[stack->count++];
	uint64_t place = 0x1000;
	for (const char *s = function; s && *s; s++)
		place += (unsigned char)*s * 64;
	*frame = (struct frame){
		.found_by = stack->count == 1 ? FOUND_BY_REGISTERS : FOUND_BY_CFI,
		.pc = 0x555555550000 + place + offset,
		.function = strpool_add(&dump->strings, function),
		.offset = offset,
		.module = strpool_add(&dump->strings, "/bin/prog"),
		.module_offset = place + offset,
		.file = strpool_add(&dump->strings, file),
		.line = line,
	};
	frame->lookup_pc = frame->pc;
	return frame;
}

struct thread *make_goroutine(struct dump *dump, struct process *process, uint64_t goid,
			      const char *words)
{
	struct thread *thread = array_append(&process->goroutines);
	thread->goroutine = xcalloc(1, sizeof(*thread->goroutine));
	thread->goroutine->goid = goid;
	thread->goroutine->status = strpool_add(&dump->strings, "waiting");
	thread->cpu_user_ns = thread->cpu_system_ns = thread->cpu_total_ns = -1;
	thread->switches_voluntary = thread->switches_involuntary = -1;
	wait_init(&thread->wait);
	thread->wait.words = strpool_add(&dump->strings, words);
	thread->wait.class = go_wait_class(words, &thread->wait.idle);
	thread->stack.complete = true;
	return thread;
}

struct frame *make_go_frame(struct dump *dump, struct thread *thread, const char *function,
			    uint64_t offset, const char *file, unsigned line)
{
	struct frame *frame = make_frame(dump, thread, function, offset, file, line);
	frame->kind = FRAME_GO;
	frame->found_by = FOUND_BY_UNKNOWN;
	frame->pc = frame->lookup_pc = frame->module_offset = 0;
	frame->module = NULL;
	return frame;
}

void make_resource(struct dump *dump, struct thread *thread, const char *kind, uint64_t address,
		   const char *name)
{
	thread->wait.resource = (struct resource){.kind = strpool_add(&dump->strings, kind),
						  .address = address,
						  .name = strpool_add(&dump->strings, name),
						  .fd = -1};
}

void make_owner(struct thread *thread, pid_t pid, pid_t tid)
{
	struct wait *wait = &thread->wait;
	*array_append(&wait->owners) = (struct thread_id){pid, tid};
	wait->owner_state = OWNER_ALIVE;
}

struct finding *make_finding(struct dump *dump, enum finding_kind kind)
{
	struct finding *finding = array_append(&dump->findings);
	finding->kind = kind;
	return finding;
}

void make_finding_thread(struct finding *finding, pid_t pid, pid_t tid)
{
	*array_append(&finding->threads) = (struct thread_id){pid, tid};
}

#define MINUTE 60000

static void make_lock_stack(struct dump *dump, struct thread *thread, const char *function,
			    unsigned line, const char *caller, unsigned caller_line)
{
	make_frame(dump, thread, "__lll_lock_wait", 0x30, "lowlevellock.c", 49);
	make_frame(dump, thread, "pthread_mutex_lock", 0xe2, "pthread_mutex_lock.c", 93);
	make_frame(dump, thread, function, 0x1f, "/src/bank/bank.c", line);
	make_frame(dump, thread, caller, 0x42, "/src/bank/bank.c", caller_line);
	make_frame(dump, thread, "start_thread", 0x2f2, "pthread_create.c", 442);
	thread->wait.since_ms = 5 * MINUTE + 1000;
}

static void make_transfer(struct dump *dump, struct process *bank, pid_t tid, const char *name,
			  pid_t owner)
{
	struct thread *thread = make_thread(dump, bank, tid, name, WAIT_MUTEX_LOCK);
	bool savings = owner == 4244;
	make_resource(dump, thread, "mutex", savings ? 0x5581c0de40e8 : 0x5581c0de40c0,
		      savings ? "savings (bank.c:12)" : "current (bank.c:11)");
	make_owner(thread, 4242, owner);
	make_lock_stack(dump, thread, "transfer", savings ? 60 : 70, "teller", 101);
}

void make_bank(struct dump *dump)
{
	struct process *bank = make_process(dump, 4242, "bank");
	*array_append(&bank->command) = strpool_add(&dump->strings, "./bank");
	*array_append(&bank->command) = strpool_add(&dump->strings, "--workers");
	*array_append(&bank->command) = strpool_add(&dump->strings, "12");
	bank->frozen_us = 1834;
	struct thread *main_thread = make_thread(dump, bank, 4242, "bank", WAIT_SIGNAL);
	make_frame(dump, main_thread, "sigwait", 0x1d, "sigwait.c", 28);
	make_frame(dump, main_thread, "main", 0x99, "/src/bank/bank.c", 160);
	make_transfer(dump, bank, 4243, "transfer-1", 4244);
	make_transfer(dump, bank, 4244, "transfer-2", 4243);
	for (pid_t tid = 4245; tid <= 4254; tid++) {
		struct thread *worker = make_thread(dump, bank, tid, "worker", WAIT_MUTEX_LOCK);
		make_resource(dump, worker, "mutex", 0x5581c0de40c0, "current (bank.c:11)");
		make_owner(worker, 4242, 4243);
		make_lock_stack(dump, worker, "withdraw", 88, "worker", 131);
	}
	struct thread *acceptor = make_thread(dump, bank, 4255, "acceptor", WAIT_EPOLL);
	acceptor->wait.idle = true;
	make_frame(dump, acceptor, "epoll_wait", 0x57, "epoll_wait.c", 30);
	make_frame(dump, acceptor, "accept_loop", 0x2a, "/src/bank/net.c", 44);
	struct finding *finding = make_finding(dump, FINDING_DEADLOCK);
	finding->behind = 10;
	finding->summary = strpool_add(&dump->strings, "2 threads wait for each other");
	make_finding_thread(finding, 4242, 4243);
	make_finding_thread(finding, 4242, 4244);
}

#define TRACEE "github.com/aquasecurity/tracee/tests/testutils.ExecCmdBgWithSudoAndCtx"

void make_tracee(struct dump *dump)
{
	static const uint64_t goids[][2] = {{8, 7}, {128, 127}, {278, 277}};
	struct process *tracee = make_process(dump, 4242, "tracee.test");
	struct runtime *go = array_append(&tracee->runtimes);
	go->name = "go";
	tracee->frozen_us = -1;
	for (size_t i = 0; i < ARRAY_SIZE(goids); i++) {
		struct thread *sender = make_goroutine(dump, tracee, goids[i][0], "chan send");
		struct creator *creator = &sender->goroutine->created_by;
		make_go_frame(dump, sender, TRACEE ".func1.1", 0x3f,
			      "/tracee/tests/testutils/exec.go", 141);
		sender->wait.since_ms = 5 * MINUTE;
		creator->function = strpool_add(&dump->strings, TRACEE ".func1");
		creator->file = strpool_add(&dump->strings, "/tracee/tests/testutils/exec.go");
		creator->line = 139;
		creator->offset = 0xd8;
		creator->goid = goids[i][1];
	}
}

void make_crowd(struct dump *dump, size_t threads, size_t frames, size_t kinds)
{
	struct process *process = make_process(dump, 1000, "crowd");
	char function[64];
	for (size_t i = 0; i < threads; i++) {
		size_t kind = i % kinds;
		pid_t tid = (pid_t)(1000 + i);
		struct thread *thread = make_thread(dump, process, tid, "crowd", WAIT_MUTEX_LOCK);
		for (size_t j = 0; j < frames; j++) {
			snprintf(function, sizeof(function), "function_%zu", j);
			struct frame *frame =
				make_frame(dump, thread, function, 0x10, "crowd.c", 7);
			frame->module_offset = 0x1000 * (j + 1) + (j ? 0x10 : kind);
			frame->pc = 0x555555550000 + frame->module_offset;
		}
	}
}

void make_full(struct dump *dump)
{
	dump_init(dump);
	make_bank(dump);
	dump->generator = "hangdump 0.1";
	dump->taken_at_ns = 1700000000123456789;
	dump->boot_id = "3f1c";
	dump->monotonic_ns = 5000000000;
	dump->host_name = "h";
	dump->kernel = "6.1";
	dump->arch = "x86_64";
	struct process *process = &dump->processes.items[0];
	process->executable = "/src/bank/bank";
	process->start_time = 77;
	process->pid_namespace = 4026531836;
	process->running_ms = 400000;
	process->signals_caught = 1 | UINT64_C(1) << 63;
	process->timers = true;
	struct module *module = array_append(&process->modules);
	module->path = "/src/bank/bank";
	module->build_id = "abcd";
	module->start = 0x5581c0de0000;
	module->end = 0x5581c0de5000;
	dump->watched_ms = 1500;
	struct thread *thread = &process->threads.items[1];
	thread->start_time = 78;
	thread->cpu_user_ns = 12;
	thread->cpu_system_ns = 13;
	thread->switches_voluntary = 4;
	thread->switches_involuntary = 5;
	thread->own_stops = 1;
	thread->progress = PROGRESS_STUCK;
	thread->steady = true;
	thread->wait.timeout_ms = 9000;
	thread->wait.confidence = CONFIDENCE_LIKELY;
	thread->wait.rule = "pthread_mutex_lock";
	thread->wait.has_syscall = true;
	thread->wait.syscall =
		(struct syscall_fact){.number = 202, .name = "futex", .argument_count = 2};
	thread->wait.syscall.arguments[0] = 0x5581c0de40e8;
	thread->wait.syscall.arguments[1] = UINT64_MAX;
	thread->wait.resource.fd = 0;
	thread->wait.resource.detail = "owner 4244";
	thread->wait.resource.identity = "mutex:1";
	thread->stack.frames[0].build_id = "ef01";
	thread->stack.frames[1].inlined = true;
	thread->stack.frames[1].found_by = FOUND_BY_INLINE;
	thread->stack.frames[2].doubtful = true;
	thread->stack.complete = false;
	thread->stack.incomplete = "no rule";
	thread->stack.omitted = 3;
	*array_append(&dump->findings.items[0].resources) = thread->wait.resource;
	dump->findings.items[0].doubts = FINDING_DOUBT_MOVED | FINDING_DOUBT_OTHERS;
	dump_add_error(dump, 4242, 4243, "memory", "gone");
	dump_add_error(dump, 0, 0, "host", "odd");
	group_threads(dump);
}

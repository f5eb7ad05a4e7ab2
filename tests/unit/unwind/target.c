#include "unit/unwind/target.h"

#include "base/cleanup.h"
#include "unwind/unwind.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 60000 };

static int shell(const char *command)
{
	fflush(NULL);
	int status = system(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int target_make_directory(void **state)
{
	char *directory = xstrdup("/tmp/hangdump-unwind.XXXXXX");
	*state = directory;
	return mkdtemp(directory) ? 0 : -1;
}

int target_remove_directory(void **state)
{
	_cleanup_free_ char *directory = *state;
	_cleanup_free_ char *command =
		xasprintf("chmod -R u+w '%s'; rm -rf '%s'", directory, directory);
	return shell(command);
}

bool target_build(const char *directory, const char *name, const char *needs, const char *command,
		  char **ret_program)
{
	enum { NEEDED_IS_MISSING = 77 };
	static unsigned built;
	_cleanup_free_ char *program = xasprintf("%s/fixture%u", directory, built++);
	_cleanup_free_ char *whole = xasprintf(
		"command -v %s >/dev/null || exit %d; CC=${CC:-gcc} D='%s' O='%s' "
		"S='%s/tests/unit/unwind/fixtures'; (%s)",
		needs ? needs : "sh", NEEDED_IS_MISSING, directory, program, SRCDIR, command);
	int status = shell(whole);
	if (status == NEEDED_IS_MISSING) {
		print_message("skipped: \"%s\" needs %s\n", name, needs);
		return false;
	}
	if (status != 0)
		fail_msg("could not build \"%s\": %s", name, whole);
	*ret_program = take_ptr(program);
	return true;
}

static bool is_asleep(const struct target *target)
{
	char path[64], text[512];
	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", target->pid, target->tid);
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	assert_non_null(file);
	size_t n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = '\0';
	const char *end = strrchr(text, ')');
	return end && end[2] == 'S';
}

static void read_announcements(struct target *target)
{
	char line[256];
	FILE *output = fdopen(dup(target->output), "r");
	while (!target->tid && fgets(line, sizeof(line), output)) {
		struct target_function function;
		unsigned long address;
		if (sscanf(line, "function %47s %lx", function.name, &address) == 2) {
			function.address = address;
			*array_append(&target->functions) = function;
		} else {
			assert_int_equal(sscanf(line, "ready %d", &target->tid), 1);
		}
	}
	fclose(output);
	assert_int_not_equal(target->tid, 0);
}

void target_start(struct target *target, const char *program, bool sleeps)
{
	int ends[2];
	*target = (struct target){0};
	assert_int_equal(pipe(ends), 0);
	pid_t parent = getpid();
	target->pid = fork();
	if (target->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent || dup2(ends[1], 1) < 0)
			_exit(126);
		close(ends[0]);
		close(ends[1]);
		execl(program, program, NULL);
		_exit(127);
	}
	assert_true(target->pid > 0);
	close(ends[1]);
	target->output = ends[0];
	read_announcements(target);
	struct deadline deadline = deadline_in_ms(PATIENCE_MS);
	/* It says that it is ready just before it hangs: twice asleep is hanging. */
	for (unsigned asleep = 0; sleeps && asleep < 3;) {
		assert_false(deadline_passed(deadline));
		asleep = is_asleep(target) ? asleep + 1 : 0;
		nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
	}
}

void target_capture(struct target *target, bool no_stop)
{
	struct error *failure = NULL;
	struct deadline deadline = deadline_in_ms(PATIENCE_MS);
	struct capture_options options = {
		.no_stop = no_stop, .stop_ms = 10000, .deadline = deadline};
	assert_null(capture_survey(&target->pid, 1, &options, &failure, &target->capture));
	capture_hold(target->capture, &target->pid, 1, &failure);
	assert_null(failure);
	capture_verify(target->capture);
	assert_int_equal(target->capture->processes.count, 1);
	struct objects_options object_options = {.deadline = deadline};
	target->objects = objects_open(target_process(target), &object_options);
	capture_allow_live_reads(target_process(target), deadline);
}

/* In a child, as capture does it: its end lets everything go. */
static void walk_in_child(const struct target *target, struct held_walk *ret)
{
	int status;
	struct capture_process process = *target_process(target);
	process.memory = (struct memory){.count = 0};
	void *walker = unwind_held.prepare(&process, deadline_in_ms(PATIENCE_MS));
	if (target->gone && unlink(target->gone) != 0)
		_exit(1);
	if (ptrace(PTRACE_SEIZE, target->tid, NULL, NULL) != 0 ||
	    ptrace(PTRACE_INTERRUPT, target->tid, NULL, NULL) != 0 ||
	    waitpid(target->tid, &status, __WALL) != target->tid)
		_exit(1);
	unwind_held.walk(walker, target->tid, deadline_in_ms(PATIENCE_MS), ret);
	_exit(0);
}

void target_walk_held(const struct target *target, struct held_walk *ret)
{
	struct held_walk *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
					MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(shared, MAP_FAILED);
	fflush(NULL);
	pid_t child = fork();
	if (child == 0)
		walk_in_child(target, shared);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	*ret = *shared;
	munmap(shared, sizeof(*shared));
}

void target_release_capture(struct target *target)
{
	objects_close(target->objects);
	capture_free(target->capture);
	target->objects = NULL;
	target->capture = NULL;
}

void target_end(struct target *target)
{
	if (target->capture)
		target_release_capture(target);
	kill(target->pid, SIGKILL);
	waitpid(target->pid, NULL, 0);
	close(target->output);
	array_deinit(&target->functions);
}

struct capture_process *target_process(const struct target *target)
{
	return &target->capture->processes.items[0];
}

const struct capture_thread *target_thread(const struct target *target)
{
	const struct capture_thread *thread =
		capture_thread_by_tid(target_process(target), target->tid);
	assert_non_null(thread);
	return thread;
}

const char *target_name(const struct target *target, const struct frame *frame)
{
	enum { FUNCTION_SIZE = 1024 };
	const struct object *object = objects_at(target->objects, frame->lookup_pc);
	GElf_Off offset;
	GElf_Sym symbol;
	const char *name = object && object->module
				   ? dwfl_module_addrinfo(object->module, frame->lookup_pc, &offset,
							  &symbol, NULL, NULL, NULL)
				   : NULL;
	const struct target_function *nearest = NULL;
	array_for_each (&target->functions, function) {
		if (frame->lookup_pc - function->address < FUNCTION_SIZE &&
		    (!nearest || function->address > nearest->address))
			nearest = function;
	}
	return name ? name : nearest ? nearest->name : NULL;
}

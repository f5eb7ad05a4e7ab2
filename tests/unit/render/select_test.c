/* render: filters show the threads that were asked for, and count the others. */
#include "group/group.h"
#include "lib/make_dump.h"
#include "render/render.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *report(const struct dump *dump, const struct render_filter *filter)
{
	const struct render_options options = {.filter = filter};
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	assert_non_null(to);
	render_text(dump, &options, to);
	assert_int_equal(fclose(to), 0);
	return text;
}

/* The tids of the groups that are shown, and what is left out: "4243; 4244; 12 3 left out". */
static void assert_shown(const struct dump *dump, struct render_filter filter, const char *expected)
{
	char *text = report(dump, &filter), shown[512] = "";
	for (char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		char *members = strstr(line, "]: "), *end = strchrnul(line, '\n');
		if (strncmp(line + strcspn(line, " "), " thread", 7) == 0 && members &&
		    members < end)
			snprintf(shown + strlen(shown), sizeof(shown) - strlen(shown), "%.*s; ",
				 (int)strcspn(members + 3, " \n"), members + 3);
		if (strncmp(line + strcspn(line, "."), ".\n", 2) == 0 &&
		    memmem(line, (size_t)(end - line), "left out", 8))
			snprintf(shown + strlen(shown), sizeof(shown) - strlen(shown), "-%.*s ",
				 (int)strcspn(line, " "), line);
	}
	assert_int_equal(render_filter_matches(dump, &filter), strchr(shown, ';') != NULL);
	if (strcmp(shown, expected) != 0)
		fail_msg("'%s' instead of '%s' in:\n%s", shown, expected, text);
	free(text);
}

static void threads_are_chosen(void **state)
{
	(void)state;
	struct dump dump;
	make_full(&dump);
	uint64_t tids[] = {4243, 4250};
	assert_shown(&dump, (struct render_filter){.only = ONLY_STUCK},
		     "4245-4254; 4243; 4244; 4242; -1 ");
	assert_shown(&dump, (struct render_filter){.only = ONLY_IDLE}, "4255; -13 -1 ");
	assert_shown(&dump, (struct render_filter){.function = "withdraw"}, "4245-4254; -4 -1 ");
	assert_shown(&dump, (struct render_filter){.function = "with*w"}, "4245-4254; -4 -1 ");
	assert_shown(&dump, (struct render_filter){.function = "withdra"}, "-14 -1 ");
	assert_shown(&dump, (struct render_filter){.threads = tids, .thread_count = 2},
		     "4250; 4243; -12 ");
	assert_shown(&dump, (struct render_filter){.threads = tids + 1, .thread_count = 1},
		     "4250; -13 -1 ");
	assert_shown(&dump,
		     (struct render_filter){.only = ONLY_IDLE, .threads = tids, .thread_count = 2},
		     "-14 -1 ");
	dump_deinit(&dump);
}

static void who_holds_and_who_waits(void **state)
{
	(void)state;
	struct dump dump;
	make_full(&dump);
	struct process *bank = &dump.processes.items[0];
	/* The detail and identity that make_full() gives one of them. */
	bank->threads.items[1].wait.resource.identity = NULL;
	char address[32];
	snprintf(address, sizeof(address), "0x%jx",
		 (uintmax_t)bank->threads.items[3].wait.resource.address);
	const char *const asked[] = {address, bank->threads.items[3].wait.resource.name, "current",
				     "cur*"};
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		struct render_filter filter = {.who = asked[i]};
		assert_shown(&dump, filter, "4245-4254; 4243; 4244; -2 ");
		char *text = report(&dump, &filter);
		if (!strstr(text, ", held by thread 4243 (transfer-1); 11 threads wait for it.\n"))
			fail_msg("%s: %s", asked[i], text);
		free(text);
	}
	assert_shown(&dump, (struct render_filter){.who = "0x1"}, "-14 -1 ");
	assert_shown(&dump, (struct render_filter){.who = "0x"}, "-14 -1 ");
	assert_shown(&dump, (struct render_filter){.who = "(*"}, "-14 -1 ");
	/* Who waits is counted whole, also where another filter leaves some out. */
	uint64_t tid = 4250;
	struct render_filter both = {.who = "current", .threads = &tid, .thread_count = 1};
	assert_shown(&dump, both, "4250; -13 -1 ");
	char *text = report(&dump, &both);
	assert_non_null(strstr(text, "; 11 threads wait for it.\n"));
	free(text);
	dump_deinit(&dump);
}

static void goroutines_and_processes_are_chosen(void **state)
{
	(void)state;
	struct dump dump;
	dump_init(&dump);
	make_tracee(&dump);
	struct process *other = make_process(&dump, 10, "other");
	struct thread *thread = make_thread(&dump, other, 10, "other", WAIT_FILE_LOCK);
	make_resource(&dump, thread, "file", 0, "/tmp/lock");
	make_owner(thread, 20, 0);
	struct process *owner = make_process(&dump, 20, "owner");
	make_thread(&dump, owner, 20, "owner", WAIT_SLEEP);
	group_threads(&dump);
	uint64_t goid = 128;
	struct render_filter one = {.threads = &goid, .thread_count = 1};
	char *text = report(&dump, &one);
	assert_non_null(strstr(text, "1 goroutine [chan send, 5 minutes]: 128\n"));
	assert_non_null(strstr(text, "\n2 threads left out by the filter.\n"));
	assert_non_null(strstr(text, "\n2 goroutines left out by the filter.\n"));
	assert_null(strstr(text, "process 20"));
	free(text);
	assert_shown(&dump, (struct render_filter){.who = "/tmp/*"}, "10; 20; -3 ");
	dump_deinit(&dump);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_are_chosen),
		cmocka_unit_test(who_holds_and_who_waits),
		cmocka_unit_test(goroutines_and_processes_are_chosen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

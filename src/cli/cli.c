#include "cli/cli.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/report.h"

#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int run_help(int argc, char **argv);

static const struct command command_help = {"help", run_help};

/* The first is what `hangdump PID` runs. */
static const struct command *const commands[] = {&command_dump, &command_run, &command_show,
						 &command_diff, &command_help};

static const struct command *find_command(const char *name)
{
	for (size_t i = 1; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	}
	return NULL;
}

static int run_command(const struct command *command, int argc, char **argv)
{
	_cleanup_free_ char *name = xasprintf("hangdump %s", command->name);
	argv[0] = name;
	return command->run(argc, argv);
}

static int run_help(int argc, char **argv)
{
	char help[] = "--help", name[] = "hangdump";
	char *words[] = {name, help, NULL};
	const struct command *command = argc > 1 ? find_command(argv[1]) : NULL;
	if (argc > 1 && !command && strcmp(argv[1], commands[0]->name) != 0) {
		fprintf(stderr, "hangdump: help: no such command\n");
		return EXIT_NOTHING;
	}
	if (command && command != &command_help)
		return run_command(command, 2, words);
	return commands[0]->run(2, words);
}

/* What argp printed (the help, the version) may not have arrived. */
static void check_standard_output(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return;
	struct error *error = error_new(ERROR_UNWRITABLE, errno, "standard output", NULL);
	report_error(error);
	error_free(error);
	_exit(EXIT_NOTHING);
}

static void settle_signals(void)
{
	/* A limit on file sizes is an error like others. */
	signal(SIGXFSZ, SIG_IGN);
	/* Inherited as ignored, it would reap our helpers before we can ask how they ended. */
	signal(SIGCHLD, SIG_DFL);
}

int cli_main(int argc, char **argv)
{
	argp_program_version = PACKAGE_STRING;
	atexit(check_standard_output);
	/* argp's own choice is 64. */
	argp_err_exit_status = EXIT_NOTHING;
	char name[] = "hangdump";
	if (argc > 0)
		argv[0] = name;
	const struct command *command = argc > 1 ? find_command(argv[1]) : NULL;
	/* The command that it runs gets what we were given. */
	if (command != &command_run)
		settle_signals();
	if (command)
		return run_command(command, argc - 1, argv + 1);
	return commands[0]->run(argc, argv);
}

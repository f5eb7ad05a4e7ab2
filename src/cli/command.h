/* The commands: one file each, one row each. */
#ifndef HANGDUMP_CLI_COMMAND_H
#define HANGDUMP_CLI_COMMAND_H

struct command {
	const char *name;
	/* argv[0] is "hangdump" or "hangdump NAME"; returns the exit status. */
	int (*run)(int argc, char **argv);
};

extern const struct command command_diff;
extern const struct command command_dump;
extern const struct command command_show;
extern const struct command command_run;

#endif

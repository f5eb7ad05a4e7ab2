/* The front end: commands, their options, what they print on standard error, exit statuses. */
#ifndef HANGDUMP_CLI_CLI_H
#define HANGDUMP_CLI_CLI_H

int cli_main(int argc, char **argv);

#endif

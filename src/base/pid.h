/* Process and thread numbers in words. */
#ifndef HANGDUMP_BASE_PID_H
#define HANGDUMP_BASE_PID_H

#include <sys/types.h>

/* Digits only, within range; 0 when text is not such a number. */
pid_t parse_pid(const char *text);

#endif

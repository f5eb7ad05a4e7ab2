/* Usage: tracer PID: traces every thread of PID, without stopping any.  Says `ready PID`. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char path[64];
	struct dirent *entry;

	if (argc < 2)
		return 2;
	snprintf(path, sizeof(path), "/proc/%d/task", atoi(argv[1]));
	DIR *task = opendir(path);
	if (!task)
		return 1;
	while ((entry = readdir(task)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (ptrace(PTRACE_SEIZE, atoi(entry->d_name), NULL, NULL) != 0) {
			printf("failed %s: %s\n", entry->d_name, strerror(errno));
			return 1;
		}
	}
	closedir(task);
	printf("ready %d\n", getpid());
	fflush(stdout);
	for (;;)
		pause();
}

/*
 * A library whose constructor waits for a thread that wants to load another library: the loader
 * holds its lock while it runs constructors.  Says "ready" as verdicts.h tells.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *load_another(void *loader)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "ready a=%d/%d b=%d/%ld\n", (int)getpid(),
			 *(pid_t *)loader, (int)getpid(), syscall(SYS_gettid));
	if (write(STDOUT_FILENO, line, (size_t)n) != n)
		return NULL;
	return dlopen("libm.so.6", RTLD_NOW);
}

static __attribute__((constructor)) void begin(void)
{
	static pid_t loader;
	pthread_t thread;
	loader = (pid_t)syscall(SYS_gettid);
	if (pthread_create(&thread, NULL, load_another, &loader) == 0)
		pthread_join(thread, NULL);
}

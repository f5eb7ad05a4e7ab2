/*
 * Usage: hopper LIBRARY
 *
 * Loads LIBRARY (a copy of libhop.so) and waits in read(2), called through it.  Says `ready PID`;
 * a line on standard input ends it, with `landed`.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

typedef void hop_fn(void (*land)(void *), void *argument);

__attribute__((noinline)) static void land(void *argument)
{
	char *c = argument;

	while (read(STDIN_FILENO, c, 1) != 1)
		;
	__asm__ volatile("");
}

int main(int argc, char **argv)
{
	void *library = dlopen(argc > 1 ? argv[1] : "", RTLD_NOW);
	char c;

	if (!library) {
		fprintf(stderr, "hopper: %s\n", dlerror());
		return 1;
	}
	hop_fn *hop = (hop_fn *)dlsym(library, "hop");
	if (!hop)
		return 1;
	printf("ready %d\n", getpid());
	fflush(stdout);
	hop(land, &c);
	printf("landed\n");
	return 0;
}

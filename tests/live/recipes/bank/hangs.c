/* A test that hangs: transfers in both directions at once. */
#include "bank.h"

#include <pthread.h>
#include <stdio.h>

static void *there(void *unused)
{
	(void)unused;
	transfer(0, 1, 10);
	return NULL;
}

int main(void)
{
	pthread_t thread;
	printf("1..1\n");
	fflush(stdout);
	meet(2);
	pthread_create(&thread, NULL, there, NULL);
	transfer(1, 0, 10);
	pthread_join(thread, NULL);
	printf("ok 1 - both ways\n");
	return balance(0) != 100;
}

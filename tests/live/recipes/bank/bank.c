#include "bank.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_mutex_t locks[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
static long balances[2] = {100, 100};
static pthread_barrier_t barrier;
static int meeting;

void meet(int transfers)
{
	pthread_barrier_init(&barrier, NULL, (unsigned)transfers);
	meeting = 1;
}

static void wait_for_others(void)
{
	const char *mark = getenv("HANG_MARK");
	pthread_barrier_wait(&barrier);
	if (mark)
		close(open(mark, O_WRONLY | O_CREAT, 0600));
}

long balance(int account)
{
	pthread_mutex_lock(&locks[account]);
	long amount = balances[account];
	pthread_mutex_unlock(&locks[account]);
	return amount;
}

void transfer(int from, int to, long amount)
{
	pthread_mutex_lock(&locks[from]);
	if (meeting)
		wait_for_others();
	pthread_mutex_lock(&locks[to]);
	balances[from] -= amount;
	balances[to] += amount;
	pthread_mutex_unlock(&locks[to]);
	pthread_mutex_unlock(&locks[from]);
}

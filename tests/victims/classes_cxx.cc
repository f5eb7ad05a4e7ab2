/* As classes.h says, for what C++20's library builds on top. */
#include <atomic>
#include <barrier>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <future>
#include <latch>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <string>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace
{

void ready()
{
	char line[64];
	int n = snprintf(line, sizeof(line), "ready %d %ld\n", (int)getpid(), syscall(SYS_gettid));
	if (write(STDOUT_FILENO, line, (size_t)n) != n)
		_exit(1);
}

[[noreturn]] void wait_for_ever()
{
	for (;;)
		pause();
}

/* Runs f in another thread, and returns when f has. */
template <typename F> void beside(F f)
{
	static std::promise<void> done;
	std::thread([f] {
		f();
		done.set_value();
		wait_for_ever();
	}).detach();
	done.get_future().wait();
}

std::mutex mutex;
std::shared_mutex shared;

void lock_mutex()
{
	beside([] { mutex.lock(); });
	ready();
	mutex.lock();
}

void lock_shared()
{
	beside([] { shared.lock(); });
	ready();
	shared.lock_shared();
}

void lock_exclusive()
{
	beside([] { shared.lock_shared(); });
	ready();
	shared.lock();
}

void condition()
{
	static std::condition_variable changed;
	std::unique_lock<std::mutex> guard(mutex);
	ready();
	for (;;)
		changed.wait(guard);
}

void future()
{
	static std::promise<int> promise;
	std::future<int> result = promise.get_future();
	ready();
	result.wait();
}

void atomic()
{
	static std::atomic<int> value{7};
	ready();
	for (;;)
		value.wait(7);
}

void latch()
{
	static std::latch gate{1};
	ready();
	gate.wait();
}

void barrier()
{
	static std::barrier<> meeting{2};
	ready();
	meeting.arrive_and_wait();
}

void semaphore()
{
	static std::counting_semaphore<1000> tokens{0};
	ready();
	tokens.acquire();
}

std::binary_semaphore entered{0};

int initialise()
{
	entered.release();
	wait_for_ever();
}

int initialised()
{
	static int value = initialise();
	return value;
}

void static_initialiser()
{
	std::thread([] { initialised(); }).detach();
	entered.acquire();
	ready();
	initialised();
}

std::once_flag flag;

void call_once()
{
	std::thread([] {
		std::call_once(flag, [] {
			entered.release();
			wait_for_ever();
		});
	}).detach();
	entered.acquire();
	ready();
	std::call_once(flag, [] {});
}

void join()
{
	std::thread other([] { wait_for_ever(); });
	ready();
	other.join();
}

struct row {
	const char *name, *wait_class, *kind;
	void (*run)();
	const char *owner;
};

const row rows[] = {
    {"cxx-mutex", "mutex lock", "mutex", lock_mutex, "other"},
    {"cxx-shared-mutex-read", "rwlock read", "rwlock", lock_shared, "other"},
    {"cxx-shared-mutex-write", "rwlock write", "rwlock", lock_exclusive, "readers"},
    {"cxx-condition", "cond wait", "condition variable", condition, "nobody"},
    {"cxx-future", "future wait", "-", future, "nobody"},
    {"cxx-atomic", "atomic wait", "-", atomic, "nobody"},
    {"cxx-latch", "barrier wait", "latch", latch, "nobody"},
    {"cxx-barrier", "barrier wait", "barrier", barrier, "nobody"},
    {"cxx-semaphore", "semaphore wait", "semaphore", semaphore, "nobody"},
    {"cxx-static", "once wait", "static initialiser", static_initialiser, "not recorded"},
    {"cxx-call-once", "once wait", "once", call_once, "not recorded"},
    {"cxx-join", "thread join", "thread", join, "other"},
};

} // namespace

int main(int argc, char **argv)
{
	bool list = argc == 2 && strcmp(argv[1], "--list") == 0;
	prctl(PR_SET_PDEATHSIG, 9);
	for (const row &each : rows) {
		if (list)
			printf("%s\t%s\t%s\t%s\n", each.name, each.wait_class, each.kind,
			       each.owner);
		else if (argc == 2 && strcmp(argv[1], each.name) == 0)
			each.run();
	}
	if (!list)
		fprintf(stderr, "usage: classes_cxx NAME | --list\n");
	return list ? 0 : 2;
}

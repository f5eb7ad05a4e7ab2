/* As verdicts.h says, for what C++'s own library makes of the same. */
#include "verdicts.h"

#include <condition_variable>
#include <future>
#include <latch>
#include <mutex>
#include <shared_mutex>
#include <thread>

namespace
{

/* Each thread holds one, then all have one, then each wants the other's. */
template <typename Lock> void cycle(Lock &left, Lock &right)
{
	auto part = [](const char *role, Lock &own, Lock &other) {
		own.lock();
		gather();
		arrive(role);
		other.lock();
	};
	stage(3, 2);
	std::thread a(part, "a", std::ref(left), std::ref(right));
	std::thread b(part, "b", std::ref(right), std::ref(left));
	arrive("main");
	a.join();
}

std::mutex left, right;
std::recursive_mutex left_recursive, right_recursive;
std::shared_mutex left_shared, right_shared;

void mutex_cycle()
{
	cycle(left, right);
}

void recursive_cycle()
{
	cycle(left_recursive, right_recursive);
}

void shared_cycle()
{
	cycle(left_shared, right_shared);
}

/* Held by a guard of a thread that joins the one who wants it. */
void join_cycle()
{
	stage(2, 0);
	left.lock();
	std::thread b([] {
		arrive("b");
		std::lock_guard<std::mutex> guard(left);
	});
	arrive("a");
	b.join();
}

/* The promise is kept by nobody. */
void future()
{
	static std::promise<int> promise;
	stage(2, 0);
	std::thread a([] {
		arrive("a");
		promise.get_future().get();
	});
	arrive("main");
	a.join();
}

int one(), other();

int &first()
{
	static int value = one();
	return value;
}

int &second()
{
	static int value = other();
	return value;
}

int one()
{
	gather();
	arrive("a");
	return second();
}

int other()
{
	gather();
	arrive("b");
	return first();
}

/* Two statics, each begun by a thread that needs the other's. */
void static_cycle()
{
	stage(3, 2);
	std::thread a([] { first(); });
	std::thread b([] { second(); });
	arrive("main");
	a.join();
}

std::once_flag first_flag, second_flag;

void once_cycle()
{
	auto part = [](const char *role, std::once_flag &own, std::once_flag &another) {
		std::call_once(own, [&] {
			gather();
			arrive(role);
			std::call_once(another, [] {});
		});
	};
	stage(3, 2);
	std::thread a(part, "a", std::ref(first_flag), std::ref(second_flag));
	std::thread b(part, "b", std::ref(second_flag), std::ref(first_flag));
	arrive("main");
	a.join();
}

/* One too few. */
void latch()
{
	static std::latch three(3);
	stage(2, 0);
	std::thread a([] {
		arrive("a");
		three.arrive_and_wait();
	});
	arrive("main");
	three.arrive_and_wait();
}

/* Workers, and a main thread that goes about its business. */
void pool()
{
	static std::mutex mutex;
	static std::condition_variable changed;
	auto work = [](const char *role) {
		std::unique_lock<std::mutex> guard(mutex);
		arrive(role);
		changed.wait(guard, [] { return false; });
	};
	stage(3, 0);
	std::thread a(work, "a"), b(work, "b");
	arrive("main");
	sleep_for_ever();
}

const struct verdict_row rows[] = {
	{"cxx-mutex", mutex_cycle},   {"cxx-recursive", recursive_cycle},
	{"cxx-shared", shared_cycle}, {"cxx-join", join_cycle},
	{"cxx-future", future},	      {"cxx-static", static_cycle},
	{"cxx-once", once_cycle},     {"cxx-latch", latch},
	{"cxx-pool", pool},	      {},
};

} // namespace

const struct verdict_row *const verdict_tables[] = {rows, nullptr};

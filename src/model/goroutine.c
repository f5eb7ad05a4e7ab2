#include "model/goroutine.h"

#include <string.h>

/*
 * waitReasonStrings and gStatusStrings of Go 1.5 to 1.26 (runtime/runtime2.go, traceback.go).
 * Without " (durable)" (1.25), which was " (synctest)" in 1.24, and " (leaked)" (1.26).
 */
static const struct {
	const char *words;
	enum wait_class class;
	bool idle;
} rows[] = {
	{"idle", WAIT_PARK, true}, /* a stack of the scheduler's without a goroutine */
	{"runnable", WAIT_RUNNING, false},
	{"running", WAIT_RUNNING, false},
	{"copystack", WAIT_RUNNING, false},
	{"preempted", WAIT_RUNNING, false},
	{"syscall", WAIT_SYSTEM_CALL, false},
	{"waiting", WAIT_PARK, false},
	{"dead", WAIT_EXITED, false},
	{"chan receive", WAIT_CHANNEL_RECEIVE, false},
	{"chan receive (nil chan)", WAIT_CHANNEL_RECEIVE, false},
	{"chan send", WAIT_CHANNEL_SEND, false},
	{"chan send (nil chan)", WAIT_CHANNEL_SEND, false},
	{"select", WAIT_CHANNEL_SELECT, false},
	{"select (no cases)", WAIT_CHANNEL_SELECT, false},
	{"IO wait", WAIT_EPOLL, false}, /* the network poller's */
	{"sleep", WAIT_SLEEP, false},
	{"semacquire", WAIT_SEMAPHORE, false}, /* until 1.19 locks too, until 1.23 WaitGroups */
	{"sync.Cond.Wait", WAIT_COND, false},
	{"sync.Mutex.Lock", WAIT_MUTEX_LOCK, false},
	{"sync.RWMutex.RLock", WAIT_RWLOCK_READ, false},
	{"sync.RWMutex.Lock", WAIT_RWLOCK_WRITE, false},
	{"sync.WaitGroup.Wait", WAIT_JOIN, false},
	{"synctest.Run", WAIT_JOIN, false},
	{"synctest.Wait", WAIT_JOIN, false},
	{"finalizer wait", WAIT_PARK, true},
	{"cleanup wait", WAIT_PARK, true},
	{"force gc (idle)", WAIT_PARK, true},
	{"GOMAXPROCS updater (idle)", WAIT_PARK, true},
	{"GC sweep wait", WAIT_PARK, true},
	{"GC scavenge wait", WAIT_PARK, true},
	{"GC worker (idle)", WAIT_PARK, true},
	{"mark worker (idle)", WAIT_PARK, true},     /* until 1.10 */
	{"timer goroutine (idle)", WAIT_PARK, true}, /* until 1.19 */
	{"trace reader (blocked)", WAIT_PARK, true},
};

enum wait_class go_wait_class(const char *words, bool *ret_idle)
{
	static const char *const marks[] = {" (durable)", " (synctest)", " (leaked)"};
	size_t length = strcspn(words, ",");
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		size_t n = strlen(marks[i]);
		if (length > n && memcmp(words + length - n, marks[i], n) == 0)
			length -= n;
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strlen(rows[i].words) == length && memcmp(rows[i].words, words, length) == 0) {
			*ret_idle = rows[i].idle;
			return rows[i].class;
		}
	}
	*ret_idle = false;
	return WAIT_PARK;
}

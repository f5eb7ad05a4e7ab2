/* Java's monitors, by the table that HotSpot has for debuggers. */
#include "unit/classify/fake.h"

#include "base/array.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

#define VARIABLE   (DATA + 0x1000)
#define TABLE	   (DATA + 0x1100)
#define LIST	   (DATA + 0x1800) /* ThreadsList: length 4, threads 16 */
#define THREADS	   (DATA + 0x1880)
#define SELF	   (DATA + 0x2000) /* JavaThread: OS thread 24, pending 32, waiting 40 */
#define OTHER_ONE  (DATA + 0x2100)
#define OS_THREADS (DATA + 0x2400) /* OSThread: id 8; 0x100 bytes each */
#define MONITOR	   (DATA + 0x2800) /* owner 64 */
#define SECOND	   (DATA + 0x2900)
#define STACK	   0x7e0000000000
#define FUTEX_WORD (DATA + 0x3000)

static const struct row {
	const char *type, *field;
	uint32_t is_static;
	uint64_t offset, address;
} rows[] = {
	{"Klass", "_owner", 0, 999, 0},
	{"ThreadsSMRSupport", "_java_thread_list", 1, 0, LIST - 8},
	{"ThreadsList", "_length", 0, 4, 0},
	{"ThreadsList", "_threads", 0, 16, 0},
	{"Thread", "_osthread", 0, 24, 0},
	{"OSThread", "_thread_id", 0, 8, 0},
	{"JavaThread", "_current_pending_monitor", 0, 32, 0},
	{"Thread", "_current_waiting_monitor", 0, 40, 0},
	{"ObjectMonitor", "_owner", 0, 64, 0},
};

static uint64_t find_variable(void *context, const char *library, const char *name)
{
	(void)context;
	assert_string_equal(library, "libjvm.so");
	assert_string_equal(name, "gHotSpotVMStructs");
	return VARIABLE;
}

static uint64_t find_nothing(void *context, const char *library, const char *name)
{
	(void)context, (void)library, (void)name;
	return 0;
}

static void put_string(struct fake *fake, uint64_t *next, uint64_t pointer, const char *string)
{
	fake_write_u64(fake, pointer, *next);
	fake_write(fake, *next, string, strlen(string) + 1);
	*next += strlen(string) + 1;
}

static void put_java_thread(struct fake *fake, unsigned i, uint64_t java_thread, uint32_t tid)
{
	fake_write_u64(fake, THREADS + i * 8, java_thread);
	fake_write_u64(fake, java_thread + 24, OS_THREADS + i * 0x100);
	fake_write_u32(fake, OS_THREADS + i * 0x100 + 8, tid);
}

/* Thread 100 waits to enter a monitor; there is thread 101, with a stack of its own. */
static struct fake *java(const char *function)
{
	uint64_t next = DATA + 0x100;
	struct fake *fake = fake_new();
	fake->context.find_variable = find_variable;
	fake_map(fake, STACK, 0x10000, "");
	fake_thread(fake, 101, 101, "other", STACK + 0xf000)->syscall.sp = STACK + 0x4000;
	fake_write_u64(fake, VARIABLE, TABLE);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t entry = TABLE + i * 48;
		put_string(fake, &next, entry, rows[i].type);
		put_string(fake, &next, entry + 8, rows[i].field);
		fake_write_u32(fake, entry + 24, rows[i].is_static);
		fake_write_u64(fake, entry + 32, rows[i].offset);
		fake_write_u64(fake, entry + 40, rows[i].address);
	}
	fake_write_u64(fake, LIST - 8, LIST);
	fake_write_u32(fake, LIST + 4, 2);
	fake_write_u64(fake, LIST + 16, THREADS);
	put_java_thread(fake, 0, OTHER_ONE, 101);
	put_java_thread(fake, 1, SELF, 100);
	fake_write_u64(fake, SELF + 32, MONITOR);
	fake_write_u64(fake, SELF + 40, SECOND);
	fake_write_u64(fake, MONITOR + 64, OTHER_ONE);
	fake_call(fake, SYS_futex, FUTEX_WORD, 0x189, 0, 0, 0, 0);
	fake->thread->slept_ms = 800;
	fake_frames(fake, "pthread_cond_wait", "|", function, NULL);
	fake_module(fake, 1, "/usr/lib/jvm/libjvm.so");
	return fake;
}

static void check(struct fake *fake, uint64_t monitor, pid_t owner)
{
	const struct wait *wait = fake_classify(fake);
	assert_string_equal(wait->resource.kind, "java monitor");
	assert_int_equal(wait->resource.address, monitor);
	assert_int_equal(wait->owners.count, owner != 0);
	if (!owner)
		return;
	assert_int_equal(wait->owners.items[0].tid, owner);
	assert_int_equal(wait->owner_confidence, CONFIDENCE_LIKELY);
	assert_int_equal(wait->reach, REACH_OWNERS);
}

static void a_monitor_names_its_owner(void **state)
{
	(void)state;
	struct fake *fake = java("ObjectMonitor::EnterI");
	check(fake, MONITOR, 101);
	assert_class(&fake->wait, "monitor enter");
	/* It was a lock on its owner's stack before it was waited for. */
	fake_write_u64(fake, MONITOR + 64, STACK + 0x8000);
	check(fake, MONITOR, 101);
	static const uint64_t nobody[] = {0, SELF, STACK + 0x1000, STACK + 0xf800, DATA, 42};
	for (size_t i = 0; i < ARRAY_SIZE(nobody); i++) {
		fake_write_u64(fake, MONITOR + 64, nobody[i]);
		check(fake, MONITOR, 0);
	}
	fake_free(fake);
}

static void one_that_has_moved_may_be_elsewhere(void **state)
{
	(void)state;
	struct fake *fake = java("ObjectMonitor::EnterI");
	fake->thread->steady = false;
	check(fake, 0, 0);
	/* So may one that has not waited for long. */
	fake->thread->steady = true;
	fake->thread->slept_ms = 400;
	check(fake, MONITOR, 0);
	fake->thread->slept_ms = -1;
	check(fake, MONITOR, 0);
	fake_free(fake);
}

static void who_waits_in_a_monitor_waits_for_nobody_in_particular(void **state)
{
	(void)state;
	struct fake *fake = java("ObjectMonitor::wait");
	fake_write_u64(fake, SECOND + 64, OTHER_ONE);
	check(fake, SECOND, 0);
	assert_class(&fake->wait, "object wait");
	fake_free(fake);
}

/* Two read it at different moments, and it has changed hands between: one of them is believed. */
static void a_monitor_has_one_owner(void **state)
{
	(void)state;
	struct fake *fake = java("ObjectMonitor::EnterI");
	fake_write_u64(fake, OTHER_ONE + 32, MONITOR);
	fake_write_u64(fake, MONITOR + 64, SELF);
	check(fake, MONITOR, 0);
	fake_free(fake);
}

static void tables_that_make_no_sense_name_nobody(void **state)
{
	(void)state;
	struct fake *fake = java("ObjectMonitor::EnterI");
	fake->context.find_variable = find_nothing;
	check(fake, 0, 0);
	fake->context.find_variable = NULL;
	check(fake, 0, 0);
	fake->context.find_variable = find_variable;
	fake_write_u64(fake, VARIABLE, 0x1234);
	check(fake, 0, 0);
	fake_write_u64(fake, VARIABLE, TABLE);
	fake_write_u32(fake, LIST + 4, UINT32_MAX);
	fake_classify(fake);
	/* Every byte of it, one after the other. */
	fake_write_u32(fake, LIST + 4, 2);
	for (uint64_t at = VARIABLE; at < MONITOR + 72; at++) {
		unsigned char before, flipped;
		assert_true(memory_read(&fake->process.memory, at, &before, 1, NULL));
		flipped = before ^ 0x5a;
		fake_write(fake, at, &flipped, 1);
		const struct wait *wait = fake_classify(fake);
		assert_true(wait->owners.count == 0 || wait->owners.items[0].tid == 101);
		assert_int_equal(wait->owner_confidence, CONFIDENCE_LIKELY);
		fake_write(fake, at, &before, 1);
	}
	fake_free(fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_monitor_names_its_owner),
		cmocka_unit_test(one_that_has_moved_may_be_elsewhere),
		cmocka_unit_test(who_waits_in_a_monitor_waits_for_nobody_in_particular),
		cmocka_unit_test(a_monitor_has_one_owner),
		cmocka_unit_test(tables_that_make_no_sense_name_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

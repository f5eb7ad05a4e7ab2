/* A hand-made capture: one process, its threads, mappings, descriptors and memory. */
#ifndef HANGDUMP_TESTS_CLASSIFY_FAKE_H
#define HANGDUMP_TESTS_CLASSIFY_FAKE_H

#include "classify/classify.h"

struct fake {
	struct strpool strings;
	struct capture_process process;
	struct classify_context context;
	struct capture_thread *thread; /* the one under test: tid 100 */
	struct stack stack;
	struct wait wait;
	array(struct {
		uint64_t start;
		unsigned char *bytes;
		size_t size;
	}) segments;
};

#define LIBC	 0x7f0000000000 /* where the fake libc is mapped, 1 MiB */
#define PROGRAM	 0x400000	/* the executable, 1 MiB */
#define OTHER	 0x7f1000000000 /* some other library, 1 MiB */
#define STACK_SP 0x7ffd00001000 /* the thread's stack pointer; 16 KiB are there from it on */
#define DATA	 0x600000	/* 16 KiB of zeroes to put objects into */

/* A process with one thread, asleep in no call yet, and the mappings above. */
struct fake *fake_new(void);
void fake_free(struct fake *fake);
/* The thread sleeps in this call, issued from libc. */
void fake_call(struct fake *fake, long number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
	       uint64_t a4, uint64_t a5);
/* Frames from the innermost outwards, up to a NULL: all of libc until "|", then of the program. */
void fake_frames(struct fake *fake, const char *first, ...) __attribute__((sentinel));
/* The module of all frames from `i` on. */
void fake_module(struct fake *fake, size_t i, const char *module);
void fake_descriptor(struct fake *fake, int fd, const char *target, unsigned mode,
		     const char *info);
/* Another thread, whose control block is at fs_base. */
struct capture_thread *fake_thread(struct fake *fake, pid_t tid, pid_t ns_tid, const char *name,
				   uint64_t fs_base);
/* Memory of zeroes to write to. */
void fake_segment(struct fake *fake, uint64_t start, size_t size);
void fake_map(struct fake *fake, uint64_t start, uint64_t size, const char *path);
void fake_write(struct fake *fake, uint64_t address, const void *bytes, size_t n);
void fake_write_u32(struct fake *fake, uint64_t address, uint32_t value);
void fake_write_u64(struct fake *fake, uint64_t address, uint64_t value);
/* Classifies the thread and returns the wait: valid until the next call. */
const struct wait *fake_classify(struct fake *fake);

#define assert_class(wait, expected)                                                               \
	assert_string_equal(wait_classes[(wait)->class].name, (expected))

#endif

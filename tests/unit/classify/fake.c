#include "unit/classify/fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static size_t read_segments(void *context, uint64_t address, void *buf, size_t n)
{
	struct fake *fake = context;
	for (size_t i = 0; i < fake->segments.count; i++) {
		uint64_t start = fake->segments.items[i].start;
		size_t size = fake->segments.items[i].size;
		if (address < start || address - start >= size)
			continue;
		size_t offset = (size_t)(address - start);
		size_t got = n < size - offset ? n : size - offset;
		memcpy(buf, fake->segments.items[i].bytes + offset, got);
		return got;
	}
	return 0;
}

void fake_segment(struct fake *fake, uint64_t start, size_t size)
{
	__auto_type segment = array_append(&fake->segments);
	segment->start = start;
	segment->bytes = xcalloc(1, size);
	segment->size = size;
}

void fake_map(struct fake *fake, uint64_t start, uint64_t size, const char *path)
{
	size_t at = 0;
	array_append(&fake->process.mappings);
	struct capture_mapping *items = fake->process.mappings.items;
	while (at + 1 < fake->process.mappings.count && items[at].start < start)
		at++;
	memmove(items + at + 1, items + at,
		(fake->process.mappings.count - 1 - at) * sizeof(*items));
	items[at] = (struct capture_mapping){.start = start,
					     .end = start + size,
					     .readable = true,
					     .writable = true,
					     .executable = true,
					     .path = path};
}

struct fake *fake_new(void)
{
	struct fake *fake = xcalloc(1, sizeof(*fake));
	strpool_init(&fake->strings);
	fake->process.pid = 100;
	fake->process.executable = "/usr/bin/program";
	array_reserve(&fake->process.threads, 16);
	memory_add_source(&fake->process.memory, MEMORY_CAPTURED, read_segments, fake);
	fake->context.process = &fake->process;
	fake->context.strings = &fake->strings;
	fake->thread = fake_thread(fake, 100, 100, "main", 0);
	fake_map(fake, LIBC, 1 << 20, "/usr/lib/x86_64-linux-gnu/libc.so.6");
	fake_map(fake, PROGRAM, 1 << 20, "/usr/bin/program");
	fake_map(fake, OTHER, 1 << 20, "/usr/lib/libother.so");
	fake_map(fake, DATA, 1 << 14, "");
	fake_map(fake, STACK_SP & ~0xfffull, 1 << 15, "[stack]");
	fake_segment(fake, DATA, 1 << 14);
	fake_segment(fake, STACK_SP, 1 << 14);
	return fake;
}

void fake_free(struct fake *fake)
{
	for (size_t i = 0; i < fake->segments.count; i++)
		free(fake->segments.items[i].bytes);
	array_deinit(&fake->segments);
	array_deinit(&fake->process.threads);
	array_deinit(&fake->process.mappings);
	array_deinit(&fake->process.descriptors);
	stack_deinit(&fake->stack);
	wait_deinit(&fake->wait);
	strpool_deinit(&fake->strings);
	free(fake);
}

void fake_call(struct fake *fake, long number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
	       uint64_t a4, uint64_t a5)
{
	fake->thread->state = 'S';
	fake->thread->syscall = (struct raw_syscall){.state = SYSCALL_INSIDE,
						     .number = number,
						     .arguments = {a0, a1, a2, a3, a4, a5},
						     .sp = STACK_SP,
						     .pc = LIBC + 0x100};
}

void fake_frames(struct fake *fake, const char *first, ...)
{
	va_list ap;
	size_t count = 0;
	bool program = false;
	stack_deinit(&fake->stack);
	fake->stack.frames = xcalloc(32, sizeof(struct frame));
	va_start(ap, first);
	for (const char *name = first; name && count < 32; name = va_arg(ap, const char *)) {
		if (strcmp(name, "|") == 0) {
			program = true;
			continue;
		}
		struct frame *frame = &fake->stack.frames[count++];
		frame->kind = FRAME_NATIVE;
		frame->found_by = count == 1 ? FOUND_BY_REGISTERS : FOUND_BY_CFI;
		frame->pc = (program ? PROGRAM : LIBC) + 0x100 + count;
		frame->lookup_pc = frame->pc;
		frame->function = *name ? name : NULL;
		frame->module =
			program ? "/usr/bin/program" : "/usr/lib/x86_64-linux-gnu/libc.so.6";
	}
	va_end(ap);
	fake->stack.count = count;
	fake->stack.complete = true;
}

void fake_module(struct fake *fake, size_t i, const char *module)
{
	for (; i < fake->stack.count; i++) {
		fake->stack.frames[i].module = module;
		fake->stack.frames[i].pc = fake->stack.frames[i].lookup_pc = OTHER + 0x100;
	}
}

void fake_descriptor(struct fake *fake, int fd, const char *target, unsigned mode, const char *info)
{
	size_t at = fake->process.descriptors.count;
	array_append(&fake->process.descriptors);
	struct capture_descriptor *items = fake->process.descriptors.items;
	for (; at > 0 && items[at - 1].fd > fd; at--)
		items[at] = items[at - 1];
	items[at] = (struct capture_descriptor){
		.fd = fd, .target = target, .mode = mode, .info = info, .device = 1, .inode = 77};
}

struct capture_thread *fake_thread(struct fake *fake, pid_t tid, pid_t ns_tid, const char *name,
				   uint64_t fs_base)
{
	assert_true(fake->process.threads.count < 16); /* pointers stay valid */
	struct capture_thread *thread = array_append(&fake->process.threads);
	*thread = (struct capture_thread){.tid = tid,
					  .ns_tid = ns_tid,
					  .name = name,
					  .fs_base = fs_base,
					  .state = 'S',
					  .slept_ms = -1,
					  .steady = true};
	return thread;
}

void fake_write(struct fake *fake, uint64_t address, const void *bytes, size_t n)
{
	for (size_t i = 0; i < fake->segments.count; i++) {
		uint64_t start = fake->segments.items[i].start;
		if (address >= start && address + n <= start + fake->segments.items[i].size) {
			memcpy(fake->segments.items[i].bytes + (address - start), bytes, n);
			return;
		}
	}
	fail_msg("no segment at %#llx", (unsigned long long)address);
}

void fake_write_u32(struct fake *fake, uint64_t address, uint32_t value)
{
	fake_write(fake, address, &value, sizeof(value));
}

void fake_write_u64(struct fake *fake, uint64_t address, uint64_t value)
{
	fake_write(fake, address, &value, sizeof(value));
}

const struct wait *fake_classify(struct fake *fake)
{
	wait_deinit(&fake->wait);
	wait_init(&fake->wait);
	classify_thread(&fake->context, fake->thread, &fake->stack, &fake->wait);
	return &fake->wait;
}

/* capture/memory: a stack of sources, and never a zero for what nobody has. */
#include "capture/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct piece {
	uint64_t at;
	size_t n;
	char byte;
};

static size_t read_piece(void *context, uint64_t address, void *buf, size_t n)
{
	const struct piece *piece = context;
	if (address < piece->at || address - piece->at >= piece->n)
		return 0;
	size_t have = piece->n - (address - piece->at);
	n = n < have ? n : have;
	memset(buf, piece->byte, n);
	return n;
}

static void the_first_source_that_has_it_answers(void **state)
{
	(void)state;
	struct memory memory = {0};
	struct piece captured = {100, 8, 'c'}, live = {100, 64, 'l'};
	memory_add_source(&memory, MEMORY_CAPTURED, read_piece, &captured);
	memory_add_source(&memory, MEMORY_LIVE, read_piece, &live);
	char buf[16];
	enum memory_origin origin;
	assert_true(memory_read(&memory, 100, buf, 8, &origin));
	assert_int_equal(origin, MEMORY_CAPTURED);
	assert_memory_equal(buf, "cccccccc", 8);
	assert_int_equal(memory.live_reads, 0);
	/* Across the border: as weak as its weakest part, and counted. */
	assert_true(memory_read(&memory, 104, buf, 8, &origin));
	assert_int_equal(origin, MEMORY_LIVE);
	assert_memory_equal(buf, "ccccllll", 8);
	assert_int_equal(memory.live_reads, 1);
}

static void what_no_source_has_is_not_read(void **state)
{
	(void)state;
	struct memory memory = {0};
	struct piece piece = {100, 8, 'c'};
	uint64_t word = 77;
	uint32_t half = 78;
	assert_false(memory_read_u64(&memory, 100, &word));
	memory_add_source(&memory, MEMORY_CAPTURED, read_piece, &piece);
	assert_false(memory_read_u64(&memory, 101, &word));
	assert_false(memory_read_u64(&memory, UINT64_MAX - 3, &word));
	assert_false(memory_read_u64(&memory, UINT64_MAX, &word));
	assert_false(memory_read_u32(&memory, 0, &half));
	assert_int_equal(word, 77);
	assert_int_equal(half, 78);
	assert_true(memory_read_u64(&memory, 100, &word));
	assert_true(word == 0x6363636363636363);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_source_that_has_it_answers),
		cmocka_unit_test(what_no_source_has_is_not_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

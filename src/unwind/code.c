#include "unwind/code.h"

#include "base/array.h"

#include <string.h>

static int32_t rel32(const uint8_t *at)
{
	int32_t value;
	memcpy(&value, at, sizeof(value));
	return value;
}

/* Length of `ff /2` with this ModRM byte (and SIB), 0 when ModRM is not that of a near call. */
static size_t indirect_call_length(uint8_t modrm, uint8_t sib)
{
	unsigned mod = modrm >> 6, reg = modrm >> 3 & 7, rm = modrm & 7;
	if (reg != 2)
		return 0;
	if (mod == 3)
		return 2;
	size_t displacement = mod == 1 ? 1 : mod == 2 ? 4 : 0;
	if (rm == 4) {
		if (mod == 0 && (sib & 7) == 5)
			displacement = 4;
		return 3 + displacement;
	}
	if (mod == 0 && rm == 5)
		displacement = 4;
	return 2 + displacement;
}

enum call_form code_call_before(const uint8_t *before, size_t n, uint64_t address, uint64_t *ret_to)
{
	static const uint8_t lengths[] = {6, 7, 2, 3, 4};
	const uint8_t *end = before + n;
	if (n >= 5 && end[-5] == 0xe8) {
		*ret_to = address + (uint64_t)(int64_t)rel32(end - 4);
		return CALL_DIRECT;
	}
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		size_t length = lengths[i];
		if (n < length || end[-(int)length] != 0xff)
			continue;
		const uint8_t *modrm = end - length + 1;
		uint8_t sib = length > 2 ? modrm[1] : 0;
		if (indirect_call_length(modrm[0], sib) != length)
			continue;
		if (length == 6 && modrm[0] == 0x15) {
			*ret_to = address + (uint64_t)(int64_t)rel32(end - 4);
			return CALL_SLOT;
		}
		return CALL_INDIRECT;
	}
	return CALL_NONE;
}

static bool starts_with(const uint8_t *at, size_t n, const uint8_t *bytes, size_t length)
{
	return n >= length && memcmp(at, bytes, length) == 0;
}

static size_t skip_endbr64(const uint8_t *at, size_t n)
{
	static const uint8_t endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
	return starts_with(at, n, endbr64, sizeof(endbr64)) ? sizeof(endbr64) : 0;
}

/* `jmp *slot(%rip)`, with or without the bnd prefix: where its 32-bit displacement is. */
static size_t slot_jump(const uint8_t *at, size_t n)
{
	size_t i = n && at[0] == 0xf2 ? 1 : 0;
	return n >= i + 6 && at[i] == 0xff && at[i + 1] == 0x25 ? i + 2 : 0;
}

/* `push $index; [bnd] jmp rel32`: the lazy half of a stub. */
static bool is_push_index(const uint8_t *at, size_t n)
{
	return n >= 10 && at[0] == 0x68 &&
	       (at[5] == 0xe9 || (n >= 11 && at[5] == 0xf2 && at[6] == 0xe9));
}

bool code_is_push_got(const uint8_t *at, size_t n)
{
	return n >= 6 && at[0] == 0xff && at[1] == 0x35;
}

bool code_is_plt_stub(const uint8_t *at, size_t n, bool after_push_got, unsigned *ret_bytes)
{
	size_t i = skip_endbr64(at, n);
	if (slot_jump(at + i, n - i)) {
		/* In PLT0 the index and the link map have been pushed by then. */
		*ret_bytes = after_push_got ? 16 : 0;
		return true;
	}
	if (is_push_index(at + i, n - i)) {
		*ret_bytes = 0;
		return true;
	}
	if (code_is_push_got(at, n) && slot_jump(at + 6, n - 6)) {
		*ret_bytes = 8;
		return true;
	}
	return false;
}

bool code_plt_slot(const uint8_t *at, size_t n, uint64_t address, uint64_t *ret_slot)
{
	size_t i = skip_endbr64(at, n);
	size_t displacement = slot_jump(at + i, n - i);
	if (!displacement)
		return false;
	i += displacement;
	*ret_slot = address + i + 4 + (uint64_t)(int64_t)rel32(at + i);
	return true;
}

bool code_is_sigreturn(const uint8_t *at, size_t n)
{
	static const uint8_t with_rax[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
	static const uint8_t with_eax[] = {0xb8, 0x0f, 0, 0, 0, 0x0f, 0x05};
	return starts_with(at, n, with_rax, sizeof(with_rax)) ||
	       starts_with(at, n, with_eax, sizeof(with_eax));
}

bool code_is_after_first_call(const uint8_t *at, size_t n)
{
	static const struct {
		uint8_t bytes[12];
		uint8_t length;
	} rows[] = {
		/* glibc 2.34..2.40 clone, clone3: mov %eax,%edi; mov $60,%eax; syscall */
		{{0x89, 0xc7, 0xb8, 0x3c, 0, 0, 0, 0x0f, 0x05}, 9},
		/* glibc before 2.26: mov %rax,%rdi; mov $60,%eax; syscall */
		{{0x48, 0x89, 0xc7, 0xb8, 0x3c, 0, 0, 0, 0x0f, 0x05}, 10},
		/* musl 1.1..1.2 __clone: mov %eax,%edi; xor %eax,%eax; mov $60,%al; syscall */
		{{0x89, 0xc7, 0x31, 0xc0, 0xb0, 0x3c, 0x0f, 0x05}, 8},
		/* glibc _start: hlt, which no program may run */
		{{0xf4}, 1},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (starts_with(at, n, rows[i].bytes, rows[i].length))
			return true;
	return false;
}

size_t code_frame_prologue(const uint8_t *at, size_t n)
{
	static const uint8_t by_store[] = {0x48, 0x89, 0xe5}, by_load[] = {0x48, 0x8b, 0xec};
	size_t i = skip_endbr64(at, n);
	if (i >= n || at[i] != 0x55)
		return 0;
	/* Compilers move other instructions in between. */
	for (i++; i < n; i++)
		if (starts_with(at + i, n - i, by_store, sizeof(by_store)) ||
		    starts_with(at + i, n - i, by_load, sizeof(by_load)))
			return i + sizeof(by_store);
	return 0;
}

bool code_is_return(const uint8_t *at, size_t n)
{
	/* With or without a prefix (AMD's advice of old, bnd), and the one that pops arguments. */
	size_t prefix = n && (at[0] == 0xf3 || at[0] == 0xf2);
	return n > prefix && (at[prefix] == 0xc3 || (at[prefix] == 0xc2 && n >= prefix + 3));
}

static bool epilogue_here(const uint8_t *at, size_t n, uint64_t *ret_size, uint64_t *ret_rbp)
{
	static const uint8_t add_byte[] = {0x48, 0x83, 0xc4}, add_int[] = {0x48, 0x81, 0xc4};
	uint64_t size = 0;
	size_t i = 0;
	*ret_rbp = UINT64_MAX;
	if (starts_with(at, n, add_byte, sizeof(add_byte)) && n > 3 && at[3] < 0x80) {
		size = at[3];
		i = 4;
	} else if (starts_with(at, n, add_int, sizeof(add_int)) && n >= 7 && rel32(at + 3) > 0) {
		size = (uint64_t)rel32(at + 3);
		i = 7;
	}
	while (i < n) {
		size_t wide = at[i] == 0x41;
		uint8_t pop = i + wide < n ? at[i + wide] : 0;
		if (pop < 0x58 || pop > 0x5f || (!wide && pop == 0x5c))
			break;
		if (!wide && pop == 0x5d)
			*ret_rbp = size;
		size += 8;
		i += 1 + wide;
	}
	*ret_size = size;
	return i && size % 8 == 0 && code_is_return(at + i, n - i);
}

bool code_epilogue(const uint8_t *at, size_t n, uint64_t *ret_size, uint64_t *ret_rbp)
{
	for (size_t i = 0; i < n; i++)
		if (epilogue_here(at + i, n - i, ret_size, ret_rbp))
			return true;
	return false;
}

bool code_jumps_to(const uint8_t *at, size_t n, uint64_t address, uint64_t target)
{
	for (size_t i = 0; i + 5 <= n; i++)
		if (at[i] == 0xe9 &&
		    address + i + 5 + (uint64_t)(int64_t)rel32(at + i + 1) == target)
			return true;
	return false;
}

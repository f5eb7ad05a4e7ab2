/* x86-64 machine code, as far as a walk must read it.  Pure functions over bytes. */
#ifndef HANGDUMP_UNWIND_CODE_H
#define HANGDUMP_UNWIND_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum call_form {
	CALL_NONE,
	CALL_DIRECT,   /* e8 rel32: `to` is what it calls */
	CALL_SLOT,     /* ff 15 rel32, call *slot(%rip): `to` is the slot */
	CALL_INDIRECT, /* any other ff /2 */
};

#define CALL_BYTES_MAX 7 /* the longest form without its prefixes */

/*
 * Do the n bytes before `address` end with a call instruction?  Code has no marks where
 * instructions begin, so this is what could be one; the form with the most to check comes first.
 */
enum call_form code_call_before(const uint8_t *before, size_t n, uint64_t address,
				uint64_t *ret_to);

/* Enough for every recogniser below that looks forward from an address. */
#define CODE_BYTES 24

/*
 * A stub of a procedure linkage table (GNU ld, gold, lld; classic, second PLT, IBT): in *ret_bytes
 * how far above the stack pointer the return address is.
 */
bool code_is_plt_stub(const uint8_t *at, size_t n, bool after_push_got, unsigned *ret_bytes);
/* `ret` in any of its forms: what it returns to is on top of the stack. */
bool code_is_return(const uint8_t *at, size_t n);
/* The first half of PLT0, `push GOT+8(%rip)`: 6 bytes that stand before its jump. */
bool code_is_push_got(const uint8_t *at, size_t n);
/* Through which slot the stub at `address` jumps; false when it is none. */
bool code_plt_slot(const uint8_t *at, size_t n, uint64_t address, uint64_t *ret_slot);

/* `mov $__NR_rt_sigreturn, %eax or %rax; syscall`: glibc, musl, Go, the kernel's own. */
bool code_is_sigreturn(const uint8_t *at, size_t n);

/*
 * What follows the call of a thread's or a process's first function in clone(), clone3() and
 * _start: exit(2) with its result, or hlt.  So `at` is the return address into a first frame.
 */
bool code_is_after_first_call(const uint8_t *at, size_t n);

/*
 * How far from the start of a function its `push %rbp ... mov %rsp, %rbp` ends, 0 when it does not
 * begin so.
 */
size_t code_frame_prologue(const uint8_t *at, size_t n);

/*
 * The nearest end of a function from `at` on that takes its frame down: `add $n, %rsp`, pops, ret.
 * In *ret_size how far above the stack pointer that puts the return address; in *ret_rbp where the
 * caller's rbp is, UINT64_MAX when it is not popped.
 */
bool code_epilogue(const uint8_t *at, size_t n, uint64_t *ret_size, uint64_t *ret_rbp);

/* Do the n bytes at `address` have a `jmp rel32` to `target`: a call made as a jump? */
bool code_jumps_to(const uint8_t *at, size_t n, uint64_t address, uint64_t target);

#endif

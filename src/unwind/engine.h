/*
 * A maker of steps from call frame information.  One file exports one const object of these; the
 * walk checks every answer, so an engine need not.
 */
#ifndef HANGDUMP_UNWIND_ENGINE_H
#define HANGDUMP_UNWIND_ENGINE_H

#include "unwind/site.h"
#include "unwind/stack_memory.h"

enum step_result {
	STEP_OK,
	STEP_OUTERMOST, /* the rule says that this frame has no caller */
	STEP_NO_INFORMATION,
	STEP_FAILED, /* there is information, but a register or memory it needs is not known */
};

/* A frame, as a step needs it. */
struct step_from {
	struct site *site; /* of lookup_pc */
	uint64_t lookup_pc;
	const struct registers *registers;
	/*
	 * Found in another way, when the register that the rule for the canonical frame address
	 * starts from is not known.
	 */
	bool has_cfa;
	uint64_t cfa;
};

struct step_to {
	struct registers registers; /* the caller's; pc and sp are valid after STEP_OK */
	uint64_t cfa;		    /* of the frame that was stepped out of; 0 not known */
	/* The frame was a signal trampoline: these are the registers of what it interrupted. */
	bool signal;
};

struct unwind_engine_ops {
	const char *name;
	bool takes_cfa; /* can use step_from.cfa */
	void *(*new)(struct sites *sites);
	void (*free)(void *engine);
	enum step_result (*step)(void *engine, const struct step_from *from,
				 struct stack_memory *stack, struct step_to *ret);
};

extern const struct unwind_engine_ops unwind_engine_libdw;
extern const struct unwind_engine_ops unwind_engine_libunwind;

#endif

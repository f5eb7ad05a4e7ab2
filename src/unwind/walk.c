#include "unwind/walk.h"

#include "unwind/expression.h"
#include "unwind/fallback.h"

#include <gelf.h>
#include <string.h>

/* What a called function may leave changed (System V psABI for x86-64, figure 3.4). */
#define CALLER_SAVED                                                                               \
	(1u << DWARF_RAX | 1u << DWARF_RCX | 1u << DWARF_RDX | 1u << DWARF_RSI | 1u << DWARF_RDI | \
	 1u << DWARF_R8 | 1u << DWARF_R9 | 1u << DWARF_R10 | 1u << DWARF_R11)

enum { DEADLINE_EVERY = 64, LOWEST_CODE = 4096 };

struct cursor {
	struct registers registers;
	struct walk_frame frame;
	struct site *site;    /* of lookup_pc */
	struct site *pc_site; /* of pc */
	bool exact;	      /* pc is where it stood, not where a call returns to */
};

/* Why there is no next frame, from what was tried: the one that says most is kept. */
struct failure {
	enum walk_end end;
	uint64_t address;
};

struct step {
	struct step_to to;
	enum found_by found_by;
	bool guess;
};

static uint64_t sp_of(const struct registers *registers)
{
	return registers->value[DWARF_RSP];
}

static uint64_t pc_of(const struct registers *registers)
{
	return registers->value[DWARF_RIP];
}

/*
 * A return address belongs to the call before it, which may be the last instruction of its
 * function.  Not so where no call made it: trampolines, and entries that were put on a stack.
 */
static bool looked_up_exactly(const struct cursor *cursor)
{
	const struct site *site = cursor->pc_site;
	if (cursor->exact || site->sigreturn || cursor->frame.pc == 0)
		return true;
	return site->has_fde && site->fde.start == site->address && site->call == CALL_NONE;
}

static void set_cursor(struct cursor *cursor, struct sites *sites)
{
	struct walk_frame *frame = &cursor->frame;
	frame->pc = pc_of(&cursor->registers);
	cursor->pc_site = site_at(sites, frame->pc);
	frame->lookup_pc = looked_up_exactly(cursor) ? frame->pc : frame->pc - 1;
	cursor->site = site_at(sites, frame->lookup_pc);
	frame->kind = cursor->pc_site->sigreturn ? FRAME_SIGNAL : FRAME_NATIVE;
}

static bool is_libc(const struct object *object)
{
	static const char *const libcs[] = {"libc.so",	     "libc-2.",	      "libc.musl-",
					    "libpthread.so", "libpthread-2.", "ld-linux-x86",
					    "ld-2.",	     "ld-musl-"};
	const char *slash = strrchr(object->path, '/');
	const char *base = slash ? slash + 1 : object->path;
	for (size_t i = 0; strstr(base, ".so") && i < ARRAY_SIZE(libcs); i++) {
		if (strncmp(base, libcs[i], strlen(libcs[i])) == 0)
			return true;
	}
	return false;
}

/*
 * libc itself, or a static executable, which has libc in it.  What another library or a dynamically
 * linked program calls start_thread is its own.
 */
static bool may_hold_libc(const struct capture_process *process, const struct object *object)
{
	size_t count = 0;
	GElf_Phdr header;
	if (is_libc(object))
		return true;
	if (!process->executable || strcmp(process->executable, object->path) != 0 ||
	    !object->elf || elf_getphdrnum(object->elf, &count) != 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (gelf_getphdr(object->elf, (int)i, &header) && header.p_type == PT_INTERP)
			return false;
	}
	return true;
}

static bool is_first_function(const struct walker *walker, const struct cursor *cursor)
{
	if (cursor->pc_site->after_first_call && !cursor->exact)
		return true;
	const char *name = cursor->site->executable ? site_function_name(cursor->site) : NULL;
	if (!name || !start_is_first_function(name))
		return false;
	/* Names with an underscore or a package are nobody else's. */
	return name[0] == '_' || strchr(name, '.') ||
	       may_hold_libc(sites_process(walker->sites), cursor->site->object);
}

/* May the caller's frame be there?  Stacks grow downwards; another stack may lie anywhere. */
static bool grows(const struct walker *walker, const struct cursor *cursor,
		  const struct step_to *to)
{
	uint64_t from = sp_of(&cursor->registers), sp = sp_of(&to->registers);
	if (sp > from || to->signal)
		return true;
	struct capture_process *process = sites_process(walker->sites);
	const struct capture_mapping *there = capture_mapping_at(process, sp);
	return !cursor->frame.doubtful && there && there != capture_mapping_at(process, from);
}

/* Return addresses that no call made, but that something put there on purpose. */
static bool is_made_entry(struct site *site)
{
	uint64_t start;
	return site->sigreturn || (site_function_start(site, &start) && start == site->address);
}

enum verdict { GOOD, DUBIOUS, BAD };

static enum verdict judge(const struct walker *walker, const struct cursor *cursor,
			  const struct step_to *to, struct failure *failure)
{
	uint64_t pc = pc_of(&to->registers);
	if (!grows(walker, cursor, to)) {
		*failure = (struct failure){WALK_NOT_GROWING, cursor->frame.lookup_pc};
		return BAD;
	}
	/* A signal can interrupt anything, also a jump to nowhere. */
	if (to->signal)
		return GOOD;
	struct site *site = site_at(walker->sites, pc);
	if (!site->executable || pc < LOWEST_CODE) {
		*failure = (struct failure){WALK_NO_RETURN, cursor->frame.lookup_pc};
		return BAD;
	}
	if (fallback_is_return_address(walker->sites, pc) || !site->before_readable ||
	    is_made_entry(site))
		return GOOD;
	return DUBIOUS;
}

/* What came of asking the engines. */
enum answer { ANSWER_STEP, ANSWER_END, ANSWER_NONE };

static enum answer ask_engines(const struct walker *walker, const struct cursor *cursor,
			       const struct step_from *from, struct step *ret, bool *ret_live,
			       struct failure *failure)
{
	struct step dubious;
	bool has_dubious = false, dubious_live = false;
	for (unsigned i = 0; i < WALK_ENGINES && walker->engines[i].ops; i++) {
		struct stack_memory stack = {.memory = &sites_process(walker->sites)->memory};
		struct step step = {.found_by = FOUND_BY_CFI};
		enum step_result result = walker->engines[i].ops->step(walker->engines[i].engine,
								       from, &stack, &step.to);
		if (result == STEP_NO_INFORMATION)
			continue;
		if (result == STEP_OUTERMOST) {
			*failure = (struct failure){WALK_FIRST_FRAME, 0};
			return ANSWER_END;
		}
		if (result == STEP_FAILED) {
			*failure = stack.missing
					   ? (struct failure){WALK_NO_MEMORY, stack.missing_address}
					   : (struct failure){WALK_NO_RETURN, from->lookup_pc};
			continue;
		}
		if (pc_of(&step.to.registers) == 0 && !step.to.signal) {
			*failure = (struct failure){WALK_RETURN_ZERO, from->lookup_pc};
			ret->to.cfa = step.to.cfa;
			continue;
		}
		enum verdict verdict = judge(walker, cursor, &step.to, failure);
		if (verdict == GOOD) {
			*ret = step;
			*ret_live = stack.live;
			return ANSWER_STEP;
		}
		if (verdict == DUBIOUS && !has_dubious) {
			has_dubious = true;
			dubious = step;
			dubious_live = stack.live;
		}
	}
	if (!has_dubious || cursor->frame.doubtful)
		return ANSWER_NONE;
	/* Exact all the way, and code, but nothing called from there: said with a doubt. */
	*ret = dubious;
	ret->guess = true;
	*ret_live = dubious_live;
	return ANSWER_STEP;
}

/* With the frame address that was guessed, the rules give the registers that were saved. */
static void refine(const struct walker *walker, const struct step_from *from,
		   struct stack_memory *used, struct step_to *to)
{
	struct step_from with_cfa = *from;
	with_cfa.has_cfa = true;
	with_cfa.cfa = to->cfa;
	for (unsigned i = 0; i < WALK_ENGINES && walker->engines[i].ops; i++) {
		struct stack_memory stack = {.memory = &sites_process(walker->sites)->memory};
		struct step_to refined;
		if (walker->engines[i].ops->takes_cfa &&
		    walker->engines[i].ops->step(walker->engines[i].engine, &with_cfa, &stack,
						 &refined) == STEP_OK &&
		    pc_of(&refined.registers) == pc_of(&to->registers) &&
		    sp_of(&refined.registers) == sp_of(&to->registers)) {
			*to = refined;
			used->live |= stack.live;
			return;
		}
	}
}

/*
 * The frame pointer against the scan.  A function that does not set it up still has its caller's
 * in rbp, and following that would skip the caller: a return address further in, of a call that
 * leads here, is better then.
 */
static bool guess(const struct walker *walker, const struct step_from *from,
		  struct stack_memory *stack, struct step *ret)
{
	struct stack_memory fp_stack = *stack, scan_stack = *stack;
	struct scan_result scan;
	bool certain, scanned = false;
	bool chained = fallback_frame_pointer(walker->sites, &fp_stack, from, &ret->to, &certain);
	if (!chained || (!certain && !from->site->foreign))
		scanned = fallback_scan(walker->sites, &scan_stack, from, &scan);
	bool by_scan = scanned;
	if (chained && scanned)
		by_scan = scan.to.cfa < ret->to.cfa && scan.likeness >= CALLS_NEARBY &&
			  !(scan.called && fallback_frame_prologue(walker->sites, scan.called));
	*stack = by_scan || !chained ? scan_stack : fp_stack;
	if (by_scan) {
		*ret = (struct step){scan.to, FOUND_BY_SCAN, true};
		refine(walker, from, stack, &ret->to);
		return true;
	}
	ret->found_by = FOUND_BY_FRAME_POINTER;
	ret->guess = !certain;
	return chained;
}

/* Without what call frame information may say: exact rules first, then guesses. */
static bool fall_back(const struct walker *walker, const struct cursor *cursor,
		      const struct step_from *from, struct step *ret, bool *ret_live,
		      struct failure *failure)
{
	struct stack_memory stack = {.memory = &sites_process(walker->sites)->memory};
	*ret = (struct step){.found_by = FOUND_BY_CFI};
	if (cursor->exact && fallback_leaf(walker->sites, &stack, from, &ret->to)) {
		*ret_live = stack.live;
		return true;
	}
	/* Where exact rules lead to memory that is not there, no guess can know better. */
	if (failure->end == WALK_NO_MEMORY && !cursor->frame.doubtful)
		return false;
	if (cursor->site->executable && guess(walker, from, &stack, ret)) {
		*ret_live = stack.live;
		return true;
	}
	if (stack.missing)
		*failure = (struct failure){WALK_NO_MEMORY, stack.missing_address};
	else if (!cursor->site->executable)
		*failure = (struct failure){WALK_NO_CODE, from->lookup_pc};
	return false;
}

/* The step out of this frame, or why it is the last; *ret_live: it read what may have changed. */
static bool find_step(const struct walker *walker, struct cursor *cursor, struct step *ret,
		      bool *ret_live, struct failure *failure)
{
	struct stack_memory stack = {.memory = &sites_process(walker->sites)->memory};
	const struct step_from from = {
		.site = cursor->site,
		.lookup_pc = cursor->frame.lookup_pc,
		.registers = &cursor->registers,
	};
	*ret = (struct step){.found_by = FOUND_BY_CFI};
	*failure = (struct failure){WALK_NO_INFORMATION, from.lookup_pc};
	if (cursor->pc_site->sigreturn &&
	    fallback_sigreturn(&stack, &cursor->registers, &ret->to)) {
		*ret_live = stack.live;
		return true;
	}
	if (cursor->site->go != GO_ORDINARY) {
		failure->end = cursor->site->go == GO_FIRST ? WALK_FIRST_FRAME : WALK_STACK_SWITCH;
		return false;
	}
	enum answer answer = ask_engines(walker, cursor, &from, ret, ret_live, failure);
	if (answer != ANSWER_NONE)
		return answer == ANSWER_STEP;
	if (is_first_function(walker, cursor)) {
		failure->end = WALK_FIRST_FRAME;
		return false;
	}
	return failure->end != WALK_RETURN_ZERO &&
	       fall_back(walker, cursor, &from, ret, ret_live, failure);
}

static void take_step(struct cursor *cursor, struct step *step, bool live)
{
	bool doubtful = cursor->frame.doubtful || step->guess || live;
	if (!step->to.signal)
		step->to.registers.valid &= ~CALLER_SAVED;
	cursor->registers = step->to.registers;
	cursor->exact = step->to.signal;
	cursor->frame = (struct walk_frame){.found_by = step->found_by, .doubtful = doubtful};
}

/*
 * Brent's way to see that a sequence has come round: compare with one that is moved on ever more
 * rarely.  Only signal frames and other stacks can make it, all else grows.
 */
struct loop_watch {
	uint64_t pc, sp;
	size_t steps, limit;
};

static bool comes_round(struct loop_watch *watch, const struct registers *registers)
{
	if (watch->limit && watch->pc == pc_of(registers) && watch->sp == sp_of(registers))
		return true;
	if (watch->steps++ == watch->limit) {
		watch->pc = pc_of(registers);
		watch->sp = sp_of(registers);
		watch->limit = watch->limit ? watch->limit * 2 : 1;
		watch->steps = 0;
	}
	return false;
}

static void end_walk(struct walk_result *ret, enum walk_end end, uint64_t address)
{
	ret->end = end;
	ret->address = address;
}

void walk(const struct walker *walker, const struct registers *registers, walk_frame_fn *emit,
	  void *context, struct walk_result *ret)
{
	struct cursor cursor = {
		.registers = *registers,
		.exact = true,
		.frame.found_by = FOUND_BY_REGISTERS,
	};
	struct loop_watch watch = {0};
	uint32_t needed = 1u << DWARF_RSP | 1u << DWARF_RIP;
	*ret = (struct walk_result){.end = WALK_NO_REGISTERS};
	if ((registers->valid & needed) != needed)
		return;
	for (;;) {
		struct step step;
		struct failure failure;
		bool live = false;
		set_cursor(&cursor, walker->sites);
		if (comes_round(&watch, &cursor.registers))
			return end_walk(ret, WALK_REPEATS, cursor.frame.lookup_pc);
		if (ret->count == walker->frames_max)
			return end_walk(ret, WALK_LIMIT, cursor.frame.lookup_pc);
		if (ret->count % DEADLINE_EVERY == 1 && deadline_passed(walker->deadline))
			return end_walk(ret, WALK_DEADLINE, cursor.frame.lookup_pc);
		bool more = find_step(walker, &cursor, &step, &live, &failure);
		cursor.frame.cfa = step.to.cfa;
		if (more && step.to.signal)
			cursor.frame.kind = FRAME_SIGNAL;
		emit(context, &cursor.frame);
		ret->count++;
		if (!more)
			return end_walk(ret, failure.end, failure.address);
		take_step(&cursor, &step, live);
	}
}

/*
 * Steps from libunwind's view of .eh_frame: a remote address space over the capture.  libunwind is
 * handed one entry at a time, already found and checked (its own look-up believes what a file's
 * header says, and can abort), and makes exactly one step from registers that are given.
 */
#include "unwind/engine.h"

#include <libunwind.h>
#include <stdlib.h>
#include <string.h>

#define search_unwind_table UNW_OBJ(dwarf_search_unwind_table)
extern int search_unwind_table(unw_addr_space_t space, unw_word_t ip, unw_dyn_info_t *info,
			       unw_proc_info_t *ret, int need_unwind_info, void *arg);

/* Where libunwind finds our one-entry table: no program has memory there. */
#define TABLE_ADDRESS 0x8000000000000000u
enum { READS_MAX = 1 << 14, CACHE_ROWS = 4096 };

struct table_row {
	int32_t start, entry; /* from the table's base */
};

struct libunwind_engine {
	struct sites *sites;
	unw_addr_space_t space;
	/* Of the step that is being made: */
	const struct step_from *from;
	struct stack_memory *stack;
	struct table_row table;
	unsigned reads;
	bool guessing; /* it has begun to look at code: its own guesses, which nobody asked for */
};

static int find_proc_info(unw_addr_space_t space, unw_word_t ip, unw_proc_info_t *ret,
			  int need_unwind_info, void *arg)
{
	struct libunwind_engine *engine = arg;
	const struct fde *fde = &engine->from->site->fde;
	if (ip < fde->start || ip >= fde->end)
		return -UNW_ENOINFO;
	int64_t start = (int64_t)(fde->start - fde->address);
	int64_t end = (int64_t)(fde->end - fde->address);
	if (start != (int32_t)start || end != (int32_t)end)
		return -UNW_ENOINFO;
	engine->table = (struct table_row){.start = (int32_t)start};
	unw_dyn_info_t info = {
		.format = UNW_INFO_FORMAT_REMOTE_TABLE,
		.start_ip = fde->start,
		.end_ip = fde->end,
		.u.rti = {.segbase = fde->address,
			  .table_len = sizeof(engine->table) / sizeof(unw_word_t),
			  .table_data = TABLE_ADDRESS},
	};
	int result = search_unwind_table(space, ip, &info, ret, need_unwind_info, arg);
	if (result >= 0 && (ip < ret->start_ip || ip >= ret->end_ip))
		return -UNW_ENOINFO;
	return result;
}

static void put_unwind_info(unw_addr_space_t space, unw_proc_info_t *info, void *arg)
{
	(void)space;
	(void)info;
	(void)arg;
}

static int no_dynamic_info(unw_addr_space_t space, unw_word_t *ret, void *arg)
{
	(void)space;
	(void)ret;
	(void)arg;
	return -UNW_ENOINFO;
}

static int access_mem(unw_addr_space_t space, unw_word_t address, unw_word_t *value, int write,
		      void *arg)
{
	(void)space;
	struct libunwind_engine *engine = arg;
	/* An expression may jump backwards for ever; each of its operations is read from here. */
	if (write || ++engine->reads > READS_MAX)
		return -UNW_EINVAL;
	*value = 0;
	if (address == TABLE_ADDRESS) {
		memcpy(value, &engine->table, sizeof(*value));
		return 0;
	}
	const struct site *site = engine->from->site;
	if (eh_frame_read(site->eh_frame, address, value, sizeof(*value)))
		return 0;
	if (address - (site->address - 8) < 32) {
		engine->guessing = true;
		return -UNW_EINVAL;
	}
	return stack_read_u64(engine->stack, address, value) ? 0 : -UNW_EINVAL;
}

static int access_reg(unw_addr_space_t space, unw_regnum_t number, unw_word_t *value, int write,
		      void *arg)
{
	(void)space;
	struct libunwind_engine *engine = arg;
	const struct registers *registers = engine->from->registers;
	if (write || number < 0 || number >= DWARF_COUNT)
		return -UNW_EBADREG;
	/* The address that is looked up, so that a step needs no rule about pc - 1 of its own. */
	if (number == DWARF_RIP) {
		*value = engine->from->lookup_pc;
		return 0;
	}
	if (!(registers->valid & 1u << number))
		return -UNW_EBADREG;
	*value = registers->value[number];
	return 0;
}

static int access_fpreg(unw_addr_space_t space, unw_regnum_t number, unw_fpreg_t *value, int write,
			void *arg)
{
	(void)space;
	(void)number;
	(void)value;
	(void)write;
	(void)arg;
	return -UNW_EBADREG;
}

static int no_resume(unw_addr_space_t space, unw_cursor_t *cursor, void *arg)
{
	(void)space;
	(void)cursor;
	(void)arg;
	return -UNW_EINVAL;
}

static int no_name(unw_addr_space_t space, unw_word_t address, char *buf, size_t size,
		   unw_word_t *ret_offset, void *arg)
{
	(void)space;
	(void)address;
	(void)buf;
	(void)size;
	(void)ret_offset;
	(void)arg;
	return -UNW_ENOINFO;
}

static void *libunwind_new(struct sites *sites)
{
	static unw_accessors_t accessors = {
		.find_proc_info = find_proc_info,
		.put_unwind_info = put_unwind_info,
		.get_dyn_info_list_addr = no_dynamic_info,
		.access_mem = access_mem,
		.access_reg = access_reg,
		.access_fpreg = access_fpreg,
		.resume = no_resume,
		.get_proc_name = no_name,
	};
	struct libunwind_engine *engine = xcalloc(1, sizeof(*engine));
	engine->sites = sites;
	engine->space = unw_create_addr_space(&accessors, 0);
	if (engine->space) {
		unw_set_cache_size(engine->space, CACHE_ROWS, 0);
		unw_set_caching_policy(engine->space, UNW_CACHE_GLOBAL);
	}
	return engine;
}

static void libunwind_free(void *context)
{
	struct libunwind_engine *engine = context;
	if (engine->space)
		unw_destroy_addr_space(engine->space);
	free(engine);
}

static bool step_with(struct libunwind_engine *engine, struct step_to *ret, int *ret_result)
{
	unw_cursor_t cursor;
	if (unw_init_remote(&cursor, engine->space, engine) != 0)
		return false;
	*ret_result = unw_step(&cursor);
	if (*ret_result < 0 || engine->guessing)
		return false;
	for (int i = 0; i < DWARF_COUNT; i++) {
		unw_word_t value;
		if (unw_get_reg(&cursor, i, &value) == 0) {
			ret->registers.value[i] = value;
			ret->registers.valid |= 1u << i;
		}
	}
	return true;
}

static enum step_result libunwind_step(void *context, const struct step_from *from,
				       struct stack_memory *stack, struct step_to *ret)
{
	struct libunwind_engine *engine = context;
	if (!from->site->has_fde || !engine->space || from->has_cfa)
		return STEP_NO_INFORMATION;
	int result;
	*ret = (struct step_to){.signal = from->site->fde.signal};
	engine->from = from;
	engine->stack = stack;
	engine->reads = 0;
	engine->guessing = false;
	bool stepped = step_with(engine, ret, &result);
	engine->from = NULL;
	engine->stack = NULL;
	if (!stepped)
		return STEP_FAILED;
	/* It says 0 also for a return address of 0, which is read from somewhere: not the same. */
	if (result == 0 && !(ret->registers.valid & 1u << DWARF_RIP))
		return STEP_OUTERMOST;
	uint32_t needed = 1u << DWARF_RSP | 1u << DWARF_RIP;
	if ((ret->registers.valid & needed) != needed)
		return STEP_FAILED;
	/* "Does not change": the address that access_reg() gave, which lies within the call. */
	if (from->lookup_pc != from->registers->value[DWARF_RIP] &&
	    from->lookup_pc == ret->registers.value[DWARF_RIP])
		return STEP_FAILED;
	ret->cfa = ret->registers.value[DWARF_RSP];
	return STEP_OK;
}

const struct unwind_engine_ops unwind_engine_libunwind = {
	.name = "libunwind",
	.new = libunwind_new,
	.free = libunwind_free,
	.step = libunwind_step,
};

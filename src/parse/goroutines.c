/* Goroutine dumps: which goroutines are of one, and why it was made. */
#include "parse/parse.h"

#include "base/address_map.h"
#include "base/text.h"
#include "parse/go_lines.h"
#include "parse/go_stack.h"
#include "parse/lines.h"

#include <string.h>

enum {
	MOST_OCCASION = 1000,	  /* bytes; panics can say a lot */
	OCCASION_HOLDS_FOR = 100, /* lines: from further above, it is of something else */
};

struct reader {
	struct lines lines;
	struct draft draft;
	struct go_stack stack;	  /* of the goroutine that is open */
	struct address_map goids; /* to the index, plus 1, in the process's goroutines */
	size_t began;		  /* at which line this dump did; 0: not yet */
	size_t earlier;		  /* how many dumps came before */
	size_t first_earlier;	  /* and at which line they began */
	struct text occasion;	  /* what was said before the dump that comes next */
	size_t occasion_line;	  /* 0: nothing */
	enum { NO_TESTS, FIRST_TEST, MORE_TESTS } tests; /* under "running tests:" */
	bool same_again;  /* GOTRACEBACK=crash: each thread says what it runs */
	bool is_headless; /* the text begins within a dump */
	bool has_ancestors;
};

static struct process *process_of(struct reader *reader)
{
	return &reader->draft.dump.processes.items[0];
}

static void make_process(struct reader *reader)
{
	struct process *process = draft_process(&reader->draft);
	struct runtime *runtime = array_append(&process->runtimes);
	runtime->name = strpool_add(&reader->draft.dump.strings, "go");
}

static void reader_init(struct reader *reader, const char *text, size_t size)
{
	*reader = (struct reader){0};
	lines_init(&reader->lines, text, size);
	draft_init(&reader->draft);
	make_process(reader);
}

/* The draft's dump is the caller's. */
static void reader_deinit(struct reader *reader)
{
	lines_deinit(&reader->lines);
	text_deinit(&reader->occasion);
	address_map_deinit(&reader->goids, NULL);
}

static void forget_dump(struct reader *reader)
{
	if (!reader->earlier++)
		reader->first_earlier = reader->began;
	draft_forget(&reader->draft);
	make_process(reader);
	address_map_deinit(&reader->goids, NULL);
	reader->same_again = reader->is_headless = reader->has_ancestors = false;
	reader->began = 0;
}

static bool occasion_holds(const struct reader *reader)
{
	return reader->occasion_line &&
	       reader->lines.number - reader->occasion_line < OCCASION_HOLDS_FOR;
}

static void begin_dump(struct reader *reader)
{
	struct piece occasion = {reader->occasion.bytes, reader->occasion.length};
	reader->began = reader->lines.number;
	reader->draft.dump.occasion =
		occasion_holds(reader) ? draft_string(&reader->draft, occasion) : NULL;
	reader->occasion_line = 0;
	reader->tests = NO_TESTS;
}

/* 0 when the dump has none yet. */
static size_t place_of(const struct reader *reader, uint64_t goid)
{
	return goid ? (uintptr_t)address_map_get(&reader->goids, goid) : 0;
}

/* Has the dump that goroutine, with more than its header? */
static bool has_stack(struct reader *reader, uint64_t goid)
{
	size_t place = place_of(reader, goid);
	return place && process_of(reader)->goroutines.items[place - 1].stack.count;
}

static void open_goroutine(struct reader *reader, const struct go_header *header)
{
	struct process *process = process_of(reader);
	size_t place = place_of(reader, header->goid);
	if (has_stack(reader, header->goid))
		return;
	if (!place) {
		if (!draft_goroutine(&reader->draft, process))
			return;
		place = process->goroutines.count;
		if (header->goid)
			address_map_put(&reader->goids, header->goid, (void *)(uintptr_t)place);
	}
	go_stack_open(&reader->stack, &reader->draft, place - 1, header);
}

/* goleak has a line of its own before that of Go. */
static bool is_second_header(const struct reader *reader, const struct go_header *header)
{
	const struct go_stack *stack = &reader->stack;
	return stack->state == GO_STACK_CALLS && !reader->draft.stack.count && header->goid &&
	       go_stack_thread(stack)->goroutine->goid == header->goid;
}

static void take_header(struct reader *reader, const struct go_header *header)
{
	lines_set_prefix(&reader->lines, header->prefix);
	if (is_second_header(reader, header)) {
		go_stack_set_header(&reader->stack, header);
		return;
	}
	go_stack_close(&reader->stack, false);
	bool is_other = occasion_holds(reader) || has_stack(reader, header->goid);
	if (reader->began && is_other && !reader->same_again)
		forget_dump(reader);
	if (!reader->began)
		begin_dump(reader);
	open_goroutine(reader, header);
}

static void add_occasion(struct reader *reader, const char *before, struct piece piece)
{
	struct text *occasion = &reader->occasion;
	if (occasion->length >= MOST_OCCASION)
		return;
	size_t room = MOST_OCCASION - occasion->length;
	text_add(occasion, before);
	text_add_n(occasion, piece.s, piece.n < room ? piece.n : room);
}

/* The first line of several: a panic within a panic comes after it. */
static void take_occasion(struct reader *reader, struct piece occasion)
{
	if (reader->same_again || occasion_holds(reader))
		return;
	reader->occasion.length = 0;
	add_occasion(reader, "", occasion);
	reader->occasion_line = reader->lines.number;
}

static void take_outside(struct reader *reader, const struct line *line)
{
	struct piece whole = line->whole, last, occasion;
	struct go_place place;
	if (go_occasion_parse(whole, &occasion)) {
		take_occasion(reader, occasion);
	} else if (piece_ends(whole, "running tests:") && occasion_holds(reader)) {
		reader->tests = FIRST_TEST;
	} else if (piece_equals(line->text, "-----")) {
		reader->same_again = reader->began != 0;
	} else if (piece_starts(line->text, "[originating from goroutine ")) {
		reader->has_ancestors = true;
	} else if (!piece_split_end(&whole, "\t", &last)) {
		reader->tests = NO_TESTS;
	} else if (reader->tests) {
		add_occasion(reader, reader->tests == FIRST_TEST ? "; running tests: " : ", ",
			     last);
		reader->tests = MORE_TESTS;
	} else if (!reader->began) {
		last = (struct piece){last.s - 1, last.n + 1};
		reader->is_headless |= go_place_parse(last, &place) && place.has_offset;
	}
}

static void take_line(struct reader *reader, const struct line *line)
{
	struct go_header header;
	if (go_header_parse(line->whole, &header)) {
		take_header(reader, &header);
	} else if (reader->stack.state == GO_STACK_NONE) {
		take_outside(reader, line);
	} else if (!line->text.n) {
		go_stack_close(&reader->stack, false);
	} else {
		reader->stack.number = reader->lines.number;
		go_stack_take(&reader->stack, line->text);
	}
}

/* The runtime finds out by itself that no goroutine can go on. */
static void note_asleep(struct dump *dump)
{
	static const char words[] = "fatal error: all goroutines are asleep - deadlock!";
	if (!dump->occasion ||
	    !piece_starts((struct piece){dump->occasion, strlen(dump->occasion)}, words))
		return;
	struct finding *finding = array_append(&dump->findings);
	finding->kind = FINDING_NO_PROGRESS;
	finding->summary =
		strpool_add(&dump->strings, "the Go runtime says that all goroutines are asleep");
	*array_append(&finding->evidence) = dump->occasion;
}

static void note_missing(struct reader *reader)
{
	struct dump *dump = &reader->draft.dump;
	if (reader->is_headless)
		dump_add_error(dump, 0, 0, "goroutines",
			       "the text begins within the dump: there were more before line %zu",
			       reader->began);
	if (reader->has_ancestors)
		dump_add_error(dump, 0, 0, "stacks of the goroutines' ancestors",
			       "they are not read of a text");
	if (reader->earlier)
		dump_add_error(dump, 0, 0, "goroutine dumps",
			       "the text has %zu more before the one that is shown: the first "
			       "begins in line %zu, this one in line %zu",
			       reader->earlier, reader->first_earlier, reader->began);
}

bool parse_looks_like_goroutines(const char *text, size_t size)
{
	struct lines lines;
	struct line line;
	struct go_header header;
	bool found = false;
	lines_init(&lines, text, size);
	while (!found && lines_next(&lines, &line))
		found = go_header_parse(line.whole, &header);
	lines_deinit(&lines);
	return found;
}

struct error *parse_goroutines(const char *text, size_t size, const char *name, struct dump *ret)
{
	struct reader reader;
	struct line line;
	reader_init(&reader, text, size);
	while (lines_next(&reader.lines, &line))
		take_line(&reader, &line);
	go_stack_close(&reader.stack, true);
	note_asleep(&reader.draft.dump);
	note_missing(&reader);
	struct dump dump;
	draft_finish(&reader.draft, &dump);
	bool found = reader.began != 0;
	reader_deinit(&reader);
	if (!found) {
		dump_deinit(&dump);
		return error_new(ERROR_FORMAT, 0, name, "(no goroutine in it)");
	}
	*ret = dump;
	return NULL;
}

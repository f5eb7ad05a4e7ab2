#include "capture/live_memory.h"

#include "base/array.h"
#include "base/helper_server.h"
#include "capture/raw.h"

#include <string.h>
#include <sys/mman.h>

enum {
	PAGE = 4096,
	SLOTS = 1024,	 /* a power of two */
	ANSWER_MS = 500, /* for one page */
};

/* Shared with the helper: one page at a time. */
struct exchange {
	uint64_t address;
	size_t length;
	char bytes[PAGE];
};

struct page {
	uint64_t address; /* 0: free slot; page 0 is never asked for */
	size_t length;	  /* 0: not readable */
	char bytes[PAGE];
};

struct live_memory {
	struct copier copier; /* the helper's */
	struct deadline deadline;
	struct exchange *exchange;
	struct helper_server helper;
	bool broken; /* it did not answer: it is not asked again */
	struct page *slots[SLOTS];
};

struct live_memory *live_memory_new(pid_t tid, int memory_fd, struct deadline deadline)
{
	struct live_memory *live = xcalloc(1, sizeof(*live));
	live->deadline = deadline;
	copier_init(&live->copier, tid, memory_fd, false);
	return live;
}

void live_memory_free(struct live_memory *live)
{
	if (!live)
		return;
	helper_server_end(&live->helper);
	if (live->exchange)
		munmap(live->exchange, sizeof(*live->exchange));
	for (unsigned i = 0; i < SLOTS; i++)
		free(live->slots[i]);
	free(live);
}

static void copy_page(void *context, char question)
{
	struct live_memory *live = context;
	struct copy_range range = {live->exchange->address, PAGE, live->exchange->bytes, 0};
	copier_copy(&live->copier, &range, 1);
	live->exchange->length = range.copied;
	(void)question;
}

static bool begin_helper(struct live_memory *live)
{
	if (live->helper.pid)
		return true;
	if (!live->exchange) {
		void *shared = mmap(NULL, sizeof(*live->exchange), PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (shared == MAP_FAILED)
			return false;
		live->exchange = shared;
	}
	return helper_server_start(&live->helper, copy_page, live);
}

static bool ask(struct live_memory *live, uint64_t address)
{
	if (live->broken || deadline_passed(live->deadline) || !begin_helper(live))
		return false;
	live->exchange->address = address;
	live->broken = !helper_server_ask(&live->helper, 'r', deadline_in_ms(ANSWER_MS));
	if (live->broken)
		helper_server_end(&live->helper);
	return !live->broken;
}

static const struct page *page_at(struct live_memory *live, uint64_t address)
{
	struct page **slot = &live->slots[address / PAGE % SLOTS];
	if (*slot && (*slot)->address == address)
		return *slot;
	if (!ask(live, address))
		return NULL;
	if (!*slot)
		*slot = xmalloc(sizeof(**slot));
	(*slot)->address = address;
	(*slot)->length = live->exchange->length;
	memcpy((*slot)->bytes, live->exchange->bytes, PAGE);
	return *slot;
}

size_t live_memory_read(void *context, uint64_t address, void *buf, size_t n)
{
	struct live_memory *live = context;
	uint64_t start = address & ~(uint64_t)(PAGE - 1), skip = address - start;
	const struct page *page = start ? page_at(live, start) : NULL;
	if (!page || skip >= page->length)
		return 0;
	if (n > page->length - skip)
		n = page->length - skip;
	memcpy(buf, page->bytes + skip, n);
	return n;
}

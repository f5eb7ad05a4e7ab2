#include "capture/live_memory.h"

#include "base/array.h"
#include "base/helper.h"
#include "capture/raw.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

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
	pid_t tid;
	struct deadline deadline;
	struct exchange *exchange;
	pid_t helper; /* 0: none yet */
	int socket;
	bool broken; /* it did not answer: it is not asked again */
	struct page *slots[SLOTS];
};

struct live_memory *live_memory_new(pid_t tid, struct deadline deadline)
{
	struct live_memory *live = xcalloc(1, sizeof(*live));
	*live = (struct live_memory){.tid = tid, .deadline = deadline, .socket = -1};
	return live;
}

static void end_helper(struct live_memory *live)
{
	if (live->helper)
		helper_kill(live->helper);
	if (live->socket >= 0)
		close(live->socket);
	live->helper = 0;
	live->socket = -1;
}

void live_memory_free(struct live_memory *live)
{
	if (!live)
		return;
	end_helper(live);
	if (live->exchange)
		munmap(live->exchange, sizeof(*live->exchange));
	for (unsigned i = 0; i < SLOTS; i++)
		free(live->slots[i]);
	free(live);
}

static void serve(struct live_memory *live, int socket)
{
	char go;
	struct copier copier;
	copier_init(&copier, live->tid, false);
	while (read(socket, &go, 1) == 1) {
		struct copy_range range = {live->exchange->address, PAGE, live->exchange->bytes, 0};
		copier_copy(&copier, &range, 1);
		live->exchange->length = range.copied;
		if (write(socket, &go, 1) != 1)
			break;
	}
}

static bool begin_helper(struct live_memory *live)
{
	int ends[2];
	if (live->helper)
		return true;
	if (!live->exchange) {
		void *shared = mmap(NULL, sizeof(*live->exchange), PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (shared == MAP_FAILED)
			return false;
		live->exchange = shared;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return false;
	pid_t parent = getpid(), pid = fork();
	if (pid == 0) {
		close(ends[0]);
		if (helper_begin(parent))
			serve(live, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	live->socket = ends[0];
	live->helper = pid > 0 ? pid : 0;
	return pid > 0;
}

static bool ask(struct live_memory *live, uint64_t address)
{
	struct deadline deadline = deadline_in_ms(ANSWER_MS);
	if (live->broken || deadline_passed(live->deadline) || !begin_helper(live))
		return false;
	live->exchange->address = address;
	char go = 1;
	struct pollfd poller = {.fd = live->socket, .events = POLLIN};
	bool answered = send(live->socket, &go, 1, MSG_NOSIGNAL) == 1;
	while (answered && poll(&poller, 1, deadline_poll_ms(deadline)) <= 0) {
		if (errno != EINTR || deadline_passed(deadline))
			answered = false;
	}
	answered = answered && read(live->socket, &go, 1) == 1;
	if (!answered) {
		live->broken = true;
		end_helper(live);
	}
	return answered;
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

#include "symbolize/debug_helper.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	QUESTIONS_AT_ONCE = 64, /* less than a socket holds */
	HELPERS_MAX = 16,
	PATIENCE_MS = 60000, /* for one answer, when there is no deadline */
	FAIR_MS = 1000,	     /* who has had less may still answer another time */
};

struct debug_helper {
	struct objects *objects;
	struct symbolize_options options;
	struct strpool *strings;
	pid_t pid; /* 0: none */
	int socket;
	bool ended; /* it closed its end: not we were too impatient */
	unsigned started;
	/* By object's number. */
	struct about {
		bool given_up;
		bool tried;
		struct file_answers *answers; /* NULL: none are kept */
	} * about;
};

struct debug_helper *debug_helper_new(struct objects *objects,
				      const struct symbolize_options *options,
				      struct strpool *strings)
{
	struct debug_helper *helper = xcalloc(1, sizeof(*helper));
	helper->objects = objects;
	helper->options = *options;
	helper->strings = strings;
	helper->about = xcalloc(objects_count(objects) + 1, sizeof(*helper->about));
	return helper;
}

pid_t debug_helper_pid(const struct debug_helper *helper)
{
	return helper->pid;
}

/* When memory runs out, it is this process that has to go. */
static void offer_to_be_killed(void)
{
	static const char most[] = "1000";
	const struct rlimit no_core = {0};
	_cleanup_close_ int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, most, sizeof(most) - 1) < 0)
		return;
	setrlimit(RLIMIT_CORE, &no_core);
}

static _Noreturn void run_child(struct debug_helper *helper, int socket, pid_t parent)
{
	static const int ours[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM};
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	prctl(PR_SET_NAME, "hangdump-debug");
	/* What our parent does at such a signal is its own affair. */
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		signal(ours[i], SIG_DFL);
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
	}
	offer_to_be_killed();
	objects_in_child(helper->objects);
	debug_server_run(helper->objects, &helper->options, helper->strings, socket);
}

static bool start(struct debug_helper *helper)
{
	int pair[2];
	if (helper->pid)
		return true;
	if (helper->started == HELPERS_MAX ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	pid_t parent = getpid(), pid = fork();
	if (pid == 0) {
		close(pair[0]);
		run_child(helper, pair[1], parent);
	}
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return false;
	}
	helper->started++;
	helper->ended = false;
	helper->pid = pid;
	helper->socket = pair[0];
	return true;
}

/* Returns its wait status; one that has ended by itself keeps its own. */
static int stop(struct debug_helper *helper)
{
	int status = 0;
	if (!helper->pid)
		return 0;
	close(helper->socket);
	kill(helper->pid, SIGKILL);
	while (waitpid(helper->pid, &status, 0) < 0 && errno == EINTR)
		;
	helper->pid = 0;
	return status;
}

void debug_helper_free(struct debug_helper *helper)
{
	if (!helper)
		return;
	stop(helper);
	free(helper->about);
	free(helper);
}

static bool read_exactly(struct debug_helper *helper, void *buf, size_t n, struct deadline deadline)
{
	for (size_t done = 0; done < n;) {
		struct pollfd poll_fd = {.fd = helper->socket, .events = POLLIN};
		int ready = poll(&poll_fd, 1, deadline_poll_ms(deadline));
		if (ready < 0 && errno == EINTR)
			continue;
		ssize_t got =
			ready > 0 ? recv(helper->socket, (char *)buf + done, n - done, MSG_DONTWAIT)
				  : 0;
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		helper->ended = ready > 0 && got <= 0;
		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
}

/* A helper whose memory is spoilt may say anything: its lengths are checked. */
struct reader {
	const char *at, *end;
	bool failed;
};

static const char *take(struct reader *reader, struct strpool *strings, uint32_t length)
{
	if (!length || reader->failed)
		return NULL;
	if (length > DEBUG_STRING_MAX || length - 1 > (size_t)(reader->end - reader->at)) {
		reader->failed = true;
		return NULL;
	}
	const char *s = strpool_add_n(strings, reader->at, length - 1);
	reader->at += length - 1;
	return s;
}

static bool parse(struct debug_helper *helper, uint32_t object, const struct debug_answer *answer,
		  const char *bytes, place_array *ret)
{
	size_t table = answer->count * sizeof(struct debug_place);
	if (answer->count > DEBUG_PLACES_MAX || table > answer->size)
		return false;
	struct reader reader = {.at = bytes + table, .end = bytes + answer->size};
	for (uint32_t i = 0; i < answer->count; i++) {
		struct debug_place sent;
		memcpy(&sent, bytes + i * sizeof(sent), sizeof(sent));
		struct place *place = array_append(ret);
		place->start = sent.start;
		place->line = sent.line;
		place->function = take(&reader, helper->strings, sent.function);
		place->file = take(&reader, helper->strings, sent.file);
	}
	const char *path = take(&reader, helper->strings, answer->debug_path);
	const char *why = take(&reader, helper->strings, answer->debug_why_not);
	if (!reader.failed && (path || why))
		objects_learn_debug(helper->objects, object, path, why);
	return !reader.failed;
}

static bool receive(struct debug_helper *helper, uint32_t object, place_array *ret)
{
	struct debug_answer answer;
	/* One object's debug information must leave time for that of others. */
	struct deadline deadline = helper->options.deadline.at_ns
					   ? deadline_halfway(helper->options.deadline)
					   : deadline_in_ms(PATIENCE_MS);
	if (!read_exactly(helper, &answer, sizeof(answer), deadline) ||
	    answer.size > DEBUG_ANSWER_MAX)
		return false;
	_cleanup_free_ char *bytes = xmalloc(answer.size + 1);
	return read_exactly(helper, bytes, answer.size, deadline) &&
	       parse(helper, object, &answer, bytes, ret);
}

static void give_up(struct debug_helper *helper, uint32_t object, const char *why)
{
	const struct object *of = objects_peek(helper->objects, object);
	objects_learn_debug(helper->objects, object, of->debug_path, why);
	helper->about[object].given_up = true;
}

static const char *why_it_failed(struct debug_helper *helper)
{
	bool ended = helper->ended;
	int status = stop(helper);
	if (!ended)
		return "reading it took too long";
	/* Nobody else sends that; and running out of memory is the one way to end with a status. */
	if (WIFEXITED(status) || WTERMSIG(status) == SIGKILL)
		return "reading it took too much memory";
	return "reading it crashed the reader: it makes no sense";
}

static struct file_answers *answers_about(struct debug_helper *helper, uint32_t object)
{
	struct about *about = &helper->about[object];
	if (!about->tried)
		about->answers =
			answers_of(helper->options.answers, objects_peek(helper->objects, object));
	about->tried = true;
	return about->answers;
}

/* What another process has asked about the same file; false when nobody has. */
static bool recall(struct debug_helper *helper, const struct debug_question *question,
		   place_array *ret)
{
	const struct object *object = objects_peek(helper->objects, question->object);
	const struct file_answers *file = answers_about(helper, question->object);
	if (!file)
		return false;
	if (answers_recall(file, object, question, helper->strings, ret)) {
		if (!object->debug_path && !object->debug_why_not)
			objects_learn_debug(helper->objects, question->object, file->debug_path,
					    file->debug_why_not);
		return true;
	}
	if (file->given_up)
		give_up(helper, question->object, file->given_up);
	return false;
}

/* What there was no time for is not what the file says. */
static void remember(struct debug_helper *helper, const struct debug_question *question,
		     const place_array *places)
{
	struct file_answers *file = answers_about(helper, question->object);
	if (file && !deadline_passed(helper->options.deadline))
		answers_remember(helper->options.answers, file,
				 objects_peek(helper->objects, question->object), question, places);
}

static void fail(struct debug_helper *helper, uint32_t object, uint64_t asked_ns)
{
	struct file_answers *file = answers_about(helper, object);
	bool was_fair = helper->ended || monotonic_ns() - asked_ns >= FAIR_MS * 1000000ull;
	const char *why = why_it_failed(helper);
	give_up(helper, object, why);
	if (file && was_fair && !deadline_passed(helper->options.deadline))
		file->given_up = why;
}

/* Asks as much as fits at once; returns how many questions are done with. */
static size_t ask_some(struct debug_helper *helper, const struct debug_question *questions,
		       size_t count, const bool *known, place_array *ret)
{
	size_t n = 0;
	while (n < count && n < QUESTIONS_AT_ONCE && !known[n] &&
	       !helper->about[questions[n].object].given_up)
		n++;
	if (n == 0)
		return 1;
	if (!start(helper)) {
		give_up(helper, questions[0].object, "no process could be made to read it in");
		return 1;
	}
	/* What cannot be sent is not answered either. */
	send(helper->socket, questions, n * sizeof(*questions), MSG_NOSIGNAL | MSG_DONTWAIT);
	for (size_t i = 0; i < n; i++) {
		uint64_t asked_ns = monotonic_ns();
		if (receive(helper, questions[i].object, &ret[i])) {
			remember(helper, &questions[i], &ret[i]);
			continue;
		}
		ret[i].count = 0;
		fail(helper, questions[i].object, asked_ns);
		return i + 1;
	}
	return n;
}

void debug_helper_ask(struct debug_helper *helper, const struct debug_question *questions,
		      size_t count, place_array *ret)
{
	_cleanup_free_ bool *known = xcalloc(count + 1, sizeof(*known));
	for (size_t i = 0; i < count; i++) {
		ret[i] = (place_array){0};
		known[i] = recall(helper, &questions[i], &ret[i]);
	}
	for (size_t done = 0; done < count;)
		done += ask_some(helper, questions + done, count - done, known + done, ret + done);
}

/* The helper's side: questions in, answers out. */
#include "symbolize/debug_helper.h"

#include "base/cleanup.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { QUESTIONS_AT_ONCE = 64 };

struct server {
	struct objects *objects;
	const struct symbolize_options *options;
	struct strpool *strings;
	array(struct debug_info) infos; /* by object's number */
	array(char) out;
	int socket;
};

static struct debug_info *info_of(struct server *server, uint32_t object)
{
	struct debug_info *info = &server->infos.items[object];
	if (!info->object) {
		info->objects = server->objects;
		info->object = objects_get(server->objects, object);
		info->strings = server->strings;
		info->deadline = server->options->deadline;
	}
	return info;
}

static void answer_variable(struct debug_info *info, const struct debug_question *question,
			    place_array *ret)
{
	Dwarf_Die variable;
	if (!debug_info_variable(info, question->address, &variable))
		return;
	struct place *place = array_append(ret);
	_cleanup_free_ char *member = variable_member(&variable, question->offset);
	int line;
	place->function = name_in_pool(info->strings, member);
	place->file = name_in_pool(info->strings, dwarf_decl_file(&variable));
	if (dwarf_decl_line(&variable, &line) == 0 && line > 0)
		place->line = (unsigned)line;
}

static void put(struct server *server, const void *bytes, size_t n)
{
	if (server->out.capacity - server->out.count < n)
		array_reserve(&server->out, 2 * (server->out.count + n));
	memcpy(server->out.items + server->out.count, bytes, n);
	server->out.count += n;
}

static uint32_t length_of(const char *s)
{
	return s ? (uint32_t)strnlen(s, DEBUG_STRING_MAX - 1) + 1 : 0;
}

static void put_string(struct server *server, const char *s)
{
	if (s)
		put(server, s, length_of(s) - 1);
}

static void put_answer(struct server *server, const struct object *object,
		       const place_array *places)
{
	size_t at = server->out.count;
	size_t first = places->count > DEBUG_PLACES_MAX ? places->count - DEBUG_PLACES_MAX : 0;
	struct debug_answer answer = {.count = (uint32_t)(places->count - first),
				      .debug_path = length_of(object->debug_path),
				      .debug_why_not = length_of(object->debug_why_not)};
	put(server, &answer, sizeof(answer));
	for (size_t i = first; i < places->count; i++) {
		const struct place *place = &places->items[i];
		struct debug_place sent = {.start = place->start,
					   .line = place->line,
					   .function = length_of(place->function),
					   .file = length_of(place->file)};
		put(server, &sent, sizeof(sent));
	}
	for (size_t i = first; i < places->count; i++) {
		put_string(server, places->items[i].function);
		put_string(server, places->items[i].file);
	}
	put_string(server, object->debug_path);
	put_string(server, object->debug_why_not);
	answer.size = (uint32_t)(server->out.count - at - sizeof(answer));
	memcpy(server->out.items + at, &answer, sizeof(answer));
}

static void send_all(struct server *server)
{
	for (size_t done = 0; done < server->out.count;) {
		ssize_t n = send(server->socket, server->out.items + done, server->out.count - done,
				 MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(0);
		done += (size_t)n;
	}
	server->out.count = 0;
}

static void answer(struct server *server, const struct debug_question *question)
{
	place_array places = {0};
	struct debug_info *info = info_of(server, question->object);
	if (question->kind == QUESTION_PLACES)
		debug_info_places(info, question->address, server->options->inlines, &places);
	else
		answer_variable(info, question, &places);
	put_answer(server, info->object, &places);
	array_deinit(&places);
	/* At once: the next question may be the one that this process does not survive. */
	send_all(server);
}

void debug_server_run(struct objects *objects, const struct symbolize_options *options,
		      struct strpool *strings, int socket)
{
	struct debug_question questions[QUESTIONS_AT_ONCE];
	struct server server = {
		.objects = objects, .options = options, .strings = strings, .socket = socket};
	for (size_t i = 0; i < objects_count(objects); i++)
		array_append(&server.infos);
	for (size_t have = 0;;) {
		ssize_t n = recv(socket, (char *)questions + have, sizeof(questions) - have, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(0);
		have += (size_t)n;
		size_t whole = have / sizeof(*questions);
		for (size_t i = 0; i < whole; i++)
			answer(&server, &questions[i]);
		have -= whole * sizeof(*questions);
		memmove(questions, &questions[whole], have);
	}
}

/* Sockets: where they lead, and what is on its way. */
#include "base/cleanup.h"
#include "base/text.h"
#include "classify/peers.h"

#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

#define ERESTARTSYS 512 /* include/linux/errno.h */

static bool connects(const struct subject *subject)
{
	return subject->wait->class == WAIT_SOCKET_CONNECT;
}

/* Does what this kind of wait is about lead that way? */
static bool fits(const struct subject *subject, enum socket_link link)
{
	switch (link) {
	case SOCKET_LINK_NONE:
		return false;
	case SOCKET_LINK_PEER:
	case SOCKET_LINK_PENDING:
		return subject->wait->class == WAIT_SOCKET_READ ||
		       subject->wait->class == WAIT_SOCKET_WRITE;
	case SOCKET_LINK_LISTENER:
		return connects(subject);
	case SOCKET_LINK_NAMED:
		return subject->wait->class == WAIT_SOCKET_WRITE;
	}
	return false;
}

/*
 * A call on a socket with a time limit of its own (SO_RCVTIMEO, SO_SNDTIMEO) is interrupted with
 * EINTR, one without with ERESTARTSYS (include/net/sock.h, sock_intr_errno()); one that has done a
 * part says neither.
 */
static bool surely_has_no_limit(const struct capture_thread *thread)
{
	return thread->stop == STOP_DONE && thread->in_syscall &&
	       thread->stopped_result == -ERESTARTSYS;
}

/* Is it the other end's turn, and not the network's? */
static bool is_quiet(const struct subject *subject, const struct capture_socket *socket,
		     const struct capture_socket *other)
{
	if (socket->family != SOCKET_TCP)
		return true;
	if (connects(subject))
		return false; /* the kernel tries again, and gives up, by itself */
	if (subject->wait->class == WAIT_SOCKET_READ)
		return other->send_queue <= 0;
	return other->receive_queue != 0;
}

void peers_of_socket(struct subject *subject, const struct capture_socket *socket,
		     struct peers *peers)
{
	const struct capture_socket *other =
		capture_socket_of(subject->context->capture, socket->peer_inode);
	if (!other || !fits(subject, socket->link))
		return;
	peers_add_ends(subject, END_SOCKET, 0, other->inode, true, peers);
	peers->all = peers_all_seen(subject) && is_quiet(subject, socket, other) &&
		     surely_has_no_limit(subject->thread);
	if (socket->link_by_path || (socket->family == SOCKET_TCP && connects(subject)))
		peers->confidence = CONFIDENCE_LIKELY;
}

static void add_queues(const struct capture_socket *socket, struct text *text)
{
	bool listens = socket->state && strcmp(socket->state, "LISTEN") == 0;
	if (socket->receive_queue < 0)
		return;
	if (listens)
		text_printf(text, ", %" PRId64 " of %" PRId64 " connections to be accepted",
			    socket->receive_queue, socket->send_queue);
	else
		text_printf(text, ", %" PRId64 " bytes to be read", socket->receive_queue);
	/* What a unix socket has sent is in its peer's queue. */
	if (!listens && socket->family != SOCKET_UNIX)
		text_printf(text, ", %" PRId64 " to be sent", socket->send_queue);
}

static void add_other_end(const struct subject *subject, const struct capture_socket *socket,
			  struct text *text)
{
	const struct capture_socket *other =
		capture_socket_of(subject->context->capture, socket->peer_inode);
	switch (socket->link) {
	case SOCKET_LINK_NONE:
		break;
	case SOCKET_LINK_PEER:
		if (other && other->receive_queue > 0)
			text_printf(text, ", %" PRId64 " bytes that the other end has yet to read",
				    other->receive_queue);
		break;
	case SOCKET_LINK_PENDING:
		text_add(text, ", not accepted yet");
		break;
	case SOCKET_LINK_LISTENER:
		if (other && other->receive_queue >= 0)
			text_printf(text,
				    ", the listener has %" PRId64
				    " connections to accept, its limit is %" PRId64,
				    other->receive_queue, other->send_queue);
		break;
	case SOCKET_LINK_NAMED:
		if (other && other->local)
			text_printf(text, ", to %s", other->local);
		break;
	}
	if (socket->window_closed)
		text_add(text, ", the other end has no room");
	else if (socket->retransmits)
		text_add(text, ", what was sent is not acknowledged");
}

/* "127.0.0.1:4000 to 127.0.0.1:80, ESTABLISHED, 0 bytes to be read, 12 to be sent" */
void peers_say_socket(struct subject *subject, const struct capture_socket *socket)
{
	struct text text = {0};
	const char *type = socket->family != SOCKET_UNIX    ? NULL
			   : socket->type == SOCK_STREAM    ? "stream"
			   : socket->type == SOCK_DGRAM	    ? "datagram"
			   : socket->type == SOCK_SEQPACKET ? "packet"
							    : NULL;
	const char *state = socket->state ? socket->state : type ? type : "state not known";
	if (socket->local && socket->peer)
		text_printf(&text, "%s to %s, ", socket->local, socket->peer);
	else if (socket->peer)
		text_printf(&text, "to %s, ", socket->peer);
	else if (socket->local)
		text_printf(&text, "%s, ", socket->local);
	if (type && socket->state)
		text_printf(&text, "%s, ", type);
	text_add(&text, state);
	add_queues(socket, &text);
	add_other_end(subject, socket, &text);
	_cleanup_free_ char *words = text_steal(&text);
	/* What a connect says of itself, its address, is in there. */
	if (socket->peer && connects(subject))
		subject->wait->resource.detail = NULL;
	peers_say(subject, strpool_add(subject->context->strings, words));
}

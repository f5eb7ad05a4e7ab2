/* The sockets that waits name, and those that they lead to, in their network namespaces. */
#include "capture/around.h"
#include "capture/socket_table.h"

#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
	NAMESPACES_MOST = 16,
	/* The kernel goes on by counting: what comes and goes meanwhile makes it pass over others. */
	READINGS = 3,
};

/* One network namespace. */
struct net {
	uint64_t inode; /* 0: not known; those are taken for one */
	pid_t tid;	/* a thread that is in it */
	int netlink;	/* -1: its files are all that there is */
	struct socket_table table;
	struct socket_index *index;
};

static int open_netlink(pid_t tid)
{
	if (namespace_enter(tid, "net") != 0)
		return -1;
	return socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
}

static int add_unix(struct net *net)
{
	if (net->netlink >= 0 && socket_diag_unix(net->netlink, &net->table) == 0)
		return 0;
	/* Half an answer would be there twice. */
	socket_table_deinit(&net->table);
	return socket_files_unix(net->tid, &net->table);
}

static int add_inet(struct net *net, int protocol)
{
	size_t before = net->table.rows.count;
	if (net->netlink >= 0 && socket_diag_inet(net->netlink, protocol, &net->table) == 0)
		return 0;
	net->table.rows.count = before;
	return socket_files_inet(net->tid, protocol, &net->table);
}

static bool is_in(const struct around_file *file, const struct net *net)
{
	return file->kind == END_SOCKET && file->net == net->inode;
}

static bool has_all(const struct around *around, struct net *net)
{
	socket_index_free(net->index);
	net->index = socket_index_new(&net->table);
	array_for_each (&around->files, file) {
		if (is_in(file, net) && !socket_by_inode(&net->table, file->inode))
			return false;
	}
	return true;
}

/* Kind after kind, until all that are wanted are found.  Returns an errno, or 0. */
static int read_kinds(const struct around *around, struct net *net)
{
	int why = add_unix(net);
	if (!has_all(around, net)) {
		int tcp = add_inet(net, IPPROTO_TCP);
		why = why ? why : tcp;
	}
	if (!has_all(around, net)) {
		int udp = add_inet(net, IPPROTO_UDP);
		why = why ? why : udp;
		has_all(around, net);
	}
	return why;
}

/*
 * Unix sockets are in the list from the first to the last moment; others only while they are bound
 * or connected.
 */
static bool should_be_listed(const struct around_file *file)
{
	static const char unix_name[] = "UNIX"; /* and "UNIX-STREAM" */
	char path[64], name[32];
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", file->process->live_tid, file->fd);
	ssize_t n = getxattr(path, "system.sockprotoname", name, sizeof(name));
	return n >= (ssize_t)sizeof(unix_name) - 1 &&
	       memcmp(name, unix_name, sizeof(unix_name) - 1) == 0;
}

/* *ret_passed_over: which should be there and are not.  Is reading again of any use? */
static bool is_incomplete(const struct around *around, const struct net *net,
			  unsigned *ret_passed_over)
{
	bool peer_missing = false;
	*ret_passed_over = 0;
	array_for_each (&around->files, file) {
		if (!is_in(file, net))
			continue;
		const struct socket_row *row = socket_by_inode(&net->table, file->inode);
		if (!row)
			*ret_passed_over += should_be_listed(file);
		/* Or it is in another network namespace. */
		else if (row->peer_inode && !socket_by_inode(&net->table, row->peer_inode))
			peer_missing = true;
	}
	return *ret_passed_over || peer_missing;
}

static void read_net(struct around *around, struct net *net)
{
	int why = read_kinds(around, net);
	unsigned passed_over = 0;
	for (unsigned readings = 1; !why && is_incomplete(around, net, &passed_over); readings++) {
		if (readings == READINGS || deadline_passed(around->deadline))
			break;
		socket_table_deinit(&net->table);
		why = read_kinds(around, net);
	}
	if (why)
		around_error(around, "sockets", "%s", strerrordesc_np(why));
	else if (passed_over)
		around_error(around, "sockets",
			     "%u unix sockets are not in the list of their network namespace",
			     passed_over);
}

static const char *keep_text(struct around *around, struct text *text)
{
	const char *copy =
		text->length ? arena_string(&around->raw->arena, text->bytes, text->length) : NULL;
	text_deinit(text);
	return copy;
}

static void add_socket(struct around *around, const struct net *net, const struct socket_row *row,
		       const struct socket_row *other, enum socket_link link, bool by_path)
{
	struct text local = {0}, peer = {0};
	struct capture_socket socket = {.inode = row->inode,
					.family = row->family,
					.type = row->type,
					.state = socket_state_name(row),
					.link = link,
					.link_by_path = by_path,
					.peer_inode = other ? other->inode : 0,
					.receive_queue = row->receive_queue,
					.send_queue = row->send_queue,
					.retransmits = row->timer == 1 && row->retransmits,
					.window_closed = row->timer == 4};
	socket_address_text(&net->table, row, false, &local);
	/* A unix socket knows its peer by that one's own name. */
	if (row->family != SOCKET_UNIX)
		socket_address_text(&net->table, row, true, &peer);
	else if (other)
		socket_address_text(&net->table, other, false, &peer);
	socket.local = keep_text(around, &local);
	socket.peer = keep_text(around, &peer);
	around_add(around, &around->found->sockets, &socket, sizeof(socket));
}

static void resolve(struct around *around, const struct net *net, struct around_file *file)
{
	enum socket_link link, back;
	const struct socket_row *row = socket_by_inode(&net->table, file->inode);
	if (!row)
		return;
	const struct socket_row *other =
		socket_follow(net->index, row, file->name, file->name_length, &link);
	bool named = link == SOCKET_LINK_NAMED || link == SOCKET_LINK_LISTENER;
	add_socket(around, net, row, other, link,
		   named && row->family == SOCKET_UNIX && file->name[0]);
	if (!other)
		return;
	file->peer = other->inode;
	const struct socket_row *beyond = socket_follow(net->index, other, NULL, 0, &back);
	add_socket(around, net, other, beyond, back, false);
}

static void look_at_net(struct around *around, struct net *net)
{
	net->netlink = open_netlink(net->tid);
	read_net(around, net);
	array_for_each (&around->files, file) {
		if (is_in(file, net))
			resolve(around, net, file);
	}
	socket_index_free(net->index);
	socket_table_deinit(&net->table);
	if (net->netlink >= 0)
		close(net->netlink);
}

void around_sockets(struct around *around)
{
	uint64_t seen[NAMESPACES_MOST];
	unsigned count = 0;
	array_for_each (&around->files, file) {
		bool known = false;
		if (file->kind != END_SOCKET)
			continue;
		for (unsigned i = 0; i < count; i++)
			known = known || seen[i] == file->net;
		if (known)
			continue;
		if (count == NAMESPACES_MOST) {
			around_error(around, "sockets", "of %d network namespaces only",
				     NAMESPACES_MOST);
			return;
		}
		seen[count++] = file->net;
		struct net net = {.inode = file->net, .tid = file->process->live_tid};
		look_at_net(around, &net);
	}
	around->found->sockets_done = true;
}

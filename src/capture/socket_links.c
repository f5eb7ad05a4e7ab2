/* Which socket another one leads to, within one network namespace. */
#include "capture/socket_table.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct socket_index {
	const struct socket_table *table;
	const struct socket_row **tcp; /* by both addresses */
	size_t tcp_count;
};

void socket_table_deinit(struct socket_table *table)
{
	array_deinit(&table->rows);
	array_deinit(&table->pending);
	text_deinit(&table->names);
}

static int by_inode(const void *a, const void *b)
{
	const struct socket_row *x = a, *y = b;
	return (x->inode > y->inode) - (x->inode < y->inode);
}

static int by_client(const void *a, const void *b)
{
	const struct socket_pending *x = a, *y = b;
	return (x->client > y->client) - (x->client < y->client);
}

static int compare_addresses(const struct socket_address *a, const struct socket_address *b)
{
	int order = memcmp(&a->address, &b->address, sizeof(a->address));
	return order ? order : (a->port > b->port) - (a->port < b->port);
}

static int by_addresses(const void *a, const void *b)
{
	const struct socket_row *x = *(const struct socket_row *const *)a,
				*y = *(const struct socket_row *const *)b;
	int order = compare_addresses(&x->local, &y->local);
	return order ? order : compare_addresses(&x->peer, &y->peer);
}

struct socket_index *socket_index_new(struct socket_table *table)
{
	struct socket_index *index = xcalloc(1, sizeof(*index));
	index->table = table;
	array_sort(&table->rows, by_inode);
	array_sort(&table->pending, by_client);
	index->tcp = xcalloc(table->rows.count + 1, sizeof(*index->tcp));
	array_for_each (&table->rows, row) {
		if (row->family == SOCKET_TCP)
			index->tcp[index->tcp_count++] = row;
	}
	qsort(index->tcp, index->tcp_count, sizeof(*index->tcp), by_addresses);
	return index;
}

void socket_index_free(struct socket_index *index)
{
	if (!index)
		return;
	free(index->tcp);
	free(index);
}

const struct socket_row *socket_by_inode(const struct socket_table *table, uint64_t inode)
{
	const struct socket_row key = {.inode = inode};
	if (!inode || !table->rows.count)
		return NULL;
	return bsearch(&key, table->rows.items, table->rows.count, sizeof(key), by_inode);
}

static bool has_name(const struct socket_table *table, const struct socket_row *row,
		     const char *name, size_t length)
{
	const char *bytes = table->names.bytes + row->name;
	if (!row->name || !row->name_length || !length)
		return false;
	if (name[0] == '\0')
		return row->name_length == length && memcmp(bytes, name, length) == 0;
	/* A path ends at its NUL, which may be there or not. */
	size_t n = strnlen(bytes, row->name_length), m = strnlen(name, length);
	return n == m && memcmp(bytes, name, n) == 0;
}

/* Of two with one path one is a file's former name: nothing tells which. */
static const struct socket_row *only_named(const struct socket_table *table,
					   const struct socket_row *from, const char *name,
					   size_t length)
{
	const struct socket_row *found = NULL;
	array_for_each (&table->rows, row) {
		bool listens = row->state == STATE_LISTEN;
		if (row->family != SOCKET_UNIX || row->type != from->type || row == from ||
		    listens != (row->type != SOCK_DGRAM) || !has_name(table, row, name, length))
			continue;
		if (found)
			return NULL;
		found = row;
	}
	return found && found->inode ? found : NULL;
}

static const struct socket_row *follow_unix(const struct socket_table *table,
					    const struct socket_row *row, const char *name,
					    size_t length, enum socket_link *ret_link)
{
	/* An explicit name goes before what the socket is connected to: sendto(2). */
	const struct socket_row *found = length ? only_named(table, row, name, length) : NULL;
	*ret_link =
		found && found->state == STATE_LISTEN ? SOCKET_LINK_LISTENER : SOCKET_LINK_NAMED;
	if (found || length)
		return found;
	*ret_link = SOCKET_LINK_PEER;
	if (row->peer_inode)
		return socket_by_inode(table, row->peer_inode);
	const struct socket_pending key = {.client = row->inode};
	const struct socket_pending *pending =
		table->pending.count ? bsearch(&key, table->pending.items, table->pending.count,
					       sizeof(key), by_client)
				     : NULL;
	*ret_link = SOCKET_LINK_PENDING;
	return pending ? socket_by_inode(table, pending->listener) : NULL;
}

static const struct socket_row *tcp_between(const struct socket_index *index,
					    const struct socket_address *local,
					    const struct socket_address *peer)
{
	const struct socket_row key = {.local = *local, .peer = *peer}, *at = &key;
	const struct socket_row *const *found =
		bsearch(&at, index->tcp, index->tcp_count, sizeof(*index->tcp), by_addresses);
	return found ? *found : NULL;
}

static bool is_any(const struct in6_addr *address)
{
	return IN6_IS_ADDR_UNSPECIFIED(address) ||
	       (IN6_IS_ADDR_V4MAPPED(address) && memcmp(&address->s6_addr[12], "\0\0\0\0", 4) == 0);
}

static bool is_loopback(const struct in6_addr *address)
{
	return IN6_IS_ADDR_LOOPBACK(address) ||
	       (IN6_IS_ADDR_V4MAPPED(address) && address->s6_addr[12] == 127);
}

/* How well a listener's address fits: its very own, any of its kind, any at all; 0: not at all. */
static unsigned fit(const struct in6_addr *listener, const struct in6_addr *address)
{
	if (memcmp(listener, address, sizeof(*listener)) == 0)
		return 3;
	if (!is_any(listener))
		return 0;
	if (IN6_IS_ADDR_V4MAPPED(listener) == IN6_IS_ADDR_V4MAPPED(address))
		return 2;
	/* One of IPv6 may take connections of IPv4 too. */
	return IN6_IS_ADDR_V4MAPPED(address) ? 1 : 0;
}

/*
 * Who listens at this address of this machine?  Several may share a port (SO_REUSEPORT), and the
 * kernel deals connections out: then it is not known.
 */
static const struct socket_row *listener_at(const struct socket_index *index,
					    const struct socket_address *address)
{
	const struct socket_row *best = NULL;
	unsigned best_fit = 0, ties = 0;
	for (size_t i = 0; i < index->tcp_count; i++) {
		const struct socket_row *row = index->tcp[i];
		if (row->state != STATE_LISTEN || row->local.port != address->port)
			continue;
		unsigned fits = fit(&row->local.address, &address->address);
		ties = fits > best_fit ? 0 : ties + (fits && fits == best_fit);
		if (fits > best_fit) {
			best_fit = fits;
			best = row;
		}
	}
	return best && !ties && best->inode ? best : NULL;
}

static const struct socket_row *follow_tcp(const struct socket_index *index,
					   const struct socket_row *row, enum socket_link *ret_link)
{
	if (row->state == STATE_LISTEN || !row->peer.port)
		return NULL;
	const struct socket_row *other = tcp_between(index, &row->peer, &row->local);
	*ret_link = SOCKET_LINK_PEER;
	if (other && other->inode)
		return other;
	/* It is there, but no process has it: the listener has yet to accept it. */
	*ret_link = SOCKET_LINK_PENDING;
	if (other)
		return other->state == STATE_ESTABLISHED || other->state == STATE_CLOSE_WAIT ||
				       other->state == STATE_SYN_RECV
			       ? listener_at(index, &row->peer)
			       : NULL;
	*ret_link = SOCKET_LINK_LISTENER;
	bool here = is_loopback(&row->peer.address) ||
		    memcmp(&row->peer.address, &row->local.address, 16) == 0;
	return row->state == STATE_SYN_SENT && here ? listener_at(index, &row->peer) : NULL;
}

const struct socket_row *socket_follow(const struct socket_index *index,
				       const struct socket_row *row, const char *name,
				       size_t length, enum socket_link *ret_link)
{
	const struct socket_row *found = NULL;
	if (row->family == SOCKET_UNIX)
		found = follow_unix(index->table, row, name, length, ret_link);
	else if (row->family == SOCKET_TCP)
		found = follow_tcp(index, row, ret_link);
	if (!found)
		*ret_link = SOCKET_LINK_NONE;
	return found;
}

static bool inet_text(const struct socket_address *address, struct text *text)
{
	char buf[INET6_ADDRSTRLEN];
	if (!address->port && is_any(&address->address))
		return false;
	if (IN6_IS_ADDR_V4MAPPED(&address->address)) {
		inet_ntop(AF_INET, &address->address.s6_addr[12], buf, sizeof(buf));
		text_printf(text, "%s:%u", buf, address->port);
	} else {
		inet_ntop(AF_INET6, &address->address, buf, sizeof(buf));
		text_printf(text, "[%s]:%u", buf, address->port);
	}
	return true;
}

bool socket_address_text(const struct socket_table *table, const struct socket_row *row, bool peer,
			 struct text *text)
{
	if (row->family != SOCKET_UNIX)
		return inet_text(peer ? &row->peer : &row->local, text);
	if (peer || !row->name || !row->name_length)
		return false;
	const char *bytes = table->names.bytes + row->name;
	size_t n = row->name_length;
	if (bytes[0] != '\0') {
		text_add_n(text, bytes, strnlen(bytes, n));
		return true;
	}
	/* Abstract: NULs are shown as ss(8) does, for they may be anywhere in it. */
	for (size_t i = 0; i < n; i++)
		text_add_n(text, bytes[i] ? &bytes[i] : "@", 1);
	return true;
}

const char *socket_state_name(const struct socket_row *row)
{
	static const char *const names[] = {NULL,	  "ESTABLISHED", "SYN_SENT",  "SYN_RECV",
					    "FIN_WAIT1",  "FIN_WAIT2",	 "TIME_WAIT", "CLOSE",
					    "CLOSE_WAIT", "LAST_ACK",	 "LISTEN",    "CLOSING",
					    "SYN_RECV",	  "BOUND"};
	if (row->state == STATE_CLOSE && row->family != SOCKET_TCP)
		return "unconnected";
	return row->state < ARRAY_SIZE(names) ? names[row->state] : NULL;
}

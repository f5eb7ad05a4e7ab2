/*
 * Private to this room: the sockets of one network namespace, as sock_diag(7) or, where that may
 * not be asked, the files under /proc/PID/net tell of them.
 */
#ifndef HANGDUMP_CAPTURE_SOCKET_TABLE_H
#define HANGDUMP_CAPTURE_SOCKET_TABLE_H

#include "base/array.h"
#include "base/text.h"
#include "capture/reader.h"

#include <netinet/in.h>

/* include/net/tcp_states.h; unix and UDP sockets use three of them. */
enum {
	STATE_ESTABLISHED = 1,
	STATE_SYN_SENT = 2,
	STATE_SYN_RECV = 3,
	STATE_CLOSE = 7,
	STATE_CLOSE_WAIT = 8,
	STATE_LISTEN = 10
};

/* An IPv4 address is in its mapped form, so that the two ends of a connection compare. */
struct socket_address {
	struct in6_addr address;
	uint16_t port; /* host order */
};

struct socket_row {
	uint64_t inode; /* 0: no process has it (yet, or any more) */
	enum socket_family family;
	int type;
	unsigned state;
	int64_t receive_queue, send_queue; /* -1 not known */
	unsigned timer, retransmits;	   /* of TCP: see linux/inet_diag.h */
	struct socket_address local, peer;
	uint64_t peer_inode;	  /* unix */
	size_t name, name_length; /* unix: sun_path, within the table's names; 0: none */
};

/* A connection that waits to be accepted. */
struct socket_pending {
	uint64_t client, listener;
};

struct socket_table {
	array(struct socket_row) rows;
	array(struct socket_pending) pending; /* unix */
	struct text names;
};

void socket_table_deinit(struct socket_table *table);

/* socket_diag.c: an errno, or 0.  netlink: a NETLINK_SOCK_DIAG socket of the namespace. */
int socket_diag_unix(int netlink, struct socket_table *table);
/* protocol: IPPROTO_TCP or IPPROTO_UDP; both address families. */
int socket_diag_inet(int netlink, int protocol, struct socket_table *table);

/* socket_files.c: the text of /proc/PID/net/unix, tcp, tcp6, udp, udp6. */
void parse_net_unix(const char *text, struct socket_table *table);
void parse_net_inet(const char *text, enum socket_family family, struct socket_table *table);
/* Reads them through the thread; an errno, or 0. */
int socket_files_unix(pid_t tid, struct socket_table *table);
int socket_files_inet(pid_t tid, int protocol, struct socket_table *table);

/* socket_links.c */
struct socket_index;
struct socket_index *socket_index_new(struct socket_table *table); /* sorts its rows */
void socket_index_free(struct socket_index *index);
const struct socket_row *socket_by_inode(const struct socket_table *table, uint64_t inode);
/*
 * The socket of a process that this one leads to, or NULL.  `name`: what a unix socket connects or
 * sends to, of length bytes; 0: nothing.
 */
const struct socket_row *socket_follow(const struct socket_index *index,
				       const struct socket_row *row, const char *name,
				       size_t length, enum socket_link *ret_link);
/* "127.0.0.1:80", "[::1]:80", "/run/x.sock", "@abstract"; false: it has no address. */
bool socket_address_text(const struct socket_table *table, const struct socket_row *row, bool peer,
			 struct text *text);
const char *socket_state_name(const struct socket_row *row);

#endif

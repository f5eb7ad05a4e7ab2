/*
 * /proc/PID/net/unix, tcp, tcp6, udp, udp6 of Linux 6.1 (net/unix/af_unix.c, net/ipv4/tcp_ipv4.c,
 * net/ipv6/tcp_ipv6.c).  They say less than sock_diag: not who a unix socket's peer is.
 */
#include "base/cleanup.h"
#include "capture/proc.h"
#include "capture/socket_table.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	FILE_MOST = 256 << 20,
	ACCEPTING = 0x10000, /* __SO_ACCEPTCON, include/linux/socket.h */
	SS_CONNECTED = 3,    /* uapi/linux/net.h */
};

/* Its lines after the heading, one at a time; a line is cut where it is too long to be one. */
static const char *next_line(const char *text, char *line, size_t size)
{
	const char *end = strchrnul(text, '\n');
	size_t n = (size_t)(end - text);
	if (n >= size)
		n = size - 1;
	memcpy(line, text, n);
	line[n] = '\0';
	return *end ? end + 1 : end;
}

/* "0000000077e6d740: 00000003 00000000 00000000 0001 03  1658 /run/x.sock", "@" for abstract. */
static void take_unix_line(const char *line, struct socket_table *table)
{
	unsigned flags, type, state;
	uint64_t inode;
	int at = 0;
	if (sscanf(line, "%*[^:]: %*x %*x %x %x %x %" SCNu64 "%n", &flags, &type, &state, &inode,
		   &at) != 4)
		return;
	struct socket_row row = {.inode = inode,
				 .family = SOCKET_UNIX,
				 .type = (int)type,
				 .state = flags & ACCEPTING	  ? STATE_LISTEN
					  : state == SS_CONNECTED ? STATE_ESTABLISHED
								  : STATE_CLOSE,
				 .receive_queue = -1,
				 .send_queue = -1};
	const char *name = line[at] == ' ' ? line + at + 1 : "";
	if (*name) {
		if (!table->names.length)
			text_add_n(&table->names, "", 1);
		row.name = table->names.length;
		row.name_length = strlen(name);
		text_add_n(&table->names, name, row.name_length);
		if (*name == '@')
			table->names.bytes[row.name] = '\0';
	}
	*array_append(&table->rows) = row;
}

void parse_net_unix(const char *text, struct socket_table *table)
{
	char line[512];
	text = next_line(text, line, sizeof(line));
	while (*text) {
		text = next_line(text, line, sizeof(line));
		take_unix_line(line, table);
	}
}

/* Words of eight hexadecimal digits, each as the machine has it in memory: one, or four. */
static bool take_address(const char *digits, struct in6_addr *ret)
{
	uint32_t words[4];
	size_t count = strlen(digits) / 8;
	if ((count != 1 && count != 4) || strlen(digits) % 8)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (sscanf(digits + 8 * i, "%8" SCNx32, &words[i]) != 1)
			return false;
	}
	*ret = (struct in6_addr){0};
	if (count == 4) {
		memcpy(ret, words, 16);
		return true;
	}
	ret->s6_addr[10] = ret->s6_addr[11] = 0xff;
	memcpy(&ret->s6_addr[12], words, 4);
	return true;
}

/* " 0: 0100007F:1F90 0100007F:C350 01 tx:rx tr:when retrnsmt uid timeout inode ..." */
static void take_inet_line(const char *line, enum socket_family family, struct socket_table *table)
{
	char local[33], peer[33];
	unsigned local_port, peer_port, state, timer, retransmits;
	uint32_t sent, received;
	uint64_t inode;
	if (sscanf(line,
		   " %*u: %32[0-9A-Fa-f]:%x %32[0-9A-Fa-f]:%x %x %" SCNx32 ":%" SCNx32
		   " %x:%*x %x %*u %*u %" SCNu64,
		   local, &local_port, peer, &peer_port, &state, &sent, &received, &timer,
		   &retransmits, &inode) != 10)
		return;
	struct socket_row row = {.inode = inode,
				 .family = family,
				 .type = family == SOCKET_TCP ? SOCK_STREAM : SOCK_DGRAM,
				 .state = state,
				 .receive_queue = received,
				 .send_queue = sent,
				 .timer = timer,
				 .retransmits = retransmits,
				 .local = {.port = (uint16_t)local_port},
				 .peer = {.port = (uint16_t)peer_port}};
	if (take_address(local, &row.local.address) && take_address(peer, &row.peer.address))
		*array_append(&table->rows) = row;
}

void parse_net_inet(const char *text, enum socket_family family, struct socket_table *table)
{
	char line[512];
	text = next_line(text, line, sizeof(line));
	while (*text) {
		text = next_line(text, line, sizeof(line));
		take_inet_line(line, family, table);
	}
}

static int read_file(pid_t tid, const char *name, struct text *text)
{
	char path[64], piece[65536];
	snprintf(path, sizeof(path), "/proc/%d/net/%s", tid, name);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	for (;;) {
		ssize_t n = read(fd, piece, sizeof(piece));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? errno : 0;
		if (text->length + (size_t)n > FILE_MOST)
			return EFBIG;
		text_add_n(text, piece, (size_t)n);
	}
}

int socket_files_unix(pid_t tid, struct socket_table *table)
{
	struct text text = {0};
	int why = read_file(tid, "unix", &text);
	if (!why && text.bytes)
		parse_net_unix(text.bytes, table);
	text_deinit(&text);
	return why;
}

int socket_files_inet(pid_t tid, int protocol, struct socket_table *table)
{
	bool tcp = protocol == IPPROTO_TCP;
	const char *const names[] = {tcp ? "tcp" : "udp", tcp ? "tcp6" : "udp6"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct text text = {0};
		int why = read_file(tid, names[i], &text);
		if (!why && text.bytes)
			parse_net_inet(text.bytes, tcp ? SOCKET_TCP : SOCKET_UDP, table);
		text_deinit(&text);
		if (why && !(i == 1 && why == ENOENT))
			return why;
	}
	return 0;
}

/* sock_diag(7): uapi/linux/{sock_diag,unix_diag,inet_diag}.h of Linux 6.1. */
#include "capture/socket_table.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <string.h>
#include <sys/socket.h>

enum {
	BUFFER = 65536, /* the kernel's pieces have at most half of it */
	ROWS_MOST = 4000000,
};

typedef void message_fn(const struct nlmsghdr *header, struct socket_table *table);

static int send_request(int netlink, const void *request, size_t size)
{
	struct {
		struct nlmsghdr header;
		char body[sizeof(struct inet_diag_req_v2) + sizeof(struct unix_diag_req)];
	} message = {.header = {.nlmsg_len = (uint32_t)(sizeof(struct nlmsghdr) + size),
				.nlmsg_type = SOCK_DIAG_BY_FAMILY,
				.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};
	memcpy(message.body, request, size);
	return send(netlink, &message, message.header.nlmsg_len, 0) < 0 ? errno : 0;
}

static int error_of(const struct nlmsghdr *header)
{
	struct nlmsgerr error;
	if (header->nlmsg_len < NLMSG_LENGTH(sizeof(error)))
		return EPROTO;
	memcpy(&error, NLMSG_DATA(header), sizeof(error));
	return -error.error;
}

static int dump(int netlink, const void *request, size_t size, message_fn *take,
		struct socket_table *table)
{
	_Alignas(struct nlmsghdr) char buffer[BUFFER];
	int why = send_request(netlink, request, size);
	if (why)
		return why;
	for (;;) {
		ssize_t n = recv(netlink, buffer, sizeof(buffer), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? errno : EPROTO;
		size_t left = (size_t)n;
		for (const struct nlmsghdr *header = (void *)buffer; NLMSG_OK(header, left);
		     header = NLMSG_NEXT(header, left)) {
			if (header->nlmsg_type == NLMSG_DONE)
				return 0;
			if (header->nlmsg_type == NLMSG_ERROR)
				return error_of(header);
			if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY)
				continue;
			if (table->rows.count >= ROWS_MOST)
				return EOVERFLOW;
			take(header, table);
		}
	}
}

static void take_name(const struct rtattr *attribute, struct socket_row *row,
		      struct socket_table *table)
{
	row->name_length = RTA_PAYLOAD(attribute);
	/* 0 means no name: the first one does not begin there. */
	if (!table->names.length)
		text_add_n(&table->names, "", 1);
	row->name = table->names.length;
	text_add_n(&table->names, RTA_DATA(attribute), row->name_length);
}

static void take_pending(const struct rtattr *attribute, uint64_t listener,
			 struct socket_table *table)
{
	size_t count = RTA_PAYLOAD(attribute) / sizeof(uint32_t);
	for (size_t i = 0; i < count; i++) {
		uint32_t client;
		memcpy(&client, (const char *)RTA_DATA(attribute) + i * sizeof(client),
		       sizeof(client));
		if (client)
			*array_append(&table->pending) = (struct socket_pending){client, listener};
	}
}

static void take_unix(const struct nlmsghdr *header, struct socket_table *table)
{
	struct unix_diag_msg message;
	if (header->nlmsg_len < NLMSG_LENGTH(sizeof(message)))
		return;
	memcpy(&message, NLMSG_DATA(header), sizeof(message));
	struct socket_row row = {.inode = message.udiag_ino,
				 .family = SOCKET_UNIX,
				 .type = message.udiag_type,
				 .state = message.udiag_state,
				 .receive_queue = -1,
				 .send_queue = -1};
	int left = (int)(header->nlmsg_len - NLMSG_LENGTH(sizeof(message)));
	const char *first = (const char *)NLMSG_DATA(header) + NLMSG_ALIGN(sizeof(message));
	for (const struct rtattr *attribute = (const void *)first; RTA_OK(attribute, left);
	     attribute = RTA_NEXT(attribute, left)) {
		struct unix_diag_rqlen queues;
		uint32_t peer;
		switch (attribute->rta_type) {
		case UNIX_DIAG_NAME:
			take_name(attribute, &row, table);
			break;
		case UNIX_DIAG_PEER:
			if (RTA_PAYLOAD(attribute) >= sizeof(peer)) {
				memcpy(&peer, RTA_DATA(attribute), sizeof(peer));
				row.peer_inode = peer;
			}
			break;
		case UNIX_DIAG_ICONS:
			take_pending(attribute, row.inode, table);
			break;
		case UNIX_DIAG_RQLEN:
			if (RTA_PAYLOAD(attribute) >= sizeof(queues)) {
				memcpy(&queues, RTA_DATA(attribute), sizeof(queues));
				row.receive_queue = queues.udiag_rqueue;
				row.send_queue = queues.udiag_wqueue;
			}
			break;
		default:
			break;
		}
	}
	*array_append(&table->rows) = row;
}

int socket_diag_unix(int netlink, struct socket_table *table)
{
	const struct unix_diag_req request = {.sdiag_family = AF_UNIX,
					      .udiag_states = UINT32_MAX,
					      .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER |
							    UDIAG_SHOW_ICONS | UDIAG_SHOW_RQLEN};
	return dump(netlink, &request, sizeof(request), take_unix, table);
}

static struct socket_address inet_address(int family, const uint32_t words[4], uint16_t port)
{
	struct socket_address ret = {.port = ntohs(port)};
	if (family == AF_INET6) {
		memcpy(&ret.address, words, 16);
	} else {
		ret.address.s6_addr[10] = ret.address.s6_addr[11] = 0xff;
		memcpy(&ret.address.s6_addr[12], words, 4);
	}
	return ret;
}

static void take_inet(const struct nlmsghdr *header, struct socket_table *table, bool tcp)
{
	struct inet_diag_msg message;
	if (header->nlmsg_len < NLMSG_LENGTH(sizeof(message)))
		return;
	memcpy(&message, NLMSG_DATA(header), sizeof(message));
	uint32_t source[4], target[4];
	memcpy(source, message.id.idiag_src, sizeof(source));
	memcpy(target, message.id.idiag_dst, sizeof(target));
	*array_append(&table->rows) = (struct socket_row){
		.inode = message.idiag_inode,
		.family = tcp ? SOCKET_TCP : SOCKET_UDP,
		.type = tcp ? SOCK_STREAM : SOCK_DGRAM,
		.state = message.idiag_state,
		.receive_queue = message.idiag_rqueue,
		.send_queue = message.idiag_wqueue,
		.timer = message.idiag_timer,
		.retransmits = message.idiag_retrans,
		.local = inet_address(message.idiag_family, source, message.id.idiag_sport),
		.peer = inet_address(message.idiag_family, target, message.id.idiag_dport)};
}

static void take_tcp(const struct nlmsghdr *header, struct socket_table *table)
{
	take_inet(header, table, true);
}

static void take_udp(const struct nlmsghdr *header, struct socket_table *table)
{
	take_inet(header, table, false);
}

int socket_diag_inet(int netlink, int protocol, struct socket_table *table)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		const struct inet_diag_req_v2 request = {.sdiag_family = families[i],
							 .sdiag_protocol = (uint8_t)protocol,
							 .idiag_states = UINT32_MAX};
		int why = dump(netlink, &request, sizeof(request),
			       protocol == IPPROTO_TCP ? take_tcp : take_udp, table);
		/* A kernel may have been built without IPv6. */
		if (why && !(families[i] == AF_INET6 && why == ENOENT))
			return why;
	}
	return 0;
}

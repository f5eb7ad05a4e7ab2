/* capture: /proc/locks, /proc/net and the like as they were recorded, and as nobody would write them. */
#include "capture/around.h"
#include "capture/proc.h"
#include "capture/socket_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static bool parse_lock(const char *line, struct capture_file_lock *lock, unsigned *depth)
{
	struct lock_line parsed;
	if (!parse_lock_line(line, &parsed))
		return false;
	*lock = parsed.lock;
	*depth = parsed.depth;
	assert_ptr_equal(parsed.lock.kind,
			 memmem(line, strlen(line), parsed.lock.kind, parsed.kind_length));
	return true;
}

static void a_lock_that_is_held_is_read(void **state)
{
	(void)state;
	struct capture_file_lock lock;
	unsigned depth;
	assert_true(
		parse_lock("1: POSIX  ADVISORY  WRITE 2651 fe:00:10051586 10 19\n", &lock, &depth));
	assert_int_equal(lock.id, 1);
	assert_false(lock.waits);
	assert_int_equal(depth, 0);
	assert_memory_equal(lock.kind, "POSIX ", 6);
	assert_true(lock.writes);
	assert_int_equal(lock.pid, 2651);
	assert_int_equal(lock.device_major, 0xfe);
	assert_int_equal(lock.device_minor, 0);
	assert_int_equal(lock.inode, 10051586);
	assert_int_equal(lock.start, 10);
	assert_int_equal(lock.end, 19);
	assert_true(parse_lock("24: FLOCK  ADVISORY  READ 7 00:1b:9 0 EOF", &lock, &depth));
	assert_false(lock.writes);
	assert_int_equal(lock.device_minor, 0x1b);
	assert_true(lock.end == UINT64_MAX);
	assert_true(parse_lock("5: LEASE  BREAKING  WRITE 9 00:1b:9 0 EOF", &lock, &depth));
	assert_memory_equal(lock.kind, "LEASE ", 6);
}

static void waiters_are_told_by_their_arrow_however_deep(void **state)
{
	(void)state;
	struct capture_file_lock lock;
	unsigned depth;
	assert_true(parse_lock("2: -> FLOCK  ADVISORY  WRITE 2649 fe:00:10051586 0 EOF\n", &lock,
			       &depth));
	assert_true(lock.waits);
	assert_int_equal(depth, 1);
	assert_true(parse_lock("2:   -> FLOCK  ADVISORY  WRITE 2648 fe:00:10051586 0 EOF\n", &lock,
			       &depth));
	assert_true(lock.waits);
	assert_int_equal(lock.id, 2);
	assert_int_equal(depth, 3);
}

static void a_lock_of_nobody_in_sight_has_no_pid(void **state)
{
	(void)state;
	struct capture_file_lock lock;
	unsigned depth;
	/* OFD locks; and in older kernels, locks of other pid namespaces. */
	assert_true(
		parse_lock("1: -> OFDLCK ADVISORY  WRITE -1 fe:00:10051586 10 29", &lock, &depth));
	assert_int_equal(lock.pid, -1);
	assert_true(parse_lock("1: POSIX  ADVISORY  WRITE 0 fe:00:7 0 0", &lock, &depth));
	assert_int_equal(lock.pid, 0);
}

static void lines_that_are_no_locks_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"\n",
		"x",
		"1",
		"1:",
		"1: ->",
		"1: -> ",
		"1: POSIX",
		"1: POSIX  ADVISORY",
		"1: POSIX  ADVISORY  WRITE",
		"1: POSIX  ADVISORY  WRITE 5",
		"1: POSIX  ADVISORY  WRITE 5 fe:00",
		"1: POSIX  ADVISORY  WRITE 5 fe:00:7",
		"1: POSIX  ADVISORY  WRITE 5 fe:00:7 ",
		"1: POSIX  ADVISORY  WRITE 5 fe:00:7 0",
		"1: POSIX  ADVISORY  WRITE 5 fe:00:7 0 ",
		"1: POSIX  ADVISORY  WRITE 5 fe:00:7 0 x",
		"1: POSIX  ADVISORY  WRITE 5 <none>:0 0 EOF",
		"1: POSIX  ADVISORY  UNLCK 5 fe:00:7 0 EOF",
		"1: POSIX  ADVISORY  WRITE -2 fe:00:7 0 EOF",
		"1: POSIX  ADVISORY  WRITE 99999999999 fe:00:7 0 EOF",
		"1: POSIX  ADVISORY  WRITE 5\n2: POSIX  ADVISORY  WRITE 5 fe:00:7 0 EOF",
		"-> POSIX  ADVISORY  WRITE 5 fe:00:7 0 EOF",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct lock_line parsed;
		assert_false(parse_lock_line(bad[i], &parsed));
	}
}

#define TCP_HEAD                                                                                   \
	"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "      \
	"timeout inode\n"

static void tcp_sockets_are_read_with_queues_and_timers(void **state)
{
	(void)state;
	struct socket_table table = {0};
	parse_net_inet(TCP_HEAD "   0: 00000000:07E8 00000000:0000 0A 00000000:00000003 "
				"00:00000000 00000000     0        0 1662 1 0000000019a0719e 100\n"
				"   1: 0100007F:1F90 0100007F:C350 01 0000000C:00000000 "
				"04:00000013 00000002     0        0 77 1 0000000019a0719e 100\n",
		       SOCKET_TCP, &table);
	assert_int_equal(table.rows.count, 2);
	assert_int_equal(table.rows.items[0].inode, 1662);
	assert_int_equal(table.rows.items[0].state, STATE_LISTEN);
	assert_int_equal(table.rows.items[0].receive_queue, 3);
	const struct socket_row *row = &table.rows.items[1];
	assert_int_equal(row->inode, 77);
	assert_int_equal(row->state, STATE_ESTABLISHED);
	assert_int_equal(row->local.port, 8080);
	assert_int_equal(row->peer.port, 50000);
	assert_int_equal(row->send_queue, 12);
	assert_int_equal(row->timer, 4);
	assert_int_equal(row->retransmits, 2);
	struct text text = {0};
	assert_true(socket_address_text(&table, row, false, &text));
	assert_string_equal(text.bytes, "127.0.0.1:8080");
	text_deinit(&text);
	socket_table_deinit(&table);
}

static void the_two_ends_of_a_connection_meet_across_families(void **state)
{
	(void)state;
	struct socket_table table = {0};
	parse_net_inet(TCP_HEAD "   0: 0100007F:C350 0100007F:1F90 01 00000000:00000000 "
				"00:00000000 00000000     0        0 77 1 0\n",
		       SOCKET_TCP, &table);
	parse_net_inet(TCP_HEAD
		       "   0: 0000000000000000FFFF00000100007F:1F90 "
		       "0000000000000000FFFF00000100007F:C350 01 00000000:00000000 00:00000000 "
		       "00000000     0        0 78 1 0\n"
		       "   1: 00000000000000000000000001000000:1F91 "
		       "00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 "
		       "00000000     0        0 79 1 0\n",
		       SOCKET_TCP, &table);
	struct socket_index *index = socket_index_new(&table);
	enum socket_link link;
	const struct socket_row *row = socket_by_inode(&table, 77);
	const struct socket_row *other = socket_follow(index, row, NULL, 0, &link);
	assert_non_null(other);
	assert_int_equal(other->inode, 78);
	assert_int_equal(link, SOCKET_LINK_PEER);
	assert_ptr_equal(socket_follow(index, other, NULL, 0, &link), row);
	/* A listener leads nowhere. */
	assert_null(socket_follow(index, socket_by_inode(&table, 79), NULL, 0, &link));
	assert_int_equal(link, SOCKET_LINK_NONE);
	struct text text = {0};
	socket_address_text(&table, socket_by_inode(&table, 79), false, &text);
	assert_string_equal(text.bytes, "[::1]:8081");
	text_deinit(&text);
	assert_null(socket_by_inode(&table, 0));
	socket_index_free(index);
	socket_table_deinit(&table);
}

static const struct socket_row *follow(const char *text, uint64_t inode, enum socket_link *ret)
{
	static struct socket_table table;
	static struct socket_index *index;
	socket_index_free(index);
	socket_table_deinit(&table);
	index = NULL;
	if (!text)
		return NULL;
	parse_net_inet(text, SOCKET_TCP, &table);
	index = socket_index_new(&table);
	return socket_follow(index, socket_by_inode(&table, inode), NULL, 0, ret);
}

#define LINE(addresses, state, inode)                                                              \
	"   0: " addresses " " state                                                               \
	" 00000000:00000000 00:00000000 00000000     0        0 " inode " 1 0\n"
#define CLIENT LINE("0100007F:C350 0100007F:1F90", "01", "77")

static void a_connection_nobody_has_accepted_leads_to_the_listener(void **state)
{
	(void)state;
	enum socket_link link;
	const char *embryo = TCP_HEAD CLIENT LINE("0100007F:1F90 0100007F:C350", "01", "0")
		LINE("00000000:1F90 00000000:0000", "0A", "90");
	const struct socket_row *other = follow(embryo, 77, &link);
	assert_non_null(other);
	assert_int_equal(other->inode, 90);
	assert_int_equal(link, SOCKET_LINK_PENDING);
	/* One that its process has closed is not waiting for anybody. */
	assert_null(follow(TCP_HEAD CLIENT LINE("0100007F:1F90 0100007F:C350", "04", "0")
				   LINE("00000000:1F90 00000000:0000", "0A", "90"),
			   77, &link));
	/* The listener's own address goes before any. */
	other = follow(TCP_HEAD CLIENT LINE("0100007F:1F90 0100007F:C350", "01", "0")
			       LINE("00000000:1F90 00000000:0000", "0A", "90")
				       LINE("0100007F:1F90 00000000:0000", "0A", "91"),
		       77, &link);
	assert_int_equal(other->inode, 91);
	/* Two that share a port: the kernel knows whose it is, and nobody else. */
	assert_null(follow(TCP_HEAD CLIENT LINE("0100007F:1F90 0100007F:C350", "01", "0")
				   LINE("00000000:1F90 00000000:0000", "0A", "90")
					   LINE("00000000:1F90 00000000:0000", "0A", "91"),
			   77, &link));
	assert_int_equal(link, SOCKET_LINK_NONE);
	follow(NULL, 0, NULL);
}

static void who_connects_leads_to_a_listener_of_this_machine_only(void **state)
{
	(void)state;
	enum socket_link link;
	const struct socket_row *other =
		follow(TCP_HEAD LINE("0100007F:C350 0100007F:1F90", "02", "77")
			       LINE("00000000:1F90 00000000:0000", "0A", "90"),
		       77, &link);
	assert_int_equal(other->inode, 90);
	assert_int_equal(link, SOCKET_LINK_LISTENER);
	/* 10.0.0.5 may be any machine. */
	assert_null(follow(TCP_HEAD LINE("0100000A:C350 0500000A:1F90", "02", "77")
				   LINE("00000000:1F90 00000000:0000", "0A", "90"),
			   77, &link));
	follow(NULL, 0, NULL);
}

static void unix_sockets_are_read_with_their_names(void **state)
{
	(void)state;
	struct socket_table table = {0};
	parse_net_unix("Num       RefCount Protocol Flags    Type St Inode Path\n"
		       "000000001397e2a2: 00000003 00000000 00000000 0001 03  1659\n"
		       "000000001397e2a3: 00000002 00000000 00010000 0001 01  1660 /run/a b.sock\n"
		       "000000001397e2a4: 00000002 00000000 00000000 0002 01  1661 @abs@tract\n",
		       &table);
	assert_int_equal(table.rows.count, 3);
	const struct socket_row *rows = table.rows.items;
	assert_int_equal(rows[0].inode, 1659);
	assert_int_equal(rows[0].state, STATE_ESTABLISHED);
	assert_int_equal(rows[0].receive_queue, -1);
	assert_int_equal(rows[1].state, STATE_LISTEN);
	assert_int_equal(rows[1].type, SOCK_STREAM);
	assert_int_equal(rows[2].type, SOCK_DGRAM);
	struct text text = {0};
	assert_false(socket_address_text(&table, &rows[0], false, &text));
	assert_true(socket_address_text(&table, &rows[1], false, &text));
	assert_string_equal(text.bytes, "/run/a b.sock");
	text_deinit(&text);
	assert_true(socket_address_text(&table, &rows[2], false, &text));
	assert_string_equal(text.bytes, "@abs@tract");
	text_deinit(&text);
	/* By name: the listener, and not where two have it. */
	struct socket_index *index = socket_index_new(&table);
	enum socket_link link;
	const struct socket_row *client = socket_by_inode(&table, 1659);
	const struct socket_row *listener =
		socket_follow(index, client, "/run/a b.sock", 14, &link);
	assert_non_null(listener);
	assert_int_equal(listener->inode, 1660);
	assert_int_equal(link, SOCKET_LINK_LISTENER);
	assert_null(socket_follow(index, client, "/run/a", 6, &link));
	assert_null(socket_follow(index, client, "/run/a b.sock2", 14, &link));
	socket_index_free(index);
	parse_net_unix("\n000000001397e2a5: 00000002 00000000 00010000 0001 01  1670 "
		       "/run/a b.sock\n",
		       &table);
	index = socket_index_new(&table);
	assert_null(
		socket_follow(index, socket_by_inode(&table, 1659), "/run/a b.sock", 13, &link));
	socket_index_free(index);
	socket_table_deinit(&table);
}

static void sockets_that_make_no_sense_are_left_out(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"\n",
		"head",
		"head\n\n\n",
		"head\nnonsense\n",
		"head\n0: 0100007F:1F90\n",
		"head\n0: :1F90 :C350 01 0:0 0:0 0 0 0 5\n",
		"head\n0: 01:1F90 0100007F:C350 01 0:0 0:0 0 0 0 5\n",
		"head\n0: 0100007F0100007F:1F90 0100007F:C350 01 0:0 0:0 0 0 0 5\n",
		"head\n0: 0100007FX:1F90 0100007F:C350 01 0:0 0:0 0 0 0 5\n",
	};
	struct socket_table table = {0};
	char longest[2048];
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		parse_net_inet(bad[i], SOCKET_TCP, &table);
		parse_net_unix(bad[i], &table);
	}
	memset(longest, '1', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	memcpy(longest, "h\n0: ", 5);
	parse_net_inet(longest, SOCKET_TCP, &table);
	parse_net_unix(longest, &table);
	assert_int_equal(table.rows.count, 0);
	socket_table_deinit(&table);
}

static void status_has_an_id_for_each_namespace(void **state)
{
	(void)state;
	pid_t ids[NS_LEVELS_MOST];
	const char *text = "Name:\tNSpid:\t9\nTgid:\t99\nNSpid:\t99\t12\t3\nNSpgid:\t98\t11\t1\n"
			   "SigCgt:\t0000000000004002\n";
	assert_int_equal(parse_status_ids(text, "NSpid", ids, NS_LEVELS_MOST), 3);
	assert_int_equal(ids[0], 99);
	assert_int_equal(ids[2], 3);
	assert_int_equal(parse_status_ids(text, "NSpgid", ids, 2), 2);
	assert_int_equal(ids[1], 11);
	assert_int_equal(parse_status_ids(text, "NSsid", ids, NS_LEVELS_MOST), 0);
	assert_int_equal(parse_status_ids("NSpid:\t\nNSpgid:\t5\n", "NSpid", ids, NS_LEVELS_MOST),
			 0);
	assert_int_equal(parse_status_ids("NSpid:\tx\n", "NSpid", ids, NS_LEVELS_MOST), 0);
	struct proc_status status;
	parse_status(text, &status);
	assert_int_equal(status.signals_caught, 0x4002);
}

static void only_timers_that_send_signals_count(void **state)
{
	(void)state;
	assert_true(parse_timers("ID: 1\nsignal: 10/0000000000000000\nnotify: none/pid.14124\n"
				 "ClockID: 1\nID: 0\nsignal: 14/0000000000000000\n"
				 "notify: signal/tid.14124\nClockID: 0\n"));
	assert_false(parse_timers("ID: 1\nsignal: 10/0\nnotify: none/pid.14124\nClockID: 1\n"));
	assert_false(parse_timers(""));
	assert_false(parse_timers("signal: 10\nxnotify: signal/pid.1\n"));
}

static void numbers_of_fdinfo_are_read_by_name(void **state)
{
	(void)state;
	uint64_t value = 5;
	const char *text = "pos:\t0\nflags:\t02100002\nmnt_id:\t27\nino:\t10051586\n"
			   "eventfd-count:                2\neventfd-id: 31\n";
	assert_true(parse_number(text, "flags", 8, &value));
	assert_int_equal(value, 02100002);
	assert_true(parse_number(text, "eventfd-id", 10, &value));
	assert_int_equal(value, 31);
	assert_false(parse_number(text, "id", 10, &value));
	assert_false(parse_number("flags:\tx\n", "flags", 8, &value));
	assert_int_equal(value, 31);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lock_that_is_held_is_read),
		cmocka_unit_test(waiters_are_told_by_their_arrow_however_deep),
		cmocka_unit_test(a_lock_of_nobody_in_sight_has_no_pid),
		cmocka_unit_test(lines_that_are_no_locks_are_refused),
		cmocka_unit_test(tcp_sockets_are_read_with_queues_and_timers),
		cmocka_unit_test(the_two_ends_of_a_connection_meet_across_families),
		cmocka_unit_test(a_connection_nobody_has_accepted_leads_to_the_listener),
		cmocka_unit_test(who_connects_leads_to_a_listener_of_this_machine_only),
		cmocka_unit_test(unix_sockets_are_read_with_their_names),
		cmocka_unit_test(sockets_that_make_no_sense_are_left_out),
		cmocka_unit_test(status_has_an_id_for_each_namespace),
		cmocka_unit_test(only_timers_that_send_signals_count),
		cmocka_unit_test(numbers_of_fdinfo_are_read_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

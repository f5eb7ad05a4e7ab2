#include "launch/link.h"

#include <errno.h>
#include <sys/socket.h>

bool link_send(int fd, const struct message *message)
{
	ssize_t n;
	do {
		n = send(fd, message, sizeof(*message), MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(*message);
}

bool link_receive(int fd, struct message *ret, bool *ret_end)
{
	ssize_t n;
	do {
		n = recv(fd, ret, sizeof(*ret), MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	*ret_end = n == 0 || (n < 0 && errno != EAGAIN);
	return n == (ssize_t)sizeof(*ret);
}

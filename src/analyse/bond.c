#include "analyse/bond.h"

enum bond bond_of(const struct wait *wait)
{
	switch (wait->class) {
	case WAIT_MUTEX_LOCK:
	case WAIT_RWLOCK_READ:
	case WAIT_RWLOCK_WRITE:
	case WAIT_ONCE:
	case WAIT_GIL:
	case WAIT_MONITOR_ENTER:
	case WAIT_FILE_LOCK:
	case WAIT_MEMORY_MAP_LOCK:
	case WAIT_SEMAPHORE:
		return BOND_LOCK;
	case WAIT_PIPE_READ:
	case WAIT_SOCKET_READ:
	case WAIT_SOCKET_ACCEPT:
	case WAIT_EVENTFD_READ:
	case WAIT_POLL:
	case WAIT_SELECT:
	case WAIT_EPOLL:
	case WAIT_MESSAGE_RECEIVE:
	case WAIT_COND:
	case WAIT_PARK:
		return BOND_EVENT;
	default:
		return BOND_END;
	}
}

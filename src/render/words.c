#include "render/words.h"

#define UP_TO	"to be ended by"
#define HELD_BY "held by"

const struct wait_words wait_words[WAIT_CLASSES] = {
	[WAIT_UNKNOWN] = {"waits for", "could not be looked at", UP_TO},
	[WAIT_RUNNING] = {"works on", "runs", UP_TO},
	[WAIT_MUTEX_LOCK] = {"waits for", "waits for a mutex", HELD_BY},
	[WAIT_RWLOCK_READ] = {"waits to read under", "waits for a read lock", HELD_BY},
	[WAIT_RWLOCK_WRITE] = {"waits to write under", "waits for a write lock", HELD_BY},
	[WAIT_COND] = {"waits on", "waits on a condition", "to be signalled by"},
	[WAIT_SEMAPHORE] = {"waits on", "waits on a semaphore", "to be posted by"},
	[WAIT_BARRIER] = {"waits at", "waits at a barrier", "not yet reached by"},
	[WAIT_ONCE] = {"waits for", "waits for a one-time initialisation", "done by"},
	[WAIT_JOIN] = {"joins", "joins a thread", "until the end of"},
	[WAIT_PARK] = {"is parked on", "is parked", "to be unparked by"},
	[WAIT_FUTURE] = {"waits for", "waits for a future", "to be set by"},
	[WAIT_ATOMIC] = {"waits on", "waits on an atomic", "to be notified by"},
	[WAIT_GIL] = {"waits for", "waits for the interpreter lock", HELD_BY},
	[WAIT_FUTEX] = {"waits on", "waits on a futex", "to be woken by"},
	[WAIT_SLEEP] = {"sleeps on", "sleeps", UP_TO},
	[WAIT_POLL] = {"polls", "polls", UP_TO},
	[WAIT_SELECT] = {"selects on", "selects", UP_TO},
	[WAIT_EPOLL] = {"waits for events of", "waits for events", UP_TO},
	[WAIT_IO_URING] = {"waits for completions of", "waits for completions", UP_TO},
	[WAIT_AIO] = {"waits for completions of", "waits for completions", UP_TO},
	[WAIT_PIPE_READ] = {"reads from", "reads from a pipe", "written by"},
	[WAIT_PIPE_WRITE] = {"writes to", "writes to a pipe", "read by"},
	[WAIT_FIFO_OPEN] = {"opens", "opens a FIFO", "to be opened by"},
	[WAIT_SOCKET_READ] = {"reads from", "reads from a socket", "other end:"},
	[WAIT_SOCKET_WRITE] = {"writes to", "writes to a socket", "other end:"},
	[WAIT_SOCKET_ACCEPT] = {"accepts on", "accepts connections", "other end:"},
	[WAIT_SOCKET_CONNECT] = {"connects", "connects a socket", "other end:"},
	[WAIT_EVENTFD_READ] = {"reads from", "reads from an eventfd", "written by"},
	[WAIT_EVENTFD_WRITE] = {"writes to", "writes to an eventfd", "read by"},
	[WAIT_TIMERFD_READ] = {"reads from", "waits for a timer", UP_TO},
	[WAIT_SIGNALFD_READ] = {"reads from", "waits for a signal", UP_TO},
	[WAIT_INOTIFY_READ] = {"reads from", "waits for file events", UP_TO},
	[WAIT_TTY_READ] = {"reads from", "reads from a terminal", UP_TO},
	[WAIT_TTY_WRITE] = {"writes to", "writes to a terminal", UP_TO},
	[WAIT_FILE_READ] = {"reads from", "reads from a file", UP_TO},
	[WAIT_FILE_WRITE] = {"writes to", "writes to a file", UP_TO},
	[WAIT_FILE_LOCK] = {"waits for", "waits for a file lock", HELD_BY},
	[WAIT_MESSAGE_RECEIVE] = {"receives from", "waits for a message", "sent by"},
	[WAIT_MESSAGE_SEND] = {"sends to", "waits for room in a message queue", "received by"},
	[WAIT_CHILD] = {"waits for", "waits for a child process", "until the end of"},
	[WAIT_VFORK] = {"waits for", "waits for its vfork child", "until exec or the end of"},
	[WAIT_SIGNAL] = {"waits for", "waits for a signal", "to be sent by"},
	[WAIT_DISK] = {"waits for I/O on", "waits for I/O", UP_TO},
	[WAIT_PAGE_FAULT] = {"waits for a page of", "waits for a page", UP_TO},
	[WAIT_MEMORY_MAP_LOCK] = {"waits for", "waits for the memory map's lock", HELD_BY},
	[WAIT_STOPPED] = {"is stopped by", "is stopped", "to be continued by"},
	[WAIT_TRACED] = {"is traced by", "is stopped by its tracer", "traced by"},
	[WAIT_FROZEN] = {"is frozen by", "is frozen", UP_TO},
	[WAIT_EXITED] = {"has ended, and left", "has ended", "not yet waited for by"},
	[WAIT_EXITING] = {"is ending, and waits for", "is ending", UP_TO},
	[WAIT_IO_URING_WORKER] = {"works for", "works for an io_uring", UP_TO},
	[WAIT_CHANNEL_RECEIVE] = {"receives from", "waits for a message", "sent by"},
	[WAIT_CHANNEL_SEND] = {"sends to", "waits for room in a channel", "received by"},
	[WAIT_CHANNEL_SELECT] = {"waits for", "waits for one of several channels", UP_TO},
	[WAIT_MONITOR_ENTER] = {"waits for", "waits for a monitor", HELD_BY},
	[WAIT_OBJECT] = {"waits on", "waits on an object", "to be notified by"},
	[WAIT_SYSTEM_CALL] = {"waits for", "is in a system call", UP_TO},
};

const char *const owner_state_words[OWNER_STATES] = {
	[OWNER_EXITED] = "which has exited",
	[OWNER_LEFT_BY_FORK] = "whose lock this is a copy of, made by fork",
	[OWNER_NOT_RECORDED] = "owner not recorded",
	[OWNER_READERS] = "held by readers, who are not recorded",
	[OWNER_UNREADABLE] = "owner not readable",
};

const char *const doubt_words[FINDING_DOUBTS] = {
	"a thread was not seen to stay where it was",
	"a wait ends by itself",
	"a signal handler may end a wait",
	"what a thread waits for is inferred",
	"an owner is inferred, or may not be the only one",
	"it depends on other threads of which such a thing is true",
};

const struct finding_words finding_words[FINDING_KINDS] = {
	[FINDING_DEADLOCK] = {"DEADLOCK",
			      {"thread waits in a circle", "threads wait for each other"}},
	[FINDING_SELF_DEADLOCK] = {"SELF-DEADLOCK",
				   {"thread waits for what it holds itself",
				    "threads wait for what they hold themselves"}},
	[FINDING_OWNER_EXITED] = {"OWNER EXITED",
				  {"thread waits for an owner that no longer exists",
				   "threads wait for an owner that no longer exists"}},
	[FINDING_BLOCKED_CHAIN] = {"BLOCKED CHAIN",
				   {"thread in a chain of waits",
				    "threads in a chain of waits, which begins at the first one"}},
	[FINDING_SPINNING] = {"SPINNING",
			      {"thread burns CPU in one place", "threads burn CPU in one place"}},
	[FINDING_NO_PROGRESS] = {"NO PROGRESS POSSIBLE",
				 {"thread waits, and nothing that could end its wait is left",
				  "threads wait, and nothing that could end their waits is left"}},
	[FINDING_LOST_WAKEUP] = {"LOST WAKE-UP",
				 {"thread should have been woken, says its memory",
				  "threads should have been woken, says their memory"}},
};

const char *const found_by_words[FOUND_BY_WAYS] = {
	[FOUND_BY_REGISTERS] = "by registers",
	[FOUND_BY_CFI] = "by cfi",
	[FOUND_BY_FRAME_POINTER] = "by frame pointer",
	[FOUND_BY_SCAN] = "by scan",
	[FOUND_BY_INLINE] = "inlined",
	[FOUND_BY_KERNEL] = "by the kernel",
	[FOUND_BY_UNKNOWN] = "by unknown means",
};

const enum style progress_styles[PROGRESSES] = {
	[PROGRESS_NONE] = STYLE_DIM,	   [PROGRESS_STUCK] = STYLE_HIGH,
	[PROGRESS_CYCLING] = STYLE_MEDIUM, [PROGRESS_SPINNING] = STYLE_HIGH,
	[PROGRESS_MOVED] = STYLE_LOW,	   [PROGRESS_NEW] = STYLE_FINDING,
	[PROGRESS_GONE] = STYLE_DIM,	   [PROGRESS_UNKNOWN] = STYLE_DIM,
};

const char *const unknown_words[UNKNOWN_REASONS] = {
	[UNKNOWN_BOTH] = "where they are could not be read for sure",
	[UNKNOWN_ONE] = "where they are could be read in one dump only",
	[UNKNOWN_LEFT_OUT] = "one dump may not have all threads",
	[UNKNOWN_NOT_DUMPED] = "their process is in one dump only",
	[UNKNOWN_COUNTERS] = "in the same place, but what they ran could not be read",
	[UNKNOWN_NO_TIME] = "no time has passed between the dumps",
};

const char *const finding_change_words[FINDING_CHANGES] = {
	[FINDING_PERSISTS] = "PERSISTING ",
	[FINDING_IS_NEW] = "NEW ",
	[FINDING_RESOLVED] = "RESOLVED ",
};

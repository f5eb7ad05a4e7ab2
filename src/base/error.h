/*
 * Errors are values.  A function that can fail returns `struct error *`: NULL is success, else the
 * caller owns the error.  A reason says what kind of failure it is, so that callers and tests can
 * tell failures apart without reading words; only the front end prints them.
 */
#ifndef HANGDUMP_BASE_ERROR_H
#define HANGDUMP_BASE_ERROR_H

enum error_reason {
	ERROR_USAGE,	       /* the command line */
	ERROR_NO_SUCH_PROCESS, /* nobody has this pid */
	ERROR_NOT_A_PID,       /* the word is not a number that could be one */
	ERROR_KERNEL_THREAD,   /* it has no user memory to look at */
	ERROR_ZOMBIE,	       /* it has ended and waits for its parent */
	ERROR_SELF,	       /* hangdump itself */
	ERROR_ENDED,	       /* it was there, and ended meanwhile */
	ERROR_TRACED,	       /* another tracer has it */
	ERROR_OTHER_USER,      /* refused: it runs as somebody else */
	ERROR_NOT_DUMPABLE,  /* refused: same user, but it has changed its credentials or said so */
	ERROR_YAMA_ANCESTOR, /* refused: kernel.yama.ptrace_scope is 1 */
	ERROR_YAMA_PRIVILEGE, /* 2 */
	ERROR_YAMA_NOBODY,    /* 3 */
	ERROR_CAPABILITIES, /* refused: it has capabilities that we lack, or another user namespace */
	ERROR_SECCOMP,	    /* refused: a filter on ourselves (a container's) forbids ptrace */
	ERROR_PERMISSION,   /* refused, and none of the above explains it */
	ERROR_WRONG_ARCH,   /* a 32-bit process, say */
	ERROR_TIMED_OUT,    /* its deadline passed */
	ERROR_UNREADABLE,   /* a file or memory that could not be read */
	ERROR_UNWRITABLE,   /* output that could not be written */
	ERROR_FORMAT,	    /* data that is not what it claims to be */
	ERROR_NO_MATCH,	    /* a filter that leaves nothing */
	ERROR_UNSUPPORTED,  /* not in this build, or not on this kernel */
	ERROR_NOT_RUNNABLE, /* a command that could not be started */
	ERROR_INTERNAL,	    /* our own failure: no memory map, fork refused */
	ERROR_REASONS
};

struct error {
	enum error_reason reason;
	int os_errno;  /* 0: none */
	char *subject; /* what it is about: "4242", "/tmp/out.json" */
	char *detail;  /* more words for `why`, or NULL: "by gdb (pid 99)" */
};

/* os_errno may be 0; detail_format may be NULL. */
struct error *error_new(enum error_reason reason, int os_errno, const char *subject,
			const char *detail_format, ...) __attribute__((format(printf, 4, 5)));
/* Accepts NULL. */
void error_free(struct error *error);

/* "why" in one line of words; the caller frees. */
char *error_why(const struct error *error);
/* What the user can do about it, or NULL: static. */
const char *error_advice(const struct error *error);

#endif

/* Locals that release themselves when they go out of scope. */
#ifndef HANGDUMP_BASE_CLEANUP_H
#define HANGDUMP_BASE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void cleanup_closedir(DIR **d)
{
	if (*d)
		closedir(*d);
}

#define _cleanup_free_	   __attribute__((cleanup(cleanup_free)))
#define _cleanup_close_	   __attribute__((cleanup(cleanup_close)))
#define _cleanup_fclose_   __attribute__((cleanup(cleanup_fclose)))
#define _cleanup_closedir_ __attribute__((cleanup(cleanup_closedir)))

/* Hands a self-releasing pointer to the caller: `return take_ptr(p);` */
#define take_ptr(p)                                                                                \
	({                                                                                         \
		__auto_type take_ptr_value_ = (p);                                                 \
		(p) = NULL;                                                                        \
		take_ptr_value_;                                                                   \
	})

#endif

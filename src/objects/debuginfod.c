/*
 * Debug files from debuginfod servers, only ever at the user's wish.  The library is loaded when it
 * is wanted: it brings an HTTP stack along.  Its prototypes are those of elfutils/debuginfod.h
 * (elfutils 0.178 and later).
 */
#include "objects/private.h"

#include <dlfcn.h>

struct client;
typedef struct client *begin_fn(void);
typedef void end_fn(struct client *client);
typedef int progress_fn(struct client *client, long a, long b);
typedef void set_progress_fn(struct client *client, progress_fn *fn);
typedef void set_data_fn(struct client *client, void *data);
typedef void *get_data_fn(struct client *client);
typedef int find_fn(struct client *client, const unsigned char *build_id, int length,
		    char **ret_path);

static struct library {
	void *handle;
	begin_fn *begin;
	end_fn *end;
	set_progress_fn *set_progress;
	set_data_fn *set_data;
	get_data_fn *get_data;
	find_fn *find;
} library;

static bool load(void)
{
	if (library.handle)
		return library.find != NULL;
	library.handle = dlopen("libdebuginfod.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!library.handle)
		return false;
	library.begin = (begin_fn *)dlsym(library.handle, "debuginfod_begin");
	library.end = (end_fn *)dlsym(library.handle, "debuginfod_end");
	library.set_progress =
		(set_progress_fn *)dlsym(library.handle, "debuginfod_set_progressfn");
	library.set_data = (set_data_fn *)dlsym(library.handle, "debuginfod_set_user_data");
	library.get_data = (get_data_fn *)dlsym(library.handle, "debuginfod_get_user_data");
	library.find = (find_fn *)dlsym(library.handle, "debuginfod_find_debuginfo");
	return library.begin && library.end && library.set_progress && library.set_data &&
	       library.get_data && library.find;
}

/* Called every second or so; anything but 0 ends the transfer. */
static int on_progress(struct client *client, long a, long b)
{
	const struct deadline *deadline = library.get_data(client);
	(void)a, (void)b;
	return deadline_passed(*deadline);
}

int debuginfod_fetch(const char *urls, const void *build_id, size_t length,
		     struct deadline deadline, char **ret_path, const char **ret_why)
{
	if (!load()) {
		*ret_why = "libdebuginfod.so.1 is not there";
		return -1;
	}
	struct client *client = library.begin();
	if (!client) {
		*ret_why = "no client";
		return -1;
	}
	library.set_data(client, &deadline);
	library.set_progress(client, on_progress);
	setenv("DEBUGINFOD_URLS", urls, 1);
	int fd = library.find(client, build_id, (int)length, ret_path);
	unsetenv("DEBUGINFOD_URLS");
	library.end(client);
	if (fd < 0) {
		const char *why = strerrordesc_np(-fd);
		*ret_why = deadline_passed(deadline) ? "the deadline passed"
			   : why		     ? why
						     : "no answer";
		fd = -1;
	}
	return fd;
}

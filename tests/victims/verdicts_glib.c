/* As verdicts.h says, for the locks of GLib: some record who has them, some do not. */
#include "verdicts.h"

#include <glib.h>

static GMutex left, right;
static GRecMutex left_recursive, right_recursive;
static GRWLock left_rw, right_rw;

static void take_plain(void *mutex)
{
	g_mutex_lock(mutex);
}

static void take_recursive(void *mutex)
{
	g_rec_mutex_lock(mutex);
}

static void take_writer(void *lock)
{
	g_rw_lock_writer_lock(lock);
}

static void cycle_of(void (*lock)(void *), const void *one, const void *other)
{
	const struct actor actors[] = {
		{"a", {lock, one}, {lock, other}},
		{"b", {lock, other}, {lock, one}},
	};
	play_threads(actors, 2);
}

static void plain(void)
{
	cycle_of(take_plain, &left, &right);
}

static void recursive(void)
{
	cycle_of(take_recursive, &left_recursive, &right_recursive);
}

static void writers(void)
{
	cycle_of(take_writer, &left_rw, &right_rw);
}

static const struct verdict_row rows[] = {
	{"glib-mutex", plain}, {"glib-recursive", recursive}, {"glib-rwlock", writers}, {0}};

const struct verdict_row *const verdict_tables[] = {rows, NULL};

/* The locks inside of libc, the loader and allocators: by who asked for one, or by where it is. */
#include "base/array.h"
#include "classify/frames.h"
#include "classify/subject.h"

#include <string.h>

/* Variables of glibc, 2.17 to 2.42, that are locks or have some in them. */
static const struct {
	const char *prefix;
	const char *kind;
} libc_variables[] = {
	{"main_arena", "malloc arena"},		  {"_IO_stdfile_", "stdio lock"},
	{"_rtld_global", "loader lock"},	  {"_rtld_local", "loader lock"},
	{"_dl_load_lock", "loader lock"},	  {"__exit_funcs_lock", "exit lock"},
	{"__libc_setlocale_lock", "locale lock"},
};

/* An arena begins with its lock; one beside the main one comes after its heap's header. */
static bool is_arenas_lock(const struct subject *subject, uint64_t address)
{
	const struct capture_mapping *mapping = capture_mapping_at(subject->process, address);
	return mapping && place_is_arena(subject->process, mapping) &&
	       address - mapping->start >= 0x20 && address - mapping->start <= 0x30;
}

static const char *libc_lock_by_address(const struct subject *subject, enum primitive primitive)
{
	const struct resource *resource = &subject->wait->resource;
	for (size_t i = 0; resource->name && i < ARRAY_SIZE(libc_variables); i++) {
		const char *prefix = libc_variables[i].prefix;
		if (strncmp(resource->name, prefix, strlen(prefix)) == 0)
			return libc_variables[i].kind;
	}
	return primitive == PRIMITIVE_LOW_LEVEL && is_arenas_lock(subject, resource->address)
		       ? "malloc arena"
		       : NULL;
}

void libc_lock_name(struct subject *subject, enum primitive primitive)
{
	if (primitive != PRIMITIVE_LOW_LEVEL && primitive != PRIMITIVE_MUTEX)
		return;
	const char *kind = frames_libc_lock(subject, primitive);
	if (!kind)
		kind = libc_lock_by_address(subject, primitive);
	if (kind)
		subject->wait->resource.kind = kind;
}

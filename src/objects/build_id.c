#include "objects/private.h"

#include <elfutils/libdwelf.h>

const char *bytes_hex(struct strpool *strings, const void *bytes, size_t n)
{
	const unsigned char *b = bytes;
	char hex[129];
	/* SHA-1 is 20 bytes; anything much longer is not a build id. */
	if (n == 0 || n > (sizeof(hex) - 1) / 2)
		return NULL;
	for (size_t i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", b[i]);
	return strpool_add(strings, hex);
}

const char *elf_build_id_hex(struct strpool *strings, Elf *elf)
{
	const void *bytes;
	ssize_t n = dwelf_elf_gnu_build_id(elf, &bytes);
	return n > 0 ? bytes_hex(strings, bytes, (size_t)n) : NULL;
}

/* Usage: TARGET_corpus DIRECTORY: each file through the target that this is linked with. */
#include "base/array.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

static int replay(const char *path)
{
	_cleanup_fclose_ FILE *file = fopen(path, "r");
	struct text text = {0};
	char chunk[4096];
	size_t n;
	if (!file) {
		perror(path);
		return 1;
	}
	while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
		text_add_n(&text, chunk, n);
	/* As long as the input, so that a sanitizer sees what reads beyond it. */
	_cleanup_free_ uint8_t *exact = xmalloc(text.length + !text.length);
	if (text.length)
		memcpy(exact, text.bytes, text.length);
	LLVMFuzzerTestOneInput(exact, text.length);
	text_deinit(&text);
	return 0;
}

int main(int argc, char **argv)
{
	const char *directory = argc > 1 ? argv[1] : CORPUS;
	_cleanup_closedir_ DIR *files = opendir(directory);
	size_t count = 0;
	int status = 0;
	if (!files) {
		perror(directory);
		return 1;
	}
	for (struct dirent *entry; (entry = readdir(files));) {
		if (*entry->d_name == '.')
			continue;
		_cleanup_free_ char *path = xasprintf("%s/%s", directory, entry->d_name);
		status |= replay(path);
		count++;
	}
	printf("%s: %zu files\n", directory, count);
	return status || !count;
}

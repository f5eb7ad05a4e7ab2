/* Fuzz target: our own reports. */
#include "fuzz/fuzz.h"
#include "parse/parse.h"

/* One in so many: writing and reading JSON takes a hundred times as long as what is tested. */
#ifdef CORPUS
#define CHECKED 1
#else
#define CHECKED 64
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dump dump;
	struct error *error = parse_report((const char *)data, size, "input", &dump);
	if (error || size % CHECKED == 0)
		fuzz_check(error, &dump);
	else
		dump_deinit(&dump);
	return 0;
}

/* Fuzz target: goroutine dumps. */
#include "fuzz/fuzz.h"
#include "group/group.h"
#include "parse/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dump dump;
	struct error *error = parse_goroutines((const char *)data, size, "input", &dump);
	if (!error)
		group_threads(&dump);
	fuzz_check_some(error, &dump, size);
	return 0;
}

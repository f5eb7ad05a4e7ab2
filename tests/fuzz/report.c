/* Fuzz target: our own reports. */
#include "fuzz/fuzz.h"
#include "parse/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dump dump;
	struct error *error = parse_report((const char *)data, size, "input", &dump);
	fuzz_check_some(error, &dump, size);
	return 0;
}

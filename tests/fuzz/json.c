/* Fuzz target: JSON dumps. */
#include "fuzz/fuzz.h"
#include "store/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dump dump;
	struct error *error = store_read_json((const char *)data, size, "input", &dump);
	fuzz_check(error, &dump);
	return 0;
}

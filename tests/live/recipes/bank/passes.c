/* A test that passes, in TAP; a word on standard error has to come through as well. */
#include "bank.h"

#include <stdio.h>

int main(void)
{
	printf("1..2\n");
	transfer(0, 1, 10);
	printf("ok 1 - it has arrived # %ld\n", balance(1));
	fprintf(stderr, "a word on standard error\n");
	printf("ok 2 - from a closed account # SKIP none is closed\n");
	return balance(0) == 90 && balance(1) == 110 ? 0 : 1;
}

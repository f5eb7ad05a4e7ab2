/* A test that fails, and says so with its exit status. */
#include "bank.h"

#include <stdio.h>

int main(void)
{
	transfer(0, 1, 10);
	printf("not ok 1 - money from nowhere\n1..1\n");
	return balance(0) == 100 ? 0 : 3;
}

/* A test that cannot run here. */
#include <stdio.h>

int main(void)
{
	printf("no branch nearby\n");
	return 77;
}

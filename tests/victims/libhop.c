/* A library with a frame in it: its file is taken away, replaced or cut short under the victim. */
#include "hop.h"

void hop(void (*land)(void *), void *argument)
{
	land(argument);
	/* Not a tail call: the frame has to stay. */
	__asm__ volatile("");
}

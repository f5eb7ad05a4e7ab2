#ifndef HANGDUMP_TESTS_VICTIMS_HOP_H
#define HANGDUMP_TESTS_VICTIMS_HOP_H

void hop(void (*land)(void *), void *argument);

#endif

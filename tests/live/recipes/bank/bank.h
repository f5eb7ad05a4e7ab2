/* The code under test: two accounts, each with a lock, and money that moves between them. */
#ifndef BANK_H
#define BANK_H

long balance(int account);

/* Takes both locks, in the order of its arguments: two of them in opposite order can deadlock. */
void transfer(int from, int to, long amount);

/*
 * From now on, transfers wait between their two locks until so many of them are there: what is
 * otherwise a matter of luck.  Then the file in the environment's HANG_MARK is made.
 */
void meet(int transfers);

#endif

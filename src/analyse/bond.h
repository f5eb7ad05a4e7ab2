/* What a wait says about the one that it is for. */
#ifndef HANGDUMP_ANALYSE_BOND_H
#define HANGDUMP_ANALYSE_BOND_H

#include "model/wait.h"

enum bond {
	BOND_EVENT, /* it will act when there is something to do: nothing is wrong */
	BOND_END,   /* it is to finish what it does; nothing is wrong while it is idle by design */
	BOND_LOCK,  /* it keeps what others need */
};

enum bond bond_of(const struct wait *wait);

#endif

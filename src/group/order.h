/* The order of groups in a report: group.h states it. */
#ifndef HANGDUMP_GROUP_ORDER_H
#define HANGDUMP_GROUP_ORDER_H

#include "model/dump.h"

void order_groups(struct dump *dump);

#endif

/* Survives ELF files that are cut short while they are mapped. */
#ifndef HANGDUMP_OBJECTS_SIGBUS_H
#define HANGDUMP_OBJECTS_SIGBUS_H

/*
 * From now on, a page of a file mapped by libelf that lies beyond the file's end reads as zeroes.
 * Process-wide.
 */
void sigbus_guard(void);

#endif

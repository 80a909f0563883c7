/*
** canned.h - a web server in a process of its own, on loopback, that answers
** whatever it is asked with one text. It ends with the process that began it.
*/
#ifndef SZ_CANNED_H
#define SZ_CANNED_H

#include <stddef.h>

/* Ends the process when that cannot be done. */
void canned_start(const char *text, size_t len);
int canned_port(void);

#endif

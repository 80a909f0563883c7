/*
** canned.h - a web server in a process of its own, on loopback. It gives the
** same answer to every request. It ends with the process that started it.
*/
#ifndef SZ_CANNED_H
#define SZ_CANNED_H

#include <stddef.h>

/* Starts the server. On failure it ends the process. */
void canned_start(const char *text, size_t len);
int canned_port(void);

#endif

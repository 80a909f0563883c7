/*
** command_private.h - what the command*.c files share: command_spawn.c begins
** and ends the process, command.c reads what it writes.
*/
#ifndef SZ_COMMAND_PRIVATE_H
#define SZ_COMMAND_PRIVATE_H

#include "command.h"

#include <sys/types.h>

enum {
  SZ_COMMAND_BUFFER = 256 * 1024,
  SZ_COMMAND_WORDS = 300 /* of stderr, kept for the error message */
};

/* A process and our ends of its pipes. */
struct sz_process {
  pid_t pid;    /* 0: none, or its end has been seen */
  int out, err; /* not blocking; -1: closed */
};

/*
** Runs argv[0]. Returns 0, or the error number of what failed; then there is
** nothing to end.
*/
int sz_process_start(struct sz_process *p, const char *const *argv);

/* Whether it has ended; then 'status' is as waitpid says, -1 if unknown. */
bool sz_process_ended(struct sz_process *p, int *status);

/* Ends it and all in its group; closes the pipes. */
void sz_process_stop(struct sz_process *p);

/* Closes the pipes only: the process is another's. */
void sz_process_leave(struct sz_process *p);

/* Closes one of the pipes, if open. */
void sz_process_close(int *fd);

#endif

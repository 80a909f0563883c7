/*
** command_private.h - shared by the command*.c files: command_spawn.c starts
** and ends the process, command.c reads its output.
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
  pid_t pid;    /* 0: none, or waitpid has returned it */
  int out, err; /* non-blocking; -1: closed */
};

/*
** Runs argv[0]. Returns 0, or an error number (errno); then no process and no
** pipe is left.
*/
int sz_process_start(struct sz_process *p, const char *const *argv);

/* Whether it has ended; then '*status' is waitpid's, or -1 if unknown. */
bool sz_process_ended(struct sz_process *p, int *status);

/* Ends the process and its group; closes the pipes. */
void sz_process_stop(struct sz_process *p);

/* Closes the pipes only: the process belongs to the parent (after fork). */
void sz_process_leave(struct sz_process *p);

/* Closes one of the pipes, if open. */
void sz_process_close(int *fd);

#endif

/*
** signals.h - what signals do to a program that writes files: for the command
** alone, which asks for it. No Lua here.
**
** A signal belongs to the process, so its state does too. A host such as nginx
** never asks: there nothing changes.
*/
#ifndef SZ_SIGNALS_H
#define SZ_SIGNALS_H

#include <signal.h>

/*
** From now on INT, TERM, HUP, QUIT, PIPE, XFSZ and XCPU remove the parts of
** files and set the terminal as it is now, unless another program has it. Then
** TERM ends the process with 'status', if that is not 0; the others, and TERM
** with 0, end it as if they were not handled.
*/
void sz_signals_handle(int status);

/* A part that is to be removed, and one that is not any longer. */
void sz_signals_add(char *part);
void sz_signals_drop(const char *part);

/* Keeps the signals until 'release'. */
void sz_signals_hold(sigset_t *before);
void sz_signals_release(const sigset_t *before);

#endif

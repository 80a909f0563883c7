/* signals.c - see signals.h. */
#include "signals.h"

#include <stddef.h>
#include <termios.h>
#include <unistd.h>

enum { MOST_PARTS = 64, SIGNALS = 7 };

static const int HANDLED[SIGNALS] = {SIGINT,  SIGTERM, SIGHUP, SIGQUIT,
                                     SIGPIPE, SIGXFSZ, SIGXCPU};

/* Written while the signals are held, or before they are handled. */
static struct {
  char *parts[MOST_PARTS];
  struct termios terminal;
  int is_terminal, status, handled;
} state;

/* In the background, the terminal is as another program has set it. */
static void set_terminal(void) {
  if (state.is_terminal && tcgetpgrp(0) == getpgrp())
    tcsetattr(0, TCSANOW, &state.terminal);
}

/* Calls only what POSIX allows in a handler. */
static void on_signal(int number) {
  sigset_t own;
  int i;
  for (i = 0; i < MOST_PARTS; i++)
    if (state.parts[i])
      unlink(state.parts[i]);
  set_terminal();
  if (number == SIGTERM && state.status)
    _exit(state.status);
  signal(number, SIG_DFL);
  sigemptyset(&own);
  sigaddset(&own, number);
  sigprocmask(SIG_UNBLOCK, &own, NULL);
  raise(number);
  _exit(128 + number); /* process 1 of a container does not die of it */
}

void sz_signals_handle(int status) {
  struct sigaction action, before;
  int i;
  state.is_terminal = !tcgetattr(0, &state.terminal);
  state.status = status;
  state.handled = 1;
  action.sa_handler = on_signal;
  action.sa_flags = 0;
  sigfillset(&action.sa_mask);
  for (i = 0; i < SIGNALS; i++)
    if (!sigaction(HANDLED[i], NULL, &before) && before.sa_handler != SIG_IGN)
      sigaction(HANDLED[i], &action, NULL);
}

void sz_signals_hold(sigset_t *before) {
  sigset_t held;
  int i;
  sigemptyset(&held);
  for (i = 0; i < SIGNALS; i++)
    sigaddset(&held, HANDLED[i]);
  sigprocmask(SIG_BLOCK, state.handled ? &held : NULL, before);
}

void sz_signals_release(const sigset_t *before) {
  if (state.handled)
    sigprocmask(SIG_SETMASK, before, NULL);
}

/* Puts 'part' where 'old' stands. Does nothing if no signal is handled. */
static void replace(const char *old, char *part) {
  sigset_t before;
  int i = 0;
  if (!state.handled)
    return;
  sz_signals_hold(&before);
  while (i < MOST_PARTS && state.parts[i] != old)
    i++;
  if (i < MOST_PARTS)
    state.parts[i] = part;
  sz_signals_release(&before);
}

void sz_signals_add(char *part) {
  replace(NULL, part);
}

void sz_signals_drop(const char *part) {
  replace(part, NULL);
}

/* command_spawn.c - starts and ends the process of a command. */
#define _GNU_SOURCE /* pipe2, posix_spawn_file_actions_addclosefrom_np */
#include "command_private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* Milliseconds to wait after SIGTERM, and after SIGKILL. */
enum { GRACE = 20, PATIENCE = 1000 };

/* Host programs catch or ignore these; the command gets the defaults. */
static const int USUAL[] = {SIGPIPE, SIGCHLD, SIGHUP, SIGINT,
                            SIGQUIT, SIGTERM, SIGALRM};

void sz_process_close(int *fd) {
  if (*fd >= 0)
    close(*fd);
  *fd = -1;
}

static void close_pair(int pair[2]) {
  sz_process_close(&pair[0]);
  sz_process_close(&pair[1]);
}

/* Opens a pipe. Our end, for reading, is non-blocking. */
static int open_pipe(int pair[2]) {
  if (pipe2(pair, O_CLOEXEC))
    return errno;
  if (fcntl(pair[0], F_SETFL, O_NONBLOCK)) {
    int code = errno;
    close_pair(pair);
    return code;
  }
  return 0;
}

static int set_attributes(posix_spawnattr_t *attributes) {
  sigset_t set;
  size_t i;
  int code;
  sigemptyset(&set);
  code = posix_spawnattr_setsigmask(attributes, &set);
  for (i = 0; i < sizeof USUAL / sizeof *USUAL; i++)
    sigaddset(&set, USUAL[i]);
  if (!code)
    code = posix_spawnattr_setsigdefault(attributes, &set);
  if (!code)
    code = posix_spawnattr_setpgroup(attributes, 0);
  if (!code)
    code = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK |
                                                    POSIX_SPAWN_SETSIGDEF |
                                                    POSIX_SPAWN_SETPGROUP);
  return code;
}

/* The program gets an empty stdin, the pipes, and no other descriptor. */
static int set_files(posix_spawn_file_actions_t *files, int out, int err) {
  int code =
      posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDONLY, 0);
  if (!code)
    code = posix_spawn_file_actions_adddup2(files, out, 1);
  if (!code)
    code = posix_spawn_file_actions_adddup2(files, err, 2);
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
  if (!code)
    code = posix_spawn_file_actions_addclosefrom_np(files, 3);
#endif
  return code;
}

/* posix_spawn does not change the arguments, though its type lacks const. */
static char *const *arguments(const char *const *argv) {
  char *const *list;
  memcpy(&list, &argv, sizeof list);
  return list;
}

static int spawn(pid_t *pid, const char *const *argv, int out, int err) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  int code = posix_spawn_file_actions_init(&files);
  if (code)
    return code;
  code = posix_spawnattr_init(&attributes);
  if (!code) {
    code = set_files(&files, out, err);
    if (!code)
      code = set_attributes(&attributes);
    if (!code)
      code = posix_spawn(pid, argv[0], &files, &attributes, arguments(argv),
                         environ);
    posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_destroy(&files);
  return code;
}

int sz_process_start(struct sz_process *p, const char *const *argv) {
  int out[2], err[2];
  int code = open_pipe(out);
  if (code)
    return code;
  code = open_pipe(err);
  if (code) {
    close_pair(out);
    return code;
  }
  code = spawn(&p->pid, argv, out[1], err[1]);
  sz_process_close(&out[1]);
  sz_process_close(&err[1]);
  if (code) {
    close_pair(out);
    close_pair(err);
    return code;
  }
  p->out = out[0];
  p->err = err[0];
  return 0;
}

bool sz_process_ended(struct sz_process *p, int *status) {
  pid_t result = waitpid(p->pid, status, WNOHANG);
  if (result == 0 || (result < 0 && errno == EINTR))
    return false;
  if (result < 0) /* the host's SIGCHLD handler has waited for it */
    *status = -1;
  p->pid = 0;
  return true;
}

void sz_process_leave(struct sz_process *p) {
  p->pid = 0;
  sz_process_close(&p->out);
  sz_process_close(&p->err);
}

static void nap(void) {
  static const struct timespec millisecond = {0, 1000000};
  nanosleep(&millisecond, NULL);
}

/*
** Whether the process is still our child: it runs, or it has ended and nobody
** has waited for it. Until then no other process can get its id or group id.
*/
static bool is_ours(pid_t pid, bool *ended) {
  siginfo_t what;
  what.si_pid = 0;
  if (waitid(P_PID, (id_t)pid, &what, WEXITED | WNOHANG | WNOWAIT))
    return false;
  *ended = what.si_pid != 0;
  return true;
}

void sz_process_stop(struct sz_process *p) {
  bool ended = false;
  int i, status;
  if (p->pid && is_ours(p->pid, &ended)) {
    kill(-p->pid, SIGTERM);
    for (i = 0; i < GRACE && is_ours(p->pid, &ended) && !ended; i++)
      nap();
    if (is_ours(p->pid, &ended)) /* also kills the rest of the group */
      kill(-p->pid, SIGKILL);
    for (i = 0; i < PATIENCE && !sz_process_ended(p, &status); i++)
      nap();
  }
  sz_process_leave(p);
}

/* command.c - see command.h. */
#include "command_private.h"
#include "list.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Milliseconds to the next check of a program that has only closed stdout. */
enum { LOOK_AGAIN = 10 };

struct sz_commands {
  pid_t pid; /* the process that runs them */
  int running;
  struct sz_command *list;
};

struct sz_command {
  struct sz_commands *owner; /* NULL once it is freed */
  struct sz_command *next, **link;
  struct sz_process process;
  struct sz_failure failure;
  struct sz_info info;
  double started;
  const char *name; /* of the program, for messages */
  char words[SZ_COMMAND_WORDS];
  size_t words_len;
  bool borrowed, dropped;
  size_t head, tail; /* in body: bytes received and not yet consumed */
  char *body;
  char path[]; /* 'name' points into it */
};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void failure_set(struct sz_failure *f, const char *kind,
                        const char *name, const char *text) {
  f->kind = kind;
  snprintf(f->message, sizeof f->message, "%s %s", name, text);
}

static bool commands_usable(const struct sz_commands *all,
                            struct sz_failure *why) {
  if (getpid() == all->pid)
    return true;
  why->kind = "phase";
  strcpy(why->message, "forked: connect again in this process");
  return false;
}

/* Life of a command */

static void command_ended(struct sz_command *c) {
  if (!c->info.done && c->owner)
    c->owner->running--;
  c->info.done = true;
}

/* Frees the body; not yet while the reader has borrowed bytes of it. */
static void command_drop(struct sz_command *c) {
  c->dropped = true;
  c->head = c->tail = 0;
  if (c->borrowed)
    return;
  free(c->body);
  c->body = NULL;
}

void sz_command_cancel(struct sz_command *c) {
  if (c->owner && getpid() != c->owner->pid)
    sz_process_leave(&c->process);
  else
    sz_process_stop(&c->process);
  command_ended(c);
  command_drop(c);
  c->failure.kind = "cancelled";
  strcpy(c->failure.message, "closed");
}

static void command_unlink(struct sz_command *c) {
  if (!c->owner)
    return;
  SZ_LIST_REMOVE(c);
  c->owner = NULL;
}

static void command_link(struct sz_commands *all, struct sz_command *c) {
  c->owner = all;
  SZ_LIST_ADD(all->list, c);
  all->running++;
}

void sz_command_free(struct sz_command *c) {
  if (!c)
    return;
  sz_command_cancel(c);
  command_unlink(c);
  free(c->body);
  free(c);
}

static struct sz_command *command_new(const char *path) {
  size_t len = strlen(path) + 1;
  struct sz_command *c = calloc(1, sizeof *c + len);
  const char *slash;
  if (!c)
    return NULL;
  c->body = malloc(SZ_COMMAND_BUFFER);
  if (!c->body) {
    free(c);
    return NULL;
  }
  memcpy(c->path, path, len);
  slash = strrchr(c->path, '/');
  c->name = slash ? slash + 1 : c->path;
  c->process.out = c->process.err = -1;
  c->started = now();
  c->info.sent = true;
  return c;
}

/* Says in '*why' why the program could not be started. */
static void start_failed(struct sz_failure *why, const char *path, int code) {
  bool crowded = code == ENOMEM || code == EMFILE || code == ENFILE ||
                 code == EAGAIN || code == E2BIG;
  char text[160] =
      "the request is longer than the system allows for an argument";
  char place[300];
  if (code != E2BIG && strerror_r(code, text, sizeof text))
    snprintf(text, sizeof text, "error %d", code);
  snprintf(place, sizeof place, "%s cannot be run:", path);
  failure_set(why, crowded ? "limit" : "connect", place, text);
}

struct sz_command *sz_command_start(struct sz_commands *all,
                                    const char *const *argv,
                                    struct sz_failure *why) {
  struct sz_command *c;
  int code;
  if (!commands_usable(all, why))
    return NULL;
  if (all->running >= SZ_MAX_COMMANDS) {
    failure_set(why, "limit", argv[0], "is running too many times already");
    return NULL;
  }
  c = command_new(argv[0]);
  if (!c) {
    failure_set(why, "limit", "not enough", "memory");
    return NULL;
  }
  code = sz_process_start(&c->process, argv);
  if (!code) {
    command_link(all, c);
    return c;
  }
  start_failed(why, argv[0], code);
  free(c->body);
  free(c);
  return NULL;
}

/* Reading */

/* Reads bytes; 0: none now, or the pipe has ended (then it is closed). */
static size_t pipe_read(int *fd, char *data, size_t len) {
  ssize_t n;
  if (*fd < 0)
    return 0;
  do
    n = read(*fd, data, len);
  while (n < 0 && errno == EINTR);
  if (n > 0)
    return (size_t)n;
  if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
    sz_process_close(fd);
  return 0;
}

static void command_read_out(struct sz_command *c) {
  if (c->dropped || c->tail > c->head)
    return;
  c->head = 0;
  c->tail = pipe_read(&c->process.out, c->body, SZ_COMMAND_BUFFER);
  if (!c->tail)
    return;
  if (!c->info.received)
    c->info.first_byte = now() - c->started;
  c->info.received += c->tail;
  c->info.headers_done = true;
  c->info.status = 200;
}

/* Reads stderr to its end, so that the program never blocks on it. */
static void command_read_err(struct sz_command *c) {
  char data[4096];
  int rounds = 16; /* a program that writes without end must not block us */
  size_t n = pipe_read(&c->process.err, data, sizeof data);
  while (n > 0) {
    size_t room = sizeof c->words - 1 - c->words_len;
    memcpy(c->words + c->words_len, data, n < room ? n : room);
    c->words_len += n < room ? n : room;
    n = rounds-- ? pipe_read(&c->process.err, data, sizeof data) : 0;
  }
}

/* The first words of stderr, on one line, to append to a message. */
static const char *last_words(struct sz_command *c) {
  size_t i;
  while (c->words_len > 0 && (unsigned char)c->words[c->words_len - 1] <= ' ')
    c->words_len--;
  for (i = 0; i < c->words_len; i++) {
    if (c->words[i] == '\n' || c->words[i] == '\r' || c->words[i] == '\t')
      c->words[i] = ' ';
    if (!c->words[i]) /* a NUL would end the message */
      c->words[i] = '\1';
  }
  c->words[c->words_len] = '\0';
  return c->words;
}

/* Decides from the exit status whether the answer is complete. */
static void command_judge(struct sz_command *c, int status) {
  const char *words = last_words(c);
  const char *before = *words ? ": " : "";
  char text[SZ_COMMAND_WORDS + 60];
  bool begun = c->info.received > 0;
  if (status == -1 || status == 0) {
    c->info.headers_done = true;
    c->info.status = 200;
    return;
  }
  if (WIFSIGNALED(status)) {
    snprintf(text, sizeof text, "was ended by signal %d%s%s", WTERMSIG(status),
             before, words);
    failure_set(&c->failure, begun ? "truncated" : "connect", c->name, text);
    return;
  }
  snprintf(text, sizeof text, "ended with exit status %d%s%s",
           WEXITSTATUS(status), before, words);
  failure_set(&c->failure, begun ? "truncated" : "api", c->name, text);
}

/* Reads the output; after its end checks whether the program has ended. */
static void command_step(struct sz_command *c) {
  int status;
  if (c->info.done)
    return;
  command_read_out(c);
  command_read_err(c);
  if (c->process.out >= 0 || !sz_process_ended(&c->process, &status))
    return;
  command_read_err(c);
  sz_process_leave(&c->process);
  command_ended(c);
  command_judge(c, status);
}

static bool command_mine(const struct sz_command *c) {
  return c->owner && getpid() == c->owner->pid;
}

enum sz_read sz_command_peek(struct sz_command *c, const char **data,
                             size_t *len) {
  if (!c->info.done && !command_mine(c)) {
    sz_process_leave(&c->process);
    command_ended(c);
    command_drop(c);
    commands_usable(c->owner, &c->failure);
  }
  if (c->head == c->tail && !c->borrowed)
    command_step(c);
  c->borrowed = c->tail > c->head;
  *data = c->body + c->head;
  *len = c->tail - c->head;
  if (c->borrowed)
    return SZ_READ_DATA;
  if (!c->info.done)
    return SZ_READ_WAIT;
  return c->failure.kind ? SZ_READ_ERROR : SZ_READ_END;
}

void sz_command_consume(struct sz_command *c, size_t n) {
  c->borrowed = false;
  if (c->dropped) { /* cancelled while bytes were borrowed */
    command_drop(c);
    return;
  }
  if (n > c->tail - c->head)
    n = c->tail - c->head;
  c->head += n;
  c->info.decoded += n;
}

const struct sz_failure *sz_command_error(const struct sz_command *c) {
  return &c->failure;
}

void sz_command_info(struct sz_command *c, struct sz_info *info) {
  c->info.buffered = c->tail - c->head;
  *info = c->info;
}

/* All commands */

struct sz_commands *sz_commands_new(void) {
  struct sz_commands *all = calloc(1, sizeof *all);
  if (all)
    all->pid = getpid();
  return all;
}

void sz_commands_free(struct sz_commands *all) {
  if (!all)
    return;
  while (all->list) {
    struct sz_command *c = all->list;
    if (!c->info.done)
      sz_command_cancel(c);
    command_unlink(c);
  }
  free(all);
}

int sz_commands_step(struct sz_commands *all, struct sz_failure *why) {
  struct sz_command *c;
  if (!commands_usable(all, why))
    return -1;
  for (c = all->list; c; c = c->next)
    command_step(c);
  return all->running;
}

long sz_commands_timeout(const struct sz_commands *all) {
  const struct sz_command *c;
  for (c = all->list; c; c = c->next) {
    if (!c->info.done && c->process.out < 0)
      return LOOK_AGAIN;
  }
  return -1;
}

static int watch(struct sz_fd *list, int count, int fd) {
  if (fd < 0)
    return count;
  list[count].fd = fd;
  list[count].read = true;
  list[count].write = false;
  return count + 1;
}

static int command_fds(const struct sz_command *c, struct sz_fd *list,
                       int count) {
  if (c->info.done)
    return count;
  if (c->head == c->tail)
    count = watch(list, count, c->process.out);
  return watch(list, count, c->process.err);
}

int sz_commands_fds(const struct sz_commands *all,
                    const struct sz_command *one, struct sz_fd *list,
                    struct sz_failure *why) {
  const struct sz_command *c;
  int count = 0;
  if (!commands_usable(all, why))
    return -1;
  if (one)
    return command_fds(one, list, 0);
  for (c = all->list; c; c = c->next)
    count = command_fds(c, list, count);
  return count;
}

bool sz_commands_wait(struct sz_commands *all, int ms,
                      struct sz_failure *why) {
  struct sz_fd fds[SZ_MAX_COMMAND_FDS];
  struct pollfd polls[SZ_MAX_COMMAND_FDS];
  long sooner = sz_commands_timeout(all);
  int i, count = sz_commands_fds(all, NULL, fds, why);
  if (count < 0)
    return false;
  for (i = 0; i < count; i++) {
    polls[i].fd = fds[i].fd;
    polls[i].events = POLLIN;
  }
  if (sooner >= 0 && sooner < ms)
    ms = (int)sooner;
  poll(polls, (nfds_t)count, ms); /* a signal may end it early */
  return true;
}

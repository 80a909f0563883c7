/*
** command.h - runs a program on this machine and reads its output: the answer
** of reporting.cgi. No shell, no Lua. Arguments are passed unchanged. The
** program gets an empty stdin, pipes as stdout and stderr, and no other
** descriptor. It has its own process group, which ends with the command.
**
** One sz_commands belongs to one thread. After fork() every call in the child
** fails with kind "phase"; the programs still belong to the parent.
*/
#ifndef SZ_COMMAND_H
#define SZ_COMMAND_H

#include "source.h"

struct sz_commands; /* opaque: running commands */
struct sz_command;  /* opaque: one of them and its output */

/* The most that may run at the same time. */
enum { SZ_MAX_COMMANDS = 128, SZ_MAX_COMMAND_FDS = 2 * SZ_MAX_COMMANDS };

/* NULL: out of memory. */
struct sz_commands *sz_commands_new(void);

/*
** Ends running commands: they fail with kind "cancelled". The commands may be
** freed before or after. NULL is allowed.
*/
void sz_commands_free(struct sz_commands *all);

/*
** Reads what the commands have written, without waiting. Returns how many
** still run, or -1 with 'why' filled.
*/
int sz_commands_step(struct sz_commands *all, struct sz_failure *why);

/*
** Waits until a command has written or ended, at most 'ms' milliseconds.
** False: see 'why'. A command whose output buffer is full does not end the
** wait.
*/
bool sz_commands_wait(struct sz_commands *all, int ms, struct sz_failure *why);

/* Call sz_commands_step after this many milliseconds at most; -1: no limit. */
long sz_commands_timeout(const struct sz_commands *all);

/*
** Lists the pipes to watch now: of command 'one', or of all if 'one' is NULL.
** 'list' has room for SZ_MAX_COMMAND_FDS. Returns how many, or -1 with 'why'
** filled.
*/
int sz_commands_fds(const struct sz_commands *all,
                    const struct sz_command *one, struct sz_fd *list,
                    struct sz_failure *why);

/*
** Runs the program argv[0], a path. 'argv' ends with NULL. Returns NULL on
** failure: see 'why'; its kind is "connect" when the program cannot be run.
*/
struct sz_command *sz_command_start(struct sz_commands *all,
                                    const char *const *argv,
                                    struct sz_failure *why);

/*
** The functions of a source: see source.h. An exit status other than 0 is an
** error; its message has the first words of stderr. A running command that is
** ended gets SIGTERM, and after 20 ms SIGKILL. NULL may be freed.
*/
enum sz_read sz_command_peek(struct sz_command *c, const char **data,
                             size_t *len);
void sz_command_consume(struct sz_command *c, size_t n);
const struct sz_failure *sz_command_error(const struct sz_command *c);
void sz_command_info(struct sz_command *c, struct sz_info *info);
void sz_command_cancel(struct sz_command *c);
void sz_command_free(struct sz_command *c);

#endif

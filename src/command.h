/*
** command.h - a program of this machine, run for its output: the answer of
** reporting.cgi. No shell, no Lua. Its arguments are passed as they are; it
** gets no descriptor of ours but three pipes' ends, and a process group of
** its own, which ends with the command.
**
** One sz_commands belongs to one thread. After fork() every call in the child
** fails with kind "phase"; the programs stay the parent's.
*/
#ifndef SZ_COMMAND_H
#define SZ_COMMAND_H

#include "source.h"

struct sz_commands; /* opaque: running commands */
struct sz_command;  /* opaque: one of them and its output */

/* At most so many run at a time. */
enum { SZ_MAX_COMMANDS = 128, SZ_MAX_COMMAND_FDS = 2 * SZ_MAX_COMMANDS };

/* NULL: out of memory. */
struct sz_commands *sz_commands_new(void);

/*
** Ends running commands with kind "cancelled". Commands may be freed before
** or after. NULL is allowed.
*/
void sz_commands_free(struct sz_commands *all);

/*
** Takes what the commands have written, without waiting. Returns how many
** still run, or -1 with 'why' filled.
*/
int sz_commands_step(struct sz_commands *all, struct sz_failure *why);

/*
** Waits until a command has written or ended, or 'ms' passed. False: see
** 'why'. A command whose output waits for its reader does not end the wait.
*/
bool sz_commands_wait(struct sz_commands *all, int ms, struct sz_failure *why);

/* Milliseconds after which to step whatever the pipes do; -1: none. */
long sz_commands_timeout(const struct sz_commands *all);

/*
** Pipes to watch now, of one command or of all ('one' is NULL); 'list' has
** room for SZ_MAX_COMMAND_FDS. Returns how many, or -1 with 'why' filled.
*/
int sz_commands_fds(const struct sz_commands *all,
                    const struct sz_command *one, struct sz_fd *list,
                    struct sz_failure *why);

/*
** Runs the program argv[0], a path, with these arguments (NULL ends them).
** NULL: see 'why'; kind "connect" when it cannot be run.
*/
struct sz_command *sz_command_start(struct sz_commands *all,
                                    const char *const *argv,
                                    struct sz_failure *why);

/*
** What a source does: see source.h. An exit status other than 0 is an error,
** with the first words of stderr. Ending a command that runs takes it 20 ms
** at most to obey SIGTERM, then SIGKILL. NULL may be freed.
*/
enum sz_read sz_command_peek(struct sz_command *c, const char **data,
                             size_t *len);
void sz_command_consume(struct sz_command *c, size_t n);
const struct sz_failure *sz_command_error(const struct sz_command *c);
void sz_command_info(struct sz_command *c, struct sz_info *info);
void sz_command_cancel(struct sz_command *c);
void sz_command_free(struct sz_command *c);

#endif

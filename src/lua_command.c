/*
** lua_command.c - the command userdata: the methods of the http userdata, for
** programs on this machine. Only command:wait blocks.
*/
#include "lua_command.h"

#include "command.h"
#include "lua_source.h"

#include <string.h>

#define COMMAND "scrutinizer.command"

/* The most arguments of one command, with its path. */
enum { MAX_ARGUMENTS = 64 };

struct command_box {
  struct sz_commands *all; /* NULL once closed */
};

static struct command_box *command_check(lua_State *L) {
  return luaL_checkudata(L, 1, COMMAND);
}

/* On a closed object see lua_http.c. */

int sz_lua_command_new(lua_State *L) {
  struct command_box *box = lua_newuserdata(L, sizeof *box);
  box->all = NULL;
  luaL_setmetatable(L, COMMAND);
  box->all = sz_commands_new();
  if (!box->all)
    return luaL_error(L, "not enough memory");
  return 1;
}

/* close, __close and __gc: any number of times. */
static int command_close(lua_State *L) {
  struct command_box *box = command_check(L);
  sz_commands_free(box->all);
  box->all = NULL;
  return 0;
}

static int command_tostring(lua_State *L) {
  lua_pushstring(L, command_check(L)->all ? COMMAND : COMMAND " (closed)");
  return 1;
}

SZ_SOURCE_TYPE(SOURCE, sz_command, NULL);

/*
** Reads the list of texts at index 2 into 'argv'. The texts stay on the stack,
** which keeps them alive: the list may change.
*/
static void arguments_read(lua_State *L, const char **argv) {
  size_t i, len, count;
  luaL_checktype(L, 2, LUA_TTABLE);
  count = lua_rawlen(L, 2);
  luaL_argcheck(L, count > 0 && count <= MAX_ARGUMENTS, 2,
                "list of a path and its arguments expected");
  sz_checkstack(L, MAX_ARGUMENTS + 10, "arguments");
  for (i = 0; i < count; i++) {
    lua_rawgeti(L, 2, (int)i + 1);
    if (lua_type(L, -1) != LUA_TSTRING)
      luaL_error(L, "arguments must be strings");
    argv[i] = lua_tolstring(L, -1, &len);
    if (strlen(argv[i]) != len)
      luaL_error(L, "an argument has a zero byte");
  }
  argv[count] = NULL;
}

/*
** command:start(argv) -> transfer | nil, kind, message
*/
static int command_start(lua_State *L) {
  const char *argv[MAX_ARGUMENTS + 1];
  struct sz_failure why;
  struct sz_source *source;
  command_check(L);
  lua_settop(L, 2);
  arguments_read(L, argv);
  source = sz_lua_source_push(L, &SOURCE);
  if (!command_check(L)->all)
    return sz_lua_source_closed(L);
  source->object = sz_command_start(command_check(L)->all, argv, &why);
  return source->object ? 1 : sz_lua_fail(L, &why);
}

/* command:step() -> running | nil, kind, message */
static int command_step(lua_State *L) {
  struct sz_commands *all = command_check(L)->all;
  struct sz_failure why;
  int running;
  if (!all)
    return sz_lua_source_closed(L);
  running = sz_commands_step(all, &why);
  if (running < 0)
    return sz_lua_fail(L, &why);
  lua_pushinteger(L, running);
  return 1;
}

/* command:wait(seconds) -> true | nil, kind, message */
static int command_wait(lua_State *L) {
  struct sz_commands *all = command_check(L)->all;
  int ms = sz_lua_milliseconds(L, 2, 0);
  struct sz_failure why;
  if (!all)
    return sz_lua_source_closed(L);
  if (!sz_commands_wait(all, ms, &why))
    return sz_lua_fail(L, &why);
  lua_pushboolean(L, 1);
  return 1;
}

/* command:timeout() -> seconds | nil when there is none */
static int command_timeout(lua_State *L) {
  const struct sz_commands *all = command_check(L)->all;
  long ms = all ? sz_commands_timeout(all) : -1;
  if (ms < 0)
    lua_pushnil(L);
  else
    lua_pushnumber(L, (lua_Number)ms / 1000);
  return 1;
}

/*
** command:fds([transfer]) -> list of { fd =, read =, write = } | nil, kind,
** message; with a transfer only its descriptors
*/
static int command_fds(lua_State *L) {
  struct sz_fd list[SZ_MAX_COMMAND_FDS];
  struct sz_failure why;
  const struct sz_source *source = NULL;
  const struct sz_commands *all = command_check(L)->all;
  const struct sz_command *one = NULL;
  int count;
  if (!lua_isnoneornil(L, 2))
    source = sz_lua_source_check(L, 2);
  if (source && source->type == &SOURCE)
    one = source->object;
  if (!all)
    return sz_lua_source_closed(L);
  count = sz_commands_fds(all, one, list, &why);
  if (count < 0)
    return sz_lua_fail(L, &why);
  sz_lua_fds_push(L, list, count);
  return 1;
}

static const luaL_Reg META[] = {{"__gc", command_close},
                                {"__close", command_close},
                                {"__tostring", command_tostring},
                                {NULL, NULL}};

static const luaL_Reg METHODS[] = {{"start", command_start},
                                   {"step", command_step},
                                   {"wait", command_wait},
                                   {"timeout", command_timeout},
                                   {"fds", command_fds},
                                   {"close", command_close},
                                   {NULL, NULL}};

void sz_lua_command_register(lua_State *L) {
  sz_lua_register_type(L, COMMAND, META, METHODS);
}

/* lua_command.h - the userdata that runs commands: core.command. */
#ifndef SZ_LUA_COMMAND_H
#define SZ_LUA_COMMAND_H

#include "compat.h"

/* Registers the metatable; leaves the stack as it was. */
void sz_lua_command_register(lua_State *L);

/* core.command() -> command */
int sz_lua_command_new(lua_State *L);

#endif

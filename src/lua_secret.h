/* lua_secret.h - masks a secret in texts. */
#ifndef SZ_LUA_SECRET_H
#define SZ_LUA_SECRET_H

#include "compat.h"

/* core.mask(text, secret [, least]) -> masked, rest; see lua_secret.c */
int sz_lua_mask(lua_State *L);

#endif

/* lua_billing.h - C functions for billing: core.sha256 and core.top. */
#ifndef SZ_LUA_BILLING_H
#define SZ_LUA_BILLING_H

#include "compat.h"

/* Registers metatables; call once per state. Leaves the stack as it was. */
void sz_lua_billing_register(lua_State *L);

/* core.sha256(text) -> lower-case hexadecimal digits */
int sz_lua_sha256(lua_State *L);

/* core.top(keep) -> top, which keeps the 'keep' greatest samples */
int sz_lua_top_new(lua_State *L);

#endif

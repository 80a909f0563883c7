/* lua_json.h - JSON values as Lua values. */
#ifndef SZ_LUA_JSON_H
#define SZ_LUA_JSON_H

#include "compat.h"
#include "json.h"

/* Registers metatables; call once per state. Leaves the stack as it was. */
void sz_lua_json_register(lua_State *L);

/* Pushes the metatable that decoded arrays carry. */
void sz_lua_json_push_array_mt(lua_State *L);

/*
** Pushes a number's exact value: an integer where the host has them, a
** double, or the text itself when neither holds it. 'len' bytes must be a
** JSON number.
*/
void sz_lua_json_push_number(lua_State *L, const char *text, size_t len);

/* Pushes a whole number, if a number of this Lua holds it exactly. */
int sz_lua_json_push_exact(lua_State *L, int64_t value);

/* What 'text' was read as; not 'exact': with an exponent the nearest double.
 */
struct sz_number;
void sz_lua_json_push_read(lua_State *L, const struct sz_number *n,
                           const char *text, size_t len, int exact);

/* A whole number, or its text. */
void sz_lua_json_push_integer(lua_State *L, int64_t value, const char *text,
                              size_t len);

/* How a text is read. */
struct sz_lua_json_how {
  size_t max_depth;
  enum sz_json_utf8 utf8;
  int exact; /* 1e23 is no double: its text. Otherwise the nearest one. */
};

/*
** Pushes the value of one whole JSON text and returns 1; or returns 0 and
** fills '*error', pushing nothing. 'base' is added to positions. May raise
** (memory); nothing leaks then.
*/
int sz_lua_json_push(lua_State *L, const char *text, size_t len,
                     const struct sz_lua_json_how *how, uint64_t base,
                     struct sz_json_error *error);

/*
** The same for a text that is right in every way, and faster. 0: it may be
** wrong, or is out of the ordinary: ask the one above. (lua_json_text.c)
*/
int sz_lua_json_push_text(lua_State *L, const char *text, size_t len,
                          const struct sz_lua_json_how *how);

/* Pushes nil, kind, message, position: returns 4. */
int sz_lua_json_fail(lua_State *L, const struct sz_json_error *error);

/* Reads t.utf8 at 'index': "pass" (default), "replace" or "error". */
enum sz_json_utf8 sz_lua_json_utf8(lua_State *L, int index);

/* core.decode(text [, { max_depth =, utf8 =, exact = }]) */
int sz_lua_json_decode(lua_State *L);

#endif

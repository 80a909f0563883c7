/* lua_json.h - JSON values as Lua values. */
#ifndef SZ_LUA_JSON_H
#define SZ_LUA_JSON_H

#include "compat.h"
#include "json.h"

/* How a text is decoded. */
struct sz_lua_json_how {
  size_t max_depth;
  enum sz_json_utf8 utf8;
  int exact; /* 1e23 is no double: its text. Otherwise the nearest one. */
  size_t max_made;  /* bytes of Lua's that the value may take; 0: any */
  const char *over; /* what to say of more: a string constant */
};

/* lua_json_value.c */

/* Makes the metatable that decoded arrays carry; called by register. */
void sz_lua_json_make_array_mt(lua_State *L);

/* Pushes it. */
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

/*
** What has been made of 'max' bytes. Lua itself says what it holds; it is
** asked every so many values, and before what is large.
*/
struct sz_lua_budget {
  size_t before, max; /* Lua's bytes at the beginning; 0: no maximum */
  unsigned values;    /* until Lua is asked again */
  int over;
};

void sz_lua_budget_begin(lua_State *L, struct sz_lua_budget *b, size_t max);

/* Whether it would be passed with 'more' bytes; remembered in b->over. */
int sz_lua_budget_look(lua_State *L, struct sz_lua_budget *b, size_t more);

/* The same, before one more value of ordinary size. */
static inline int sz_lua_budget_value(lua_State *L, struct sz_lua_budget *b) {
  return b->max && !--b->values && sz_lua_budget_look(L, b, 0);
}

/* Before a text; short ones are ordinary. */
static inline int sz_lua_budget_text(lua_State *L, struct sz_lua_budget *b,
                                     size_t len) {
  return b->max && len >= 1024 && sz_lua_budget_look(L, b, len);
}

/*
** Before a table gets its next member: Lua doubles its room at powers of two.
** An item or field of the new room takes up to 'each' bytes.
*/
static inline int sz_lua_budget_grow(lua_State *L, struct sz_lua_budget *b,
                                     size_t count, size_t each) {
  return b->max && count >= 64 && !(count & (count - 1)) &&
         sz_lua_budget_look(L, b, 2 * count * each);
}
enum { SZ_ITEM_BYTES = 16, SZ_FIELD_BYTES = 40 };

/* lua_json.c */

/* Registers metatables; call once per state. Leaves the stack as it was. */
void sz_lua_json_register(lua_State *L);

/*
** Pushes the value of one whole JSON text and returns 1; or returns 0 and
** fills '*error', pushing nothing. 'base' is added to positions. May raise
** (memory); nothing leaks then.
*/
int sz_lua_json_push(lua_State *L, const char *text, size_t len,
                     const struct sz_lua_json_how *how, uint64_t base,
                     struct sz_json_error *error);

/* Pushes nil, kind, message, position: returns 4. */
int sz_lua_json_fail(lua_State *L, const struct sz_json_error *error);

/* Reads t.utf8 at 'index': "pass" (default), "replace" or "error". */
enum sz_json_utf8 sz_lua_json_utf8(lua_State *L, int index);

/* Reads { max_depth =, utf8 =, exact =, max_made = } at 'index', or nothing.
 */
void sz_lua_json_options(lua_State *L, int index, struct sz_lua_json_how *how);

/* core.decode(text [, { max_depth =, utf8 =, exact =, max_made = }]) */
int sz_lua_json_decode(lua_State *L);

/* lua_json_text.c */

/*
** As sz_lua_json_push, for a text that is right in every way, and faster. 0:
** it may be wrong, or is out of the ordinary: ask that one; or it is over the
** budget, and '*at' is where.
*/
int sz_lua_json_push_text(lua_State *L, const char *text, size_t len,
                          const struct sz_lua_json_how *how,
                          struct sz_lua_budget *budget, size_t *at);

#endif

/* lua_json.h - JSON values as Lua values. */
#ifndef SZ_LUA_JSON_H
#define SZ_LUA_JSON_H

#include "compat.h"
#include "json.h"

/* How a text is decoded. */
struct sz_lua_json_how {
  size_t max_depth;
  enum sz_json_utf8 utf8;
  int exact; /* a number that no double holds (1e23): its text, not rounded */
  int int64; /* see sz_lua_json_push_exact */
  size_t max_made;  /* most bytes of Lua memory for the value; 0: no limit */
  const char *over; /* the message for more: a string constant */
};

/* lua_json_value.c */

/* Makes the metatable that decoded arrays carry; called by register. */
void sz_lua_json_make_array_mt(lua_State *L);

/* Pushes that metatable. */
void sz_lua_json_push_array_mt(lua_State *L);

/*
** Pushes a whole number and returns 1; 0: no Lua number holds it exactly. With
** 'int64', on LuaJIT, a number that no double holds becomes a cdata.
*/
int sz_lua_json_push_exact(lua_State *L, int64_t value, int int64);

/*
** core.int64(make): the function that makes such a cdata of its high half (a
** signed number) and its low half
*/
int sz_lua_json_set_int64(lua_State *L);

/*
** Pushes a number's exact value: an integer if this Lua has integers, a
** double, or the text itself when neither holds the value. The 'len' bytes
** must be a JSON number.
*/
void sz_lua_json_push_number(lua_State *L, const char *text, size_t len,
                             int int64);

/*
** Pushes '*n', which 'text' was read as. Without 'exact' a 'loose' number
** becomes the nearest double.
*/
struct sz_number;
void sz_lua_json_push_read(lua_State *L, const struct sz_number *n,
                           const char *text, size_t len, int exact, int int64);

/* Pushes a whole number; its text if no Lua number holds it exactly. */
void sz_lua_json_push_integer(lua_State *L, int64_t value, const char *text,
                              size_t len, int int64);

/*
** A limit on the memory of the values made. Lua says how many bytes it holds;
** we ask it after a number of values, and before large ones.
*/
struct sz_lua_budget {
  size_t before, max; /* before: Lua's bytes at first; max 0: no limit */
  unsigned values;    /* how many more until Lua is asked again */
  int over;           /* the limit is passed */
};

void sz_lua_budget_begin(lua_State *L, struct sz_lua_budget *b, size_t max);

/* Whether 'more' bytes would pass the limit; also stored in b->over. */
int sz_lua_budget_look(lua_State *L, struct sz_lua_budget *b, size_t more);

/* The same, before one more value of usual size. */
static inline int sz_lua_budget_value(lua_State *L, struct sz_lua_budget *b) {
  return b->max && !--b->values && sz_lua_budget_look(L, b, 0);
}

/* The same, before a text; a short text has usual size. */
static inline int sz_lua_budget_text(lua_State *L, struct sz_lua_budget *b,
                                     size_t len) {
  return b->max && len >= 1024 && sz_lua_budget_look(L, b, len);
}

/*
** The same, before a table gets its next member: at powers of two Lua doubles
** the table. Each member of the new size takes up to 'each' bytes.
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
** Pushes the value of one whole JSON text and returns 1. On failure it fills
** '*error', pushes nothing and returns 0. 'base' is added to positions. May
** raise (memory); nothing leaks then.
*/
int sz_lua_json_push(lua_State *L, const char *text, size_t len,
                     const struct sz_lua_json_how *how, uint64_t base,
                     struct sz_json_error *error);

/* Pushes nil, kind, message, position: returns 4. */
int sz_lua_json_fail(lua_State *L, const struct sz_json_error *error);

/* Reads t.utf8 at 'index': "pass" (default), "replace" or "error". */
enum sz_json_utf8 sz_lua_json_utf8(lua_State *L, int index);

/* Reads the options { max_depth =, utf8 =, exact =, int64 =, max_made = } at
** 'index', if there are any. */
void sz_lua_json_options(lua_State *L, int index, struct sz_lua_json_how *how);

/*
** core.decode(text [, { max_depth =, utf8 =, exact =, int64 =, max_made = }])
** -> value | nil, kind, message, position
*/
int sz_lua_json_decode(lua_State *L);

/*
** core.compare(a, b) -> -1, 0 or 1: two JSON numbers, as texts, by value.
** Raises when one is no JSON number.
*/
int sz_lua_json_compare(lua_State *L);

/* lua_json_text.c */

/*
** A faster sz_lua_json_push, for valid texts only. 0: the text may be invalid,
** or is unusual (then call sz_lua_json_push); or it is over the budget
** (budget->over), at offset '*at'.
*/
int sz_lua_json_push_text(lua_State *L, const char *text, size_t len,
                          const struct sz_lua_json_how *how,
                          struct sz_lua_budget *budget, size_t *at);

#endif

/* lua_json.c - JSON values as Lua values. */
#include "lua_json.h"

#include "number.h"

#include <stdlib.h>
#include <string.h>

#define BUILDER "scrutinizer.json_builder"
#define DEFAULT_DEPTH 64
#define LUA_DEPTH 4000 /* deeper texts are an attack */

/* Owns the scanner, so that an error raised by Lua leaks nothing. */
struct builder {
  struct sz_json json;
  lua_Integer *lengths; /* members so far, per level; NULL once freed */
  int exact, int64;
  struct sz_lua_budget budget;
};

/* Frees the memory at once, as the collector does not count it. */
static void release(struct builder *b) {
  if (b->lengths) {
    sz_json_free(&b->json);
    free(b->lengths);
    b->lengths = NULL;
  }
}

static int builder_free(lua_State *L) {
  release(luaL_checkudata(L, 1, BUILDER));
  return 0;
}

void sz_lua_json_register(lua_State *L) {
  luaL_newmetatable(L, BUILDER);
  lua_pushcfunction(L, builder_free);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  sz_lua_json_make_array_mt(L);
}

/* ---- building ---- */

/* The values of the first try are garbage: the budget must not count them. */
static void budget_again(lua_State *L, struct sz_lua_budget *b) {
  if (b->max && sz_lua_budget_look(L, b, b->max / 2))
    lua_gc(L, LUA_GCCOLLECT, 0);
  b->over = 0;
}

static struct builder *builder_new(lua_State *L, size_t len,
                                   const struct sz_lua_json_how *how) {
  struct builder *b = lua_newuserdata(L, sizeof *b);
  size_t text = len * 3 + 1; /* "replace" may turn one byte into three */
  b->lengths = NULL;
  b->exact = how->exact;
  b->int64 = how->int64;
  luaL_setmetatable(L, BUILDER);
  if (how->max_made && text > how->max_made)
    text = how->max_made;
  if (sz_json_init(&b->json, how->max_depth, text, how->utf8) < 0)
    luaL_error(L, "not enough memory");
  b->lengths = calloc(how->max_depth + 1, sizeof *b->lengths);
  if (!b->lengths) {
    sz_json_free(&b->json);
    luaL_error(L, "not enough memory");
  }
  return b;
}

static void push_number(lua_State *L, const struct builder *b) {
  struct sz_number n;
  sz_number_read(b->json.text, b->json.len, &n);
  sz_lua_json_push_read(L, &n, b->json.text, b->json.len, b->exact, b->int64);
}

/* Pushes the value of a token that is a value or begins one. */
static void push_token(lua_State *L, const struct builder *b,
                       enum sz_json_token token) {
  switch (token) {
  case SZ_JSON_OBJECT:
    lua_newtable(L);
    break;
  case SZ_JSON_ARRAY:
    lua_newtable(L);
    sz_lua_json_push_array_mt(L);
    lua_setmetatable(L, -2);
    break;
  case SZ_JSON_NUMBER:
    push_number(L, b);
    break;
  case SZ_JSON_TRUE:
  case SZ_JSON_FALSE:
    lua_pushboolean(L, token == SZ_JSON_TRUE);
    break;
  case SZ_JSON_NULL:
    lua_pushlightuserdata(L, NULL);
    break;
  default:
    lua_pushlstring(L, b->json.text, b->json.len);
  }
}

/* Pops the value on top (and its key) into the container below. */
static void store(lua_State *L, struct builder *b) {
  size_t depth = b->json.depth, count, each;
  if (!depth)
    return;
  count = (size_t)++b->lengths[depth];
  each = b->json.nest[depth - 1] ? SZ_FIELD_BYTES : SZ_ITEM_BYTES;
  if (sz_lua_budget_grow(L, &b->budget, count - 1, each))
    lua_pop(L, b->json.nest[depth - 1] ? 2 : 1); /* 'build' checks b->over */
  else if (b->json.nest[depth - 1])
    lua_rawset(L, -3);
  else
    lua_rawseti(L, -2, (int)count);
}

static int goes_over(lua_State *L, struct builder *b,
                     enum sz_json_token token) {
  int is_text = token == SZ_JSON_STRING || token == SZ_JSON_KEY ||
                token == SZ_JSON_NUMBER;
  return b->budget.over || sz_lua_budget_value(L, &b->budget) ||
         (is_text && sz_lua_budget_text(L, &b->budget, b->json.len));
}

static enum sz_json_token stop(struct sz_json *j, const char *why) {
  j->error.code = SZ_JSON_LIMIT;
  j->error.message = why;
  j->error.position = j->start;
  return SZ_JSON_ERROR;
}

/*
** The Lua stack mirrors the open containers: each object or array, and in an
** object the key whose value is being built.
*/
static enum sz_json_token build(lua_State *L, struct builder *b,
                                const char *over) {
  struct sz_json *j = &b->json;
  for (;;) {
    enum sz_json_token token = sz_json_next(j);
    if (token != SZ_JSON_ERROR && goes_over(L, b, token))
      return stop(j, over);
    switch (token) {
    case SZ_JSON_MORE:
      sz_json_finish(j);
      break;
    case SZ_JSON_END:
      return token;
    case SZ_JSON_ERROR:
      if (b->budget.max && j->error.message == sz_json_too_long)
        j->error.message = over;
      return token;
    case SZ_JSON_OBJECT:
    case SZ_JSON_ARRAY:
      if (!lua_checkstack(L, 4))
        return stop(j, "nested deeper than Lua's stack allows");
      b->lengths[j->depth] = 0;
      push_token(L, b, token);
      break;
    case SZ_JSON_OBJECT_END:
    case SZ_JSON_ARRAY_END:
      store(L, b);
      break;
    case SZ_JSON_KEY:
      lua_pushlstring(L, j->text, j->len);
      break;
    default:
      push_token(L, b, token);
      store(L, b);
    }
  }
}

int sz_lua_json_push(lua_State *L, const char *text, size_t len,
                     const struct sz_lua_json_how *how, uint64_t base,
                     struct sz_json_error *error) {
  int top = lua_gettop(L);
  struct sz_lua_budget budget;
  struct builder *b;
  enum sz_json_token token;
  size_t at = 0;
  sz_checkstack(L, 8, "JSON");
  sz_lua_budget_begin(L, &budget, how->max_made);
  if (how->utf8 == SZ_UTF8_PASS &&
      sz_lua_json_push_text(L, text, len, how, &budget, &at))
    return 1;
  if (budget.over) {
    error->code = SZ_JSON_LIMIT;
    error->message = how->over;
    error->position = base + at;
    return 0;
  }
  budget_again(L, &budget);
  b = builder_new(L, len, how);
  b->budget = budget;
  sz_json_reset(&b->json, base);
  sz_json_feed(&b->json, text, len);
  token = build(L, b, how->over);
  *error = b->json.error;
  release(b);
  if (token == SZ_JSON_ERROR) {
    lua_settop(L, top);
    return 0;
  }
  lua_replace(L, top + 1); /* the value takes the builder's stack slot */
  lua_settop(L, top + 1);
  return 1;
}

int sz_lua_json_fail(lua_State *L, const struct sz_json_error *error) {
  if (error->code == SZ_JSON_NOMEM)
    return luaL_error(L, "not enough memory");
  lua_pushnil(L);
  lua_pushstring(L, error->code == SZ_JSON_LIMIT       ? "limit"
                    : error->code == SZ_JSON_TRUNCATED ? "truncated"
                                                       : "decode");
  lua_pushstring(L, error->message);
  lua_pushinteger(L, (lua_Integer)error->position);
  return 4;
}

enum sz_json_utf8 sz_lua_json_utf8(lua_State *L, int index) {
  static const char *const names[] = {"pass", "replace", "error", NULL};
  int mode;
  lua_getfield(L, index, "utf8");
  mode = lua_isnil(L, -1) ? 0 : luaL_checkoption(L, -1, NULL, names);
  lua_pop(L, 1);
  return (enum sz_json_utf8)mode;
}

void sz_lua_json_options(lua_State *L, int index,
                         struct sz_lua_json_how *how) {
  lua_Integer depth = DEFAULT_DEPTH;
  lua_Number made = 0;
  memset(how, 0, sizeof *how);
  if (!lua_isnoneornil(L, index)) {
    luaL_checktype(L, index, LUA_TTABLE);
    lua_getfield(L, index, "max_depth");
    depth = luaL_optinteger(L, -1, DEFAULT_DEPTH);
    lua_getfield(L, index, "max_made");
    made = luaL_optnumber(L, -1, 0);
    lua_getfield(L, index, "exact");
    how->exact = lua_toboolean(L, -1);
    lua_getfield(L, index, "int64");
    how->int64 = lua_toboolean(L, -1);
    lua_pop(L, 4);
    luaL_argcheck(L, depth >= 1 && depth <= LUA_DEPTH, index,
                  "max_depth must be from 1 to 4000");
    how->utf8 = sz_lua_json_utf8(L, index);
  }
  how->max_depth = (size_t)depth;
  how->max_made = made >= 1 && made < 9e15 ? (size_t)made : 0;
  how->over = "its decoded values take more memory than max_body allows";
}

int sz_lua_json_decode(lua_State *L) {
  size_t len;
  const char *text = luaL_checklstring(L, 1, &len);
  struct sz_lua_json_how how;
  struct sz_json_error error;
  sz_lua_json_options(L, 2, &how);
  if (!sz_lua_json_push(L, text, len, &how, 0, &error))
    return sz_lua_json_fail(L, &error);
  return 1;
}

int sz_lua_json_compare(lua_State *L) {
  size_t a_len, b_len;
  int order;
  const char *a = luaL_checklstring(L, 1, &a_len);
  const char *b = luaL_checklstring(L, 2, &b_len);
  if (!sz_number_compare(a, a_len, b, b_len, &order))
    return luaL_error(L, "compare: not a JSON number");
  lua_pushinteger(L, order);
  return 1;
}

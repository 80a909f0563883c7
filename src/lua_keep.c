/* lua_keep.c - see lua_keep.h. */
#include "lua_keep.h"

#include "lua_guard.h"

#include <string.h>

#define KEEP "scrutinizer.keep"
#define MAX_DEPTH 32 /* of tests within tests */

struct keep_box {
  struct sz_keep *keep;
};

const struct sz_keep *sz_lua_keep_check(lua_State *L, int index) {
  struct keep_box *box = luaL_checkudata(L, index, KEEP);
  if (!box->keep)
    luaL_error(L, "attempt to use closed tests");
  return box->keep;
}

/* Raises when a function sz_keep_… has failed. */
static void check(lua_State *L, int done) {
  if (!done)
    luaL_error(L, "not enough memory");
  luaL_argcheck(L, done > 0, 1, "number or network expected");
}

/* Pushes a member of the table on top; returns whether it is there. */
static int get(lua_State *L, const char *name) {
  lua_pushstring(L, name);
  lua_rawget(L, -2);
  if (!lua_isnil(L, -1))
    return 1;
  lua_pop(L, 1);
  return 0;
}

/* ---- the fields ---- */

/* A text of the table at 'index'; it stays on the stack, and so alive. */
static const char *text_of(lua_State *L, int index, const char *name,
                           const char *otherwise) {
  lua_pushstring(L, name);
  lua_rawget(L, index);
  if (lua_isnil(L, -1) && otherwise)
    return otherwise;
  return luaL_checkstring(L, -1);
}

/* One field, { column =, member =, why = }, which is on top. */
static void add_field(lua_State *L, struct sz_keep *k) {
  static const char *const MEMBERS[] = {"raw", "label", "title"};
  const char *column, *why, *member;
  int i = 0, field = lua_gettop(L);
  luaL_checktype(L, field, LUA_TTABLE);
  column = text_of(L, field, "column", NULL);
  why = text_of(L, field, "why", "");
  member = text_of(L, field, "member", "raw");
  while (i < SZ_TITLE && strcmp(member, MEMBERS[i]) != 0)
    i++;
  check(L, sz_keep_field(k, column, (enum sz_member)i, why));
  lua_settop(L, field);
}

static size_t add_fields(lua_State *L, struct sz_keep *k) {
  size_t i, n;
  luaL_argcheck(L, get(L, "fields") && lua_istable(L, -1), 1,
                "fields expected");
  n = sz_list_length(L, lua_gettop(L), "fields");
  for (i = 0; i < n; i++) {
    lua_rawgeti(L, -1, (int)i + 1);
    add_field(L, k);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return n;
}

/* ---- the tests ---- */

struct builder {
  struct sz_keep *keep;
  size_t nfields;
  size_t field; /* the one that the current test reads; nfields: not set */
  int depth;
};

static void add_test(lua_State *L, struct builder *b);

/* The field's number, which may be that of the test around. */
static size_t field_of(lua_State *L, const struct builder *b) {
  luaL_argcheck(L, b->field < b->nfields, 1, "a test without its field");
  return b->field;
}

/* The parts of a group: a list of tests, which is on top. */
static void add_group(lua_State *L, struct builder *b,
                      enum sz_keep_group kind) {
  size_t group, i, n = 1;
  luaL_checktype(L, -1, LUA_TTABLE);
  check(L, sz_keep_open(b->keep, kind, &group));
  if (kind == SZ_KEEP_NO) {
    add_test(L, b);
  } else {
    n = sz_list_length(L, lua_gettop(L), "tests");
    for (i = 0; i < n; i++) {
      lua_rawgeti(L, -1, (int)i + 1);
      add_test(L, b);
      lua_pop(L, 1);
    }
  }
  sz_keep_close(b->keep, group);
}

/* An entry of a list: the text on top. */
static void add_text(lua_State *L, struct builder *b) {
  size_t len;
  const char *s = luaL_checklstring(L, -1, &len);
  check(L, sz_keep_text(b->keep, s, len));
}

static void add_decimal(lua_State *L, struct builder *b) {
  size_t len;
  const char *s = luaL_checklstring(L, -1, &len);
  check(L, sz_keep_number(b->keep, s, len, 0));
}

static void add_number(lua_State *L, struct builder *b) {
  size_t len;
  const char *s = luaL_checklstring(L, -1, &len);
  check(L, sz_keep_number(b->keep, s, len, 1));
}

/* A network: "10.0.0.0/8", or an address alone. */
static void add_network(lua_State *L, struct builder *b) {
  size_t len;
  const char *s = luaL_checklstring(L, -1, &len), *slash = strchr(s, '/');
  unsigned length = 0;
  if (slash) {
    len = (size_t)(slash - s);
    while (*++slash && length <= 128)
      length = length * 10 + (unsigned)(*slash - '0');
  } else {
    length = memchr(s, ':', len) ? 128 : 32;
  }
  check(L, sz_keep_network(b->keep, s, len, length));
}

/* Adds the entries of the test's list 'name', where it has one. */
static void add_entries(lua_State *L, struct builder *b, const char *name,
                        void (*add)(lua_State *, struct builder *)) {
  size_t i, n;
  if (!get(L, name))
    return;
  luaL_checktype(L, -1, LUA_TTABLE);
  n = sz_list_length(L, lua_gettop(L), name);
  for (i = 0; i < n; i++) {
    lua_rawgeti(L, -1, (int)i + 1);
    add(L, b);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

static void add_values(lua_State *L, struct builder *b) {
  luaL_checktype(L, -1, LUA_TTABLE);
  check(L, sz_keep_one_of(b->keep, field_of(L, b)));
  add_entries(L, b, "texts", add_text);
  add_entries(L, b, "decimals", add_decimal);
  add_entries(L, b, "numbers", add_number);
  add_entries(L, b, "networks", add_network);
}

static void add_between(lua_State *L, struct builder *b) {
  size_t min_len = 0, max_len = 0;
  const char *min = NULL, *max = NULL;
  int bounds = lua_gettop(L);
  luaL_checktype(L, bounds, LUA_TTABLE);
  if (get(L, "min"))
    min = luaL_checklstring(L, -1, &min_len);
  lua_pushvalue(L, bounds);
  if (get(L, "max"))
    max = luaL_checklstring(L, -1, &max_len);
  check(L,
        sz_keep_between(b->keep, field_of(L, b), min, min_len, max, max_len));
  lua_settop(L, bounds);
}

/* The one member of a test besides 'field'. */
static void add_kind(lua_State *L, struct builder *b) {
  size_t len;
  if (get(L, "all"))
    add_group(L, b, SZ_KEEP_ALL);
  else if (get(L, "any"))
    add_group(L, b, SZ_KEEP_ANY);
  else if (get(L, "no"))
    add_group(L, b, SZ_KEEP_NO);
  else if (get(L, "one_of"))
    add_values(L, b);
  else if (get(L, "between"))
    add_between(L, b);
  else if (get(L, "begins")) {
    const char *s = luaL_checklstring(L, -1, &len);
    check(L, sz_keep_begins(b->keep, field_of(L, b), s, len));
  } else if (get(L, "contains")) {
    const char *s = luaL_checklstring(L, -1, &len);
    check(L, sz_keep_contains(b->keep, field_of(L, b), s, len));
  } else
    luaL_error(L, "test of an unknown kind");
}

/* Adds the test on top, a table. */
static void add_test(lua_State *L, struct builder *b) {
  size_t outer = b->field;
  int top = lua_gettop(L);
  luaL_checktype(L, -1, LUA_TTABLE);
  sz_checkstack(L, 16, "tests within tests");
  luaL_argcheck(L, ++b->depth <= MAX_DEPTH, 1, "tests nested too deep");
  if (get(L, "field")) {
    lua_Integer field = luaL_checkinteger(L, -1);
    b->field = field > 0 ? (size_t)field - 1 : b->nfields;
    lua_pop(L, 1);
  }
  add_kind(L, b);
  b->field = outer;
  b->depth--;
  lua_settop(L, top);
}

/*
** core.keep { fields = { { column =, member =, why = }, … }, test = } -> keep.
** A test has one of: all, any (lists of tests), no (a test), one_of ({ texts
** =, decimals =, numbers =, networks = }, lists of texts), between ({ min =,
** max = }, texts), begins, contains (texts); and perhaps 'field', the number
** of the field that it and the tests in it read.
*/
int sz_lua_keep_new(lua_State *L) {
  struct keep_box *box;
  struct builder b;
  memset(&b, 0, sizeof b);
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  box = lua_newuserdata(L, sizeof *box);
  box->keep = NULL;
  luaL_setmetatable(L, KEEP);
  b.keep = sz_keep_new();
  check(L, b.keep != NULL);
  box->keep = b.keep;
  lua_pushvalue(L, 1);
  b.field = b.nfields = add_fields(L, b.keep);
  luaL_argcheck(L, get(L, "test"), 1, "test expected");
  add_test(L, &b);
  check(L, sz_keep_ready(b.keep));
  lua_settop(L, 2);
  return 1;
}

static int keep_gc(lua_State *L) {
  struct keep_box *box = luaL_checkudata(L, 1, KEEP);
  sz_keep_free(box->keep);
  box->keep = NULL;
  return 0;
}

static const luaL_Reg METAMETHODS[] = {{"__gc", keep_gc}, {NULL, NULL}};

void sz_lua_keep_register(lua_State *L) {
  luaL_newmetatable(L, KEEP);
  luaL_setfuncs(L, METAMETHODS, 0);
  sz_lua_seal(L);
  lua_pop(L, 1);
}

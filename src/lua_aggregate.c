/*
** lua_aggregate.c - the aggregate as a userdata. Its user value keeps alive
** what the options point to: our copy of the field names' list, and arrays.
*/
#include "lua_aggregate.h"

#include "lua_json.h"

#include <stdlib.h>
#include <string.h>

#define MAX_KEYS (1u << 31)
#define AGGREGATE "scrutinizer.aggregate"
#define ORDER "scrutinizer.aggregate_order"

struct box {
  struct sz_guard guard;
  int closing;                    /* closed while a call was using it */
  struct sz_aggregate *aggregate; /* NULL once closed */
  struct sz_aggregate_options options;
  int int64; /* see sz_lua_json_push_exact */
};

/* What the user value keeps; 1: the names of a result's fields. */
enum { NAMES = 1, KEPT = 7 };

static struct box *check_open(lua_State *L, int index) {
  struct box *box = luaL_checkudata(L, index, AGGREGATE);
  if (!box->aggregate || box->closing)
    luaL_error(L, "attempt to use a closed aggregate");
  return box;
}

static void free_groups(struct box *box) {
  sz_aggregate_free(box->aggregate);
  box->aggregate = NULL;
  box->closing = 0;
}

static void leave(struct box *box) {
  sz_guard_leave(&box->guard);
  if (box->closing)
    free_groups(box);
}

struct sz_aggregate *sz_lua_aggregate_enter(lua_State *L, int index,
                                            lua_CFunction in,
                                            const char *what) {
  struct box *box = check_open(L, index);
  if (sz_guard_enter(L, &box->guard, index, in))
    return box->aggregate;
  sz_guard_refuse(L, &box->guard, index, what);
  return NULL;
}

void sz_lua_aggregate_leave(lua_State *L, int index) {
  leave(lua_touserdata(L, index));
}

/* ---- making one ---- */

/* Pushes the list option 'name' of the table at 1. Returns its length. */
static size_t option_list(lua_State *L, const char *name) {
  lua_getfield(L, 1, name);
  luaL_checktype(L, -1, LUA_TTABLE);
  return sz_list_length(L, -1, name);
}

/* Pops a field's index and returns it, counted from 0. */
static size_t field_index(lua_State *L, size_t nfields) {
  lua_Integer n = luaL_checkinteger(L, -1);
  lua_pop(L, 1);
  if (n < 1 || (size_t)n > nfields)
    luaL_error(L, "no field %d", (int)n);
  return (size_t)n - 1;
}

/*
** Each read_ function leaves a list and its array (a userdata) on the stack.
** The list of names is a copy, as the script may change its own.
*/
static const char **read_names(lua_State *L, size_t *count) {
  const char **names;
  size_t i;
  *count = option_list(L, "fields");
  lua_newtable(L);
  names = lua_newuserdata(L, (*count + 1) * sizeof *names);
  for (i = 0; i < *count; i++) {
    lua_rawgeti(L, -3, (int)i + 1);
    if (lua_type(L, -1) != LUA_TSTRING)
      luaL_error(L, "fields must be strings");
    names[i] = lua_tostring(L, -1);
    lua_rawseti(L, -3, (int)i + 1);
  }
  lua_remove(L, -3);
  return names;
}

/* Pops the name of a result's field into the list of names at 3. */
static void add_name(lua_State *L) {
  if (lua_type(L, -1) != LUA_TSTRING)
    luaL_error(L, "names must be strings");
  lua_rawseti(L, 3, (int)lua_rawlen(L, 3) + 1);
}

/* Pops a whole number from 'least' to 'most'; 'otherwise' for nil. */
static int64_t pop_whole(lua_State *L, lua_Number least, lua_Number most,
                         lua_Number otherwise) {
  lua_Number n = luaL_optnumber(L, -1, otherwise);
  lua_pop(L, 1);
  if (!(n >= least && n <= most))
    luaL_error(L, "by: out of range");
  return (int64_t)n;
}

/*
** Reads the table on top: { field =, name =, prefix =, prefix6 = } groups by
** network, { field =, name =, every = } in steps. Pops it.
*/
static void read_by_table(lua_State *L, size_t nfields, struct sz_by *by) {
  luaL_checktype(L, -1, LUA_TTABLE);
  lua_getfield(L, -1, "name");
  add_name(L);
  lua_getfield(L, -1, "field");
  by->field = field_index(L, nfields);
  lua_getfield(L, -1, "every");
  by->kind = lua_isnil(L, -1) ? SZ_BY_NETWORK : SZ_BY_STEP;
  by->step = pop_whole(L, 1, 9e15, 1);
  lua_getfield(L, -1, "prefix");
  by->bits4 = (unsigned)pop_whole(L, 0, 128, 0);
  lua_getfield(L, -1, "prefix6");
  by->bits6 = (unsigned)pop_whole(L, 0, 128, by->bits4);
  lua_pop(L, 1);
}

/* An entry of 'by' is the index of a field, or a table. */
static struct sz_by *
read_by(lua_State *L, const struct sz_aggregate_options *o, size_t *count) {
  struct sz_by *by;
  size_t i;
  *count = option_list(L, "by");
  by = lua_newuserdata(L, (*count + 1) * sizeof *by);
  memset(by, 0, (*count + 1) * sizeof *by);
  for (i = 0; i < *count; i++) {
    lua_rawgeti(L, -2, (int)i + 1);
    if (lua_type(L, -1) != LUA_TNUMBER) {
      read_by_table(L, o->nfields, &by[i]);
      continue;
    }
    by[i].field = field_index(L, o->nfields);
    lua_pushstring(L, o->fields[by[i].field]);
    add_name(L);
  }
  return by;
}

/* Pushes a folded field's name: the one it is given, or such as sum_octets. */
static void push_folded_name(lua_State *L, const char *fold,
                             const char *field) {
  lua_getfield(L, -1, "name");
  if (!lua_isnil(L, -1))
    return;
  lua_pop(L, 1);
  lua_pushfstring(L, "%s_%s", fold, field);
}

static struct sz_folded *read_folded(lua_State *L,
                                     const struct sz_aggregate_options *o,
                                     size_t *count) {
  static const char *const FOLDS[] = {"sum", "min", "max", NULL};
  struct sz_folded *folded;
  size_t i;
  *count = option_list(L, "folded");
  folded = lua_newuserdata(L, (*count + 1) * sizeof *folded);
  for (i = 0; i < *count; i++) {
    lua_rawgeti(L, -2, (int)i + 1);
    luaL_checktype(L, -1, LUA_TTABLE);
    lua_getfield(L, -1, "fold");
    folded[i].fold = (enum sz_fold)luaL_checkoption(L, -1, NULL, FOLDS);
    lua_getfield(L, -2, "field");
    folded[i].field = field_index(L, o->nfields);
    lua_pop(L, 1);
    push_folded_name(L, FOLDS[folded[i].fold], o->fields[folded[i].field]);
    add_name(L);
    lua_pop(L, 1);
  }
  return folded;
}

/* The most bytes of the 'by' values; offsets of 32 bits allow 2^31. */
static size_t read_max(lua_State *L) {
  lua_Number max;
  lua_getfield(L, 1, "max_keys");
  max = luaL_optnumber(L, -1, MAX_KEYS);
  lua_pop(L, 1);
  return max >= 1 && max < MAX_KEYS ? (size_t)max : MAX_KEYS;
}

int sz_lua_aggregate_new(lua_State *L) {
  struct box *box;
  int i;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  box = lua_newuserdata(L, sizeof *box); /* at 2 */
  memset(box, 0, sizeof *box);
  luaL_setmetatable(L, AGGREGATE);
  lua_newtable(L); /* at 3: names of a result's fields */
  box->options.fields = read_names(L, &box->options.nfields);
  box->options.by = read_by(L, &box->options, &box->options.nby);
  box->options.folded = read_folded(L, &box->options, &box->options.nfolded);
  lua_pushliteral(L, "count");
  add_name(L);
  lua_createtable(L, KEPT, 1);
  for (i = 1; i <= KEPT; i++) {
    lua_pushvalue(L, i + 2);
    lua_rawseti(L, -2, i);
  }
  sz_setuservalue(L, 2);
  lua_getfield(L, 1, "int64");
  box->int64 = lua_toboolean(L, -1);
  box->options.max_keys = read_max(L);
  box->aggregate = sz_aggregate_new(&box->options);
  if (!box->aggregate)
    return luaL_error(L, "not enough memory");
  lua_settop(L, 2);
  return 1;
}

/* close, __close and __gc: any number of times, also during another call. */
static int aggregate_close(lua_State *L) {
  struct box *box = luaL_checkudata(L, 1, AGGREGATE);
  if (!sz_guard_held(L, &box->guard, box))
    free_groups(box);
  else
    box->closing = 1;
  return 0;
}

/* ---- results ---- */

/* The order of the groups, owned by a userdata. */
static int order_free(lua_State *L) {
  size_t **order = luaL_checkudata(L, 1, ORDER);
  free(*order);
  *order = NULL;
  return 0;
}

static size_t *push_order(lua_State *L, const struct sz_aggregate *a,
                          size_t top) {
  size_t **order = lua_newuserdata(L, sizeof *order);
  *order = NULL;
  luaL_setmetatable(L, ORDER);
  *order = sz_aggregate_order(a, top);
  if (!*order)
    luaL_error(L, "not enough memory");
  return *order;
}

/* Pushes a number that holds the value exactly, else its digits. */
static void push_wide(lua_State *L, sz_wide value, int int64) {
  char text[SZ_WIDE_TEXT];
  if (value < INT64_MIN || value > INT64_MAX ||
      !sz_lua_json_push_exact(L, (int64_t)value, int64))
    lua_pushlstring(L, text, sz_wide_text(value, text));
}

/* A sum of no values is 0; a minimum or maximum of no values is nil. */
static void push_total(lua_State *L, const struct sz_total *t,
                       enum sz_fold fold, int int64) {
  double whole = (double)t->whole;
  if (!t->has_real && (t->has_whole || fold == SZ_FOLD_SUM))
    push_wide(L, t->whole, int64);
  else if (!t->has_real)
    lua_pushnil(L);
  else if (fold == SZ_FOLD_SUM)
    lua_pushnumber(L, whole + t->real);
  else if (t->has_whole &&
           (fold == SZ_FOLD_MIN ? whole < t->real : whole > t->real))
    push_wide(L, t->whole, int64);
  else
    lua_pushnumber(L, t->real);
}

/*
** Pushes the names of a row's fields: the 'by' fields, the folded ones, and
** "count". They are made once for all groups. The aggregate is at 1.
*/
static void push_names(lua_State *L, const struct box *box) {
  int i, list, n = (int)(box->options.nby + box->options.nfolded) + 1;
  sz_checkstack(L, n + 8, "too many fields");
  sz_getuservalue(L, 1);
  lua_rawgeti(L, -1, NAMES);
  lua_remove(L, -2);
  list = lua_gettop(L);
  for (i = 1; i <= n; i++)
    lua_rawgeti(L, list, i);
  lua_remove(L, list);
}

static void set_keys(lua_State *L, const struct box *box, size_t group,
                     int names) {
  size_t i, len;
  const char *text;
  for (i = 0; i < box->options.nby; i++) {
    enum sz_slot_type type =
        sz_aggregate_key(box->aggregate, group, i, &text, &len);
    if (type == SZ_SLOT_ABSENT)
      continue;
    lua_pushvalue(L, names + (int)i);
    if (type == SZ_SLOT_STRING)
      lua_pushlstring(L, text, len);
    else
      sz_lua_json_push_number(L, text, len, box->int64);
    lua_rawset(L, -3);
  }
}

static void set_totals(lua_State *L, const struct box *box, size_t group,
                       int names) {
  size_t i;
  for (i = 0; i < box->options.nfolded; i++) {
    lua_pushvalue(L, names + (int)i);
    push_total(L, sz_aggregate_total(box->aggregate, group, i),
               box->options.folded[i].fold, box->int64);
    lua_rawset(L, -3);
  }
}

/*
** Pushes a group as a row; the names are at index 'names'. The row gets the
** metatable at 4, if there is one.
*/
static void push_group(lua_State *L, const struct box *box, size_t group,
                       int count, int names) {
  int nby = (int)box->options.nby, nfolded = (int)box->options.nfolded;
  lua_createtable(L, 0, nby + nfolded + (count != 0));
  set_keys(L, box, group, names);
  set_totals(L, box, group, names + nby);
  if (count) {
    lua_pushvalue(L, names + nby + nfolded);
    lua_pushinteger(L, (lua_Integer)sz_aggregate_count(box->aggregate, group));
    lua_rawset(L, -3);
  }
  if (lua_istable(L, 4)) {
    lua_pushvalue(L, 4);
    lua_setmetatable(L, -2);
  }
}

/* Pushes the list of the first groups; with 'count' each has its count. */
static void push_groups(lua_State *L, const struct box *box, size_t groups,
                        int count) {
  size_t i;
  int names;
  const size_t *order;
  order = push_order(L, box->aggregate, groups);
  names = lua_gettop(L) + 1;
  push_names(L, box);
  lua_createtable(L, (int)groups, 0);
  for (i = 0; i < groups; i++) {
    push_group(L, box, order[i], count, names);
    lua_rawseti(L, -2, (int)i + 1);
  }
}

/*
** aggregate:rows([top, count, metatable]) -> list of the first 'top' groups
** (default: all) as rows | nil, kind, message; with 'count' each row has its
** count
*/
static int aggregate_rows(lua_State *L) {
  struct box *box = check_open(L, 1);
  size_t groups = sz_aggregate_groups(box->aggregate);
  lua_Number top = luaL_optnumber(L, 2, (lua_Number)groups);
  luaL_argcheck(L, top >= 0, 2, "number of groups expected");
  lua_settop(L, 4);
  if (top < (lua_Number)groups)
    groups = (size_t)top;
  if (!sz_guard_enter(L, &box->guard, 1, aggregate_rows))
    return sz_guard_refuse(L, &box->guard, 1, "rows: the aggregate");
  push_groups(L, box, groups, lua_toboolean(L, 3));
  leave(box);
  return 1;
}

static const luaL_Reg METHODS[] = {
    {"rows", aggregate_rows},
    {"close", aggregate_close},
    {NULL, NULL},
};

static const luaL_Reg METAMETHODS[] = {
    {"__gc", aggregate_close},
    {"__close", aggregate_close},
    {NULL, NULL},
};

void sz_lua_aggregate_register(lua_State *L) {
  luaL_newmetatable(L, ORDER);
  lua_pushcfunction(L, order_free);
  lua_setfield(L, -2, "__gc");
  luaL_newmetatable(L, AGGREGATE);
  luaL_setfuncs(L, METAMETHODS, 0);
  luaL_newlib(L, METHODS);
  lua_setfield(L, -2, "__index");
  sz_lua_seal(L);
  lua_pop(L, 2);
}

/* lua_report.c - makes the decoder userdata, and gives its facts. */
#include "lua_report.h"

#include "lua_decoder.h"
#include "lua_json.h"
#include "lua_keep.h"
#include "lua_ties.h"

#include <string.h>

#define LEAST_MADE ((size_t)1024 * 1024) /* bytes of a fact's Lua value */
#define MAX_ROW_MADE ((size_t)16 * 1024 * 1024) /* of one row's Lua value */

static const char *const DIRECTIONS[] = {"inbound", "outbound"};

/* ---- making one ---- */

static size_t option_size(lua_State *L, const char *name) {
  lua_Number n;
  lua_getfield(L, 1, name);
  n = luaL_checknumber(L, -1);
  lua_pop(L, 1);
  if (!(n >= 1))
    luaL_error(L, "%s must be positive", name);
  return n >= 9e15 ? (size_t)1 << 53 : (size_t)n;
}

static int option_flag(lua_State *L, const char *name) {
  int flag;
  lua_getfield(L, 1, name);
  flag = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return flag;
}

/* A text of the field on top. It is kept alive in the list of texts. */
static const char *field_text(lua_State *L, int texts, const char *name) {
  const char *text;
  lua_getfield(L, -1, name);
  text = luaL_checkstring(L, -1);
  lua_rawseti(L, texts, (int)lua_rawlen(L, texts) + 1);
  return text;
}

/*
** Reads the option for the projection: a list of { field =, column =,
** member =, optional = }. Leaves two values on the stack: a table that keeps
** the texts alive, and a userdata with the array; two nils without the option.
*/
static struct sz_select *read_fields(lua_State *L, size_t *count) {
  static const char *const MEMBERS[] = {"raw", "label", "title", NULL};
  struct sz_select *fields;
  size_t i;
  int list, texts;
  lua_getfield(L, 1, "projection");
  list = lua_gettop(L);
  if (lua_isnil(L, list)) {
    lua_pushnil(L);
    return NULL;
  }
  luaL_checktype(L, list, LUA_TTABLE);
  *count = sz_list_length(L, list, "projection");
  lua_newtable(L);
  texts = lua_gettop(L);
  fields = lua_newuserdata(L, (*count + 1) * sizeof *fields);
  for (i = 0; i < *count; i++) {
    lua_rawgeti(L, list, (int)i + 1);
    luaL_checktype(L, -1, LUA_TTABLE);
    fields[i].name = field_text(L, texts, "field");
    fields[i].column = field_text(L, texts, "column");
    lua_getfield(L, -1, "member");
    fields[i].member = (enum sz_member)luaL_checkoption(L, -1, "raw", MEMBERS);
    lua_getfield(L, -2, "optional");
    fields[i].optional = lua_toboolean(L, -1);
    lua_pop(L, 3);
  }
  lua_remove(L, list);
  return fields;
}

static unsigned read_directions(lua_State *L) {
  unsigned directions = 0;
  int i;
  for (i = 0; i < SZ_DIRECTIONS; i++)
    directions |= (unsigned)option_flag(L, DIRECTIONS[i]) << i;
  luaL_argcheck(L, directions, 1, "a direction must be set");
  return directions;
}

static void read_options(lua_State *L, struct sz_report_options *o) {
  o->directions = read_directions(L);
  o->projection.with_direction = option_flag(L, "with_direction");
  o->ordered = option_flag(L, "ordered");
  o->check_order = option_flag(L, "check_order");
  o->keep_graph = option_flag(L, "graph");
  o->max_body = option_size(L, "max_body");
  o->max_depth = option_size(L, "max_depth");
  o->max_row = option_size(L, "max_row");
  o->max_held = option_size(L, "max_held");
  o->utf8 = sz_lua_json_utf8(L, 1);
}

/*
** Reads the options ties, { [1] = for inbound, [2] = for outbound }, and
** order. Keeps them alive in the user value, which is on top.
*/
static void read_ties(lua_State *L, struct sz_report_options *o) {
  int i, uservalue = lua_gettop(L);
  lua_getfield(L, 1, "order");
  o->projection.order = luaL_optstring(L, -1, "");
  lua_rawseti(L, uservalue, ORDER);
  lua_getfield(L, 1, "ties");
  for (i = 0; i < SZ_DIRECTIONS && lua_istable(L, -1); i++) {
    lua_rawgeti(L, -1, i + 1);
    o->ties[i] = lua_isnil(L, -1) ? NULL : sz_lua_ties_check(L, -1);
    lua_rawseti(L, uservalue, TIES_INBOUND + i);
  }
  lua_settop(L, uservalue);
}

/* A number of rows in the table on top; 'otherwise' when it has none. */
static uint64_t quota_of(lua_State *L, const char *name, uint64_t otherwise) {
  uint64_t rows = otherwise;
  lua_getfield(L, -1, name);
  if (!lua_isnil(L, -1))
    rows = sz_lua_rows(luaL_checknumber(L, -1));
  lua_pop(L, 1);
  return rows;
}

/*
** Reads the options keep, from core.keep, and quotas, { [1] = for inbound, [2]
** = for outbound }, each { overlap =, skip =, left = }. Keeps the tests alive
** in the user value, which is on top.
*/
static void read_keep(lua_State *L, struct sz_report_options *o) {
  int i, uservalue = lua_gettop(L);
  lua_getfield(L, 1, "keep");
  if (lua_isnil(L, -1)) {
    lua_settop(L, uservalue);
    return;
  }
  o->keep = sz_lua_keep_check(L, -1);
  lua_rawseti(L, uservalue, TESTS);
  lua_getfield(L, 1, "quotas");
  for (i = 0; i < SZ_DIRECTIONS; i++) {
    struct sz_quota *q = &o->quotas[i];
    q->left = UINT64_MAX;
    if (!lua_istable(L, -1))
      continue;
    lua_rawgeti(L, -1, i + 1);
    if (lua_istable(L, -1)) {
      lua_getfield(L, -1, "overlap");
      q->overlap = lua_toboolean(L, -1);
      lua_pop(L, 1);
      q->skip = quota_of(L, "skip", 0);
      q->left = quota_of(L, "left", UINT64_MAX);
    }
    lua_pop(L, 1);
  }
  lua_settop(L, uservalue);
}

int sz_lua_report_new(lua_State *L) {
  struct sz_report_options options;
  struct decoder *d;
  memset(&options, 0, sizeof options);
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  read_options(L, &options);
  options.projection.fields =
      read_fields(L, &options.projection.nfields); /* at 2 and 3 */
  d = lua_newuserdata(L, sizeof *d);               /* at 4 */
  memset(d, 0, sizeof *d);
  d->mark = SZ_DECODER_MARK;
  luaL_setmetatable(L, SZ_DECODER);
  lua_createtable(L, USER_VALUES, 0);
  lua_pushvalue(L, 2);
  lua_rawseti(L, -2, TEXTS);
  lua_pushvalue(L, 3);
  lua_rawseti(L, -2, FIELDS);
  read_ties(L, &options);
  read_keep(L, &options);
  sz_setuservalue(L, 4);
  d->reuse = option_flag(L, "reuse");
  d->int64 = option_flag(L, "int64");
  d->max_depth = options.max_depth;
  d->utf8 = options.utf8;
  sz_buffer_init(&d->queue, options.max_held);
  d->report = sz_report_new(&options);
  if (!d->report)
    return luaL_error(L, "not enough memory");
  lua_settop(L, 4);
  return 1;
}

/*
** decoder:dropped(direction) -> how many rows its tests have dropped since the
** last call, how many of them skipped, whether a row came that meets the tests
** and is over the limit
*/
static int decoder_dropped(lua_State *L) {
  struct decoder *d = sz_decoder_check(L);
  struct sz_dropped dropped =
      sz_report_dropped(d->report, sz_decoder_direction(L, 2));
  lua_pushinteger(L, (lua_Integer)dropped.rows);
  lua_pushinteger(L, (lua_Integer)dropped.skipped);
  lua_pushboolean(L, dropped.cut);
  return 3;
}

static int decoder_tostring(lua_State *L) {
  struct decoder *d = luaL_checkudata(L, 1, SZ_DECODER);
  int open = d->report && !d->closing;
  lua_pushstring(L, open ? SZ_DECODER : SZ_DECODER " (closed)");
  return 1;
}

/* ---- the facts beside the rows ---- */

static enum sz_fact check_fact(lua_State *L) {
  const char *names[SZ_FACTS + 1];
  int i;
  for (i = 0; i < SZ_FACTS; i++)
    names[i] = sz_report_fact_name((enum sz_fact)i);
  names[SZ_FACTS] = NULL;
  return (enum sz_fact)luaL_checkoption(L, 2, NULL, names);
}

/*
** Sets the memory limit of a fact's Lua value: an eighth of max_held. A graph
** is what its answer is requested for: it may take all that max_held leaves.
*/
static void fact_budget(const struct decoder *d, enum sz_fact fact, size_t len,
                        struct sz_lua_json_how *how) {
  size_t max = d->queue.max, part = max / 8;
  how->max_depth = d->max_depth;
  how->utf8 = d->utf8;
  how->exact = 1;
  how->int64 = 0;
  how->max_made = part > LEAST_MADE ? part : LEAST_MADE;
  how->over = "its decoded values take more than an eighth of max_held";
  if (fact != SZ_FACT_GRAPH)
    return;
  max += max / 8;
  if (max > len + how->max_made)
    how->max_made = max - len;
  how->over = "its text and its decoded values take more than max_held";
}

/* decoder:fact(name [, direction]) -> value, position | nil: there is none |
** nil, kind, message, position */
static int push_fact(lua_State *L, struct decoder *d) {
  enum sz_fact fact = check_fact(L);
  enum sz_direction direction = sz_decoder_direction(L, 3);
  struct sz_lua_json_how how;
  struct sz_json_error error;
  const char *text;
  size_t len;
  uint64_t position;
  if (!sz_report_fact(d->report, fact, direction, &text, &len, &position)) {
    lua_pushnil(L);
    return 1;
  }
  fact_budget(d, fact, len, &how);
  if (!sz_lua_json_push(L, text, len, &how, position, &error)) {
    int results = sz_lua_json_fail(L, &error);
    if (error.message == how.over) {
      lua_pushfstring(L, "%s: %s", sz_report_fact_name(fact), how.over);
      lua_replace(L, -3);
    }
    return results;
  }
  lua_pushinteger(L, (lua_Integer)position);
  return 2;
}

static int decoder_fact(lua_State *L) {
  return sz_decoder_look(L, push_fact, decoder_fact);
}

/* decoder:last_row(direction) -> list of the last row's cells | nil */
static int push_last_row(lua_State *L, struct decoder *d) {
  struct sz_lua_json_how how;
  struct sz_json_error error;
  const char *text;
  size_t len;
  int gone =
      d->borrowed_from && !d->borrowed_from->object; /* freed by a finalizer */
  if (gone || !sz_report_last_row(d->report, sz_decoder_direction(L, 2), &text,
                                  &len)) {
    lua_pushnil(L);
    return 1;
  }
  how.max_depth = d->max_depth;
  how.utf8 = SZ_UTF8_PASS;
  how.exact = 1;
  how.int64 = 0;
  how.max_made = MAX_ROW_MADE;
  how.over = "";
  if (sz_lua_json_push(L, text, len, &how, 0, &error))
    return 1;
  if (error.code == SZ_JSON_NOMEM)
    return sz_lua_json_fail(L, &error);
  lua_pushnil(L);
  return 1;
}

static int decoder_last_row(lua_State *L) {
  return sz_decoder_look(L, push_last_row, decoder_last_row);
}

static void push_name(lua_State *L, const struct sz_columns *c, size_t i) {
  lua_pushstring(L, sz_columns_text(c, c->list[i].name));
}

static void set_text(lua_State *L, const char *key, const char *text) {
  lua_pushstring(L, text);
  lua_setfield(L, -2, key);
}

static void push_column(lua_State *L, const struct sz_columns *c, size_t i) {
  const struct sz_column *column = &c->list[i];
  lua_createtable(L, 0, 4);
  set_text(L, "name", sz_columns_text(c, column->name));
  set_text(L, "label", sz_columns_text(c, column->label));
  set_text(L, "title", sz_columns_text(c, column->title));
  lua_pushboolean(L, column->numeric);
  lua_setfield(L, -2, "numeric");
}

/* Pushes a list with an entry for each column; nil if there are none yet. */
static int push_each(lua_State *L, const struct sz_columns *c,
                     void (*push)(lua_State *L, const struct sz_columns *c,
                                  size_t i)) {
  size_t i;
  if (!c) {
    lua_pushnil(L);
    return 1;
  }
  lua_createtable(L, (int)c->count, 0);
  for (i = 0; i < c->count; i++) {
    push(L, c, i);
    lua_rawseti(L, -2, (int)i + 1);
  }
  return 1;
}

/* decoder:columns(direction) -> list of { name =, label =, title =,
** numeric = } in wire order | nil: not known yet */
static int push_columns(lua_State *L, struct decoder *d) {
  return push_each(L, sz_report_header(d->report, sz_decoder_direction(L, 2)),
                   push_column);
}

static int decoder_columns(lua_State *L) {
  return sz_decoder_look(L, push_columns, decoder_columns);
}

/* decoder:fields(direction) -> list of the columns' names | nil: not known
** yet. If the rows came first, it is known before decoder:columns. */
static int push_fields(lua_State *L, struct decoder *d) {
  return push_each(L, sz_report_columns(d->report, sz_decoder_direction(L, 2)),
                   push_name);
}

static int decoder_fields(lua_State *L) {
  return sz_decoder_look(L, push_fields, decoder_fields);
}

/* decoder:unnamed() -> bytes of rows that waited for their columns, because
** their cells do not name them */
static int decoder_unnamed(lua_State *L) {
  const struct decoder *d = sz_decoder_check(L);
  lua_pushinteger(L, (lua_Integer)sz_report_unnamed(d->report));
  return 1;
}

/* decoder:state() -> done, bytes so far, whether a report was found, the
** answer's first bytes */
static int decoder_state(lua_State *L) {
  struct decoder *d = sz_decoder_check(L);
  lua_pushboolean(L, d->done);
  lua_pushinteger(L, (lua_Integer)sz_report_bytes(d->report));
  lua_pushboolean(L, sz_report_found(d->report));
  lua_pushlstring(L, d->head, d->head_len);
  return 4;
}

/* decoder:busy() -> whether another call is using the decoder */
static int decoder_busy(lua_State *L) {
  const struct decoder *d = luaL_checkudata(L, 1, SZ_DECODER);
  lua_pushboolean(L, sz_guard_held(L, &d->guard, d));
  return 1;
}

static const luaL_Reg METHODS[] = {
    {"feed", sz_decoder_feed},
    {"finish", sz_decoder_finish},
    {"next", sz_decoder_next},
    {"hold", sz_decoder_hold},
    {"fast_path", sz_decoder_fast_path},
    {"pass", sz_decoder_pass},
    {"passed", sz_decoder_passed},
    {"dropped", decoder_dropped},
    {"fact", decoder_fact},
    {"columns", decoder_columns},
    {"fields", decoder_fields},
    {"unnamed", decoder_unnamed},
    {"fold", sz_decoder_fold},
    {"last_row", decoder_last_row},
    {"state", decoder_state},
    {"busy", decoder_busy},
    {"close", sz_decoder_close},
    {NULL, NULL},
};

static const luaL_Reg METAMETHODS[] = {
    {"__gc", sz_decoder_close},
    {"__close", sz_decoder_close},
    {"__tostring", decoder_tostring},
    {NULL, NULL},
};

void sz_lua_report_register(lua_State *L) {
  luaL_newmetatable(L, SZ_DECODER);
  luaL_setfuncs(L, METAMETHODS, 0);
  luaL_newlib(L, METHODS);
  lua_setfield(L, -2, "__index");
  sz_lua_seal(L);
  lua_pop(L, 1);
}

/*
** lua_writer.c - writes rows, which are Lua tables, as CSV or NDJSON. The user
** value keeps alive what the writer points to: at 1 to n the fields' keys,
** then the texts of headers, null and newline; at 0 tostring.
*/
#include "lua_writer.h"

#include "lua_guard.h"

#include "text.h"

#include <stdint.h>
#include <string.h>

#define WRITER "scrutinizer.writer"
#define MAX_BYTES ((size_t)1 << 30)

struct part {
  const char *text;
  size_t len;
};

struct writer {
  struct sz_guard guard;
  int closing;  /* closed while a call was using it */
  size_t waits; /* bytes of whole rows in the buffer */
  struct sz_buffer buffer;
  struct sz_csv csv;
  struct part null, newline;
  int json; /* 1: NDJSON, 0: CSV */
  int nfields;
  struct part headers[1]; /* nfields: names, for JSON as "name": */
};

/* ---- values ---- */

static enum sz_buffer_code add_number(lua_State *L, struct writer *w) {
  double real;
#if SZ_HAS_INTEGERS
  if (lua_isinteger(L, -1))
    return sz_text_integer(&w->buffer, (int64_t)lua_tointeger(L, -1));
#endif
  real = (double)lua_tonumber(L, -1);
  if (w->json && (real != real || real - real != 0)) /* NaN, infinities */
    return sz_buffer_append(&w->buffer, "null", 4);
  return sz_text_real(&w->buffer, real);
}

static enum sz_buffer_code add_text(struct writer *w, const char *s,
                                    size_t len) {
  return w->json ? sz_text_json(&w->buffer, s, len)
                 : sz_text_csv(&w->buffer, &w->csv, s, len);
}

/* Length of the digits of LuaJIT's "123LL" or "123ULL"; else 0. */
static size_t int64_digits(const char *s, size_t len) {
  size_t i, n = len > 2 ? len - 2 : 0;
  if (n && s[n - 1] == 'U')
    n--;
  for (i = n && *s == '-'; i < n; i++)
    if (s[i] < '0' || s[i] > '9')
      return 0;
  return n;
}

/*
** Adds the tostring of other values, such as tables; a cdata that is a whole
** number as a number. May raise.
*/
static enum sz_buffer_code add_other(lua_State *L, struct writer *w,
                                     int anchors) {
  enum sz_buffer_code code = SZ_BUFFER_OK;
  const char *s;
  size_t len, digits;
  int cdata = lua_type(L, -1) > LUA_TTHREAD;
  if (w->json && !cdata)
    return sz_buffer_append(&w->buffer, "null", 4);
  lua_rawgeti(L, anchors, 0);
  lua_pushvalue(L, -2);
  lua_call(L, 1, 1);
  s = lua_tolstring(L, -1, &len);
  digits = s && cdata ? int64_digits(s, len) : 0;
  if (digits)
    code = sz_buffer_append(&w->buffer, s, digits);
  else if (w->json)
    code = sz_buffer_append(&w->buffer, "null", 4);
  else if (s)
    code = add_text(w, s, len);
  lua_pop(L, 1);
  return code;
}

/* Adds the value on top of the stack, which is not nil. */
static enum sz_buffer_code add_value(lua_State *L, struct writer *w,
                                     int anchors) {
  const char *s;
  size_t len;
  switch (lua_type(L, -1)) {
  case LUA_TSTRING:
    s = lua_tolstring(L, -1, &len);
    return add_text(w, s, len);
  case LUA_TNUMBER:
    return add_number(L, w);
  case LUA_TBOOLEAN:
    return lua_toboolean(L, -1) ? sz_buffer_append(&w->buffer, "true", 4)
                                : sz_buffer_append(&w->buffer, "false", 5);
  default:
    return add_other(L, w, anchors);
  }
}

static enum sz_buffer_code add_part(struct writer *w,
                                    const struct part *part) {
  return sz_buffer_append(&w->buffer, part->text, part->len);
}

/* Pushes the row's value of field 'i'. May raise. */
static void push_field(lua_State *L, int row, int anchors, int i) {
  lua_rawgeti(L, anchors, i + 1);
  lua_gettable(L, row);
}

/* ---- rows ---- */

static enum sz_buffer_code add_csv(lua_State *L, struct writer *w, int row,
                                   int anchors) {
  enum sz_buffer_code code = SZ_BUFFER_OK;
  int i;
  for (i = 0; i < w->nfields && code == SZ_BUFFER_OK; i++) {
    if (i)
      code = sz_buffer_append(&w->buffer, &w->csv.separator, 1);
    push_field(L, row, anchors, i);
    if (code == SZ_BUFFER_OK)
      code =
          lua_isnil(L, -1) ? add_part(w, &w->null) : add_value(L, w, anchors);
    lua_pop(L, 1);
  }
  return code == SZ_BUFFER_OK ? add_part(w, &w->newline) : code;
}

static enum sz_buffer_code add_json(lua_State *L, struct writer *w, int row,
                                    int anchors) {
  enum sz_buffer_code code = sz_buffer_append(&w->buffer, "{", 1);
  int i, first = 1;
  for (i = 0; i < w->nfields && code == SZ_BUFFER_OK; i++) {
    push_field(L, row, anchors, i);
    if (!lua_isnil(L, -1)) {
      if (!first)
        code = sz_buffer_append(&w->buffer, ",", 1);
      first = 0;
      if (code == SZ_BUFFER_OK)
        code = add_part(w, &w->headers[i]);
      if (code == SZ_BUFFER_OK)
        code = add_value(L, w, anchors);
    }
    lua_pop(L, 1);
  }
  return code == SZ_BUFFER_OK ? sz_buffer_append(&w->buffer, "}\n", 2) : code;
}

static struct writer *check_writer(lua_State *L) {
  return luaL_checkudata(L, 1, WRITER);
}

/*
** Enters the writer. Drops a partial row that a call left when it raised.
** Raises if another call is using the writer: this one comes from a row's
** metamethod, a finalizer or the like.
*/
static struct writer *enter(lua_State *L, lua_CFunction in) {
  struct writer *w = check_writer(L);
  if (!sz_guard_enter(L, &w->guard, 1, in))
    luaL_error(L, "%s", sz_guard_message(L, &w->guard, 1, "the writer"));
  w->buffer.len = w->waits;
  return w;
}

static void free_buffer(struct writer *w) {
  sz_buffer_free(&w->buffer);
  w->waits = 0;
  w->closing = 0;
}

static void leave(struct writer *w) {
  sz_guard_leave(&w->guard);
  if (w->closing)
    free_buffer(w);
}

/*
** Pushes how many bytes wait; or nil, kind, message. Then the earlier rows are
** kept, unless the writer was closed meanwhile.
*/
static int give_size(lua_State *L, struct writer *w,
                     enum sz_buffer_code code) {
  if (code == SZ_BUFFER_OK)
    w->waits = w->buffer.len;
  if (w->closing) {
    leave(w);
    lua_pushnil(L);
    lua_pushliteral(L, "cancelled");
    lua_pushliteral(L, "the writer was closed");
    return 3;
  }
  leave(w);
  if (code == SZ_BUFFER_OK) {
    lua_pushinteger(L, (lua_Integer)w->waits);
    return 1;
  }
  if (code == SZ_BUFFER_NOMEM)
    return luaL_error(L, "not enough memory");
  lua_pushnil(L);
  lua_pushliteral(L, "limit");
  lua_pushliteral(L, "a row's text is longer than 1 GiB");
  return 3;
}

/* writer:add(row) -> how many bytes wait | nil, kind, message */
static int writer_add(lua_State *L) {
  struct writer *w = enter(L, writer_add);
  luaL_checkany(L, 2);
  lua_settop(L, 2);
  sz_getuservalue(L, 1);
  return give_size(L, w, w->json ? add_json(L, w, 2, 3) : add_csv(L, w, 2, 3));
}

/* writer:header() -> how many bytes wait; adds CSV's line of names */
static int writer_header(lua_State *L) {
  struct writer *w = enter(L, writer_header);
  enum sz_buffer_code code = SZ_BUFFER_OK;
  int i;
  for (i = 0; i < w->nfields && code == SZ_BUFFER_OK; i++) {
    if (i)
      code = sz_buffer_append(&w->buffer, &w->csv.separator, 1);
    if (code == SZ_BUFFER_OK)
      code = add_text(w, w->headers[i].text, w->headers[i].len);
  }
  if (code == SZ_BUFFER_OK)
    code = add_part(w, &w->newline);
  return give_size(L, w, code);
}

/* writer:take() -> the text that waits; empties the buffer */
static int writer_take(lua_State *L) {
  struct writer *w = enter(L, writer_take);
  lua_pushlstring(L, w->buffer.data ? w->buffer.data : "", w->waits);
  w->waits = 0;
  leave(w);
  return 1;
}

/* close, __close and __gc: any number of times; drops the text that waits. */
static int writer_close(lua_State *L) {
  struct writer *w = check_writer(L);
  if (!sz_guard_held(L, &w->guard, w))
    free_buffer(w);
  else
    w->closing = 1;
  return 0;
}

/* ---- making one ---- */

/* Pops a text into entry 'n' of the user value at 3, which keeps it alive. */
static struct part keep(lua_State *L, int n) {
  struct part part;
  part.text = luaL_checklstring(L, -1, &part.len);
  lua_rawseti(L, 3, n);
  return part;
}

static struct part text_option(lua_State *L, const char *name, int n) {
  lua_getfield(L, 1, name);
  return keep(L, n);
}

/* Turns the field's name on top into JSON: a string and a colon. */
static void push_json_name(lua_State *L, struct writer *w) {
  size_t len;
  const char *s = luaL_checklstring(L, -1, &len);
  enum sz_buffer_code code = sz_text_json(&w->buffer, s, len);
  if (code == SZ_BUFFER_OK)
    code = sz_buffer_append(&w->buffer, ":", 1);
  if (code != SZ_BUFFER_OK)
    luaL_error(L, "not enough memory");
  lua_pushlstring(L, w->buffer.data, w->buffer.len);
  lua_remove(L, -2);
  w->buffer.len = 0;
}

/* Reads fields and headers from the lists at 4 and 5. */
static void read_fields(lua_State *L, struct writer *w, int n) {
  int i;
  for (i = 0; i < n; i++) {
    lua_rawgeti(L, 4, i + 1);
    luaL_checktype(L, -1, LUA_TSTRING);
    lua_rawseti(L, 3, i + 1);
    lua_rawgeti(L, 5, i + 1);
    if (w->json)
      push_json_name(L, w);
    w->headers[i] = keep(L, n + i + 1);
  }
  w->nfields = n;
}

static void read_options(lua_State *L, struct writer *w, int n) {
  struct part separator = text_option(L, "separator", 2 * n + 1);
  luaL_argcheck(L, separator.len == 1, 1, "separator must be one byte");
  w->csv.separator = separator.text[0];
  w->null = text_option(L, "null", 2 * n + 2);
  w->newline = text_option(L, "newline", 2 * n + 3);
  lua_getfield(L, 1, "guard");
  w->csv.guard = lua_toboolean(L, -1) != 0;
  lua_getfield(L, 1, "json");
  w->json = lua_toboolean(L, -1);
  lua_pop(L, 2);
}

/*
** core.writer { fields, headers = lists, json, guard = booleans, separator,
** null, newline = texts, tostring = function } -> writer
*/
int sz_lua_writer_new(lua_State *L) {
  struct writer *w;
  int n;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_getfield(L, 1, "fields");
  luaL_checktype(L, 2, LUA_TTABLE);
  n = (int)sz_list_length(L, 2, "fields");
  w = lua_newuserdata(L, sizeof *w + (size_t)n * sizeof w->headers[0]);
  memset(w, 0, sizeof *w);
  sz_buffer_init(&w->buffer, MAX_BYTES);
  luaL_setmetatable(L, WRITER);
  lua_insert(L, 2);
  lua_createtable(L, 2 * n + 3, 2);
  lua_insert(L, 3);
  lua_pushvalue(L, 3);
  sz_setuservalue(L, 2);
  lua_getfield(L, 1, "headers");
  luaL_checktype(L, 5, LUA_TTABLE);
  read_options(L, w, n);
  read_fields(L, w, n);
  lua_getfield(L, 1, "tostring");
  lua_rawseti(L, 3, 0);
  lua_settop(L, 2);
  return 1;
}

static const luaL_Reg METHODS[] = {
    {"add", writer_add},
    {"close", writer_close},
    {"header", writer_header},
    {"take", writer_take},
    {NULL, NULL},
};

static const luaL_Reg METAMETHODS[] = {
    {"__close", writer_close},
    {"__gc", writer_close},
    {NULL, NULL},
};

void sz_lua_writer_register(lua_State *L) {
  luaL_newmetatable(L, WRITER);
  luaL_setfuncs(L, METAMETHODS, 0);
  luaL_newlib(L, METHODS);
  lua_setfield(L, -2, "__index");
  sz_lua_seal(L);
  lua_pop(L, 1);
}

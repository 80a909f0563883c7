/*
** limit.c - the limit loop: rows as Lua tables from values whose places in
** the text are known beforehand. It reads nothing: it only makes the strings,
** the integers and the tables, so that no reader can be faster.
**
** limit.rows(path, { { cell, name, is_number }, ... five }) -> function that
** gives the next row, or nil at the end (and then begins again); rows
*/
#include <lauxlib.h>
#include <lua.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS 5

struct place {
  const char *text;
  size_t len;
};

struct answer {
  char *data;
  size_t len;
  struct place *places; /* FIELDS a row */
  size_t count, cap, next;
  int cells[FIELDS], number[FIELDS];
};

int luaopen_limit(lua_State *L);

static void load(lua_State *L, struct answer *a, const char *path) {
  FILE *file = fopen(path, "rb");
  long len;
  if (!file)
    luaL_error(L, "cannot open %s", path);
  fseek(file, 0, SEEK_END);
  len = ftell(file);
  rewind(file);
  a->data = malloc((size_t)len + 1);
  a->len = fread(a->data, 1, (size_t)len, file);
  a->data[a->len] = '\0';
  fclose(file);
}

static void add_place(struct answer *a, const char *text, size_t len) {
  if (a->count == a->cap) {
    a->cap = a->cap ? a->cap * 2 : 4096;
    a->places = realloc(a->places, a->cap * sizeof *a->places);
  }
  a->places[a->count].text = text;
  a->places[a->count++].len = len;
}

/* A plain scan of the rows, whose list of cells begins at 'p'. */
static void find_places(struct answer *a, const char *p) {
  int depth = 0, cell = 0, field = 0, is_raw = 0;
  for (p++; *p && !(depth == 0 && *p == ']'); p++) {
    if (*p == '"') {
      const char *from = ++p;
      while (*p != '"')
        p += *p == '\\' ? 2 : 1;
      if (p[1] == ':')
        is_raw = p - from == 8 && !memcmp(from, "rawValue", 8);
      else if (is_raw && depth == 2 && field < FIELDS &&
               cell == a->cells[field]) {
        add_place(a, from, (size_t)(p - from));
        field++;
      }
    } else if (*p == '[' || *p == '{') {
      depth++;
    } else if (*p == ']' || *p == '}') {
      depth--;
    } else if (*p == ',' && depth == 1) {
      cell++;
    } else if (*p == ',' && depth == 0) {
      cell = field = 0;
    }
  }
}

static int64_t integer(const struct place *place) {
  uint64_t value = 0;
  size_t i;
  for (i = 0; i < place->len; i++)
    value = value * 10 + (uint64_t)(place->text[i] - '0');
  return (int64_t)value;
}

static void push_value(lua_State *L, const struct answer *a, int field,
                       const struct place *place) {
  int64_t value;
  if (!a->number[field]) {
    lua_pushlstring(L, place->text, place->len);
    return;
  }
  value = integer(place);
#if LUA_VERSION_NUM < 503
  if (value > (int64_t)1 << 53)
    lua_pushlstring(L, place->text, place->len);
  else
    lua_pushnumber(L, (lua_Number)value);
#else
  lua_pushinteger(L, (lua_Integer)value);
#endif
}

static int next_row(lua_State *L) {
  struct answer *a = lua_touserdata(L, lua_upvalueindex(1));
  const struct place *place = a->places + a->next;
  int i;
  if (a->next == a->count) {
    a->next = 0;
    return 0;
  }
  a->next += FIELDS;
  lua_createtable(L, 0, FIELDS);
  for (i = 0; i < FIELDS; i++) {
    lua_pushvalue(L, lua_upvalueindex(2 + i));
    push_value(L, a, i, &place[i]);
    lua_rawset(L, -3);
  }
  return 1;
}

static int rows(lua_State *L) {
  const char *path = luaL_checkstring(L, 1), *begin;
  struct answer *a = lua_newuserdata(L, sizeof *a);
  int i;
  memset(a, 0, sizeof *a);
  for (i = 0; i < FIELDS; i++) {
    lua_rawgeti(L, 2, i + 1);
    lua_rawgeti(L, -1, 1);
    a->cells[i] = (int)lua_tointeger(L, -1);
    lua_rawgeti(L, -2, 3);
    a->number[i] = lua_toboolean(L, -1);
    lua_pop(L, 2);
    lua_rawgeti(L, -1, 2);
    lua_remove(L, -2);
  }
  load(L, a, path);
  begin = strstr(a->data, "\"rows\":[[");
  if (!begin)
    return luaL_error(L, "no rows in %s", path);
  find_places(a, begin + 7);
  lua_pushcclosure(L, next_row, 1 + FIELDS);
  lua_pushinteger(L, (lua_Integer)(a->count / FIELDS));
  return 2;
}

int luaopen_limit(lua_State *L) {
  lua_newtable(L);
  lua_pushcfunction(L, rows);
  lua_setfield(L, -2, "rows");
  return 1;
}

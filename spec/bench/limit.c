/*
** limit.c - the limit loop: rows as Lua tables from values whose places in
** the text are known beforehand. It reads nothing: it only makes the strings,
** the integers and the tables, so that no reader can be faster.
**
** limit.rows(path, { { cell =, name =, number = }, ... }) -> function that
** gives the next row, or nil at the end (and then begins again); rows. At most
** eight fields; a null is a field that is not there.
*/
#include <lauxlib.h>
#include <lua.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 8

struct place {
  const char *text;
  size_t len;
};

struct answer {
  char *data;
  size_t len;
  struct place *places; /* as many as fields a row */
  size_t count, cap, next;
  int fields, cells[MOST], number[MOST];
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

static const char *skip_blanks(const char *p) {
  return p + strspn(p, " \t\r\n");
}

/* A wanted value, which is not read further: text without escapes, digits. */
static const char *find_value(lua_State *L, struct answer *a, const char *p) {
  const char *from = *p == '"' ? p + 1 : p;
  size_t len = *p == '"' ? strcspn(from, "\"\\") : strcspn(from, ",} \t\r\n");
  if (*p == '"' && from[len] != '"')
    luaL_error(L, "a wanted value has an escape");
  add_place(a, *p == 'n' ? NULL : from, len);
  return from + len - (*p != '"');
}

static const char *string_end(const char *p) {
  for (p++; *p != '"'; p++)
    if (*p == '\\')
      p++;
  return p;
}

/* A plain scan of the rows, whose list of cells begins at 'p'. */
static void find_places(lua_State *L, struct answer *a, const char *p) {
  int depth = 0, cell = 0, field = 0;
  for (p++; *p && !(depth == 0 && *p == ']'); p++) {
    if (*p == '"') {
      const char *from = p + 1, *end = string_end(p), *next;
      next = skip_blanks(end + 1);
      p = end;
      if (*next != ':')
        continue;
      next = skip_blanks(next + 1);
      if (depth == 2 && field < a->fields && cell == a->cells[field] &&
          end - from == 8 && !memcmp(from, "rawValue", 8)) {
        p = find_value(L, a, next);
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

/* The list of rows: the first "rows" that a colon and a list follow. */
static const char *find_rows(const char *p) {
  while ((p = strstr(p, "\"rows\"")) != NULL) {
    const char *at = skip_blanks(p += 6);
    if (*at == ':' && *(at = skip_blanks(at + 1)) == '[')
      return at;
  }
  return NULL;
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
  a->next += (size_t)a->fields;
  lua_createtable(L, 0, a->fields);
  for (i = 0; i < a->fields; i++) {
    if (!place[i].text)
      continue;
    lua_pushvalue(L, lua_upvalueindex(2 + i));
    push_value(L, a, i, &place[i]);
    lua_rawset(L, -3);
  }
  return 1;
}

/* Leaves the name of field 'i' on the stack. */
static void read_field(lua_State *L, struct answer *a, int i) {
  lua_rawgeti(L, 2, i + 1);
  lua_getfield(L, -1, "cell");
  a->cells[i] = (int)lua_tointeger(L, -1);
  lua_getfield(L, -2, "number");
  a->number[i] = lua_toboolean(L, -1);
  lua_pop(L, 2);
  lua_getfield(L, -1, "name");
  lua_remove(L, -2);
}

static int rows(lua_State *L) {
  const char *path = luaL_checkstring(L, 1), *begin;
  struct answer *a = lua_newuserdata(L, sizeof *a);
  memset(a, 0, sizeof *a);
  for (lua_rawgeti(L, 2, 1); !lua_isnil(L, -1) && a->fields < MOST;
       lua_rawgeti(L, 2, a->fields + 1)) {
    lua_pop(L, 1);
    read_field(L, a, a->fields++);
  }
  lua_pop(L, 1);
  load(L, a, path);
  begin = find_rows(a->data);
  if (!begin)
    return luaL_error(L, "no rows in %s", path);
  find_places(L, a, begin);
  lua_pushcclosure(L, next_row, 1 + a->fields);
  lua_pushinteger(L, (lua_Integer)(a->count / (size_t)a->fields));
  return 2;
}

int luaopen_limit(lua_State *L) {
  lua_newtable(L);
  lua_pushcfunction(L, rows);
  lua_setfield(L, -2, "rows");
  return 1;
}

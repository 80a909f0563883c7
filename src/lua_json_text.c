/*
** lua_json_text.c - reads a whole, valid JSON text as a Lua value. For an
** invalid text the scanner (json.h) finds the error.
**
** All memory belongs to Lua: an error raised on any line leaks nothing.
*/
#include "lua_json.h"

#include "escape.h"
#include "number.h"
#include "scan.h"

#define MAX_DEPTH 128 /* deeper texts are left to the scanner */
#define MAX_GUESS 64  /* most fields or items to preallocate a table for */
#define SEEN 128      /* a power of two */
#define MAX_SEEN_TEXT 30
#define SPARE 16      /* scratch bytes that a copy or an escape may need */
#define MAX_DIGITS 18 /* they always fit 64 bits */

/* A text read before, by its hash. Many keys and values recur. */
struct seen {
  const char *text;
  size_t len;
  int kept; /* its Lua string is in the list of strings */
};

struct reader {
  lua_State *L;
  const char *end;
  size_t max_depth;
  int exact, int64;
  int metatable, strings, scratch; /* stack indices */
  size_t room;                     /* size of the scratch */
  char *space;
  /* How many fields or items the last container at each depth had. */
  int fields[MAX_DEPTH + 1], items[MAX_DEPTH + 1];
  struct seen seen[SEEN];
  struct sz_lua_budget *budget;
  const char *over_at;
};

static const char *read_value(struct reader *r, const char *p, size_t depth);

/* The text is over the budget at 'p'. */
static const char *too_much(struct reader *r, const char *p) {
  r->over_at = p;
  return NULL;
}

static const char *pass_blanks(const struct reader *r, const char *p) {
  while (p < r->end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
    p++;
  return p;
}

/* ---- strings ---- */

static size_t seen_place(const char *s, size_t len) {
  size_t h = len * 31;
  if (len)
    h += (unsigned char)s[0] * 7u + (unsigned char)s[len - 1] +
         (unsigned char)s[len / 2] * 3u;
  return h & (SEEN - 1);
}

/* Pushes a text. A recent text is pushed again without a new Lua string. */
static void push_text(struct reader *r, const char *s, size_t len) {
  size_t place;
  struct seen *seen;
  if (len > MAX_SEEN_TEXT) {
    lua_pushlstring(r->L, s, len);
    return;
  }
  place = seen_place(s, len);
  seen = &r->seen[place];
  if (!seen->text || seen->len != len || memcmp(seen->text, s, len) != 0) {
    seen->text = s;
    seen->len = len;
    seen->kept = 0;
    lua_pushlstring(r->L, s, len);
    return;
  }
  if (seen->kept) {
    lua_rawgeti(r->L, r->strings, (int)place + 1);
    return;
  }
  lua_pushlstring(r->L, s, len);
  lua_pushvalue(r->L, -1);
  lua_rawseti(r->L, r->strings, (int)place + 1);
  seen->kept = 1;
}

/*
** Makes a larger scratch with room for the 'used' bytes, 'len' more and SPARE.
** Copies the used bytes. The scratch is a userdata on the stack.
*/
static char *grow_scratch(struct reader *r, size_t used, size_t len) {
  char *space;
  while (r->room < used + len + SPARE)
    r->room = r->room ? r->room * 2 : 1024;
  space = lua_newuserdata(r->L, r->room);
  if (used)
    memcpy(space, r->space, used);
  lua_replace(r->L, r->scratch);
  r->space = space;
  return space + used;
}

/*
** Copies the plain text at 'p' to '*to', in the scratch, and moves '*to'
** behind it; an escape still fits there. NULL: the string has no end.
*/
static const char *copy_piece(struct reader *r, const char *p, char **to) {
  char *out = *to;
  for (;;) {
    size_t len = (size_t)(r->end - p), plain;
    size_t room = (size_t)(r->space + r->room - out);
    if (room <= 2 * SPARE) {
      if (sz_lua_budget_text(r->L, r->budget, r->room * 2))
        return too_much(r, p);
      out = grow_scratch(r, (size_t)(out - r->space), 2 * SPARE);
      room = (size_t)(r->space + r->room - out);
    }
    if (len > room - SPARE)
      len = room - SPARE;
    plain = sz_copy_plain(out, p, len);
    out += plain;
    p += plain;
    *to = out;
    if (plain < len)
      return p;
    if (p == r->end)
      return NULL;
  }
}

/* Pushes a string with escapes; it begins at 'from' and is plain up to 'p'. */
static const char *read_escaped(struct reader *r, const char *from,
                                const char *p) {
  size_t plain = (size_t)(p - from), used;
  char *out = r->space;
  if (sz_lua_budget_text(r->L, r->budget, plain * 2))
    return too_much(r, from);
  if (r->room < plain + 2 * SPARE)
    out = grow_scratch(r, 0, plain + SPARE);
  memcpy(out, from, plain);
  out += plain;
  while (*p == '\\') {
    size_t n = sz_escape_read(out, p, (size_t)(r->end - p), &used);
    if (!n)
      return NULL;
    out += n;
    p = copy_piece(r, p + used, &out);
    if (!p)
      return NULL;
  }
  if (*p != '"')
    return NULL;
  if (sz_lua_budget_text(r->L, r->budget, (size_t)(out - r->space)))
    return too_much(r, from);
  lua_pushlstring(r->L, r->space, (size_t)(out - r->space));
  return p + 1;
}

/* Pushes the string whose first byte, after the quote, is at 'p'. */
static const char *read_string(struct reader *r, const char *p) {
  const char *from = p;
  p += sz_scan_plain(p, (size_t)(r->end - p));
  if (p == r->end)
    return NULL;
  if (*p != '"')
    return *p == '\\' ? read_escaped(r, from, p) : NULL;
  if (sz_lua_budget_text(r->L, r->budget, (size_t)(p - from)))
    return too_much(r, from);
  push_text(r, from, (size_t)(p - from));
  return p + 1;
}

/* ---- numbers and words ---- */

static int is_digit(const struct reader *r, const char *p) {
  return p < r->end && *p >= '0' && *p <= '9';
}

static int goes_on(const struct reader *r, const char *p) {
  return p < r->end && ((*p >= '0' && *p <= '9') || *p == '.' || *p == 'e' ||
                        *p == 'E' || *p == '+' || *p == '-');
}

/* Pushes a number in any form. */
static const char *read_any_number(struct reader *r, const char *p) {
  const char *from = p;
  struct sz_number n;
  while (goes_on(r, p))
    p++;
  if (sz_lua_budget_text(r->L, r->budget, (size_t)(p - from)))
    return too_much(r, from);
  sz_number_read(from, (size_t)(p - from), &n);
  if (n.kind == SZ_NUMBER_BAD)
    return NULL;
  sz_lua_json_push_read(r->L, &n, from, (size_t)(p - from), r->exact,
                        r->int64);
  return p;
}

/* Pushes a number; a short whole number takes a fast path. */
static const char *read_number(struct reader *r, const char *p) {
  const char *from = p, *digits;
  int64_t value = 0;
  p += *p == '-';
  digits = p;
  for (; is_digit(r, p) && p - digits < MAX_DIGITS; p++)
    value = value * 10 + (*p - '0');
  if (p == digits || *digits == '0' || goes_on(r, p))
    return read_any_number(r, from);
  if (digits != from)
    value = -value;
  sz_lua_json_push_integer(r->L, value, from, (size_t)(p - from), r->int64);
  return p;
}

static int is_word(const struct reader *r, const char *p, const char *word,
                   size_t len) {
  return (size_t)(r->end - p) >= len && !memcmp(p, word, len);
}

static const char *read_word(struct reader *r, const char *p) {
  if (is_word(r, p, "true", 4)) {
    lua_pushboolean(r->L, 1);
    return p + 4;
  }
  if (is_word(r, p, "false", 5)) {
    lua_pushboolean(r->L, 0);
    return p + 5;
  }
  if (is_word(r, p, "null", 4)) {
    lua_pushlightuserdata(r->L, NULL);
    return p + 4;
  }
  return NULL;
}

/* ---- containers ---- */

static int guess(int last) {
  return last < MAX_GUESS ? last : MAX_GUESS;
}

/* Passes a comma (returns 1) or 'closing' (returns 0). Neither: -1. */
static int pass_comma(const struct reader *r, const char **p, char closing) {
  const char *at = pass_blanks(r, *p);
  if (at == r->end)
    return -1;
  *p = at + 1;
  if (*at == ',')
    return 1;
  return *at == closing ? 0 : -1;
}

/* Reads one key and its value into the table on top, which has 'before'. */
static const char *read_field(struct reader *r, const char *p, size_t depth,
                              size_t before) {
  p = pass_blanks(r, p);
  if (p == r->end || *p != '"')
    return NULL;
  p = read_string(r, p + 1);
  if (!p)
    return NULL;
  p = pass_blanks(r, p);
  if (p == r->end || *p != ':')
    return NULL;
  p = read_value(r, p + 1, depth);
  if (p && sz_lua_budget_grow(r->L, r->budget, before, SZ_FIELD_BYTES))
    return too_much(r, p);
  if (p)
    lua_rawset(r->L, -3);
  return p;
}

static const char *read_object(struct reader *r, const char *p, size_t depth) {
  size_t count = 0;
  int more = 1;
  lua_createtable(r->L, 0, guess(r->fields[depth]));
  p = pass_blanks(r, p);
  if (p < r->end && *p == '}') {
    p++;
    more = 0;
  }
  while (more) {
    p = read_field(r, p, depth, count++);
    if (!p)
      return NULL;
    more = pass_comma(r, &p, '}');
    if (more < 0)
      return NULL;
  }
  r->fields[depth] = count < MAX_GUESS ? (int)count : MAX_GUESS;
  return p;
}

static const char *read_array(struct reader *r, const char *p, size_t depth) {
  int count = 0, more = 1;
  lua_createtable(r->L, guess(r->items[depth]), 0);
  lua_pushvalue(r->L, r->metatable);
  lua_setmetatable(r->L, -2);
  p = pass_blanks(r, p);
  if (p < r->end && *p == ']') {
    p++;
    more = 0;
  }
  while (more) {
    p = read_value(r, p, depth);
    if (!p)
      return NULL;
    if (sz_lua_budget_grow(r->L, r->budget, (size_t)count, SZ_ITEM_BYTES))
      return too_much(r, p);
    lua_rawseti(r->L, -2, ++count);
    more = pass_comma(r, &p, ']');
    if (more < 0)
      return NULL;
  }
  r->items[depth] = count;
  return p;
}

/* Pushes the value at 'p'. Returns the byte after it; NULL: cannot read it. */
static const char *read_value(struct reader *r, const char *p, size_t depth) {
  p = pass_blanks(r, p);
  if (p == r->end)
    return NULL;
  if (sz_lua_budget_value(r->L, r->budget))
    return too_much(r, p);
  switch (*p) {
  case '"':
    return read_string(r, p + 1);
  case '{':
  case '[':
    if (depth == r->max_depth)
      return NULL;
    return *p == '{' ? read_object(r, p + 1, depth + 1)
                     : read_array(r, p + 1, depth + 1);
  case 't':
  case 'f':
  case 'n':
    return read_word(r, p);
  default:
    return *p == '-' || is_digit(r, p) ? read_number(r, p) : NULL;
  }
}

int sz_lua_json_push_text(lua_State *L, const char *text, size_t len,
                          const struct sz_lua_json_how *how,
                          struct sz_lua_budget *budget, size_t *at) {
  int top = lua_gettop(L);
  struct reader r;
  const char *p;
  if (!lua_checkstack(L, 2 * MAX_DEPTH + 14))
    return 0;
  memset(&r, 0, sizeof r);
  r.L = L;
  r.budget = budget;
  r.end = text + len;
  r.max_depth = how->max_depth < MAX_DEPTH ? how->max_depth : MAX_DEPTH;
  r.exact = how->exact;
  r.int64 = how->int64;
  sz_lua_json_push_array_mt(L);
  lua_createtable(L, 0, 0);
  lua_pushnil(L);
  r.metatable = top + 1;
  r.strings = top + 2;
  r.scratch = top + 3;
  p = read_value(&r, text, 0);
  if (!p || pass_blanks(&r, p) != r.end) {
    *at = r.over_at ? (size_t)(r.over_at - text) : 0;
    lua_settop(L, top);
    return 0;
  }
  lua_replace(L, top + 1);
  lua_settop(L, top + 1);
  return 1;
}

/* lua_secret.c - see lua_secret.h. */
#include "lua_secret.h"

#include "secret.h"

#include <string.h>

struct masking {
  const char *text;
  size_t len;
  unsigned char *marks; /* one for each byte of the text */
  struct sz_secret *secret;
};

/* The next marked place from 'at' on, or the text's end. */
static size_t marked(const struct masking *m, size_t at) {
  while (at < m->len && !m->marks[at])
    at++;
  return at;
}

/*
** Pushes the text up to where an occurrence may be cut off, with *** in place
** of each. Returns how many bytes of the text that are.
*/
static size_t push_masked(lua_State *L, const struct masking *m) {
  luaL_Buffer buffer;
  size_t from = 0, at, held = m->len;
  luaL_buffinit(L, &buffer);
  for (at = marked(m, 0); at < held; at = marked(m, from)) {
    size_t end = at;
    luaL_addlstring(&buffer, m->text + from, at - from);
    held = at;
    if (!(m->marks[at] & SZ_SECRET_CUT))
      end = sz_secret_end(m->secret, m->text, m->len, m->marks, at, &held);
    if (end > at)
      luaL_addlstring(&buffer, "***", 3);
    from = end;
  }
  if (from < held)
    luaL_addlstring(&buffer, m->text + from, held - from);
  luaL_pushresult(&buffer);
  return held;
}

/* Looks for the secret. 'least' < 0: the text is not cut. */
static bool look(const struct masking *m, lua_Number least) {
  bool here = sz_secret_find(m->secret, m->text, m->len, m->marks);
  bool cut = least >= 0 && sz_secret_cut(m->secret, m->text, m->len,
                                         (size_t)least, m->marks);
  return here || cut;
}

/*
** core.mask(text, secret [, least]) -> masked, rest
** With 'least', the text may end within the secret: 'rest' is its end from
** where it may be the secret's beginning, at least so many bytes of it.
*/
int sz_lua_mask(lua_State *L) {
  struct masking m = {0};
  size_t secret_len, done;
  const char *secret = luaL_checklstring(L, 2, &secret_len);
  lua_Number least = luaL_optnumber(L, 3, -1);
  m.text = luaL_checklstring(L, 1, &m.len);
  luaL_argcheck(L, secret_len > 0 && secret_len <= (size_t)-1 / 128, 2,
                "secret of this length not supported");
  luaL_argcheck(L, least < 9e15, 3, "length expected");
  lua_settop(L, 3);
  m.secret = sz_secret_init(lua_newuserdata(L, sz_secret_size(secret_len)),
                            secret, secret_len);
  if (!look(&m, least)) {
    lua_pushvalue(L, 1);
    lua_pushliteral(L, "");
    return 2;
  }
  m.marks = memset(lua_newuserdata(L, m.len + 1), 0, m.len + 1);
  look(&m, least);
  done = push_masked(L, &m);
  lua_pushlstring(L, m.text + done, m.len - done);
  return 2;
}

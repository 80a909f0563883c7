/* lua_guard.c - see lua_guard.h. */
#include "lua_guard.h"

/* A call to search for on a stack. */
struct call {
  lua_CFunction in;     /* of C; NULL: of Lua */
  const void *function; /* of Lua */
  const void *object;   /* among its first 'places' values */
  int places;
};

static const void *pointer_at(lua_State *thread, int index) {
  return lua_isuserdata(thread, index) ? lua_touserdata(thread, index)
                                       : lua_topointer(thread, index);
}

static int is_call(lua_State *thread, lua_Debug *at, const struct call *call) {
  int i, found;
  lua_getinfo(thread, "f", at);
  found = call->in ? lua_tocfunction(thread, -1) == call->in
                   : lua_topointer(thread, -1) == call->function;
  lua_pop(thread, 1);
  if (!found)
    return 0;
  for (i = 1, found = 0; i <= call->places && !found; i++) {
    if (!lua_getlocal(thread, at, i))
      return 0;
    found = pointer_at(thread, -1) == call->object;
    lua_pop(thread, 1);
  }
  return found;
}

/*
** Counts such calls on the thread's stack. A thread that ended by an error
** still has its calls there: they do not count.
*/
static int count_calls(lua_State *L, lua_State *thread,
                       const struct call *call) {
  lua_Debug at;
  int level = thread == L, count = 0, status = lua_status(thread);
  if (thread != L && status && status != LUA_YIELD)
    return 0;
  while (lua_getstack(thread, level++, &at))
    count += is_call(thread, &at, call);
  return count;
}

int sz_guard_held(lua_State *L, const struct sz_guard *g, const void *object) {
  struct call call = {NULL, NULL, NULL, 3};
  call.in = g->in;
  call.object = object;
  return g->in && count_calls(L, g->thread, &call) > 0;
}

int sz_guard_enter_anew(lua_State *L, struct sz_guard *g, int index,
                        lua_CFunction in) {
  if (sz_guard_held(L, g, lua_touserdata(L, index)))
    return 0;
  if (g->thread != L) {
    sz_getuservalue(L, index);
    lua_pushthread(L);
    lua_setfield(L, -2, "thread");
    lua_pop(L, 1);
    g->thread = L;
  }
  g->in = in;
  return 1;
}

/* Pushes " of its method 'name'" for the call in the object; else "". */
static const char *push_method(lua_State *L, const struct sz_guard *g,
                               int index) {
  if (luaL_getmetafield(L, index, "__index")) {
    lua_pushnil(L);
    while (lua_next(L, -2)) {
      if (lua_tocfunction(L, -1) == g->in)
        return lua_pushfstring(L, " of its method '%s'", lua_tostring(L, -2));
      lua_pop(L, 1);
    }
  }
  lua_pushliteral(L, "");
  return lua_tostring(L, -1);
}

const char *sz_guard_message(lua_State *L, const struct sz_guard *g, int index,
                             const char *what) {
  return lua_pushfstring(L,
                         "%s is in use by another call%s; a finalizer, hook "
                         "or metamethod must not use it meanwhile",
                         what, push_method(L, g, index));
}

int sz_guard_refuse(lua_State *L, const struct sz_guard *g, int index,
                    const char *what) {
  const char *message = sz_guard_message(L, g, index, what);
  lua_pushnil(L);
  lua_pushliteral(L, "phase");
  lua_pushstring(L, message);
  return 3;
}

size_t sz_list_length(lua_State *L, int index, const char *what) {
  size_t length = lua_rawlen(L, index);
  if (length > SZ_MAX_LIST)
    luaL_error(L, "%s: a list of more than %d entries", what, SZ_MAX_LIST);
  return length;
}

void sz_lua_seal(lua_State *L) {
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
}

int sz_lua_running(lua_State *L) {
  lua_pushthread(L);
  return 1;
}

int sz_lua_calls(lua_State *L) {
  struct call call = {NULL, NULL, NULL, 1};
  lua_State *thread = lua_tothread(L, 1);
  luaL_argcheck(L, thread, 1, "thread expected");
  luaL_checktype(L, 2, LUA_TFUNCTION);
  luaL_checkany(L, 3);
  call.function = lua_topointer(L, 2);
  call.object = pointer_at(L, 3);
  lua_pushinteger(L, count_calls(L, thread, &call));
  return 1;
}

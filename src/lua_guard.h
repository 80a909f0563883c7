/*
** lua_guard.h - nothing moves under who is at work. Wherever Lua allocates, a
** finalizer may come in, and with it any call on any object. A call that holds
** pointers into an object while Lua values are made enters it first; another
** that would move the object is refused meanwhile.
**
** A call that an error ends cannot leave. So a mark that is set is believed
** only where the call still stands on the stack of the thread that set it.
*/
#ifndef SZ_LUA_GUARD_H
#define SZ_LUA_GUARD_H

#include "compat.h"

/* Lists that a script gives are no longer than this. */
#define SZ_MAX_LIST (1 << 20)

/* A part of a userdata whose user value is a table; zeros to begin with. */
struct sz_guard {
  lua_State *thread; /* that was in last; the user value keeps it alive */
  lua_CFunction in;  /* the call that is at work; NULL: none */
};

/*
** The C function that runs, 'in', enters the object at 'index', which must be
** one of its first three values on the stack for as long as it is in. 0:
** another call is in.
*/
int sz_guard_enter_anew(lua_State *L, struct sz_guard *g, int index,
                        lua_CFunction in);

static inline int sz_guard_enter(lua_State *L, struct sz_guard *g, int index,
                                 lua_CFunction in) {
  if (g->in || g->thread != L)
    return sz_guard_enter_anew(L, g, index, in);
  g->in = in;
  return 1;
}

static inline void sz_guard_leave(struct sz_guard *g) {
  g->in = NULL;
}

/* Whether a call is in 'object', a userdata. For the C function that runs. */
int sz_guard_held(lua_State *L, const struct sz_guard *g, const void *object);

/* Pushes nil, "phase" and what to know: returns 3. 'what': "feed: the x". */
int sz_guard_refuse(lua_State *L, const char *what);

/* The length of the list at 'index', a table; raises when it is too long. */
size_t sz_list_length(lua_State *L, int index, const char *what);

/*
** The metatable on top is the module's own: scripts see false instead, and
** cannot call what is for the collector.
*/
void sz_lua_seal(lua_State *L);

/* core.running() -> the thread that runs, the main one too */
int sz_lua_running(lua_State *L);

/*
** core.calls(thread, function, object) -> how many calls of the Lua function
** with this object as the first argument stand on the thread's stack
*/
int sz_lua_calls(lua_State *L);

#endif

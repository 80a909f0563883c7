/*
** lua_guard.h - guards an object against changes while a call uses it.
** Wherever Lua allocates, it may run a finalizer, which may call any method of
** any object. A call that holds pointers into an object while it makes Lua
** values enters the object first. Another call that would change the object is
** refused until the first one leaves.
**
** A call that ends by a Lua error cannot leave. So the mark counts only while
** the call is still on the stack of the thread that set it.
*/
#ifndef SZ_LUA_GUARD_H
#define SZ_LUA_GUARD_H

#include "compat.h"

/* The most entries of a list that a script gives. */
#define SZ_MAX_LIST (1 << 20)

/* A member of a userdata whose user value is a table. All zeros at first. */
struct sz_guard {
  lua_State *thread; /* that entered last; the user value keeps it alive */
  lua_CFunction in;  /* the call that uses the object; NULL: none */
};

/*
** The running C function 'in' enters the object at 'index': 1, 2 or 3, where
** the object must stay until the call leaves. 0: another call uses it.
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

/* Whether another call uses 'object', a userdata. */
int sz_guard_held(lua_State *L, const struct sz_guard *g, const void *object);

/*
** Pushes the message that another call uses the object at 'index', and by
** which method. 'what': such as "feed: the x". Leaves other values below it.
*/
const char *sz_guard_message(lua_State *L, const struct sz_guard *g, int index,
                             const char *what);

/* Pushes nil, "phase", that message: returns 3. */
int sz_guard_refuse(lua_State *L, const struct sz_guard *g, int index,
                    const char *what);

/* The length of the list at 'index', a table. Raises over SZ_MAX_LIST. */
size_t sz_list_length(lua_State *L, int index, const char *what);

/*
** Hides the metatable on top: getmetatable gives scripts false, so they cannot
** call __gc.
*/
void sz_lua_seal(lua_State *L);

/* core.running() -> the running thread, also when it is the main thread */
int sz_lua_running(lua_State *L);

/*
** core.calls(thread, function, object) -> how many calls of the Lua function
** with this object as first argument are on the thread's stack
*/
int sz_lua_calls(lua_State *L);

#endif

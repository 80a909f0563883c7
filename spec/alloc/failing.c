/* failing.c - an allocator that fails when told to. */
#include "failing.h"

#include <lua.h>
#include <stdlib.h>

/* Names that the linker's --wrap makes. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);

static enum failing mode;
static long calls, fail_at, live;
static lua_State *state;

void failing_state(lua_State *L) {
  state = L;
}

void failing_arm(enum failing how, long nth) {
  mode = how;
  fail_at = nth;
  calls = 0;
}

long failing_disarm(void) {
  mode = FAIL_NEVER;
  return calls;
}

long failing_live(void) {
  return live;
}

static int fails(void) {
  calls++;
  if (mode == FAIL_COLLECT && calls == fail_at)
    lua_gc(state, LUA_GCRESTART, 0); /* allocates nothing */
  return (mode == FAIL_ONCE && calls == fail_at) ||
         (mode == FAIL_ON && calls >= fail_at);
}

static void *counted(void *block) {
  live += block != NULL;
  return block;
}

void *__wrap_malloc(size_t size) {
  return fails() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size) {
  return fails() ? NULL : counted(__real_calloc(n, size));
}

void *__wrap_realloc(void *block, size_t size) {
  void *grown = fails() ? NULL : __real_realloc(block, size);
  if (!block)
    counted(grown);
  return grown;
}

void __wrap_free(void *block) {
  live -= block != NULL;
  __real_free(block);
}

void *failing_lua(void *ud, void *block, size_t old, size_t size) {
  (void)ud;
  if (!size) {
    __wrap_free(block);
    return NULL;
  }
  if (block && size <= old) {
    void *smaller = __real_realloc(block, size);
    return smaller ? smaller : block;
  }
  return __wrap_realloc(block, size);
}

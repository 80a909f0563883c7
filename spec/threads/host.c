/*
** host.c - a process with many Lua states. Each thread has its own state,
** loads the module into it and runs a script. It is built with ThreadSanitizer
** (spec/hosts/threads_spec.lua).
** Usage: threads_host THREADS SCRIPT ARGUMENT...
*/
#include <lauxlib.h>
#include <lualib.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

int luaopen_scrutinizer_core(lua_State *L);

enum { MAX_THREADS = 64 };

struct job {
  pthread_t thread;
  int number, argc, failed;
  char **argv;
};

/* The core is linked in; the rest of the module comes from LUA_PATH. */
static void preload(lua_State *L) {
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "preload");
  lua_pushcfunction(L, luaopen_scrutinizer_core);
  lua_setfield(L, -2, "scrutinizer.core");
  lua_pop(L, 2);
}

/* Runs the script with the thread's number before its arguments. */
static int run_script(lua_State *L, const struct job *job) {
  int i;
  if (luaL_loadfile(L, job->argv[0]))
    return 1;
  lua_pushinteger(L, job->number);
  for (i = 1; i < job->argc; i++)
    lua_pushstring(L, job->argv[i]);
  return lua_pcall(L, job->argc, 0, 0);
}

static void *work(void *arg) {
  struct job *job = arg;
  lua_State *L = luaL_newstate();
  if (!L)
    return NULL;
  luaL_openlibs(L);
  preload(L);
  job->failed = run_script(L, job);
  if (job->failed)
    fprintf(stderr, "thread %d: %s\n", job->number, lua_tostring(L, -1));
  lua_close(L);
  return NULL;
}

int main(int argc, char **argv) {
  static struct job jobs[MAX_THREADS];
  int i, failed = 0, threads = argc > 2 ? atoi(argv[1]) : 0;
  if (threads < 1 || threads > MAX_THREADS) {
    fprintf(stderr, "usage: %s THREADS SCRIPT ARGUMENT...\n", argv[0]);
    return 64;
  }
  for (i = 0; i < threads; i++) {
    jobs[i].number = i + 1;
    jobs[i].failed = 1;
    jobs[i].argc = argc - 2;
    jobs[i].argv = argv + 2;
    if (pthread_create(&jobs[i].thread, NULL, work, &jobs[i]))
      return 1;
  }
  for (i = 0; i < threads; i++) {
    pthread_join(jobs[i].thread, NULL);
    failed += jobs[i].failed;
  }
  printf("%d threads, %d failed\n", threads, failed);
  return failed > 0;
}

/*
** host.c - runs the core with the n-th allocation failing, for each n until
** none fails: the C reader alone, then the core under Lua.
** Usage: host scenario.lua answer.json
** Prints a line for each kind of run. Exits with 1 and a message when a run
** was neither complete nor a clean failure, or leaked memory.
**
** Usage: host visits.lua answer.json part step
** Runs each call of a part. At its n-th allocation the collector runs a
** finalizer, which makes another call; for n = 1, 1 + step …; see visits.lua.
*/
#include "canned.h"
#include "failing.h"

#include "../../src/aggregate.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef LUA_OK
#define LUA_OK 0
#endif

int luaopen_scrutinizer_core(lua_State *L);

static const char *const MODES[] = {"", "once", "from then on"};

static void die(const char *format, ...) {
  va_list args;
  va_start(args, format);
  vfprintf(stdout, format, args);
  va_end(args);
  fputc('\n', stdout);
  exit(1);
}

/* How a run ended. */
enum outcome { WHOLE, FAILED };

/* ---- the C reader alone ---- */

static char answer[1 << 16];
static size_t answer_len;

/* A run's results as a hash, and how many rows it gave. */
struct seen {
  unsigned long hash, rows;
};

static void see(struct seen *seen, const char *text, size_t len) {
  while (len--)
    seen->hash = (seen->hash ^ (unsigned char)*text++) * 1099511628211u;
}

static const struct sz_select FIELDS[] = {
    {"host", "host", SZ_RAW, 0},
    {"octets", "sum_octets", SZ_RAW, 0},
    {"text", "sum_octets", SZ_LABEL, 0},
};
static const char *const NAMES[] = {"host", "octets"};
static const struct sz_by BY[] = {{0, SZ_BY_VALUE, 0, 0, 1}};
static const struct sz_folded FOLDED[] = {{1, SZ_FOLD_SUM}};

static void see_row(struct seen *seen, const struct sz_report *r) {
  const struct sz_slot *slots;
  const char *text;
  enum sz_direction d = sz_report_row(r, &slots, &text);
  size_t i;
  for (i = 0; i < sz_report_columns(r, d)->nwants; i++)
    if (slots[i].type != SZ_SLOT_ABSENT)
      see(seen, text + slots[i].at, slots[i].len);
  seen->rows++;
}

/* 0: no memory for the row's group. */
static int add_row(struct sz_aggregate *a, const struct sz_report *r) {
  const struct sz_slot *slots;
  const char *text, *field = "";
  enum sz_direction d = sz_report_row(r, &slots, &text);
  enum sz_added added;
  sz_aggregate_bind(a, d, sz_report_columns(r, d));
  added = sz_aggregate_add(a, d, slots, text, &field);
  if (added != SZ_ADDED && added != SZ_ADD_NOMEM)
    die("C: a row was not added: %d", (int)added);
  return added == SZ_ADDED;
}

static enum outcome see_groups(struct seen *seen,
                               const struct sz_aggregate *a) {
  size_t *order = sz_aggregate_order(a, SIZE_MAX);
  size_t i, groups = sz_aggregate_groups(a);
  if (!order)
    return FAILED;
  for (i = 0; i < groups; i++) {
    sz_wide whole = sz_aggregate_total(a, order[i], 0)->whole;
    see(seen, (const char *)&whole, sizeof whole);
  }
  free(order);
  return WHOLE;
}

/* Feeds the answer in pieces. */
static enum outcome read_report(struct sz_report *r, struct sz_aggregate *a,
                                struct seen *seen, size_t piece) {
  size_t at = 0;
  for (;;) {
    switch (sz_report_next(r)) {
    case SZ_REPORT_ROW:
      see_row(seen, r);
      if (!add_row(a, r))
        return FAILED;
      break;
    case SZ_REPORT_MORE:
      if (piece > answer_len - at)
        piece = answer_len - at;
      if (piece)
        sz_report_feed(r, answer + at, piece);
      else
        sz_report_finish(r);
      at += piece;
      break;
    case SZ_REPORT_ERROR:
      if (strcmp(sz_report_error(r)->kind, "memory") != 0)
        die("C: error '%s': %s", sz_report_error(r)->kind,
            sz_report_error(r)->message);
      return FAILED;
    default:
      return see_groups(seen, a);
    }
  }
}

/* Tests that some rows meet. NULL: no memory. */
static struct sz_keep *new_tests(void) {
  struct sz_keep *k = sz_keep_new();
  size_t group;
  if (k && sz_keep_field(k, "host", SZ_RAW, "why") &&
      sz_keep_field(k, "sum_octets", SZ_RAW, "") &&
      sz_keep_open(k, SZ_KEEP_ANY, &group) && sz_keep_one_of(k, 0) &&
      sz_keep_text(k, "10.0.0.1", 8) &&
      sz_keep_network(k, "10.0.0.2", 8, 31) && sz_keep_one_of(k, 1) &&
      sz_keep_number(k, "77", 2, 0) &&
      sz_keep_between(k, 1, "1e3", 3, "3000", 4) &&
      sz_keep_begins(k, 0, "10.0.0.4", 8)) {
    sz_keep_close(k, group);
    if (sz_keep_ready(k))
      return k;
  }
  sz_keep_free(k);
  return NULL;
}

static enum outcome run_c(struct seen *seen, size_t piece, int projected) {
  struct sz_aggregate_options folds = {NAMES, 2, BY, 1, FOLDED, 1, 1 << 20};
  struct sz_report_options o;
  struct sz_report *r;
  struct sz_aggregate *a;
  struct sz_keep *k = new_tests();
  enum outcome outcome = FAILED;
  memset(&o, 0, sizeof o);
  memset(seen, 0, sizeof *seen);
  o.projection.fields = projected ? FIELDS : NULL;
  o.projection.nfields = projected ? sizeof FIELDS / sizeof *FIELDS : 0;
  o.directions = 3;
  o.ordered = o.projection.with_direction = o.keep_graph = 1;
  o.max_body = o.max_row = o.max_held = 1 << 24;
  o.max_depth = 64;
  o.utf8 = SZ_UTF8_REPLACE;
  o.keep = k;
  o.quotas[0].left = o.quotas[1].left = UINT64_MAX;
  r = sz_report_new(&o);
  a = sz_aggregate_new(&folds);
  if (r && a && k)
    outcome = read_report(r, a, seen, piece);
  sz_report_free(r);
  sz_keep_free(k);
  sz_aggregate_free(a);
  return outcome;
}

static void try_c(enum failing mode, size_t piece, int projected) {
  struct seen good, seen;
  long nth = 0, calls, failures = 0;
  if (run_c(&good, piece, projected) != WHOLE)
    die("C: the answer is not read when nothing fails");
  do {
    enum outcome outcome;
    long before = failing_live();
    failing_arm(mode, ++nth);
    outcome = run_c(&seen, piece, projected);
    calls = failing_disarm();
    if (failing_live() != before)
      die("C: allocation %ld failed %s: %ld blocks left", nth, MODES[mode],
          failing_live() - before);
    if (outcome == WHOLE && (seen.hash != good.hash || seen.rows != good.rows))
      die("C: allocation %ld failed %s: another result", nth, MODES[mode]);
    failures += outcome == FAILED;
  } while (nth <= calls);
  printf("C, pieces of %zu, failing %s: %ld allocations, %ld clean failures\n",
         piece, MODES[mode], nth - 1, failures);
}

/* ---- under Lua ---- */

/* The message of the error on top, by tostring (5.1 lacks luaL_tolstring). */
static const char *message_of(lua_State *L) {
  const char *message;
  lua_getglobal(L, "tostring");
  lua_pushvalue(L, -2);
  message = lua_pcall(L, 1, 1, 0) == LUA_OK ? lua_tostring(L, -1) : NULL;
  return message ? message : "?";
}

#if LUA_VERSION_NUM >= 505 /* with a seed for its hashes */
#define NEW_STATE(f, ud) lua_newstate(f, ud, 1)
#else
#define NEW_STATE(f, ud) lua_newstate(f, ud)
#endif

/*
** A state with the failing allocator. LuaJIT may accept only its own: then
** only the core's allocations fail.
*/
static lua_State *open_state(void) {
  lua_State *L = NEW_STATE(failing_lua, NULL);
  if (!L)
    L = luaL_newstate();
  if (!L)
    die("Lua: no state");
  luaL_openlibs(L);
  return L;
}

/* A state with a part of the scenario on the stack, and the core preloaded. */
static lua_State *new_state(const char *scenario, int part) {
  lua_State *L = open_state();
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "preload");
  lua_pushcfunction(L, luaopen_scrutinizer_core);
  lua_setfield(L, -2, "scrutinizer.core");
  lua_pop(L, 2);
  if (luaL_loadfile(L, scenario) != LUA_OK)
    die("Lua: %s", message_of(L));
  lua_pushlstring(L, answer, answer_len);
  lua_pushinteger(L, part);
  lua_pushinteger(L, canned_port());
  if (lua_pcall(L, 3, 1, 0) != LUA_OK)
    die("Lua %d: %s", part, message_of(L));
  return L;
}

/* Whether the error on top says that memory ran out, and nothing else. */
static int is_memory_error(lua_State *L, int status) {
  const char *message = message_of(L);
  return status == LUA_ERRMEM ||
         (message && strstr(message, "not enough memory"));
}

/* A part of the scenario, and its result when nothing fails. */
struct part {
  const char *scenario;
  int number;
  char *good; /* NULL: there is no such part */
};

/* Compares the result on top with the good one. */
static void check_result(lua_State *L, const struct part *part,
                         enum failing mode, long nth) {
  const char *result = lua_tostring(L, -1);
  if (!result || strcmp(result, part->good) != 0)
    die("Lua %d: allocation %ld failed %s: another result:\n%s\n%s",
        part->number, nth, MODES[mode], part->good, result ? result : "nil");
}

/* Calls the function at 1. Returns how many allocations there were. */
static long run_lua(lua_State *L, const struct part *part, enum failing mode,
                    long nth, long *failures) {
  long calls;
  int status;
  lua_pushvalue(L, 1);
  failing_arm(mode, nth);
  status = lua_pcall(L, 0, 1, 0);
  calls = failing_disarm();
  if (status == LUA_OK)
    check_result(L, part, mode, nth);
  else if (!is_memory_error(L, status))
    die("Lua %d: allocation %ld failed %s: %s", part->number, nth, MODES[mode],
        message_of(L));
  *failures += status != LUA_OK;
  lua_settop(L, 1);
  return calls;
}

/*
** Loading the client takes long, so its runs share a state. This also proves
** that it works after a failure. Each run of the other parts has its own.
*/
#define CLIENT_PART 5

static long try_nth(lua_State **L, const struct part *part, enum failing mode,
                    long nth, long *failures) {
  long before = failing_live(), calls;
  if (*L) {
    calls = run_lua(*L, part, mode, nth, failures);
    lua_gc(*L, LUA_GCCOLLECT, 0);
    return calls;
  }
  *L = new_state(part->scenario, part->number);
  calls = run_lua(*L, part, mode, nth, failures);
  if (part->number == CLIENT_PART)
    return calls;
  lua_close(*L);
  *L = NULL;
  if (failing_live() != before)
    die("Lua %d: allocation %ld failed %s: %ld blocks left", part->number, nth,
        MODES[mode], failing_live() - before);
  return calls;
}

static void read_good(struct part *part) {
  lua_State *L = new_state(part->scenario, part->number);
  const char *good;
  size_t len;
  if (!lua_isnil(L, -1) && lua_pcall(L, 0, 1, 0) != LUA_OK)
    die("Lua %d: fails when nothing else does: %s", part->number,
        message_of(L));
  good = lua_tolstring(L, -1, &len);
  part->good = good ? malloc(len + 1) : NULL;
  if (part->good)
    memcpy(part->good, good, len + 1);
  lua_close(L);
}

static void try_lua(const char *scenario, enum failing mode) {
  struct part part = {NULL, 1, NULL};
  part.scenario = scenario;
  for (read_good(&part); part.good; part.number++, read_good(&part)) {
    long nth = 0, before = failing_live(), calls, failures = 0;
    lua_State *L = NULL;
    do
      calls = try_nth(&L, &part, mode, ++nth, &failures);
    while (nth <= calls);
    if (L)
      lua_close(L);
    if (failing_live() != before)
      die("Lua %d, failing %s: %ld blocks left", part.number, MODES[mode],
          failing_live() - before);
    printf("Lua %d, failing %s: %ld allocations, %ld clean failures\n",
           part.number, MODES[mode], nth - 1, failures);
    free(part.good);
  }
}

/* ---- another call at the n-th allocation ---- */

/* Calls the function 'name' of the table at 1, with the argument on top. */
static void ask(lua_State *L, const char *name, int results) {
  lua_getfield(L, 1, name);
  lua_insert(L, -2);
  if (lua_pcall(L, 1, results, 0) != LUA_OK)
    die("visits: %s: %s", name, message_of(L));
}

/* One run of a pair. Returns how many allocations there were. */
static long visit(lua_State *L, int pair, long nth) {
  long calls;
  lua_pushinteger(L, pair);
  ask(L, "prepare", 1);
  failing_arm(FAIL_COLLECT, nth);
  if (lua_pcall(L, 0, 1, 0) != LUA_OK)
    lua_pushfstring(L, "raised: %s", message_of(L));
  calls = failing_disarm();
  lua_gc(L, LUA_GCSTOP, 0);
  ask(L, "judge", 1);
  if (!lua_isnil(L, -1))
    die("visits: allocation %ld: %s", nth, lua_tostring(L, -1));
  lua_settop(L, 1);
  return calls;
}

static void try_visits(const char *script, int part, long step) {
  lua_State *L = new_state(script, part);
  long runs = 0;
  int pair, pairs;
  failing_state(L);
  lua_getfield(L, 1, "pairs");
  pairs = (int)lua_tointeger(L, -1);
  lua_settop(L, 1);
  for (pair = 1; pair <= pairs; pair++) {
    long nth = 1 + pair % step;
    while (nth <= visit(L, pair, nth)) {
      nth += step;
      runs++;
    }
  }
  lua_pushinteger(L, runs);
  ask(L, "close", 1);
  printf("%s\n", lua_tostring(L, -1));
  lua_close(L);
}

int main(int argc, char **argv) {
  FILE *file = argc == 3 || argc == 5 ? fopen(argv[2], "rb") : NULL;
  size_t piece;
  int mode;
  if (!file)
    die("usage: host scenario.lua answer.json");
  answer_len = fread(answer, 1, sizeof answer, file);
  fclose(file);
  canned_start(answer, answer_len);
  if (argc == 5) {
    try_visits(argv[1], atoi(argv[3]), atol(argv[4]));
    return 0;
  }
  for (mode = FAIL_ONCE; mode <= FAIL_ON; mode++) {
    for (piece = 1; piece <= sizeof answer; piece <<= 8) {
      try_c((enum failing)mode, piece, 0);
      try_c((enum failing)mode, piece, 1);
    }
    try_lua(argv[1], (enum failing)mode);
  }
  return 0;
}

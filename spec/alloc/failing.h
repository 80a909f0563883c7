/*
** failing.h - an allocator that fails when told to. The linker puts it before
** malloc, calloc, realloc and free of the objects under test (--wrap); Lua
** gets it by lua_newstate. One counter for both.
*/
#ifndef SZ_FAILING_H
#define SZ_FAILING_H

#include <stddef.h>

struct lua_State;

/* FAIL_ONCE: the n-th call fails. FAIL_ON: so do all after it. FAIL_COLLECT:
** none fails, and the collector goes on at the n-th. */
enum failing { FAIL_NEVER, FAIL_ONCE, FAIL_ON, FAIL_COLLECT };

/* Whose collector that is; it has been stopped. */
void failing_state(struct lua_State *L);

/* From here on calls are counted from 1. */
void failing_arm(enum failing how, long nth);
/* No more failures. Returns how many calls there were. */
long failing_disarm(void);

/* Blocks that were not freed. */
long failing_live(void);

/* A lua_Alloc. Making a block smaller never fails. */
void *failing_lua(void *ud, void *block, size_t old, size_t size);

#endif

/*
** failing.h - an allocator that fails when told to. In the objects under test
** the linker (--wrap) calls it instead of malloc, calloc, realloc and free.
** Lua gets it by lua_newstate. Both use one counter.
*/
#ifndef SZ_FAILING_H
#define SZ_FAILING_H

#include <stddef.h>

struct lua_State;

/*
** FAIL_ONCE: the n-th call fails. FAIL_ON: the n-th call and all after it
** fail. FAIL_COLLECT: none fails; the collector starts again at the n-th call.
*/
enum failing { FAIL_NEVER, FAIL_ONCE, FAIL_ON, FAIL_COLLECT };

/* Sets the state for FAIL_COLLECT. Its collector must be stopped. */
void failing_state(struct lua_State *L);

/* Starts to count the calls, from 1. */
void failing_arm(enum failing how, long nth);
/* Ends the failures. Returns how many calls there were. */
long failing_disarm(void);

/* How many blocks are not freed. */
long failing_live(void);

/* A lua_Alloc. Making a block smaller never fails. */
void *failing_lua(void *ud, void *block, size_t old, size_t size);

#endif

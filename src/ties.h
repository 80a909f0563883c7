/*
** ties.h - rows that tie: consecutive rows with the same value in the column
** that a report is ordered by. An appliance may give such rows in a different
** order for each request. If one answer ends among them, the next answer may
** repeat some of them and miss others. This module remembers the last rows
** that tie and finds a row that is repeated. If none is repeated, none is
** missing either. No Lua here.
**
** A row is identified by a hash of its cells' raw values. The hash has a key,
** so that a server cannot choose rows that collide. Memory: eight bytes per
** row, in a table that doubles up to the maximum.
*/
#ifndef SZ_TIES_H
#define SZ_TIES_H

#include "hash.h"
#include "slot.h"

struct sz_ties; /* opaque */

/* Uses at most 'max' bytes. NULL: out of memory. */
struct sz_ties *sz_ties_new(size_t max);
void sz_ties_free(struct sz_ties *t);

/* A copy. NULL: out of memory. */
struct sz_ties *sz_ties_copy(const struct sz_ties *t);

/* A row's JSON text; and where its raw values are, if 'raws' is not NULL. */
struct sz_row_text {
  const char *text; /* NULL: not known */
  size_t len;
  const struct sz_raw *raws;
  size_t cells;
};

/*
** Call for each row. 'order' is its value in the column that the report is
** ordered by, with offsets from 'base'; NULL: not known. 'last' is the row
** before.
*/
void sz_ties_row(struct sz_ties *t, const struct sz_slot *order,
                 const char *base, const struct sz_row_text *last);

/*
** For rows that come before it is known which column orders them. Only ties
** that are new may get such rows. Call sz_ties_settle when the order is known:
** by the cell of this number, or by none, if there are not so many; 'last' is
** the last row.
*/
int sz_ties_are_new(const struct sz_ties *t);
void sz_ties_open_row(struct sz_ties *t, const struct sz_row_text *row);
void sz_ties_settle(struct sz_ties *t, size_t cell, const char *last,
                    size_t last_len);

/*
** Whether the next row's raw values are likely to be looked at: then it is
** faster to know where they are.
*/
int sz_ties_look(const struct sz_ties *t);

/* Whether the next rows must be checked with sz_ties_repeats. */
int sz_ties_follow(const struct sz_ties *t);

/* Whether this row was already given. Call sz_ties_row for it first. */
int sz_ties_repeats(struct sz_ties *t, const struct sz_row_text *row);

/*
** Call before the next answer, which must begin with the last row given.
** 'last' is that row's text; NULL: it is known already. Returns 0 if too many
** rows tied to remember them all: then repeats cannot be found.
*/
int sz_ties_join(struct sz_ties *t, const char *last, size_t last_len);

enum { SZ_TIES_SAVED_ROWS = 1024, SZ_TIES_SAVED = 192 + 8 * 1024 };

/*
** Writes at most SZ_TIES_SAVED bytes, for sz_ties_load in another process on
** the same kind of machine. Returns how many bytes; 0: more than
** SZ_TIES_SAVED_ROWS rows tie, or not all are remembered.
*/
size_t sz_ties_save(const struct sz_ties *t, char *bytes);

/* Reads saved bytes. NULL: not valid, more than 'max', or out of memory. */
struct sz_ties *sz_ties_load(size_t max, const char *bytes, size_t len);

#endif

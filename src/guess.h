/*
** guess.h - crosses rows of one make: rows that have the same bytes between
** their values, as the keys of their cells are always in one order. Where a
** row's bytes are those of a row that was checked before, only its values need
** a look. A row of another make, or one with an error, is left to the masks
** (cross.c). No Lua here.
*/
#ifndef SZ_GUESS_H
#define SZ_GUESS_H

#include "columns.h"
#include "scan.h"
#include "slot.h"

struct sz_make; /* what rows have in common; opaque */

struct sz_guess {
  struct sz_make *make; /* owned; NULL: none was learned */
  int score;            /* how often the last guesses were right */
  int learn;            /* the next row that is crossed is to be learned */
  unsigned wait, pause; /* rows before the next guess; and the time after */
};

/* A row that was guessed: it begins at offset 'from' of 'text'. */
struct sz_guessed {
  const char *text;
  size_t len, from;
  struct sz_slot *slots; /* all absent; offsets are from 'text' on */
  struct sz_raw *raws;   /* one per column, 'len' 0; NULL: no need */
  int escaped;           /* is set when a wanted text has escapes */
};

void sz_guess_free(struct sz_guess *g);

/* Call before the first row of a list. */
void sz_guess_begin(struct sz_guess *g);

/*
** Crosses a row. Returns where it ends; 0: it is of another make, or too near
** the end. Then it may have filled some.
*/
size_t sz_guess_row(struct sz_guess *g, const struct sz_scanner *s,
                    const struct sz_columns *c, struct sz_guessed *row);

/*
** Learns from a row that was crossed otherwise. 'learn' tells whether to call
** it.
*/
void sz_guess_learn(struct sz_guess *g, const struct sz_columns *c,
                    const char *row, size_t len);

#endif

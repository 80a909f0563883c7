/*
** lua_decoder.h - the decoder userdata. lua_decoder.c has its state and its
** guard. The methods: lua_rows.c makes rows as tables, lua_fast_path.c gives
** rows without the checks of decoder:next, lua_fold.c adds rows to an
** aggregate. lua_report.c makes the decoder and gives its facts (the answer's
** members beside the rows).
**
** Bytes come in one of two ways. Pulled: decoder:next(transfer) reads the
** transfer's own buffer, row by row; nothing is copied. Pushed:
** decoder:feed(chunk) reads the whole chunk at once and queues its rows, so
** that an error is known when the chunk is fed.
**
** The user value is a table. 1, 2: per direction the list of field names,
** followed by the fields' last texts. 3: the reused row. 4, 5: the
** projection's texts and array. 6: the transfer whose bytes are borrowed. 7,
** 8: per direction the array of struct repeat. 9, 10: per direction the ties
** (see ties.h). 11: the name of the column that the report is ordered by. 12:
** the tests of rows (see keep.h).
*/
#ifndef SZ_LUA_DECODER_H
#define SZ_LUA_DECODER_H

#include "compat.h"
#include "lua_guard.h"
#include "report.h"
#include "source.h"

#define SZ_DECODER "scrutinizer.decoder"
#define HEAD_BYTES 80

enum {
  NAMES_INBOUND = 1,
  REUSED_ROW = 3,
  TEXTS,
  FIELDS,
  TRANSFER,
  REPEATS_INBOUND,
  TIES_INBOUND = 9,
  ORDER = 11,
  TESTS,
  USER_VALUES = TESTS
};

/*
** A field's text in the row before. If the next row has the same text, the Lua
** string is used again: many columns repeat one value in many rows.
*/
struct repeat {
  unsigned char len, kept; /* kept: the Lua string is in the list of names */
  char text[30];
};

#define SZ_DECODER_MARK UINT64_C(0x5A2D5AC0DE1A4E11)

struct decoder {
  uint64_t mark; /* SZ_DECODER_MARK */
  struct sz_guard guard;
  int closing;                     /* closed while a call was using it */
  struct sz_report *report;        /* NULL once closed */
  struct sz_source *borrowed_from; /* the transfer whose bytes are borrowed */
  size_t borrowed;                 /* how many bytes are borrowed */
  struct sz_buffer queue; /* rows that were pushed and not yet taken */
  size_t queue_at;
  char head[HEAD_BYTES]; /* first bytes of the answer, for messages */
  size_t head_len;
  int reuse, finished, done;
  int int64;   /* see sz_lua_json_push_exact */
  int pending; /* the reader's row was read and not yet given to Lua */
  enum sz_direction fast_direction; /* see decoder:fast_path */
  uint64_t fast_limit, passed;
  struct repeat *repeats[SZ_DIRECTIONS]; /* one per field, with the names */
  size_t max_depth;
  enum sz_json_utf8 utf8;
};

/* A row in the queue: this record, its slots, its text; padded (see PAD). */
struct record {
  size_t nslots, text_len;
  enum sz_direction direction;
};
#define PAD(n) (((n) + sizeof(size_t) - 1) & ~(sizeof(size_t) - 1))

/* lua_decoder.c */

/* The decoder at index 1. Raises for any other value, or a closed one. */
struct decoder *sz_decoder_check(lua_State *L);

/*
** Runs 'work', which may change the decoder at index 1. Results: those of
** 'work'; or nil, "phase", message when another call uses the decoder. 'in' is
** the C function that Lua called; 'what' is for the message.
*/
int sz_decoder_alone(lua_State *L, int (*work)(lua_State *, struct decoder *),
                     lua_CFunction in, const char *what);

/* The same for 'work' that only reads: allowed while another call runs. */
int sz_decoder_look(lua_State *L, int (*work)(lua_State *, struct decoder *),
                    lua_CFunction in);

/* Ends the call that entered. Frees a decoder that was closed meanwhile. */
void sz_decoder_leave(struct decoder *d);

/* close, __close and __gc: any number of times, also during another call. */
int sz_decoder_close(lua_State *L);

/* A number of rows from Lua, limited to 0 to 2^53. */
static inline uint64_t sz_lua_rows(lua_Number n) {
  return n >= 9e15 ? UINT64_C(1) << 53 : n > 0 ? (uint64_t)n : 0;
}

/* Reads a direction at 'index': 1 (inbound, the default) or 2 (outbound). */
enum sz_direction sz_decoder_direction(lua_State *L, int index);

/* Pushes nil, kind, message, position of the report's error: returns 4. */
int sz_decoder_error(lua_State *L, const struct decoder *d);

/* lua_rows.c */
int sz_decoder_feed(lua_State *L);
int sz_decoder_finish(lua_State *L);
int sz_decoder_next(lua_State *L);
int sz_decoder_hold(lua_State *L);

/*
** Pushes one row as a table; the list of names is at index 'names'. May raise
** (memory); the row is not lost then.
*/
void sz_decoder_push_row(lua_State *L, const struct decoder *d,
                         enum sz_direction direction,
                         const struct sz_slot *slots, const char *text,
                         int names);

/* Gives the queue's first row; returns 0 when the queue is empty. */
int sz_decoder_first_queued(const struct decoder *d, struct record *record,
                            const struct sz_slot **slots);

/* Pushes the queue's first row and removes it from the queue. */
void sz_decoder_unqueue_row(lua_State *L, struct decoder *d,
                            const struct record *record,
                            const struct sz_slot *slots, int names);

/*
** The transfer at index 2, which the decoder now keeps alive: it must outlive
** the bytes borrowed from it. NULL: it was closed; then nil, kind, message are
** pushed.
*/
struct sz_source *sz_decoder_transfer(lua_State *L, const struct decoder *d);

/* The reader's next event; first a row that is still pending. */
enum sz_report_event sz_decoder_event(struct decoder *d);

/* Returns the borrowed bytes to their transfer. */
void sz_decoder_give_back(struct decoder *d);

/*
** Gives the transfer's next bytes to the reader. Returns 0 to read on, or the
** number of results pushed: false (no bytes yet), or nil, kind, message.
*/
int sz_decoder_pull(lua_State *L, struct decoder *d, struct sz_source *t);

/* lua_fast_path.c */
int sz_decoder_fast_path(lua_State *L);
int sz_decoder_passed(lua_State *L);
int sz_decoder_pass(lua_State *L);

/* lua_fold.c */
int sz_decoder_fold(lua_State *L);

#endif

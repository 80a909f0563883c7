/*
** lua_decoder.h - the decoder userdata: its state and who may enter it
** (lua_decoder.c), and the methods that stand on that: lua_rows.c (rows as
** tables), lua_lane.c (most of them, quickly), lua_fold.c (rows into an
** aggregate). lua_report.c makes it and has its facts.
**
** Bytes come in one of two ways. Pulled: decoder:next(transfer) lends the
** transfer's own buffer to the reader, row by row, nothing is copied. Pushed:
** decoder:feed(chunk) reads the chunk at once and queues its rows, so that an
** error is known when the chunk is fed.
**
** The user value holds: per direction the list of field names, and behind
** them the fields' last texts (1, 2), the row that is used again (3), the
** projection's texts (4) and array (5), the transfer whose bytes are lent (6),
** per direction the bytes of the last texts (7, 8), and of the rows that tie
** (9, 10); the name of the column that orders them (11).
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
  USER_VALUES = 11
};

/*
** A field's text in the row before. Where the next row has the same, its Lua
** string is at hand: many columns say one thing for rows on end.
*/
struct repeat {
  unsigned char len, kept; /* kept: the Lua string is in the list of names */
  char text[30];
};

#define SZ_DECODER_MARK UINT64_C(0x5A2D5AC0DE1A4E11)

struct decoder {
  uint64_t mark; /* SZ_DECODER_MARK */
  struct sz_guard guard;
  int closing;              /* closed while a call was in */
  struct sz_report *report; /* NULL once closed */
  struct sz_source *lender;
  size_t lent;            /* bytes of it being read */
  struct sz_buffer queue; /* rows that were pushed and not yet taken */
  size_t queue_at;
  char head[HEAD_BYTES]; /* first bytes of the answer, for messages */
  size_t head_len;
  int reuse, finished, done;
  int pending; /* the reader's row was looked at and not yet given */
  enum sz_direction lane; /* see decoder:lane */
  uint64_t lane_limit, passed;
  struct repeat *repeats[SZ_DIRECTIONS]; /* one a field, with the names */
  size_t max_depth;
  enum sz_json_utf8 utf8;
};

/* A row in the queue: this, its slots, its text, all padded to SLOT bytes. */
struct record {
  size_t nslots, text_len;
  enum sz_direction direction;
};
#define PAD(n) (((n) + sizeof(size_t) - 1) & ~(sizeof(size_t) - 1))

/* lua_decoder.c */

/* The decoder at 1; raises when it is none, or closed. */
struct decoder *sz_decoder_check(lua_State *L);

/*
** Does 'work', which may move the decoder at 1: no other call comes in, or it
** is refused (nil, "phase", message). 'in' is the C function that runs.
*/
int sz_decoder_alone(lua_State *L, int (*work)(lua_State *, struct decoder *),
                     lua_CFunction in, const char *what);

/* The same for what only reads: it may come in while another call is in. */
int sz_decoder_look(lua_State *L, int (*work)(lua_State *, struct decoder *),
                    lua_CFunction in);

/* The call that was in is through; what was closed meanwhile is freed. */
void sz_decoder_leave(struct decoder *d);

/* close, __close and __gc: any number of times, and whoever is at work. */
int sz_decoder_close(lua_State *L);

/* How many rows a number says: none, or a lot, where it is out of range. */
static inline uint64_t sz_lua_rows(lua_Number n) {
  return n >= 9e15 ? UINT64_C(1) << 53 : n > 0 ? (uint64_t)n : 0;
}

/* A direction, 1 or 2 (default 1), at 'index'. */
enum sz_direction sz_decoder_direction(lua_State *L, int index);

/* Pushes nil, kind, message, position of the report's error: returns 4. */
int sz_decoder_error(lua_State *L, const struct decoder *d);

/* lua_rows.c */
int sz_decoder_feed(lua_State *L);
int sz_decoder_finish(lua_State *L);
int sz_decoder_next(lua_State *L);
int sz_decoder_hold(lua_State *L);

/*
** Pushes one row as a table; the list of names is at 'names'. May raise
** (memory); nothing is lost then.
*/
void sz_decoder_push_row(lua_State *L, const struct decoder *d,
                         enum sz_direction direction,
                         const struct sz_slot *slots, const char *text,
                         int names);

/* The queue's first row; 0 when it is empty. */
int sz_decoder_first_queued(const struct decoder *d, struct record *record,
                            const struct sz_slot **slots);

/* Pushes the queue's first row and takes it off; 'names' as push_row. */
void sz_decoder_unqueue_row(lua_State *L, struct decoder *d,
                            const struct record *record,
                            const struct sz_slot *slots, int names);

/*
** The transfer at 2, anchored: it must outlive the bytes that it lends. NULL:
** it was closed; then nil, kind, message are on the stack.
*/
struct sz_source *sz_decoder_transfer(lua_State *L, const struct decoder *d);

/* The reader's next event; a row that was put back comes first. */
enum sz_report_event sz_decoder_event(struct decoder *d);

/* Gives the bytes that were lent back to their transfer. */
void sz_decoder_give_back(struct decoder *d);

/*
** Lends the transfer's next bytes to the reader. Returns 0 to read on, or the
** results pushed: false (nothing there yet), or nil, kind, message.
*/
int sz_decoder_pull(lua_State *L, struct decoder *d, struct sz_source *t);

/* lua_lane.c */
int sz_decoder_lane(lua_State *L);
int sz_decoder_passed(lua_State *L);
int sz_decoder_pass(lua_State *L);

/* lua_fold.c */
int sz_decoder_fold(lua_State *L);

#endif

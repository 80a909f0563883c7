/*
** json.h - push scanner for JSON (RFC 8259): bytes in, tokens out. No Lua and
** no curl here.
**
** The caller feeds chunks, cut anywhere, and asks for tokens until it gets
** SZ_JSON_MORE. Every byte is checked, skipped values too. Skipped values are
** not stored, so a skipped string may have any length. Memory: one bounded
** scratch buffer for a token that spans chunks or holds escapes.
*/
#ifndef SZ_JSON_H
#define SZ_JSON_H

#include "buffer.h"

#include <stdint.h>

enum sz_json_token {
  SZ_JSON_MORE,  /* the chunk is used up: feed or finish */
  SZ_JSON_ERROR, /* see error; final */
  SZ_JSON_END,   /* the text has ended; it was one JSON value */
  SZ_JSON_OBJECT,
  SZ_JSON_OBJECT_END,
  SZ_JSON_ARRAY,
  SZ_JSON_ARRAY_END,
  SZ_JSON_KEY,    /* text, len: decoded */
  SZ_JSON_STRING, /* text, len: decoded */
  SZ_JSON_NUMBER, /* text, len: as written, grammar checked */
  SZ_JSON_TRUE,
  SZ_JSON_FALSE,
  SZ_JSON_NULL,
  SZ_JSON_SKIPPED /* the end of a value that sz_json_skip skipped */
};

enum sz_json_code {
  SZ_JSON_OK,
  SZ_JSON_SYNTAX,
  SZ_JSON_TRUNCATED, /* the text ends before the value is complete */
  SZ_JSON_LIMIT,     /* too deep, or a kept token is too long */
  SZ_JSON_NOMEM
};

/* What to do with bytes that are not UTF-8 in keys and kept strings. */
enum sz_json_utf8 { SZ_UTF8_PASS, SZ_UTF8_REPLACE, SZ_UTF8_ERROR };

/* The message for a kept token that is too long. */
extern const char sz_json_too_long[];
/* The message for captured values that are too long. */
extern const char sz_json_too_much[];

struct sz_json_error {
  enum sz_json_code code;
  const char *message; /* string constant */
  uint64_t position;   /* byte offset in the whole stream, from 0 */
};

struct sz_json {
  /* public: the caller may read these */
  const char *text; /* of KEY, STRING, NUMBER: valid until the next call */
  size_t len;
  uint64_t start; /* stream offset of the last token's first byte; after
                     SKIPPED: of the value's */
  size_t depth;   /* open containers */
  struct sz_json_error error;
  enum sz_json_token skipped; /* first token of the value just skipped */
  int overflowed;             /* the error is that 'capture' was full */

  /* private */
  const char *chunk;
  size_t chunk_len, at;
  uint64_t base;             /* stream offset of chunk[0] */
  unsigned char *nest;       /* one byte per level: 1 object, 0 array */
  size_t max_depth;          /* levels that 'nest' has */
  struct sz_buffer scratch;  /* a token that is not a slice of the chunk */
  struct sz_buffer *capture; /* gets the bytes of the value being skipped */
  size_t capture_from;
  size_t skip_depth;
  uint64_t skip_start;
  enum sz_json_utf8 utf8;
  unsigned char state, part, sub, escaped, skipping, finished;
};

/*
** Initializes a scanner for at most 'max_depth' levels of containers. A kept
** token has at most 'max_text' bytes. Returns 0, or -1 when out of memory
** (then there is nothing to free).
*/
int sz_json_init(struct sz_json *j, size_t max_depth, size_t max_text,
                 enum sz_json_utf8 utf8);
void sz_json_free(struct sz_json *j);

/* Starts again with another text; its first byte has stream offset 'base'. */
void sz_json_reset(struct sz_json *j, uint64_t base);

/*
** Sets the next chunk; the one before must be used up. The scanner borrows
** the bytes until it returns SZ_JSON_MORE or the end.
*/
void sz_json_feed(struct sz_json *j, const char *data, size_t len);

/* No more bytes will come. */
void sz_json_finish(struct sz_json *j);

/* The next token; see the public members of struct sz_json for its text. */
enum sz_json_token sz_json_next(struct sz_json *j);

/*
** Skips the next value. Call it where a value must follow (after KEY, or in an
** array). sz_json_next then returns MORE as needed, and SKIPPED at the value's
** end; or ARRAY_END when the array has no further value. With 'capture' the
** value's bytes are appended to it; a full buffer is the error SZ_JSON_LIMIT.
*/
void sz_json_skip(struct sz_json *j, struct sz_buffer *capture);

/* Skips the rest of the innermost container, with what is before its items. */
void sz_json_skip_rest(struct sz_json *j, struct sz_buffer *capture);

/*
** For a caller that reads items of an array by itself, from the chunk's next
** byte on: whether a comma must be before the next one. -1: it may not.
*/
int sz_json_comma(const struct sz_json *j);
/* That caller has read 'len' bytes, up to the end of a container. */
void sz_json_pass(struct sz_json *j, size_t len);

/* Stream offset of the next byte. */
uint64_t sz_json_position(const struct sz_json *j);

#endif

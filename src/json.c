/* json.c - push scanner for JSON: bytes in, tokens out. */
#include "json.h"

#include "scan.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

/* What the grammar allows next. */
enum state {
  START,      /* a byte order mark, or the value */
  VALUE,      /* a value must come */
  FIRST_ITEM, /* a value, or the end of an empty array */
  FIRST_KEY,  /* a key, or the end of an empty object */
  NEXT_KEY,   /* a key must come */
  COLON,
  AFTER, /* a comma or the end of the container */
  DONE   /* white space only */
};

/* Tokens that the end of a chunk may cut. */
enum part { NO_PART, IN_STRING, IN_NUMBER, IN_LITERAL, IN_BOM };

/* Inside a string: plain, after a backslash, or hex digits still to come. */
enum { PLAIN = 0, HEX1 = 1, HEX4 = 4, ESCAPE = 5 };

/* Inside a number (RFC 8259, section 6). */
enum number {
  N_BEGIN,
  N_MINUS,
  N_ZERO,
  N_DIGITS,
  N_POINT,
  N_FRACTION,
  N_E,
  N_SIGN,
  N_EXPONENT,
  N_END
};

int sz_json_init(struct sz_json *j, size_t max_depth, size_t max_text,
                 enum sz_json_utf8 utf8) {
  memset(j, 0, sizeof *j);
  j->max_depth = max_depth;
  j->utf8 = utf8;
  sz_buffer_init(&j->scratch, max_text);
  j->nest = malloc(max_depth ? max_depth : 1);
  return j->nest ? 0 : -1;
}

void sz_json_free(struct sz_json *j) {
  free(j->nest);
  j->nest = NULL;
  sz_buffer_free(&j->scratch);
}

void sz_json_reset(struct sz_json *j, uint64_t base) {
  j->chunk = NULL;
  j->chunk_len = j->at = 0;
  j->base = base;
  j->depth = 0;
  j->scratch.len = 0;
  j->capture = NULL;
  j->error.code = SZ_JSON_OK;
  j->overflowed = 0;
  j->state = base ? VALUE : START;
  j->part = NO_PART;
  j->skipping = j->finished = 0;
}

void sz_json_feed(struct sz_json *j, const char *data, size_t len) {
  j->base += j->chunk_len;
  j->chunk = data;
  j->chunk_len = len;
  j->at = 0;
  j->capture_from = 0;
}

void sz_json_finish(struct sz_json *j) {
  sz_json_feed(j, "", 0);
  j->finished = 1;
}

uint64_t sz_json_position(const struct sz_json *j) {
  return j->base + j->at;
}

static enum sz_json_token fail(struct sz_json *j, enum sz_json_code code,
                               const char *message, uint64_t position) {
  j->error.code = code;
  j->error.message = message;
  j->error.position = position;
  return SZ_JSON_ERROR;
}

static enum sz_json_token syntax(struct sz_json *j, const char *message) {
  return fail(j, SZ_JSON_SYNTAX, message, sz_json_position(j));
}

/* Whether a buffer took the bytes; if not, the error is set. */
static int took(struct sz_json *j, enum sz_buffer_code code,
                const char *full) {
  if (code == SZ_BUFFER_OK)
    return 1;
  if (code == SZ_BUFFER_FULL)
    fail(j, SZ_JSON_LIMIT, full, j->start);
  else
    fail(j, SZ_JSON_NOMEM, "not enough memory", j->start);
  return 0;
}

/* Appends bytes to a buffer; on failure sets the error and returns 0. */
static int keep(struct sz_json *j, struct sz_buffer *b, const char *s,
                size_t len, const char *full) {
  return took(j, sz_buffer_append(b, s, len), full);
}

const char sz_json_too_much[] =
    "the parts of the answer that must be kept in memory take more than "
    "max_held bytes";

const char sz_json_too_long[] =
    "a string or number is longer than max_row bytes";

/* Stores the part of a cut token that is in this chunk. */
static enum sz_json_token cut_token(struct sz_json *j, size_t from) {
  if (!j->skipping &&
      !keep(j, &j->scratch, j->chunk + from, j->at - from, sz_json_too_long))
    return SZ_JSON_ERROR;
  return SZ_JSON_MORE;
}

/*
** The token begun at chunk[from] has a byte that is not allowed. If the token
** was already too long before that byte, that is the error, so that the error
** does not depend on how the text is cut.
*/
static enum sz_json_token bad_token(struct sz_json *j, size_t from,
                                    const char *message) {
  if (!j->skipping && j->at - from > j->scratch.max - j->scratch.len)
    return fail(j, SZ_JSON_LIMIT, sz_json_too_long, j->start);
  return syntax(j, message);
}

/* Sets text and len of a token whose last part is chunk[from .. at). */
static int join_token(struct sz_json *j, size_t from) {
  size_t len = j->at - from;
  if (j->scratch.len || j->escaped) {
    if (!keep(j, &j->scratch, j->chunk + from, len, sz_json_too_long))
      return 0;
    j->text = j->scratch.data;
    j->len = j->scratch.len;
    return 1;
  }
  if (len > j->scratch.max) {
    fail(j, SZ_JSON_LIMIT, sz_json_too_long, j->start);
    return 0;
  }
  j->text = j->chunk + from;
  j->len = len;
  return 1;
}

/* A value is complete: sets what the grammar allows next. */
static void value_done(struct sz_json *j) {
  j->part = NO_PART;
  j->state = j->depth ? AFTER : DONE;
}

/* ---- strings ---- */

static int is_hex(unsigned char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
         (c >= 'A' && c <= 'F');
}

/* One byte inside an escape. Returns 0 when JSON does not allow it. */
static int escape_byte(struct sz_json *j, unsigned char c) {
  if (j->sub == ESCAPE) {
    if (c == 'u')
      j->sub = HEX4;
    else if (c && strchr("\"\\/bfnrt", c))
      j->sub = PLAIN;
    else
      return 0;
    return 1;
  }
  j->sub--; /* one hex digit less to come; after HEX1 it is PLAIN */
  return is_hex(c);
}

/* Checks the text as UTF-8 when the caller asked for that. */
static int check_utf8(struct sz_json *j) {
  size_t good;
  if (j->utf8 == SZ_UTF8_PASS)
    return 1;
  good = sz_utf8_valid(j->text, j->len);
  if (good == j->len)
    return 1;
  if (j->utf8 == SZ_UTF8_ERROR) {
    fail(j, SZ_JSON_SYNTAX, "a string is not UTF-8", j->start);
    return 0;
  }
  if (j->text != j->scratch.data) {
    j->scratch.len = 0;
    if (!keep(j, &j->scratch, j->text, j->len, sz_json_too_long))
      return 0;
  }
  if (!took(j, sz_utf8_replace(&j->scratch), sz_json_too_long))
    return 0;
  j->text = j->scratch.data;
  j->len = j->scratch.len;
  return 1;
}

/* The closing quote is at 'at'. */
static enum sz_json_token end_string(struct sz_json *j, size_t from) {
  int is_key = j->state == FIRST_KEY || j->state == NEXT_KEY;
  if (!j->skipping) {
    if (!join_token(j, from))
      return SZ_JSON_ERROR;
    if (j->escaped)
      j->len = j->scratch.len =
          sz_utf8_unescape(j->scratch.data, j->scratch.len);
    if (!check_utf8(j))
      return SZ_JSON_ERROR;
  }
  j->at++;
  if (is_key) {
    j->part = NO_PART;
    j->state = COLON;
    return SZ_JSON_KEY;
  }
  value_done(j);
  return SZ_JSON_STRING;
}

static enum sz_json_token scan_string(struct sz_json *j) {
  size_t from = j->at;
  while (j->at < j->chunk_len) {
    unsigned char c;
    if (j->sub == PLAIN)
      j->at += sz_scan_plain(j->chunk + j->at, j->chunk_len - j->at);
    if (j->at == j->chunk_len)
      break;
    c = (unsigned char)j->chunk[j->at];
    if (j->sub != PLAIN) {
      if (!escape_byte(j, c))
        return bad_token(j, from, "invalid escape in a string");
    } else if (c == '"') {
      return end_string(j, from);
    } else if (c == '\\') {
      j->sub = ESCAPE;
      j->escaped = 1;
    } else {
      return bad_token(j, from, "control byte in a string");
    }
    j->at++;
  }
  return cut_token(j, from);
}

/* ---- numbers and literals ---- */

static enum number after_digits(unsigned char c, enum number same) {
  if (c >= '0' && c <= '9')
    return same;
  if (c == '.' && same == N_DIGITS)
    return N_POINT;
  if ((c == 'e' || c == 'E') && same != N_EXPONENT)
    return N_E;
  return N_END;
}

/* The state after byte 'c'; N_END: 'c' is not part of the number. */
static enum number number_step(enum number n, unsigned char c) {
  int digit = c >= '0' && c <= '9';
  switch (n) {
  case N_BEGIN:
    if (c == '-')
      return N_MINUS;
    return c == '0' ? N_ZERO : digit ? N_DIGITS : N_END;
  case N_MINUS:
    return c == '0' ? N_ZERO : digit ? N_DIGITS : N_END;
  case N_ZERO:
    return digit ? N_END : after_digits(c, N_DIGITS);
  case N_POINT:
    return digit ? N_FRACTION : N_END;
  case N_E:
    if (c == '+' || c == '-')
      return N_SIGN;
    return digit ? N_EXPONENT : N_END;
  case N_SIGN:
    return digit ? N_EXPONENT : N_END;
  default:
    return after_digits(c, n);
  }
}

static int number_complete(enum number n) {
  return n == N_ZERO || n == N_DIGITS || n == N_FRACTION || n == N_EXPONENT;
}

static enum sz_json_token end_number(struct sz_json *j, size_t from) {
  if (!number_complete((enum number)j->sub))
    return bad_token(j, from, "invalid number");
  if (!j->skipping && !join_token(j, from))
    return SZ_JSON_ERROR;
  value_done(j);
  return SZ_JSON_NUMBER;
}

static enum sz_json_token scan_number(struct sz_json *j) {
  size_t from = j->at;
  while (j->at < j->chunk_len) {
    enum number next =
        number_step((enum number)j->sub, (unsigned char)j->chunk[j->at]);
    if (next == N_END)
      return end_number(j, from);
    j->sub = (unsigned char)next;
    j->at++;
  }
  if (j->finished && number_complete((enum number)j->sub))
    return end_number(j, from);
  return cut_token(j, from);
}

/* 'sub' counts the letters seen; the first letter tells which literal. */
static enum sz_json_token scan_literal(struct sz_json *j) {
  const char *word = j->escaped == 't'   ? "true"
                     : j->escaped == 'f' ? "false"
                                         : "null";
  while (j->at < j->chunk_len && word[j->sub]) {
    if (j->chunk[j->at] != word[j->sub])
      return syntax(j, "a word that is not true, false or null");
    j->at++;
    j->sub++;
  }
  if (word[j->sub])
    return SZ_JSON_MORE;
  value_done(j);
  return *word == 't'   ? SZ_JSON_TRUE
         : *word == 'f' ? SZ_JSON_FALSE
                        : SZ_JSON_NULL;
}

static enum sz_json_token scan_bom(struct sz_json *j) {
  static const unsigned char BOM[] = {0xEF, 0xBB, 0xBF};
  while (j->at < j->chunk_len && j->sub < sizeof BOM) {
    if ((unsigned char)j->chunk[j->at] != BOM[j->sub])
      return syntax(j, "unexpected byte");
    j->at++;
    j->sub++;
  }
  if (j->sub < sizeof BOM)
    return SZ_JSON_MORE;
  j->part = NO_PART;
  j->state = VALUE;
  return SZ_JSON_SKIPPED;
}

static enum sz_json_token scan_part(struct sz_json *j) {
  switch (j->part) {
  case IN_STRING:
    return scan_string(j);
  case IN_NUMBER:
    return scan_number(j);
  case IN_LITERAL:
    return scan_literal(j);
  default:
    return scan_bom(j);
  }
}

static enum sz_json_token begin(struct sz_json *j, enum part part,
                                unsigned char sub, size_t skip) {
  j->start = sz_json_position(j);
  j->scratch.len = 0;
  j->escaped = 0;
  j->part = (unsigned char)part;
  j->sub = sub;
  j->at += skip;
  return scan_part(j);
}

/* ---- structure ---- */

static enum sz_json_token open_container(struct sz_json *j, int object) {
  j->start = sz_json_position(j);
  if (j->depth == j->max_depth)
    return fail(j, SZ_JSON_LIMIT, "nested deeper than max_depth", j->start);
  j->nest[j->depth++] = (unsigned char)object;
  j->state = object ? FIRST_KEY : FIRST_ITEM;
  j->at++;
  return object ? SZ_JSON_OBJECT : SZ_JSON_ARRAY;
}

static enum sz_json_token close_container(struct sz_json *j, int object) {
  if (!j->depth || j->nest[j->depth - 1] != object)
    return syntax(j, "unexpected closing bracket");
  j->start = sz_json_position(j);
  j->depth--;
  j->at++;
  value_done(j);
  return object ? SZ_JSON_OBJECT_END : SZ_JSON_ARRAY_END;
}

static enum sz_json_token begin_value(struct sz_json *j, unsigned char c) {
  if (j->skipped == SZ_JSON_MORE) { /* the value to skip begins here */
    j->capture_from = j->at;
    j->skip_start = sz_json_position(j);
  }
  switch (c) {
  case '"':
    return begin(j, IN_STRING, PLAIN, 1);
  case '{':
    return open_container(j, 1);
  case '[':
    return open_container(j, 0);
  case 't':
  case 'f':
  case 'n':
    j->start = sz_json_position(j);
    j->scratch.len = 0;
    j->part = IN_LITERAL;
    j->escaped = c;
    j->sub = 0;
    return scan_literal(j);
  default:
    if (c == '-' || (c >= '0' && c <= '9'))
      return begin(j, IN_NUMBER, N_BEGIN, 0);
    return syntax(j, "unexpected byte where a value must be");
  }
}

static enum sz_json_token begin_key(struct sz_json *j, unsigned char c) {
  if (c == '"')
    return begin(j, IN_STRING, PLAIN, 1);
  if (c == '}' && j->state == FIRST_KEY)
    return close_container(j, 1);
  return syntax(j, "unexpected byte where a key must be");
}

/* Handles a comma or closing bracket. MORE: go on with the next byte. */
static enum sz_json_token after_value(struct sz_json *j, unsigned char c) {
  int object = j->nest[j->depth - 1];
  if (c == ',') {
    j->state = object ? NEXT_KEY : VALUE;
    j->at++;
    return SZ_JSON_MORE;
  }
  if (c == '}' || c == ']')
    return close_container(j, c == '}');
  return syntax(j, "unexpected byte where a comma must be");
}

/* Handles the byte at 'at', not white space. MORE: go on after it. */
static enum sz_json_token scan_byte(struct sz_json *j) {
  unsigned char c = (unsigned char)j->chunk[j->at];
  switch (j->state) {
  case START:
    if (c == 0xEF && !sz_json_position(j))
      return begin(j, IN_BOM, 0, 0);
    return begin_value(j, c);
  case FIRST_ITEM:
    if (c == ']')
      return close_container(j, 0);
    return begin_value(j, c);
  case VALUE:
    return begin_value(j, c);
  case FIRST_KEY:
  case NEXT_KEY:
    return begin_key(j, c);
  case COLON:
    if (c != ':')
      return syntax(j, "unexpected byte where a colon must be");
    j->state = VALUE;
    j->at++;
    return SZ_JSON_MORE;
  case AFTER:
    return after_value(j, c);
  default:
    return syntax(j, "bytes after the end of the JSON text");
  }
}

static void pass_blanks(struct sz_json *j) {
  while (j->at < j->chunk_len) {
    char c = j->chunk[j->at];
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
      return;
    j->at++;
  }
}

static enum sz_json_token at_chunk_end(struct sz_json *j) {
  if (!j->finished)
    return SZ_JSON_MORE;
  if (j->state == DONE && j->part == NO_PART)
    return SZ_JSON_END;
  if (j->state == START && j->part == NO_PART)
    return syntax(j, "empty: there is no JSON value");
  return fail(j, SZ_JSON_TRUNCATED, "the JSON text ends too early",
              sz_json_position(j));
}

/* The next token, also one inside a skipped value. */
static enum sz_json_token next_token(struct sz_json *j) {
  for (;;) {
    enum sz_json_token token;
    if (j->part != NO_PART) {
      token = scan_part(j);
      if (token != SZ_JSON_SKIPPED) /* a byte order mark is no token */
        return token == SZ_JSON_MORE ? at_chunk_end(j) : token;
    }
    pass_blanks(j);
    if (j->at == j->chunk_len)
      return at_chunk_end(j);
    token = scan_byte(j);
    if (token == SZ_JSON_MORE && j->part != NO_PART)
      return at_chunk_end(j);
    if (token != SZ_JSON_MORE && token != SZ_JSON_SKIPPED)
      return token;
  }
}

int sz_json_comma(const struct sz_json *j) {
  if (j->part != NO_PART || j->skipping)
    return -1;
  return j->state == AFTER;
}

void sz_json_pass(struct sz_json *j, size_t len) {
  j->at += len;
  j->start = sz_json_position(j) - 1;
  value_done(j);
}

/* ---- skipping ---- */

void sz_json_skip(struct sz_json *j, struct sz_buffer *capture) {
  j->skipping = 1;
  j->skip_depth = j->depth;
  j->skipped = SZ_JSON_MORE;
  j->capture = capture;
  j->capture_from = j->at;
}

void sz_json_skip_rest(struct sz_json *j, struct sz_buffer *capture) {
  sz_json_skip(j, capture);
  j->skip_depth--;
  j->skip_start = sz_json_position(j);
  j->skipped = j->nest[j->depth - 1] ? SZ_JSON_OBJECT : SZ_JSON_ARRAY;
}

/* How many bytes of this chunk belong to the captured value so far. */
static size_t to_capture(const struct sz_json *j) {
  int begun = j->skipped != SZ_JSON_MORE || j->part != NO_PART;
  return j->capture && begun ? j->at - j->capture_from : 0;
}

static int capture_bytes(struct sz_json *j) {
  size_t len = to_capture(j);
  if (!len)
    return 1;
  j->start = j->skip_start;
  if (!keep(j, j->capture, j->chunk + j->capture_from, len,
            sz_json_too_much)) {
    j->overflowed = j->error.code == SZ_JSON_LIMIT;
    return 0;
  }
  j->capture_from = j->at;
  return 1;
}

static enum sz_json_token skip_value(struct sz_json *j) {
  for (;;) {
    enum sz_json_token token = next_token(j);
    if (token == SZ_JSON_ERROR) {
      if (to_capture(j) > (j->capture ? j->capture->max - j->capture->len : 0))
        capture_bytes(j); /* a full buffer is the earlier error */
      return token;
    }
    if (token == SZ_JSON_MORE || token == SZ_JSON_END)
      return capture_bytes(j) ? token : SZ_JSON_ERROR;
    if (j->depth < j->skip_depth) { /* the array ended before a value */
      j->skipping = 0;
      return token;
    }
    if (j->skipped == SZ_JSON_MORE)
      j->skipped = token;
    if (j->depth == j->skip_depth && token != SZ_JSON_KEY) {
      j->skipping = 0;
      j->start = j->skip_start;
      return capture_bytes(j) ? SZ_JSON_SKIPPED : SZ_JSON_ERROR;
    }
  }
}

enum sz_json_token sz_json_next(struct sz_json *j) {
  if (j->error.code != SZ_JSON_OK)
    return SZ_JSON_ERROR;
  return j->skipping ? skip_value(j) : next_token(j);
}

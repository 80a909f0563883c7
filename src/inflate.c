/* inflate.c - see inflate.h. */
#include "inflate.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

enum { WINDOW = 64 * 1024 };

enum stage {
  STAGE_NEW,    /* no byte seen */
  STAGE_INSIDE, /* a stream has begun */
  STAGE_ENDED,  /* a stream has ended; gzip may begin another */
  STAGE_BAD
};

struct sz_inflate {
  z_stream z;
  enum sz_coding coding;
  enum stage stage;
  bool full; /* the last step filled the window: zlib may hold more */
  const char *message;
  unsigned char window[WINDOW];
};

/* zlib's windowBits: 15 reads zlib's header, 15 + 16 gzip's, -15 none. */
static int window_bits(enum sz_coding coding) {
  return coding == SZ_GZIP ? 15 + 16 : 15;
}

struct sz_inflate *sz_inflate_new(enum sz_coding coding) {
  struct sz_inflate *f = calloc(1, sizeof *f);
  if (!f)
    return NULL;
  f->coding = coding;
  f->stage = STAGE_NEW;
  f->message = "";
  if (inflateInit2(&f->z, window_bits(coding)) != Z_OK) {
    free(f);
    return NULL;
  }
  return f;
}

void sz_inflate_free(struct sz_inflate *f) {
  if (!f)
    return;
  inflateEnd(&f->z);
  free(f);
}

static enum sz_inflated inflate_bad(struct sz_inflate *f, const char *why) {
  f->stage = STAGE_BAD;
  f->message = why;
  return SZ_INFLATED_BAD;
}

/*
** Many servers send "deflate" without zlib's header. The first byte shows it:
** in a zlib header its low four bits are 8 (the method). A stream without one
** could only begin so with a stored block whose padding is not zero.
*/
static void inflate_begin(struct sz_inflate *f, const unsigned char *in) {
  if (f->coding == SZ_DEFLATE && (in[0] & 0x0f) != 8)
    inflateReset2(&f->z, -15);
  f->stage = STAGE_INSIDE;
}

/* Bytes after a stream: another gzip member (true), or garbage. */
static bool inflate_next(struct sz_inflate *f, const unsigned char *in) {
  if (f->coding != SZ_GZIP || in[0] != 0x1f)
    return false;
  inflateReset(&f->z);
  f->stage = STAGE_INSIDE;
  return true;
}

/* Calls zlib once. Returns its code, adds to '*used', fills the window. */
static int inflate_window(struct sz_inflate *f, const char *in, size_t len,
                          size_t *used, size_t *made) {
  uInt room = len > UINT_MAX ? UINT_MAX : (uInt)len;
  int code;
  f->z.next_in = (Bytef *)in;
  f->z.avail_in = room;
  f->z.next_out = f->window;
  f->z.avail_out = WINDOW;
  code = inflate(&f->z, Z_NO_FLUSH);
  *used += room - f->z.avail_in;
  *made = WINDOW - f->z.avail_out;
  f->full = f->z.avail_out == 0;
  if (code == Z_STREAM_END)
    f->stage = STAGE_ENDED;
  return code;
}

static bool is_failure(int code) {
  return code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR;
}

/* Prepares a call of zlib; SZ_INFLATED_DATA means that it can be called. */
static enum sz_inflated inflate_ready(struct sz_inflate *f, const char *in,
                                      size_t len) {
  const unsigned char *bytes = (const unsigned char *)in;
  if (f->stage == STAGE_BAD)
    return SZ_INFLATED_BAD;
  if (len == 0 && !(f->full && f->stage == STAGE_INSIDE))
    return SZ_INFLATED_MORE;
  if (f->stage == STAGE_NEW)
    inflate_begin(f, bytes);
  if (f->stage == STAGE_ENDED && !inflate_next(f, bytes))
    return inflate_bad(f, "there are bytes after its end");
  return SZ_INFLATED_DATA;
}

enum sz_inflated sz_inflate_step(struct sz_inflate *f, const char *in,
                                 size_t len, size_t *used, const char **out,
                                 size_t *out_len) {
  *used = 0;
  for (;;) {
    int code;
    enum sz_inflated ready = inflate_ready(f, in + *used, len - *used);
    if (ready != SZ_INFLATED_DATA)
      return ready;
    code = inflate_window(f, in + *used, len - *used, used, out_len);
    if (is_failure(code))
      inflate_bad(f, f->z.msg ? f->z.msg : zError(code));
    if (*out_len > 0) {
      *out = (const char *)f->window;
      return SZ_INFLATED_DATA; /* give the good bytes before the failure */
    }
  }
}

bool sz_inflate_complete(const struct sz_inflate *f) {
  return f->stage == STAGE_NEW || f->stage == STAGE_ENDED;
}

const char *sz_inflate_message(const struct sz_inflate *f) {
  return f->message;
}

/* feed.c - see feed.h. */
#include "feed.h"

#include "buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOCATION, RETRY_AFTER, CONTENT_TYPE, TEXTS };

struct sz_feed {
  const struct sz_source *from;
  struct sz_failure failure;
  struct sz_info info;
  char *texts[TEXTS];
  struct sz_buffer piece;
  size_t read; /* bytes of the piece that were consumed */
  bool borrowed, dropped;
  bool unsent; /* see sz_feed_finish; of a feed with 'from' that one counts */
};

struct sz_feed *sz_feed_new(const struct sz_source *from) {
  struct sz_feed *f = calloc(1, sizeof *f);
  if (!f)
    return NULL;
  f->from = from;
  sz_buffer_init(&f->piece, SZ_MAX_FEED);
  return f;
}

static bool text_copy(char **copy, const char *text) {
  size_t len = text ? strlen(text) + 1 : 0;
  free(*copy);
  *copy = text ? malloc(len) : NULL;
  if (*copy)
    memcpy(*copy, text, len);
  return *copy || !text;
}

bool sz_feed_header(struct sz_feed *f, const struct sz_info *info) {
  bool good = text_copy(&f->texts[LOCATION], info->location) &&
              text_copy(&f->texts[RETRY_AFTER], info->retry_after) &&
              text_copy(&f->texts[CONTENT_TYPE], info->content_type);
  f->info.status = info->status;
  f->info.http_version = info->http_version;
  f->info.reused = info->reused;
  f->info.first_byte = info->first_byte;
  f->info.headers_done = good;
  return good;
}

bool sz_feed_ready(const struct sz_feed *f) {
  return !f->info.done && f->read == f->piece.len;
}

bool sz_feed_push(struct sz_feed *f, const char *data, size_t len) {
  if (!sz_feed_ready(f))
    return false;
  f->read = f->piece.len = 0;
  if (sz_buffer_append(&f->piece, data, len) != SZ_BUFFER_OK)
    return false;
  f->info.received += len;
  return true;
}

/* The constant for a kind of failure; "truncated" if it is not known. */
static const char *kind_known(const char *kind) {
  static const char *const known[] = {
      "connect", "tls",   "timeout", "http",    "auth",  "api",
      "decode",  "limit", "file",    "changed", "phase", "cancelled"};
  size_t i;
  for (i = 0; i < sizeof known / sizeof *known; i++) {
    if (strcmp(kind, known[i]) == 0)
      return known[i];
  }
  return "truncated";
}

void sz_feed_finish(struct sz_feed *f, const char *kind, const char *message,
                    bool unsent) {
  if (f->info.done)
    return;
  f->info.done = true;
  f->unsent = unsent;
  if (!kind)
    return;
  f->failure.kind = kind_known(kind);
  snprintf(f->failure.message, sizeof f->failure.message, "%s", message);
}

/* Frees the piece; not yet while the reader has borrowed bytes of it. */
static void feed_drop(struct sz_feed *f) {
  f->dropped = true;
  if (!f->borrowed)
    sz_buffer_free(&f->piece);
  f->read = f->piece.len;
}

void sz_feed_cancel(struct sz_feed *f) {
  if (f->from)
    sz_source_cancel(f->from);
  f->info.done = true;
  f->failure.kind = "cancelled";
  strcpy(f->failure.message, "closed");
  feed_drop(f);
}

void sz_feed_free(struct sz_feed *f) {
  int i;
  if (!f)
    return;
  sz_feed_cancel(f);
  sz_buffer_free(&f->piece);
  for (i = 0; i < TEXTS; i++)
    free(f->texts[i]);
  free(f);
}

enum sz_read sz_feed_peek(struct sz_feed *f, const char **data, size_t *len) {
  f->borrowed = f->read < f->piece.len;
  *data = f->borrowed ? f->piece.data + f->read : NULL;
  *len = f->piece.len - f->read;
  if (f->borrowed)
    return SZ_READ_DATA;
  if (!f->info.done)
    return SZ_READ_WAIT;
  return f->failure.kind ? SZ_READ_ERROR : SZ_READ_END;
}

void sz_feed_consume(struct sz_feed *f, size_t n) {
  f->borrowed = false;
  if (f->dropped) { /* cancelled while bytes were borrowed */
    feed_drop(f);
    return;
  }
  if (n > f->piece.len - f->read)
    n = f->piece.len - f->read;
  f->read += n;
  f->info.decoded += n;
}

const struct sz_failure *sz_feed_error(const struct sz_feed *f) {
  return &f->failure;
}

static bool feed_sent(const struct sz_feed *f) {
  struct sz_info info;
  if (!f->from || !f->from->object)
    return !f->unsent;
  sz_source_info(f->from, &info);
  return info.sent;
}

void sz_feed_info(struct sz_feed *f, struct sz_info *info) {
  f->info.sent = feed_sent(f);
  f->info.buffered = f->piece.len - f->read;
  f->info.location = f->texts[LOCATION];
  f->info.retry_after = f->texts[RETRY_AFTER];
  f->info.content_type = f->texts[CONTENT_TYPE];
  *info = f->info;
}

bool sz_feed_certificate(const struct sz_feed *f, size_t place,
                         struct sz_certificate *c) {
  return f->from && f->from->object && f->from->type->certificate &&
         f->from->type->certificate(f->from->object, place, c);
}

/*
** memory.c - http.h without a network, for the benchmarks: every request is
** answered with the bytes of one file, borrowed in slices. Linked in place of
** http*.c: all the rest is what the product runs.
**
** A request's header X-Answer names the file, which stays in memory for the
** client's next request; BENCH_CHUNK is the size of the slices.
*/
#include "http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK 131072

struct sz_http {
  char *data;
  size_t len, chunk;
};

struct sz_transfer {
  const struct sz_http *http;
  size_t at;
  bool cancelled;
  struct sz_failure failure;
};

bool sz_http_global_init(void) {
  return true;
}

static bool load(struct sz_http *h, const char *path) {
  FILE *file = path ? fopen(path, "rb") : NULL;
  long len;
  if (!file)
    return false;
  fseek(file, 0, SEEK_END);
  len = ftell(file);
  rewind(file);
  h->data = len > 0 ? malloc((size_t)len) : NULL;
  h->len = h->data ? fread(h->data, 1, (size_t)len, file) : 0;
  fclose(file);
  return h->len > 0;
}

static const char *answer_of(const struct sz_request *request) {
  size_t i;
  for (i = 0; i < request->header_count; i++)
    if (!strncmp(request->headers[i], "X-Answer: ", 10))
      return request->headers[i] + 10;
  return NULL;
}

struct sz_http *sz_http_new(void) {
  struct sz_http *h = calloc(1, sizeof *h);
  const char *chunk = getenv("BENCH_CHUNK");
  if (h)
    h->chunk = chunk ? (size_t)atol(chunk) : CHUNK;
  return h;
}

void sz_http_free(struct sz_http *h) {
  if (!h)
    return;
  free(h->data);
  free(h);
}

int sz_http_step(struct sz_http *h, struct sz_transfer *t,
                 struct sz_failure *why) {
  (void)h;
  (void)t;
  (void)why;
  return 1;
}

int sz_http_step_ahead(struct sz_http *h, struct sz_failure *why) {
  (void)h;
  (void)why;
  return 1;
}

bool sz_transfer_idle(struct sz_transfer *t) {
  (void)t;
  return false;
}

void sz_http_allow(struct sz_http *h, double seconds) {
  (void)h;
  (void)seconds;
}

bool sz_http_held(const struct sz_http *h, const struct sz_transfer *t) {
  (void)h;
  (void)t;
  return false;
}

bool sz_http_wait(struct sz_http *h, int ms, struct sz_failure *why) {
  (void)h;
  (void)ms;
  (void)why;
  return true;
}

long sz_http_timeout(struct sz_http *h, const struct sz_transfer *t) {
  (void)h;
  (void)t;
  return -1;
}

int sz_http_fd_count(const struct sz_http *h) {
  (void)h;
  return 0;
}

int sz_http_fds(struct sz_http *h, struct sz_transfer *t, struct sz_fd *list,
                int max, struct sz_failure *why) {
  (void)h;
  (void)t;
  (void)list;
  (void)max;
  (void)why;
  return 0;
}

struct sz_transfer *sz_transfer_start(struct sz_http *h,
                                      const struct sz_request *request,
                                      struct sz_failure *why) {
  struct sz_transfer *t;
  if (!h->data && !load(h, answer_of(request))) {
    why->kind = "file";
    strcpy(why->message, "X-Answer names no file that can be read");
    return NULL;
  }
  t = calloc(1, sizeof *t);
  if (!t) {
    why->kind = "limit";
    strcpy(why->message, "not enough memory");
    return NULL;
  }
  t->http = h;
  return t;
}

void sz_transfer_free(struct sz_transfer *t) {
  free(t);
}

void sz_transfer_cancel(struct sz_transfer *t) {
  t->cancelled = true;
  t->failure.kind = "cancelled";
}

enum sz_read sz_transfer_peek(struct sz_transfer *t, const char **data,
                              size_t *len) {
  size_t left = t->http->len - t->at;
  if (t->cancelled)
    return SZ_READ_ERROR;
  *data = t->http->data + t->at;
  *len = left < t->http->chunk ? left : t->http->chunk;
  return left ? SZ_READ_DATA : SZ_READ_END;
}

void sz_transfer_consume(struct sz_transfer *t, size_t n) {
  if (!t->cancelled)
    t->at += n;
}

const struct sz_failure *sz_transfer_error(const struct sz_transfer *t) {
  return &t->failure;
}

void sz_transfer_info(struct sz_transfer *t, struct sz_info *info) {
  memset(info, 0, sizeof *info);
  info->status = 200;
  info->http_version = 11;
  info->headers_done = true;
  info->received = t->http->len;
  info->decoded = t->at;
  info->buffered = t->http->len - t->at;
}

bool sz_transfer_certificate(const struct sz_transfer *t, size_t place,
                             struct sz_certificate *certificate) {
  (void)t;
  (void)place;
  (void)certificate;
  return false;
}

void sz_keep_loaded(const void *address) {
  (void)address;
}

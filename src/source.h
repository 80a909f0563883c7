/*
** source.h - an answer's bytes, wherever they come from: the network
** (http.h), a command's output (command.h), what Lua hands on (feed.h). All
** are pulled by the reader out of a bounded buffer. No Lua here.
*/
#ifndef SZ_SOURCE_H
#define SZ_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
** Why something failed. 'kind' is a constant ("connect" "tls" "timeout"
** "truncated" "decode" "http" "auth" "limit" "cancelled" "phase" "api"
** "file"), NULL when nothing did. 'message' names at most host and port of the
*URL, and
** never what was sent; it may quote bytes of the server: escape it before
** showing it.
*/
struct sz_failure {
  const char *kind;
  char message[512];
};

/*
** What is known of an answer so far. Texts: NULL when absent, valid until
** the next call on the source or on what moves it.
*/
struct sz_info {
  long status;      /* 0 before the header */
  int http_version; /* 10, 11, 20, 30; 0 before the header */
  bool headers_done;
  bool done;         /* the other side is finished with it, well or not */
  bool reused;       /* went over a kept connection */
  double first_byte; /* seconds from start to the answer's first byte */
  uint64_t received; /* bytes of the body as they came */
  uint64_t decoded;  /* bytes of the body given to the reader */
  size_t buffered;   /* bytes of the body waiting for the reader */
  const char *location;
  const char *retry_after;
  const char *content_type;
};

/*
** A certificate of those that a server sent, as an inspecting transfer
** (http.h) saw them. NULL: unknown.
** Texts of the server's: escape them before showing them.
*/
struct sz_certificate {
  const char *subject, *issuer, *from, *to;
  const char *pin; /* of its own: what to say as a request's 'pin' */
};

/* A descriptor to watch. */
struct sz_fd {
  int fd;
  bool read, write;
};

enum sz_read { SZ_READ_DATA, SZ_READ_WAIT, SZ_READ_END, SZ_READ_ERROR };

/* How one kind of source does it; see the functions below. */
struct sz_source_type {
  enum sz_read (*peek)(void *object, const char **data, size_t *len);
  void (*consume)(void *object, size_t n);
  const struct sz_failure *(*error)(const void *object);
  void (*info)(void *object, struct sz_info *info);
  void (*cancel)(void *object);
  void (*free)(void *object);
  /* From 0, the server's own. False: it is not known. NULL: none ever is. */
  bool (*certificate)(const void *object, size_t place,
                      struct sz_certificate *c);
};

struct sz_source {
  const struct sz_source_type *type;
  void *object;         /* NULL before it began, and after it was freed */
  const void *borrower; /* who has its bytes, and reads nobody else's; NULL */
};

/*
** Lends bytes: never more than fit the buffers. They stay where they are
** until sz_source_consume, or until the next peek. A failure is told after
** the bytes that came before it, and is told again each time.
*/
static inline enum sz_read sz_source_peek(const struct sz_source *s,
                                          const char **data, size_t *len) {
  return s->type->peek(s->object, data, len);
}

/* Gives back the first 'n' bytes lent; the other side may send on. */
static inline void sz_source_consume(const struct sz_source *s, size_t n) {
  if (s->object) /* a finalizer may have freed it */
    s->type->consume(s->object, n);
}

/* Why it failed; kind is NULL when it did not. Valid as long as 's'. */
static inline const struct sz_failure *
sz_source_error(const struct sz_source *s) {
  return s->type->error(s->object);
}

static inline void sz_source_info(const struct sz_source *s,
                                  struct sz_info *info) {
  s->type->info(s->object, info);
}

/*
** Ends it if it runs and drops what was not read: from here it reads as kind
** "cancelled". Bytes that are lent stay readable until they are given back.
*/
static inline void sz_source_cancel(const struct sz_source *s) {
  if (s->object)
    s->type->cancel(s->object);
}

/* Ends it if it runs, frees it. Any number of times. */
static inline void sz_source_free(struct sz_source *s) {
  if (s->object)
    s->type->free(s->object);
  s->object = NULL;
}

#endif

/*
** source.h - the common interface to an answer's bytes. They come from the
** network (http.h), from a command's output (command.h) or from Lua (feed.h).
** The reader pulls them out of a bounded buffer. No Lua here.
*/
#ifndef SZ_SOURCE_H
#define SZ_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
** Why something failed. 'kind' is a string constant ("connect" "tls" "timeout"
** "truncated" "decode" "http" "auth" "limit" "cancelled" "phase" "api" "file"
** "changed"); NULL: no failure. 'message' has at most the URL's host and port,
** and nothing that was sent. It may quote bytes from the server: escape it
** before you show it.
*/
struct sz_failure {
  const char *kind;
  char message[512];
};

/*
** What is known of an answer so far. Texts are NULL when absent. They are
** valid until the next call on the source, or on the sz_http, sz_commands or
** feed that it belongs to.
*/
struct sz_info {
  long status;      /* 0 before the header */
  int http_version; /* 10, 11, 20, 30; 0 before the header */
  bool headers_done;
  bool done;         /* no more bytes will come: complete or failed */
  bool reused;       /* it went over a kept connection */
  bool sent;         /* a byte of the request may have left */
  double first_byte; /* seconds from start to the answer's first byte */
  uint64_t received; /* bytes of the body, before decompression */
  uint64_t decoded;  /* bytes of the body given to the reader */
  size_t buffered;   /* bytes of the body that wait for the reader */
  const char *location;
  const char *retry_after;
  const char *content_type;
};

/*
** One of the certificates that a server sent to an inspecting transfer
** (http.h). NULL: unknown. The texts come from the server: escape them before
** you show them.
*/
struct sz_certificate {
  const char *subject, *issuer, *from, *to;
  const char *pin; /* only of place 0: the value for a request's 'pin' */
};

/* A file descriptor to watch. */
struct sz_fd {
  int fd;
  bool read, write;
};

/* Bytes are there; none yet; the answer is complete; it has failed. */
enum sz_read { SZ_READ_DATA, SZ_READ_WAIT, SZ_READ_END, SZ_READ_ERROR };

/* The functions of one kind of source; see the inline functions below. */
struct sz_source_type {
  enum sz_read (*peek)(void *object, const char **data, size_t *len);
  void (*consume)(void *object, size_t n);
  const struct sz_failure *(*error)(const void *object);
  void (*info)(void *object, struct sz_info *info);
  void (*cancel)(void *object);
  void (*free)(void *object);
  /* See sz_transfer_certificate. NULL: this kind of source has none. */
  bool (*certificate)(const void *object, size_t place,
                      struct sz_certificate *c);
};

/*
** Defines 'NAME', the type of sources whose functions are 'prefix'_peek and so
** on. They take a pointer to a struct of their own; a source has a void
** pointer. 'certificate' may be NULL.
*/
#define SZ_SOURCE_TYPE(NAME, prefix, certificate)                             \
  static enum sz_read prefix##_source_peek(void *o, const char **data,        \
                                           size_t *len) {                     \
    return prefix##_peek(o, data, len);                                       \
  }                                                                           \
  static void prefix##_source_consume(void *o, size_t n) {                    \
    prefix##_consume(o, n);                                                   \
  }                                                                           \
  static const struct sz_failure *prefix##_source_error(const void *o) {      \
    return prefix##_error(o);                                                 \
  }                                                                           \
  static void prefix##_source_info(void *o, struct sz_info *info) {           \
    prefix##_info(o, info);                                                   \
  }                                                                           \
  static void prefix##_source_cancel(void *o) {                               \
    prefix##_cancel(o);                                                       \
  }                                                                           \
  static void prefix##_source_free(void *o) {                                 \
    prefix##_free(o);                                                         \
  }                                                                           \
  static const struct sz_source_type NAME = {                                 \
      prefix##_source_peek, prefix##_source_consume, prefix##_source_error,   \
      prefix##_source_info, prefix##_source_cancel,  prefix##_source_free,    \
      certificate}

struct sz_source {
  const struct sz_source_type *type;
  void *object;         /* NULL before it starts and after it is freed */
  const void *borrower; /* the decoder that borrows its bytes; or NULL */
};

/*
** Gives the next bytes without copying them. They are valid until
** sz_source_consume or the next peek. A failure is returned after the bytes
** that came before it, and again at each further call.
*/
static inline enum sz_read sz_source_peek(const struct sz_source *s,
                                          const char **data, size_t *len) {
  return s->type->peek(s->object, data, len);
}

/* Removes the first 'n' bytes of the last peek from the buffer. */
static inline void sz_source_consume(const struct sz_source *s, size_t n) {
  if (s->object) /* NULL: a finalizer has freed it */
    s->type->consume(s->object, n);
}

/* Why it failed; the kind is NULL if it did not. Valid as long as 's'. */
static inline const struct sz_failure *
sz_source_error(const struct sz_source *s) {
  return s->type->error(s->object);
}

static inline void sz_source_info(const struct sz_source *s,
                                  struct sz_info *info) {
  s->type->info(s->object, info);
}

/*
** Ends it if it runs and drops the bytes not read yet: from now on it fails
** with kind "cancelled". Borrowed bytes are valid until they are consumed.
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

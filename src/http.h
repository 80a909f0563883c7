/*
** http.h - HTTP transfers over libcurl's multi interface, pulled by the
** reader. No Lua here. libcurl only ever copies into a bounded buffer and
** pauses when it is full; bytes are decoded when they are asked for.
**
** One sz_http belongs to one thread. It must not be used across fork(): in
** the child every call fails with kind "phase".
*/
#ifndef SZ_HTTP_H
#define SZ_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
** Why something failed. 'kind' is a constant ("connect" "tls" "timeout"
** "truncated" "decode" "http" "limit" "cancelled" "phase"), NULL when nothing
** did. 'message' names at most host and port of the URL, and never what was
** sent; it may quote bytes of the server: escape it before showing it.
*/
struct sz_failure {
  const char *kind;
  char message[512];
};

struct sz_bytes {
  const char *data; /* NULL: not given */
  size_t len;
};

struct sz_field {
  const char *name;
  struct sz_bytes value;
};

/* What to send, and how. All of it is copied; NULL and 0 mean "not given". */
struct sz_request {
  const char *url;
  bool post;
  struct sz_bytes body;        /* of a POST; Content-Type: urlencoded */
  const struct sz_field *form; /* instead of a body: multipart/form-data */
  size_t form_count;
  const char *const *headers; /* "Name: value" */
  size_t header_count;
  const char *const *resolve; /* "host:port:address", as curl's --resolve */
  size_t resolve_count;
  long connect_timeout; /* milliseconds until TLS is up; 0: curl's 300 s */
  bool insecure;        /* do not verify the server's certificate */
  struct sz_bytes ca;   /* PEM; replaces the system's authorities */
  const char *pin;      /* "sha256//..." */
  struct sz_bytes cert; /* PEM */
  struct sz_bytes key;  /* PEM; default: in cert */
  const char *passphrase;
  bool http2;        /* default: HTTP/1.1 */
  bool allow_http;   /* default: https only */
  bool fresh;        /* no kept connection, see sz_transfer_start */
  bool inspect;      /* only look at the certificate, see below */
  const char *proxy; /* default: as the environment says; "": none */
  const char *unix_socket;
  const char *user_agent;
};

/*
** What is known of an answer so far. Texts: NULL when absent, valid until
** the next call on the transfer or its sz_http.
*/
struct sz_info {
  long status;      /* 0 before the header */
  int http_version; /* 10, 11, 20, 30; 0 before the header */
  bool headers_done;
  bool done;         /* the network is finished with it, well or not */
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
** A server's certificate, as an inspecting transfer saw it. NULL: unknown.
** Texts of the server's: escape them before showing them.
*/
struct sz_certificate {
  const char *subject, *issuer, *from, *to;
  const char *pin; /* what to say as a request's 'pin' */
};

struct sz_fd {
  int fd;
  bool read, write;
};

enum sz_read { SZ_READ_DATA, SZ_READ_WAIT, SZ_READ_END, SZ_READ_ERROR };

struct sz_http;     /* opaque: connections and running transfers */
struct sz_transfer; /* opaque: one request and its answer */

/* Once per loading of the module; any number of times. False: no memory. */
bool sz_http_global_init(void);

/* NULL: out of memory. */
struct sz_http *sz_http_new(void);

/*
** Ends running transfers with kind "cancelled" and closes all connections.
** Transfers may be freed before or after. NULL is allowed.
*/
void sz_http_free(struct sz_http *h);

/*
** Moves all transfers on, without waiting. Returns how many still run, or -1
** with 'why' filled.
*/
int sz_http_step(struct sz_http *h, struct sz_failure *why);

/*
** Waits until a socket is ready, curl has something to do, or 'ms' passed.
** False: see 'why'. A transfer that is paused because its reader has not
** read does not end the wait.
*/
bool sz_http_wait(struct sz_http *h, int ms, struct sz_failure *why);

/* Milliseconds after which to step whatever the sockets do; -1: none. */
long sz_http_timeout(struct sz_http *h);

/*
** Sockets to watch now, at most 'max' of them (FD_SETSIZE is always enough).
** Returns how many, or -1 with 'why': kind "limit" once a socket's number
** was FD_SETSIZE or more, as curl_multi_fdset leaves those out (libcurl can
** list them without fd_set only from 8.8 on). Wait by time then.
*/
int sz_http_fds(struct sz_http *h, struct sz_fd *list, int max,
                struct sz_failure *why);

/*
** Begins a transfer; the first step sends. NULL: see 'why'. libcurl sends a
** request again when a kept connection dies before the answer's first byte;
** for requests that must not be sent twice say 'fresh'.
** With 'inspect' the handshake is made without verifying, and ended before
** anything of the request is sent; the transfer reads as an empty answer.
*/
struct sz_transfer *sz_transfer_start(struct sz_http *h,
                                      const struct sz_request *request,
                                      struct sz_failure *why);

/* Ends the transfer if it runs, frees it. NULL is allowed. */
void sz_transfer_free(struct sz_transfer *t);

/*
** Ends the transfer if it runs and drops what was not read: from here it
** reads as kind "cancelled". Bytes lent by sz_transfer_peek stay readable
** until they are given back.
*/
void sz_transfer_cancel(struct sz_transfer *t);

/*
** Lends decoded bytes: never more than fit the buffers, never copied but by
** inflating. They stay where they are until sz_transfer_consume, or until
** the next peek. A failure is told after the bytes that came before it, and
** is told again each time.
*/
enum sz_read sz_transfer_peek(struct sz_transfer *t, const char **data,
                              size_t *len);

/* Gives back the first 'n' bytes lent; the server may send on. */
void sz_transfer_consume(struct sz_transfer *t, size_t n);

/* Why it failed; kind is NULL when it did not. Valid as long as 't'. */
const struct sz_failure *sz_transfer_error(const struct sz_transfer *t);

void sz_transfer_info(struct sz_transfer *t, struct sz_info *info);

/* False: nothing is known. The texts live as long as the transfer. */
bool sz_transfer_certificate(const struct sz_transfer *t,
                             struct sz_certificate *certificate);

#endif

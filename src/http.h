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

#include "source.h"

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

struct sz_http;     /* opaque: connections and running transfers */
struct sz_transfer; /* opaque: one request and its answer */

/* Keeps the library that this address is of loaded to the process's end. */
void sz_keep_loaded(const void *address);

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
** For loops that others share: from 'seconds' on from now nothing is received
** or lent, until the next call; what is lent before is cut small, so that
** whoever reads it comes back to ask. Negative: no bound, which is how it
** begins.
*/
void sz_http_allow(struct sz_http *h, double seconds);

/* True when bytes are left alone because the time allowed was over. */
bool sz_http_held(const struct sz_http *h);

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
** request again when a kept connection dies before the answer's first byte,
** and so do we when what comes over one cannot be the answer (408, noise); for
** requests that must not be sent twice say 'fresh'. No request goes out on a
** kept connection on which anything waits: it takes a new one then.
** With 'inspect' the handshake is made without verifying, and ended before
** anything of the request is sent; the transfer reads as an empty answer.
*/
struct sz_transfer *sz_transfer_start(struct sz_http *h,
                                      const struct sz_request *request,
                                      struct sz_failure *why);

/* What a source does: see source.h. NULL may be freed. */
enum sz_read sz_transfer_peek(struct sz_transfer *t, const char **data,
                              size_t *len);
void sz_transfer_consume(struct sz_transfer *t, size_t n);
const struct sz_failure *sz_transfer_error(const struct sz_transfer *t);

/* The socket that it goes over; -1 when there is none, or not yet. */
int sz_transfer_fd(const struct sz_transfer *t);
void sz_transfer_info(struct sz_transfer *t, struct sz_info *info);
void sz_transfer_cancel(struct sz_transfer *t);
void sz_transfer_free(struct sz_transfer *t);

/*
** Place 0 is the server's own, then as it sent them. False: it is not known.
** The texts live as long as the transfer.
*/
bool sz_transfer_certificate(const struct sz_transfer *t, size_t place,
                             struct sz_certificate *certificate);

#endif

/*
** http.h - HTTP transfers over libcurl's multi interface; the reader pulls
** the bytes. No Lua here. libcurl only copies into a bounded buffer and
** pauses when it is full. Bytes are decompressed when the reader asks for
** them.
**
** One sz_http belongs to one thread, and to one process: after fork() every
** call in the child fails with kind "phase".
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
  const struct sz_field *form; /* multipart/form-data, instead of 'body' */
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
  bool fresh;        /* open a new connection, see sz_transfer_start */
  bool inspect;      /* only read the certificate, see sz_transfer_start */
  const char *proxy; /* default: from the environment; "": no proxy */
  const char *unix_socket;
  const char *user_agent;
};

struct sz_http;     /* opaque: connections and running transfers */
struct sz_transfer; /* opaque: one request and its answer */

/* Keeps the library that holds 'address' loaded until the process ends. */
void sz_keep_loaded(const void *address);

/* Call when the module is loaded; may be called again. False: no memory. */
bool sz_http_global_init(void);

/* NULL: out of memory. */
struct sz_http *sz_http_new(void);

/*
** Ends running transfers (they fail with kind "cancelled") and closes all
** connections. Transfers may be freed before or after. NULL is allowed.
*/
void sz_http_free(struct sz_http *h);

/*
** Sends and receives, without waiting: for 't', and for the transfers that no
** reader has waited for yet, while the time limit lasts; NULL: for all.
*Returns
** how many transfers run, or -1 with 'why' filled.
*/
int sz_http_step(struct sz_http *h, struct sz_transfer *t,
                 struct sz_failure *why);

/* The same, only for the transfers that no reader has waited for yet. */
int sz_http_step_ahead(struct sz_http *h, struct sz_failure *why);

/*
** Sets a time limit, for event loops that other code shares. 'seconds' from
** now, receiving and reading stop until the next call. Until then the reader
** gets small pieces (SZ_LEND), so that it asks often enough. Negative: no
** limit; this is the default.
*/
void sz_http_allow(struct sz_http *h, double seconds);

/*
** True when received bytes of this transfer, or of any (NULL), wait because
** the time limit has passed.
*/
bool sz_http_held(const struct sz_http *h, const struct sz_transfer *t);

/*
** True when a step for this transfer would find nothing to do: none of its
** sockets is ready, and no timer is due. Costs one system call.
*/
bool sz_transfer_idle(struct sz_transfer *t);

/*
** Waits until a socket is ready or curl has work to do, at most 'ms'
** milliseconds. False: see 'why'. A transfer that is paused because its buffer
** is full does not end the wait.
*/
bool sz_http_wait(struct sz_http *h, int ms, struct sz_failure *why);

/*
** Call sz_http_step after this many milliseconds at most; -1: no limit. With
** 't' only this transfer counts: once its request is sent it has no timer.
*/
long sz_http_timeout(struct sz_http *h, const struct sz_transfer *t);

/* How many sockets there are to watch now. */
int sz_http_fd_count(const struct sz_http *h);

/*
** Lists the sockets to watch now, at most 'max': those of 't'; or all, when it
** is NULL or has none. Returns how many, or -1 with 'why' filled.
*/
int sz_http_fds(struct sz_http *h, struct sz_transfer *t, struct sz_fd *list,
                int max, struct sz_failure *why);

/*
** Starts a transfer; the first sz_http_step connects, as far as the time limit
** allows. Returns NULL on failure: see 'why'.
** A request may be sent twice: libcurl repeats it when a kept connection dies
** before the answer's first byte, and we repeat it when the bytes on a kept
** connection cannot be its answer (408, noise). If a request must not be sent
** twice, set 'fresh'. A kept connection with unread bytes is not used: the
** request goes out on a new one.
** With 'inspect' the TLS handshake is made without verification and ends
** before the request is sent; the transfer reads as an empty answer.
*/
struct sz_transfer *sz_transfer_start(struct sz_http *h,
                                      const struct sz_request *request,
                                      struct sz_failure *why);

/* The functions of a source: see source.h. NULL may be freed. */
enum sz_read sz_transfer_peek(struct sz_transfer *t, const char **data,
                              size_t *len);
void sz_transfer_consume(struct sz_transfer *t, size_t n);
const struct sz_failure *sz_transfer_error(const struct sz_transfer *t);

void sz_transfer_info(struct sz_transfer *t, struct sz_info *info);
void sz_transfer_cancel(struct sz_transfer *t);
void sz_transfer_free(struct sz_transfer *t);

/*
** Place 0 is the server's own certificate; the others follow in the order
** sent. False: there is none, or it is not known. The texts are valid as long
** as the transfer.
*/
bool sz_transfer_certificate(const struct sz_transfer *t, size_t place,
                             struct sz_certificate *certificate);

#endif

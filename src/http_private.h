/*
** http_private.h - what the http_*.c files share: a transfer is set up by
** http_setup.c, filled by http_callbacks.c, read and ended by http.c.
*/
#ifndef SZ_HTTP_PRIVATE_H
#define SZ_HTTP_PRIVATE_H

#include "http.h"
#include "inflate.h"

#include <curl/curl.h>
#include <sys/types.h>

#if LIBCURL_VERSION_NUM < 0x075500
#error "libcurl 7.85 or later is needed (CURLOPT_PROTOCOLS_STR)"
#endif

enum {
  SZ_BODY_BUFFER = 256 * 1024 + CURL_MAX_WRITE_SIZE,
  SZ_CURL_BUFFER = 128 * 1024, /* libcurl's own: held too while paused */
  SZ_MAX_IDLE = 64,            /* connections kept for the next request */
  SZ_LEND = 16 * 1024,         /* lent at once where time is bounded */
  SZ_MAX_HEADERS = 64 * 1024   /* of one transfer, trailers too */
};

enum sz_header {
  SZ_HEADER_LOCATION,
  SZ_HEADER_RETRY_AFTER,
  SZ_HEADER_CONTENT_TYPE,
  SZ_HEADER_CONTENT_ENCODING,
  SZ_HEADER_COUNT
};

enum sz_certificate_part {
  SZ_CERTIFICATE_SUBJECT,
  SZ_CERTIFICATE_ISSUER,
  SZ_CERTIFICATE_FROM,
  SZ_CERTIFICATE_TO,
  SZ_CERTIFICATE_PARTS
};

enum { SZ_MAX_CHAIN = 8 }; /* certificates of a server that are kept */

struct sz_http {
  CURLM *multi;
  pid_t pid;       /* who made the connections */
  bool beyond_fds; /* a socket's number did not fit an fd_set */
  double until;    /* see sz_http_allow; 0: no bound */
  struct sz_transfer *transfers;
};

struct sz_transfer {
  struct sz_http *http; /* NULL once that is freed */
  struct sz_transfer *next, **link;
  CURL *easy; /* NULL once done */
  struct curl_slist *headers, *resolve;
  curl_mime *form;
  struct sz_failure failure;
  char error[CURL_ERROR_SIZE];
  char peer[200]; /* " (host:port)" for messages */
  long connect_timeout;
  struct sz_info info; /* texts and counts of the body are elsewhere */
  char *answer[SZ_HEADER_COUNT];
  char *chain[SZ_MAX_CHAIN][SZ_CERTIFICATE_PARTS];
  char *pin; /* of the first in it */
  bool inspect;
  size_t header_bytes;
  bool paused, lent;
  bool held;                  /* paused, as the time allowed was over */
  bool dropped;               /* cancelled: nothing more is given out */
  struct sz_inflate *inflate; /* NULL: plain, or not yet known */
  const char *window;         /* decoded bytes not consumed yet */
  size_t window_len;
  char *body;        /* NULL until a byte of it came */
  size_t head, tail; /* of body: received, not taken yet */
};

/* http.c: whether the time that sz_http_allow gave is over. */
bool sz_http_spent(const struct sz_http *h);

/* http_failure.c */

/* 'peer' is put behind 'text'; "" if there is none. */
void sz_failure_set(struct sz_failure *f, const char *kind, const char *text,
                    const char *peer);

/* The first failure is the cause; later ones follow from it. */
void sz_transfer_fail(struct sz_transfer *t, const char *kind,
                      const char *text);

/* The same from a code of libcurl's and its error text. */
void sz_transfer_fail_curl(struct sz_transfer *t, CURLcode code);

/* http_setup.c */

/* Sets every option of t->easy. */
CURLcode sz_transfer_setup(struct sz_transfer *t, const struct sz_request *r);

/* http_callbacks.c: called by libcurl. They touch nothing but 'arg'. */

/* The same bytes, A to Z as a to z, whatever the locale. */
bool sz_http_alike(const char *a, const char *b, size_t len);

size_t sz_on_body(char *data, size_t size, size_t n, void *arg);
size_t sz_on_header(char *line, size_t size, size_t n, void *arg);
int sz_on_socket(void *arg, curl_socket_t fd, curlsocktype purpose);

/* Forgets the header lines kept so far. */
void sz_answer_reset(struct sz_transfer *t);

/* http_inspect.c */

/* Sets what an inspecting transfer has instead of a request. */
CURLcode sz_inspect_setup(struct sz_transfer *t);

/* Keeps what libcurl knows of the certificate before t->easy goes. */
void sz_inspect_keep(struct sz_transfer *t);

void sz_inspect_free(struct sz_transfer *t);

#endif

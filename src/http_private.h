/*
** http_private.h - what the http_*.c files share: a transfer is set up by
** http_setup.c, filled by http_callbacks.c, read and ended by http.c;
** http_allow.c says whether there is time left for it, http_kept.c looks after
** the connections that are used again.
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

/* OpenSSL's functions, as libcurl has them. SSL, SSL_CTX, BIO: void. */
struct sz_tls {
  bool known; /* all of them were found */
  int (*SSL_version)(const void *ssl);
  int (*SSL_has_pending)(const void *ssl);
  int (*SSL_peek)(void *ssl, void *data, int len);
  int (*SSL_get_error)(const void *ssl, int result);
  void *(*SSL_get_rbio)(const void *ssl);
  void *(*SSL_get_wbio)(const void *ssl);
  void (*SSL_set0_rbio)(void *ssl, void *bio);
  void (*SSL_set0_wbio)(void *ssl, void *bio);
  void *(*SSL_get_ex_data)(const void *ssl, int index);
  int (*SSL_set_ex_data)(void *ssl, int index, void *value);
  void (*SSL_get0_alpn_selected)(const void *ssl, const unsigned char **name,
                                 unsigned *len);
  void *(*BIO_new_socket)(int fd, int close);
  void *(*BIO_new)(const void *method);
  const void *(*BIO_s_null)(void);
  int (*BIO_up_ref)(void *bio);
  int (*BIO_free)(void *bio); /* NULL may be freed */
  void (*ERR_clear_error)(void);
};

struct sz_socket; /* see http_kept.c */

struct sz_http {
  CURLM *multi;
  pid_t pid;       /* who made the connections */
  bool beyond_fds; /* a socket's number did not fit an fd_set */
  double until;    /* see sz_http_allow; 0: no bound */
  struct sz_tls tls;
  struct sz_socket *sockets; /* all that are open */
  unsigned long last_id;     /* of transfers */
  struct sz_transfer *transfers;
};

struct sz_transfer {
  struct sz_http *http; /* NULL once that is freed */
  struct sz_transfer *next, **link;
  unsigned long id;
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
  bool tls_proxy; /* a proxy behind TLS: there may be TLS in TLS */
  int socket;     /* a kept connection's; -1: it is new, or HTTP/2 */
  bool stale;     /* the kept connection brought what is no answer to this */
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

/* http_allow.c: whether the time that sz_http_allow gave is over. */
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

/* http_kept.c: called by libcurl too */

/* Before the request is sent: refuses a connection that is not clean. */
int sz_on_request(void *arg, char *remote, char *local, int remote_port,
                  int local_port);
int sz_on_close(void *arg, curl_socket_t fd);
int sz_on_log(CURL *easy, curl_infotype type, char *text, size_t len,
              void *arg);

/* The transfer has opened a socket. False: no memory. */
bool sz_kept_opened(struct sz_transfer *t, int fd);

/*
** Called with the answer's first byte there. True: not all of the request has
** reached the other end yet, so this is no answer to it.
*/
bool sz_kept_early(const struct sz_transfer *t);

/* Whether it is the kept connection that makes the transfer end so. */
bool sz_kept_failed(const struct sz_transfer *t, CURLcode code);

/* Forgets all sockets; none is closed. */
void sz_kept_free(struct sz_http *h);

/* http_tls.c */

void sz_tls_find(struct sz_tls *tls);

/* Only if so may the next two be called. */
bool sz_tls_known(const struct sz_tls *tls);
bool sz_tls_is_http2(const struct sz_tls *tls, void *ssl);

/*
** Whether nothing waits that is for the reader: neither in 'ssl', nor, when
** that is not 'socket_quiet', on the socket.
*/
bool sz_tls_quiet(const struct sz_tls *tls, void *ssl, int fd,
                  bool socket_quiet);

/* http_global.c: libcurl as dlopen gives it, NULL when it cannot be found. */
void *sz_http_library(void);
void *sz_http_symbol(void *library, const char *name);
void sz_http_library_done(void *library);

/* Forgets the header lines kept so far. */
void sz_answer_reset(struct sz_transfer *t);

/* http_inspect.c */

/* Sets what an inspecting transfer has instead of a request. */
CURLcode sz_inspect_setup(struct sz_transfer *t);

/* Keeps what libcurl knows of the certificate before t->easy goes. */
void sz_inspect_keep(struct sz_transfer *t);

void sz_inspect_free(struct sz_transfer *t);

#endif

/*
** http_private.h - shared by the http*.c files. http_setup.c sets up a
** transfer, http_callbacks.c fills it, http.c reads and ends it. http_allow.c
** has the time limit, http_watch.c the sockets that libcurl waits for, and
** http_kept.c checks the connections that are used again.
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
  SZ_CURL_BUFFER = 128 * 1024, /* libcurl's own; it keeps it while paused */
  SZ_MAX_IDLE = 64,            /* connections kept for the next request */
  SZ_LEND = 16 * 1024,         /* most bytes per read under a time limit */
  SZ_MAX_HEADERS = 64 * 1024,  /* bytes of one transfer, with trailers */
  SZ_SPARE = 1024 * 1024,      /* see transfer_is_hollow */
  SZ_SPARE_PER_BYTE = 16,
  SZ_SOCKETS = 5 /* most sockets that libcurl waits for in one transfer */
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

enum { SZ_MAX_CHAIN = 8 }; /* how many of a server's certificates we keep */

/* Functions of libcurl's OpenSSL. 'void' stands for SSL, SSL_CTX and BIO. */
struct sz_tls {
  bool known; /* all functions were found */
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

/* A socket that libcurl waits for. */
struct sz_watched {
  struct sz_fd fd;
  struct sz_transfer *owner; /* who needs it; NULL: none of ours */
};

/* Which transfers a step is for. */
enum sz_whose { SZ_OF_ALL, SZ_OF_ONE, SZ_AHEAD };

struct sz_http {
  CURLM *multi;
  pid_t pid;    /* the process that made the connections */
  double until; /* the time limit (sz_http_allow); 0: none */
  struct sz_watched *watched;
  int watched_count, watched_room;
  int running; /* transfers that have not ended */
  int queued;  /* of these: libcurl does not have them yet */
  int ahead;   /* of these: no reader has waited for them yet */
  struct sz_tls tls;
  struct sz_socket *sockets; /* all open sockets */
  unsigned long last_id;     /* of the transfers so far */
  struct sz_transfer *transfers;
};

struct sz_transfer {
  struct sz_http *http; /* NULL once it is freed */
  struct sz_transfer *next, **link;
  unsigned long id;
  CURL *easy;         /* NULL once done */
  bool queued, ahead; /* see struct sz_http */
  struct curl_slist *headers, *resolve;
  curl_mime *form;
  struct sz_failure failure;
  char error[CURL_ERROR_SIZE];
  char peer[200]; /* " (host:port)" for messages */
  long connect_timeout;
  struct sz_info info; /* without its texts and the body's byte counts */
  char *answer[SZ_HEADER_COUNT];
  char *chain[SZ_MAX_CHAIN][SZ_CERTIFICATE_PARTS];
  char *pin; /* of the first certificate */
  bool inspect;
  bool tls_proxy; /* an HTTPS proxy: there may be TLS inside TLS */
  int socket;     /* a kept connection's; -1: it is new, or HTTP/2 */
  bool stale;     /* the bytes on the kept connection are not our answer */
  size_t header_bytes;
  uint64_t arrived;      /* bytes after the header, with the chunks' framing */
  bool paused, borrowed; /* borrowed: the reader has bytes of the window */
  bool held;             /* paused by the time limit */
  bool dropped;          /* cancelled: nothing more is given out */
  struct sz_inflate *inflate; /* NULL: plain, or not yet known */
  const char *window;         /* decoded bytes not consumed yet */
  size_t window_len;
  char *body;        /* NULL until its first byte */
  size_t head, tail; /* in body: bytes received and not yet taken */
};

/* http_allow.c: whether the time limit of sz_http_allow has passed. */
bool sz_http_spent(const struct sz_http *h);

/* http_watch.c */

/* Has libcurl tell which sockets it waits for. */
CURLMcode sz_watch_setup(struct sz_http *h);

/* Makes room for one more transfer's sockets. False: no memory. */
bool sz_watch_reserve(struct sz_http *h);

/* The transfer ends: its sockets, if still used, belong to nobody. */
void sz_watch_disown(struct sz_transfer *t);

/*
** Has libcurl work on the sockets that are ready; of those ahead only while
** the time limit lasts. 't' is for SZ_OF_ONE.
*/
CURLMcode sz_watch_serve(struct sz_http *h, enum sz_whose whose,
                         const struct sz_transfer *t);

/* Whether one of the transfer's sockets is ready. */
bool sz_watch_ready(struct sz_http *h, const struct sz_transfer *t);

/* See sz_http_fds. */
int sz_watch_list(struct sz_http *h, const struct sz_transfer *t,
                  struct sz_fd *list, int max);

/* http_failure.c */

/* Fills '*f'. The message is 'text', then 'peer' (may be ""). */
void sz_failure_set(struct sz_failure *f, const char *kind, const char *text,
                    const char *peer);

/* Sets the transfer's failure, unless it has one: the first is the cause. */
void sz_transfer_fail(struct sz_transfer *t, const char *kind,
                      const char *text);

/* The same, from libcurl's code and its error text. */
void sz_transfer_fail_curl(struct sz_transfer *t, CURLcode code);

/* http_setup.c */

/* Sets every option of t->easy. */
CURLcode sz_transfer_setup(struct sz_transfer *t, const struct sz_request *r);

/* http_callbacks.c: called by libcurl. They use nothing but 'arg'. */

/* Compares ASCII text without regard to case, in any locale. */
bool sz_http_alike(const char *a, const char *b, size_t len);

size_t sz_on_body(char *data, size_t size, size_t n, void *arg);
size_t sz_on_header(char *line, size_t size, size_t n, void *arg);
int sz_on_socket(void *arg, curl_socket_t fd, curlsocktype purpose);

/* http_kept.c: also called by libcurl */

/* Before the request is sent: refuses a connection with unread bytes. */
int sz_on_request(void *arg, char *remote, char *local, int remote_port,
                  int local_port);
int sz_on_close(void *arg, curl_socket_t fd);
int sz_on_log(CURL *easy, curl_infotype type, char *text, size_t len,
              void *arg);

/* The transfer has opened a socket. False: no memory. */
bool sz_kept_opened(struct sz_transfer *t, int fd);

/*
** Called at the answer's first byte. True: the other end has not received the
** whole request yet, so this cannot be its answer.
*/
bool sz_kept_early(const struct sz_transfer *t);

/* Whether the transfer failed because its kept connection was stale. */
bool sz_kept_failed(const struct sz_transfer *t, CURLcode code);

/* Frees the list of sockets; closes none of them. */
void sz_kept_free(struct sz_http *h);

/* http_tls.c */

void sz_tls_find(struct sz_tls *tls);

/* Whether OpenSSL was found. If not, do not call the next two functions. */
bool sz_tls_known(const struct sz_tls *tls);
bool sz_tls_is_http2(const struct sz_tls *tls, void *ssl);

/*
** Whether no application data waits: neither in 'ssl' nor on the socket. The
** socket is looked at only if it is not 'socket_quiet'.
*/
bool sz_tls_quiet(const struct sz_tls *tls, void *ssl, int fd,
                  bool socket_quiet);

/* http_global.c: libcurl's dlopen handle; NULL when it cannot be found. */
void *sz_http_library(void);
void *sz_http_symbol(void *library, const char *name);
void sz_http_library_done(void *library);

/* Forgets the header lines kept so far. */
void sz_answer_reset(struct sz_transfer *t);

/* http_inspect.c */

/* Sets the options of an inspecting transfer, instead of a request's. */
CURLcode sz_inspect_setup(struct sz_transfer *t);

/* Copies what libcurl knows of the certificates, before t->easy is freed. */
void sz_inspect_keep(struct sz_transfer *t);

void sz_inspect_free(struct sz_transfer *t);

#endif

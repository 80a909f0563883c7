/*
** http_kept.c - checks that a kept connection has no unread bytes before a
** request goes out on it: libcurl would take such bytes for the answer to that
** request. libcurl does not tell which connection or socket it has chosen. So
** we list each socket while it is open, by the addresses and ports of both
** ends.
*/
#include "http_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct sz_socket {
  struct sz_socket *next;
  int fd;
  unsigned long opener; /* a transfer's id; 0: its request was sent */
  char name[160];       /* the addresses; "" until the request is sent */
};

/* The connection that libcurl is about to send a request on. */
struct route {
  char name[160];
  void *tls;   /* OpenSSL's SSL; NULL: no TLS, or another library's */
  bool opaque; /* it has TLS that we cannot inspect */
};

/* The list */

static struct sz_socket **socket_at(struct sz_http *h, int fd) {
  struct sz_socket **link = &h->sockets;
  while (*link && (*link)->fd != fd)
    link = &(*link)->next;
  return link;
}

static void socket_forget(struct sz_http *h, int fd) {
  struct sz_socket **link = socket_at(h, fd), *s = *link;
  if (!s)
    return;
  *link = s->next;
  free(s);
}

bool sz_kept_opened(struct sz_transfer *t, int fd) {
  struct sz_socket *s;
  socket_forget(t->http, fd);
  s = calloc(1, sizeof *s);
  if (!s)
    return false;
  s->fd = fd;
  s->opener = t->id;
  s->next = t->http->sockets;
  t->http->sockets = s;
  return true;
}

int sz_on_close(void *arg, curl_socket_t fd) {
  socket_forget(arg, fd);
  return close(fd);
}

void sz_kept_free(struct sz_http *h) {
  while (h->sockets)
    socket_forget(h, h->sockets->fd);
}

static struct sz_socket *opened_by(const struct sz_transfer *t) {
  struct sz_socket *s = t->http->sockets;
  while (s && s->opener != t->id)
    s = s->next;
  return s;
}

static struct sz_socket *socket_named(const struct sz_http *h,
                                      const char *name) {
  struct sz_socket *s = h->sockets;
  while (s && strcmp(s->name, name) != 0)
    s = s->next;
  return s;
}

/* Looking */

static void route_find(struct sz_transfer *t, struct route *route) {
  const struct curl_tlssessioninfo *tls = NULL;
  const char *scheme = NULL;
  curl_easy_getinfo(t->easy, CURLINFO_SCHEME, &scheme);
  curl_easy_getinfo(t->easy, CURLINFO_TLS_SSL_PTR, &tls);
  route->tls = NULL;
  route->opaque = t->tls_proxy || !scheme || curl_strequal(scheme, "https");
  if (!tls || !tls->internals)
    return;
  if (tls->backend == CURLSSLBACKEND_OPENSSL && sz_tls_known(&t->http->tls))
    route->tls = tls->internals;
  route->opaque = t->tls_proxy || !route->tls;
}

/* No bytes wait in the kernel, and the other end has not closed. */
static bool socket_quiet(int fd) {
  char byte;
  return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
         (errno == EAGAIN || errno == EWOULDBLOCK);
}

static bool connection_clean(const struct sz_transfer *t,
                             const struct route *route, int fd) {
  bool quiet = socket_quiet(fd);
  if (route->opaque)
    return false;
  return route->tls ? sz_tls_quiet(&t->http->tls, route->tls, fd, quiet)
                    : quiet;
}

/*
** The first request on a connection. The connection is not kept if it could
** not be found in the list again, or not be inspected.
*/
static void connection_begin(struct sz_transfer *t, struct sz_socket *s,
                             const struct route *route) {
  bool twin = socket_named(t->http, route->name) != NULL;
  s->opener = 0;
  if (twin || route->opaque || opened_by(t))
    curl_easy_setopt(t->easy, CURLOPT_FORBID_REUSE, 1L);
  else
    memcpy(s->name, route->name, sizeof s->name);
}

int sz_on_request(void *arg, char *remote, char *local, int remote_port,
                  int local_port) {
  struct sz_transfer *t = arg;
  struct route route;
  struct sz_socket *s = opened_by(t);
  t->info.sent = true; /* also where we abort: it goes out again, then */
  snprintf(route.name, sizeof route.name, "%s %d %s %d", local, local_port,
           remote, remote_port);
  route_find(t, &route);
  t->socket = -1;
  if (s) {
    connection_begin(t, s, &route);
    return CURL_PREREQFUNC_OK;
  }
  if (route.tls && sz_tls_is_http2(&t->http->tls, route.tls))
    return CURL_PREREQFUNC_OK; /* its answers name their request */
  s = socket_named(t->http, route.name);
  t->stale = !s || !connection_clean(t, &route, s->fd);
  if (t->stale)
    return CURL_PREREQFUNC_ABORT;
  t->socket = s->fd;
  return CURL_PREREQFUNC_OK;
}

/* After the request */

/* Uses libcurl's count of bytes sent, and the kernel's. */
bool sz_kept_early(const struct sz_transfer *t) {
  curl_off_t sent = 0, all = 0;
  int unsent = 0;
  if (t->socket < 0)
    return false;
  curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
  curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_UPLOAD_T, &all);
  return sent < all ||
         (ioctl(t->socket, TIOCOUTQ, &unsent) == 0 && unsent > 0);
}

bool sz_kept_failed(const struct sz_transfer *t, CURLcode code) {
  if (t->stale)
    return true;
  if (t->socket < 0 || t->header_bytes > 0)
    return false;
  return code == CURLE_UNSUPPORTED_PROTOCOL ||
         code == CURLE_WEIRD_SERVER_REPLY || code == CURLE_GOT_NOTHING ||
         code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR;
}

/*
** Reads libcurl's log, from the end of the header on. When bytes follow an
** answer in the same read, libcurl drops them and says so only in its log. If
** the answer's length was known before, it also closes the connection. The log
** has the bytes as they arrive, before the chunks are taken apart.
*/
int sz_on_log(CURL *easy, curl_infotype type, char *text, size_t len,
              void *arg) {
  static const char *const surplus[] = {"Excess found",
                                        "Leftovers after chunking"};
  struct sz_transfer *t = arg;
  size_t i;
  if (type == CURLINFO_DATA_IN)
    t->arrived += len;
  for (i = 0; type == CURLINFO_TEXT && i < 2; i++) {
    size_t head = strlen(surplus[i]);
    if (len >= head && memcmp(text, surplus[i], head) == 0)
      curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
  }
  return 0;
}

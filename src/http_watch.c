/*
** http_watch.c - the sockets that libcurl waits for. libcurl tells of each; we
** ask the system which are ready, and let it work on these. So a step costs
** what there is to do, and not what there is to wait for.
*/
#include "http_private.h"

#include <poll.h>
#include <stdlib.h>

enum { BATCH = 64 }; /* sockets looked at in one system call */

static struct sz_watched *watched_at(struct sz_http *h, int fd) {
  int i;
  for (i = 0; i < h->watched_count; i++)
    if (h->watched[i].fd.fd == fd)
      return &h->watched[i];
  return NULL;
}

static bool make_room(struct sz_http *h, int count) {
  struct sz_watched *more;
  if (count <= h->watched_room)
    return true;
  more = realloc(h->watched, (size_t)count * 2 * sizeof *more);
  if (!more)
    return false;
  h->watched = more;
  h->watched_room = count * 2;
  return true;
}

bool sz_watch_reserve(struct sz_http *h) {
  return make_room(h, (h->running + 1) * SZ_SOCKETS);
}

static struct sz_watched *watched_new(struct sz_http *h, int fd) {
  struct sz_watched *w;
  if (!make_room(h, h->watched_count + 1))
    return NULL;
  w = &h->watched[h->watched_count++];
  w->fd.fd = fd;
  w->owner = NULL;
  return w;
}

static struct sz_transfer *transfer_of(CURL *easy) {
  char *t = NULL;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &t);
  return (struct sz_transfer *)(void *)t;
}

/*
** Called by libcurl. There is room for the sockets of our transfers. libcurl
** may also watch connections that it closes; without memory we leave these
** out, and libcurl closes them when their time is up.
*/
static int on_watch(CURL *easy, curl_socket_t fd, int what, void *arg,
                    void *unused) {
  struct sz_http *h = arg;
  struct sz_watched *w = watched_at(h, fd);
  (void)unused;
  if (what == CURL_POLL_REMOVE) {
    if (w)
      *w = h->watched[--h->watched_count];
    return 0;
  }
  if (!w)
    w = watched_new(h, fd);
  if (!w)
    return 0;
  if (!w->owner)
    w->owner = transfer_of(easy);
  w->fd.read = what == CURL_POLL_IN || what == CURL_POLL_INOUT;
  w->fd.write = what == CURL_POLL_OUT || what == CURL_POLL_INOUT;
  return 0;
}

CURLMcode sz_watch_setup(struct sz_http *h) {
  CURLMcode code = curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
  if (code != CURLM_OK)
    return code;
  return curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_watch);
}

void sz_watch_disown(struct sz_transfer *t) {
  struct sz_http *h = t->http;
  int i;
  for (i = 0; i < h->watched_count; i++)
    if (h->watched[i].owner == t)
      h->watched[i].owner = NULL;
}

/* The socket that the transfer shares with others (HTTP/2); -1: none. */
static int shared_fd(const struct sz_transfer *t) {
  curl_socket_t fd = CURL_SOCKET_BAD;
  if (t->easy)
    curl_easy_getinfo(t->easy, CURLINFO_ACTIVESOCKET, &fd);
  return fd == CURL_SOCKET_BAD ? -1 : (int)fd;
}

/* Sockets of nobody are connections that libcurl closes. */
static bool is_wanted(const struct sz_watched *w, enum sz_whose whose,
                      const struct sz_transfer *t) {
  if (whose == SZ_OF_ALL || !w->owner)
    return true;
  return whose == SZ_AHEAD ? w->owner->ahead : w->owner == t;
}

static void poll_for(struct pollfd *p, const struct sz_watched *w) {
  p->fd = w->fd.fd;
  p->events = (short)((w->fd.read ? POLLIN : 0) | (w->fd.write ? POLLOUT : 0));
  p->revents = 0;
}

/* Lists fewer than BATCH sockets, from the one at '*from' on, and the shared.
 */
static nfds_t collect(struct sz_http *h, enum sz_whose whose,
                      const struct sz_transfer *t, struct pollfd *list,
                      int *from) {
  struct sz_watched *shared;
  bool found = whose != SZ_OF_ONE;
  nfds_t n = 0;
  for (; *from < h->watched_count && n < BATCH - 1; ++*from) {
    const struct sz_watched *w = &h->watched[*from];
    if (is_wanted(w, whose, t))
      poll_for(&list[n++], w);
    found |= w->owner == t;
  }
  shared = found ? NULL : watched_at(h, shared_fd(t));
  if (shared)
    poll_for(&list[n++], shared);
  return n;
}

static int action_of(short events) {
  int action = 0;
  if (events & (POLLIN | POLLHUP))
    action |= CURL_CSELECT_IN;
  if (events & POLLOUT)
    action |= CURL_CSELECT_OUT;
  if (events & (POLLERR | POLLNVAL))
    action |= CURL_CSELECT_ERR;
  return action;
}

/* Working on one socket may close others of the list: they are skipped. */
static CURLMcode act(struct sz_http *h, bool limited,
                     const struct pollfd *list, nfds_t n) {
  CURLMcode code = CURLM_OK;
  int running;
  nfds_t i;
  for (i = 0; code == CURLM_OK && i < n; i++) {
    if (!list[i].revents || !watched_at(h, list[i].fd))
      continue;
    if (limited && sz_http_spent(h))
      break;
    code = curl_multi_socket_action(h->multi, list[i].fd,
                                    action_of(list[i].revents), &running);
  }
  return code;
}

CURLMcode sz_watch_serve(struct sz_http *h, enum sz_whose whose,
                         const struct sz_transfer *t) {
  struct pollfd list[BATCH];
  CURLMcode code = CURLM_OK;
  int from = 0;
  while (code == CURLM_OK && from < h->watched_count) {
    nfds_t n = collect(h, whose, t, list, &from);
    if (n > 0 && poll(list, n, 0) > 0)
      code = act(h, whose == SZ_AHEAD, list, n);
  }
  return code;
}

bool sz_watch_ready(struct sz_http *h, const struct sz_transfer *t) {
  struct pollfd list[BATCH];
  int from = 0;
  nfds_t n = collect(h, SZ_OF_ONE, t, list, &from);
  return n > 0 && poll(list, n, 0) > 0;
}

int sz_http_fd_count(const struct sz_http *h) {
  return h->watched_count;
}

int sz_watch_list(struct sz_http *h, const struct sz_transfer *t,
                  struct sz_fd *list, int max) {
  const struct sz_watched *shared;
  int i, count = 0;
  for (i = 0; i < h->watched_count && count < max; i++)
    if (!t || h->watched[i].owner == t)
      list[count++] = h->watched[i].fd;
  if (count > 0 || !t || max == 0)
    return count;
  shared = watched_at(h, shared_fd(t));
  if (!shared)
    return sz_watch_list(h, NULL, list, max);
  list[0] = shared->fd;
  return 1;
}

/*
** http_tls.c - checks whether a TLS session holds unread bytes. It calls
** libcurl's own OpenSSL, found through libcurl, as the process may have
** another one. If it is not found, TLS connections are not kept.
*/
#include "http_private.h"

#include <string.h>

enum { WANT_READ = 2, TLS_1_3 = 0x0304 }; /* OpenSSL's numbers */

#define FIND(name)                                                            \
  do {                                                                        \
    void *found = sz_http_symbol(library, #name);                             \
    memcpy(&tls->name, &found, sizeof found);                                 \
    missing += !found;                                                        \
  } while (0)

void sz_tls_find(struct sz_tls *tls) {
  void *library = sz_http_library();
  int missing = 0;
  FIND(SSL_version);
  FIND(SSL_has_pending);
  FIND(SSL_peek);
  FIND(SSL_get_error);
  FIND(SSL_get_rbio);
  FIND(SSL_get_wbio);
  FIND(SSL_set0_rbio);
  FIND(SSL_set0_wbio);
  FIND(SSL_get_ex_data);
  FIND(SSL_set_ex_data);
  FIND(SSL_get0_alpn_selected);
  FIND(BIO_new_socket);
  FIND(BIO_new);
  FIND(BIO_s_null);
  FIND(BIO_up_ref);
  FIND(BIO_free);
  FIND(ERR_clear_error);
  tls->known = missing == 0;
  sz_http_library_done(library);
}

bool sz_tls_known(const struct sz_tls *tls) {
  return tls->known;
}

bool sz_tls_is_http2(const struct sz_tls *tls, void *ssl) {
  const unsigned char *name = NULL;
  unsigned len = 0;
  tls->SSL_get0_alpn_selected(ssl, &name, &len);
  return len == 2 && memcmp(name, "h2", 2) == 0;
}

/* Whether a peek finds no application data (session tickets do not count). */
static bool peek_quiet(const struct sz_tls *tls, void *ssl) {
  char byte;
  int n;
  tls->ERR_clear_error();
  n = tls->SSL_peek(ssl, &byte, 1);
  if (n <= 0)
    n = tls->SSL_get_error(ssl, n) == WANT_READ ? 0 : 1;
  tls->ERR_clear_error();
  return n == 0 && !tls->SSL_has_pending(ssl);
}

/*
** Peeks at 'ssl' over the plain socket: libcurl's BIO works inside libcurl's
** calls only. For the same reason libcurl's callbacks must not find their
** connection here. Nothing is sent.
*/
static bool peek_directly(const struct sz_tls *tls, void *ssl, int fd) {
  void *in = tls->SSL_get_rbio(ssl), *out = tls->SSL_get_wbio(ssl);
  void *owner = tls->SSL_get_ex_data(ssl, 0);
  void *direct = tls->BIO_new_socket(fd, 0);
  void *nowhere = tls->BIO_new(tls->BIO_s_null());
  bool quiet;
  if (!direct || !nowhere) {
    tls->BIO_free(direct);
    tls->BIO_free(nowhere);
    return false;
  }
  tls->BIO_up_ref(in);
  tls->BIO_up_ref(out);
  tls->SSL_set0_rbio(ssl, direct);
  tls->SSL_set0_wbio(ssl, nowhere);
  tls->SSL_set_ex_data(ssl, 0, NULL);
  quiet = peek_quiet(tls, ssl);
  tls->SSL_set_ex_data(ssl, 0, owner);
  tls->SSL_set0_rbio(ssl, in);
  tls->SSL_set0_wbio(ssl, out);
  return quiet;
}

bool sz_tls_quiet(const struct sz_tls *tls, void *ssl, int fd,
                  bool socket_quiet) {
  if (tls->SSL_has_pending(ssl))
    return false;
  if (socket_quiet)
    return true;
  return tls->SSL_version(ssl) >= TLS_1_3 && peek_directly(tls, ssl, fd);
}

/*
** http_inspect.c - reads a server's certificate. We set a pin that fits no
** key, so libcurl ends the connection before it sends the request. By then it
** has the certificate's parts, and has written the right pin to its log.
*/
#include "http_private.h"

#include <stdlib.h>
#include <string.h>

#define NO_PIN "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

/* As libcurl names them, in the order of enum sz_certificate_part. */
static const char *const part_names[] = {
    "Subject:", "Issuer:", "Start date:", "Expire date:"};

/* NULL: no memory; then the part counts as not known. */
static char *copy_text(const char *text, size_t len) {
  char *copy = malloc(len + 1);
  if (!copy)
    return NULL;
  memcpy(copy, text, len);
  copy[len] = '\0';
  return copy;
}

static void part_keep(char **part, const char *text, size_t len) {
  free(*part);
  *part = copy_text(text, len);
}

/* Reads libcurl's log; one of its lines has the key's hash. */
static int on_log(CURL *easy, curl_infotype type, char *text, size_t len,
                  void *arg) {
  static const char head[] = " public key hash: ";
  const size_t skip = sizeof head - 1;
  (void)easy;
  if (type != CURLINFO_TEXT || len < skip || memcmp(text, head, skip) != 0)
    return 0;
  while (len > skip && text[len - 1] == '\n')
    len--;
  part_keep(&((struct sz_transfer *)arg)->pin, text + skip, len - skip);
  return 0;
}

CURLcode sz_inspect_setup(struct sz_transfer *t) {
  CURL *easy = t->easy;
  CURLcode code = curl_easy_setopt(easy, CURLOPT_PINNEDPUBLICKEY, NO_PIN);
  if (code != CURLE_OK)
    return code; /* never go on without it: the request would be sent */
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(easy, CURLOPT_CERTINFO, 1L);
  curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, on_log);
  curl_easy_setopt(easy, CURLOPT_DEBUGDATA, t);
  return curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
}

static void line_keep(char **parts, const char *line) {
  int part;
  for (part = 0; part < SZ_CERTIFICATE_PARTS; part++) {
    size_t name = strlen(part_names[part]);
    if (strncmp(line, part_names[part], name) == 0)
      part_keep(&parts[part], line + name, strlen(line + name));
  }
}

void sz_inspect_keep(struct sz_transfer *t) {
  struct curl_certinfo *chain = NULL;
  const struct curl_slist *line;
  int i;
  curl_easy_getinfo(t->easy, CURLINFO_CERTINFO, &chain);
  for (i = 0; chain && i < chain->num_of_certs && i < SZ_MAX_CHAIN; i++)
    for (line = chain->certinfo[i]; line; line = line->next)
      line_keep(t->chain[i], line->data);
}

void sz_inspect_free(struct sz_transfer *t) {
  int i, part;
  for (i = 0; i < SZ_MAX_CHAIN; i++)
    for (part = 0; part < SZ_CERTIFICATE_PARTS; part++)
      free(t->chain[i][part]);
  free(t->pin);
}

bool sz_transfer_certificate(const struct sz_transfer *t, size_t place,
                             struct sz_certificate *certificate) {
  char *const *parts;
  if (place >= SZ_MAX_CHAIN)
    return false;
  parts = t->chain[place];
  certificate->subject = parts[SZ_CERTIFICATE_SUBJECT];
  certificate->issuer = parts[SZ_CERTIFICATE_ISSUER];
  certificate->from = parts[SZ_CERTIFICATE_FROM];
  certificate->to = parts[SZ_CERTIFICATE_TO];
  certificate->pin = place == 0 ? t->pin : NULL;
  return certificate->subject || certificate->pin;
}

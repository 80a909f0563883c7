/* http_global.c - initialization, once per process. */
#define _GNU_SOURCE /* dladdr */
#include "http_private.h"

#include <dlfcn.h>
#include <string.h>

/* Opens the library that holds 'address' once more. NULL: not possible. */
static void *open_again(const void *address, int mode) {
  Dl_info where;
  if (!dladdr(address, &where) || !where.dli_fname)
    return NULL;
  return dlopen(where.dli_fname, RTLD_LAZY | mode);
}

void sz_keep_loaded(const void *address) {
#ifdef RTLD_NODELETE
  (void)open_again(address, RTLD_NOLOAD | RTLD_NODELETE);
#else
  (void)address;
#endif
}

static const void *in_libcurl(void) {
  CURLcode (*function)(long) = curl_global_init;
  void *address;
  memcpy(&address, &function, sizeof address);
  return address;
}

void *sz_http_library(void) {
  return open_again(in_libcurl(), 0);
}

/* Also searches the libraries that libcurl is linked with. */
void *sz_http_symbol(void *library, const char *name) {
  return library ? dlsym(library, name) : NULL;
}

void sz_http_library_done(void *library) {
  if (library)
    dlclose(library);
}

/*
** Keeps libcurl loaded until the process ends. Its threads that wait for a
** name server outlive the transfer (with CURLOPT_QUICK_EXIT closing does not
** wait for them). If a host closed its Lua state, libcurl's code would be
** unloaded while these threads still need it: a crash.
**
** curl_global_init is thread-safe since libcurl 7.84, and counts its calls: we
** need no lock.
*/
bool sz_http_global_init(void) {
  sz_keep_loaded(in_libcurl());
  return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

/* http_global.c - what is done once per process. */
#define _GNU_SOURCE /* dladdr */
#include "http_private.h"

#include <dlfcn.h>
#include <string.h>

/* Opens the library once more that holds 'address'. NULL: it cannot be. */
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

/* Looks in what libcurl needs as well. */
void *sz_http_symbol(void *library, const char *name) {
  return library ? dlsym(library, name) : NULL;
}

void sz_http_library_done(void *library) {
  if (library)
    dlclose(library);
}

/*
** Keeps libcurl loaded to the end of the process. Its threads that wait for
** a name server outlive the transfer (CURLOPT_QUICK_EXIT: closing does not
** wait for them); a host that ends its Lua state would unload the code they
** return to, and crash.
**
** Thread-safe since libcurl 7.84, and counted: no guard of ours is needed.
*/
bool sz_http_global_init(void) {
  sz_keep_loaded(in_libcurl());
  return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

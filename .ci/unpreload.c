/* Preloaded after the sanitizers' libraries. The programs that specs start
** (curl, nginx, make) must not load them, so this unsets LD_PRELOAD. */
#include <stdlib.h>

__attribute__((constructor)) static void forget(void) {
  unsetenv("LD_PRELOAD");
}

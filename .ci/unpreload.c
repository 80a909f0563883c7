/* Preloaded behind the sanitizers' libraries: the programs that specs start
** (curl, nginx, make) must not load them too. */
#include <stdlib.h>

__attribute__((constructor)) static void forget(void) {
  unsetenv("LD_PRELOAD");
}

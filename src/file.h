/*
** file.h - a file that appears under its name only when it is whole and on the
** disk, even if the machine fails. No Lua here.
**
** It is written under another name, its part. Two processes may write the same
** part at once: the later one replaces the part, the earlier one fails when it
** finishes.
*/
#ifndef SZ_FILE_H
#define SZ_FILE_H

#include "sha256.h"

struct sz_file {
  int fd;     /* -1: closed */
  int failed; /* a write has: the part is not whole */
  char *path, *part;
  struct sz_sha256 hash; /* of all that was written */
};

/* All calls return 0, or a number of errno. */

/*
** Keeps 'path' and 'part', which must stay. A part that exists is replaced. A
** file at the path stays until 'finish'; the new one has its mode and, if that
** is allowed, its owner. EISDIR, ENOTSUP: there is a folder, or no plain file.
*/
int sz_file_open(struct sz_file *f, char *path, char *part);

/* After a failure it fails again, and so does 'finish'. */
int sz_file_write(struct sz_file *f, const char *data, size_t len);

/*
** Moves the part to its path, after all of it is on the disk. The file is
** closed, also on failure. EBUSY: another process has begun the same part.
*/
int sz_file_finish(struct sz_file *f);

/* Closes and removes the part. Does nothing if the file is closed. */
void sz_file_abort(struct sz_file *f);

#endif

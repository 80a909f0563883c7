/* file.c - see file.h. */
#include "file.h"

#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int sz_file_open(struct sz_file *f, char *path, char *part) {
  f->path = path;
  f->part = part;
  sz_sha256_init(&f->hash);
  unlink(part); /* what a process left that was killed */
  sz_signals_add(part);
  f->fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (f->fd >= 0)
    return 0;
  sz_signals_drop(part);
  return errno;
}

int sz_file_write(struct sz_file *f, const char *data, size_t len) {
  sz_sha256_add(&f->hash, data, len);
  while (len) {
    ssize_t n = write(f->fd, data, len);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return n ? errno : ENOSPC;
    data += n;
    len -= (size_t)n;
  }
  return 0;
}

static int is_same(const struct stat *a, const struct stat *b) {
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/*
** Moves the part to its path. First it gets a name that no other process uses:
** a part of another process must not appear under the path.
*/
static int move(struct sz_file *f, char *own, size_t size) {
  struct stat ours, moved;
  if (fstat(f->fd, &ours))
    return errno;
  snprintf(own, size, "%s.%llu", f->part, (unsigned long long)ours.st_ino);
  if (rename(f->part, own))
    return errno == ENOENT ? EBUSY : errno;
  if (lstat(own, &moved) || !is_same(&ours, &moved)) {
    rename(own, f->part);
    return EBUSY;
  }
  if (!rename(own, f->path))
    return 0;
  size = (size_t)errno;
  unlink(own);
  return (int)size;
}

/* Writes the folder of 'path' to the disk. */
static int sync_folder(char *path) {
  char *slash = strrchr(path, '/'), after = 0;
  int fd, failed;
  if (slash) {
    after = slash[1];
    slash[1] = '\0';
  }
  fd = open(slash ? path : ".", O_RDONLY | O_CLOEXEC);
  if (slash)
    slash[1] = after;
  if (fd < 0) /* such as a folder that cannot be listed */
    return 0;
  failed = fsync(fd) && errno != EINVAL ? errno : 0;
  close(fd);
  return failed;
}

int sz_file_finish(struct sz_file *f) {
  size_t size = strlen(f->part) + 24;
  char *own = malloc(size);
  int failed = ENOMEM;
  sigset_t before;
  if (own)
    failed = fsync(f->fd) && errno != EINVAL ? errno : 0;
  sz_signals_hold(&before);
  if (!failed)
    failed = move(f, own, size);
  free(own);
  if (!failed)
    sz_signals_drop(f->part);
  sz_signals_release(&before);
  if (failed) {
    sz_file_abort(f);
    return failed;
  }
  if (close(f->fd))
    failed = errno;
  f->fd = -1;
  return failed ? failed : sync_folder(f->path);
}

void sz_file_abort(struct sz_file *f) {
  struct stat ours, there;
  if (f->fd < 0)
    return;
  if (!fstat(f->fd, &ours) && !lstat(f->part, &there) &&
      is_same(&ours, &there))
    unlink(f->part);
  sz_signals_drop(f->part);
  close(f->fd);
  f->fd = -1;
}

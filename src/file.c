/* file.c - see file.h. */
#include "file.h"

#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIGITS = 21 }; /* a point, and the number of a file */

/* Gives the part the owner and the mode of the file that it replaces. */
static void keep_mode(int fd, const struct stat *old) {
  mode_t mode = old->st_mode & 0777;
  if (fchown(fd, old->st_uid, old->st_gid) &&
      fchown(fd, (uid_t)-1, old->st_gid))
    mode &= ~(mode_t)070; /* it has another group */
  (void)!fchmod(fd, mode);
}

int sz_file_open(struct sz_file *f, char *path, char *part) {
  struct stat old;
  int is_there = !stat(path, &old), failed;
  f->path = path;
  f->part = part;
  f->failed = 0;
  sz_sha256_init(&f->hash);
  if (is_there && !S_ISREG(old.st_mode))
    return S_ISDIR(old.st_mode) ? EISDIR : ENOTSUP;
  is_there = !lstat(path, &old) && S_ISREG(old.st_mode);
  unlink(part); /* what a process left that was killed */
  sz_signals_add(part);
  f->fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
               is_there ? old.st_mode & 0600 : 0666);
  failed = f->fd < 0 ? errno : 0;
  if (failed)
    sz_signals_drop(part);
  else if (is_there)
    keep_mode(f->fd, &old);
  return failed;
}

static int write_all(int fd, const char *data, size_t len) {
  while (len) {
    ssize_t n = write(fd, data, len);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return n ? errno : ENOSPC;
    data += n;
    len -= (size_t)n;
  }
  return 0;
}

int sz_file_write(struct sz_file *f, const char *data, size_t len) {
  if (f->failed)
    return f->failed;
  sz_sha256_add(&f->hash, data, len);
  f->failed = write_all(f->fd, data, len);
  return f->failed;
}

static int is_same(const struct stat *a, const struct stat *b) {
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/*
** A name in the part's folder that no other process uses: the part's, cut
** where the longest name would be passed, and the number of the file.
*/
static void own_name(char *own, size_t size, const char *part,
                     const struct stat *ours) {
  const char *slash = strrchr(part, '/');
  size_t folder = slash ? (size_t)(slash + 1 - part) : 0;
  size_t len = strlen(part);
  if (len - folder > NAME_MAX - DIGITS) {
    len = folder + NAME_MAX - DIGITS;
    while ((part[len] & 0xC0) == 0x80) /* not within a character */
      len--;
  }
  snprintf(own, size, "%.*s.%llu", (int)len, part,
           (unsigned long long)ours->st_ino);
}

/*
** Moves the part to its path. First it gets a name that no other process uses:
** a part of another process must not appear under the path.
*/
static int move(struct sz_file *f, char *own, size_t size) {
  struct stat ours, moved;
  if (fstat(f->fd, &ours))
    return errno;
  own_name(own, size, f->part, &ours);
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
  size_t size = strlen(f->part) + DIGITS + 1;
  char *own = malloc(size);
  int failed = own ? f->failed : ENOMEM;
  sigset_t before;
  if (!failed)
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

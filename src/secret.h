/*
** secret.h - finds a secret in a text, in every encoding that reading.h knows.
** Work: the text's length, times the secret's in the worst case divided by 64.
** No Lua here.
*/
#ifndef SZ_SECRET_H
#define SZ_SECRET_H

#include <stdbool.h>
#include <stddef.h>

struct sz_secret;

/* The bytes that a secret of this length takes. */
size_t sz_secret_size(size_t len);

/* Makes a secret in 'room'; it borrows the bytes. 'len' is not 0. */
struct sz_secret *sz_secret_init(void *room, const char *bytes, size_t len);

/* Marks of a place in a text. */
enum { SZ_SECRET_HERE = 1, SZ_SECRET_CUT = 2 };

/*
** Whether the secret occurs in the text. Sets SZ_SECRET_HERE in marks[i] where
** an occurrence begins at text[i]; 'marks' may be NULL.
*/
bool sz_secret_find(struct sz_secret *s, const char *text, size_t len,
                    unsigned char *marks);

/*
** Whether the text may end within an occurrence, behind at least the first
** 'least' bytes of the secret. Sets SZ_SECRET_CUT in marks[i] where such a one
** begins at text[i]; 'marks' may be NULL.
*/
bool sz_secret_cut(struct sz_secret *s, const char *text, size_t len,
                   size_t least, unsigned char *marks);

/*
** An occurrence at text[at], and those that begin within it or within one
** another: returns their end. 'marks' are those of sz_secret_find, and of
** sz_secret_cut. If another occurrence may be cut off within one of these,
** that one must be looked at again with more text: '*held' is where it begins,
** and also what is returned. Else '*held' is 'len'.
*/
size_t sz_secret_end(struct sz_secret *s, const char *text, size_t len,
                     const unsigned char *marks, size_t at, size_t *held);

#endif

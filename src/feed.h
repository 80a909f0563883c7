/*
** feed.h - an answer that its owner hands on piece by piece: one that was
** recorded, or one that is being recorded on its way. No Lua here.
*/
#ifndef SZ_FEED_H
#define SZ_FEED_H

#include "source.h"

struct sz_feed; /* opaque */

/* Bytes of one piece, at most. */
enum { SZ_MAX_FEED = 1024 * 1024 };

/*
** 'from': where the pieces come from, or NULL. It is ended with the feed,
** and must outlive it. NULL: out of memory.
*/
struct sz_feed *sz_feed_new(const struct sz_source *from);

/* Says the answer's header; texts are copied. False: out of memory. */
bool sz_feed_header(struct sz_feed *f, const struct sz_info *info);

/* Whether the next piece may come: the last one has been read. */
bool sz_feed_ready(const struct sz_feed *f);

/*
** Hands on the next piece, copied. False: out of memory, too long, not ready,
** or the answer is over.
*/
bool sz_feed_push(struct sz_feed *f, const char *data, size_t len);

/* The answer is complete, or with a 'kind' (copied if known) it failed. */
void sz_feed_finish(struct sz_feed *f, const char *kind, const char *message);

/* What a source does: see source.h. NULL may be freed. */
enum sz_read sz_feed_peek(struct sz_feed *f, const char **data, size_t *len);
void sz_feed_consume(struct sz_feed *f, size_t n);
const struct sz_failure *sz_feed_error(const struct sz_feed *f);
void sz_feed_info(struct sz_feed *f, struct sz_info *info);
void sz_feed_cancel(struct sz_feed *f);
void sz_feed_free(struct sz_feed *f);
bool sz_feed_certificate(const struct sz_feed *f, size_t place,
                         struct sz_certificate *c);

#endif

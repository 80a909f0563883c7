/*
** feed.h - an answer that its owner supplies piece by piece: a recorded
** answer, or one that is being recorded while it is read. No Lua here.
*/
#ifndef SZ_FEED_H
#define SZ_FEED_H

#include "source.h"

struct sz_feed; /* opaque */

/* The most bytes of one piece. */
enum { SZ_MAX_FEED = 1024 * 1024 };

/*
** 'from': the source that the pieces come from, or NULL. The feed's end
** cancels it; it must outlive the feed. Returns NULL when out of memory.
*/
struct sz_feed *sz_feed_new(const struct sz_source *from);

/* Sets the answer's header; texts are copied. False: out of memory. */
bool sz_feed_header(struct sz_feed *f, const struct sz_info *info);

/* Whether the next piece may be pushed: the last one has been read. */
bool sz_feed_ready(const struct sz_feed *f);

/*
** Adds the next piece; it is copied. False: out of memory, longer than
** SZ_MAX_FEED, not ready, or the answer has ended.
*/
bool sz_feed_push(struct sz_feed *f, const char *data, size_t len);

/*
** Ends the answer: complete if 'kind' is NULL, else failed. The message is
** copied; a kind that is not known becomes "truncated". 'unsent': it failed
** before a byte of the request left.
*/
void sz_feed_finish(struct sz_feed *f, const char *kind, const char *message,
                    bool unsent);

/* The functions of a source: see source.h. NULL may be freed. */
enum sz_read sz_feed_peek(struct sz_feed *f, const char **data, size_t *len);
void sz_feed_consume(struct sz_feed *f, size_t n);
const struct sz_failure *sz_feed_error(const struct sz_feed *f);
void sz_feed_info(struct sz_feed *f, struct sz_info *info);
void sz_feed_cancel(struct sz_feed *f);
void sz_feed_free(struct sz_feed *f);
bool sz_feed_certificate(const struct sz_feed *f, size_t place,
                         struct sz_certificate *c);

#endif

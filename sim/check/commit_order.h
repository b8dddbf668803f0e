/* Is a commit's place in the order of timestamps a place where its reads are true? A read is not, when an
 * earlier commit wrote what it should have seen: then this commit depends on standing before that one, and an
 * edge leads back. Commits without such edges can be played one after the other as they are numbered; only
 * among edges that lead back and the commits between their ends can there be a cycle. */
#ifndef SYNCLINE_CHECK_COMMIT_ORDER_H
#define SYNCLINE_CHECK_COMMIT_ORDER_H

#include "check/commit_log.h"

enum commit_edge_kind {
    EDGE_WRITE_READ,  /* `to` has read what `from` wrote */
    EDGE_WRITE_WRITE, /* `to` wrote the next version of what `from` wrote */
    EDGE_READ_WRITE   /* `to` wrote the next version of what `from` read, or into a range that it read */
};

/* `from` must come before `to`. */
struct commit_edge {
    size_t from, to; /* numbers of commits */
    enum commit_edge_kind kind;
    const struct logged_document *document;
    const char *index; /* of the range; NULL: the document itself was read */
    bool stale;        /* leads back, and what was missed was there in the snapshot already */
};

struct commit_edges {
    struct commit_edge *items;
    size_t count, capacity;
};

/* Judge a commit that is about to be added to the log: append the edges that lead back from it (to a commit
 * at most once a kind of read). `*future` is a READ row whose version is from after the snapshot or from
 * nobody; NULL: there is none. */
void commit_order_judge(struct commit_log *log, const struct history_record *reads,
                        const struct history_record *commit, struct commit_edges *edges,
                        const struct note_row **future);

/* The place of the version with this commit timestamp, + 1; 0: there is none. */
size_t commit_order_version(const struct logged_document *document, int64_t ts);

#endif

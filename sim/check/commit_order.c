#include "check/commit_order.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

size_t commit_order_version(const struct logged_document *document, int64_t ts) {
    size_t at = document->n_versions; /* reads are mostly of the newest */
    while (at > 0 && document->versions[at - 1].ts > ts)
        at--;
    return at > 0 && document->versions[at - 1].ts == ts ? at : 0;
}

struct judge {
    struct commit_log *log;
    struct commit_edges *edges;
    size_t first_edge; /* of this commit */
    size_t number;     /* of this commit */
    int64_t snapshot;
    const struct note_row **future;
};

static void add_edge(struct judge *judge, size_t to, const struct logged_document *document,
                     const char *index) {
    struct commit_edges *edges = judge->edges;
    for (size_t i = judge->first_edge; i < edges->count; i++) {
        if (edges->items[i].to == to && (edges->items[i].index == NULL) == (index == NULL))
            return;
    }
    MEMORY_RESERVE(edges->items, edges->capacity, edges->count + 1);
    edges->items[edges->count++] =
        (struct commit_edge){.from = judge->number,
                             .to = to,
                             .kind = EDGE_READ_WRITE,
                             .document = document,
                             .index = index,
                             .stale = judge->log->commits[to].ts <= judge->snapshot};
}

static void judge_read(struct judge *judge, const struct note_row *row) {
    struct logged_document *document = commit_log_document(judge->log, row->table, row->id);
    const int64_t ts = row->values != NULL ? strtoll(row->values, NULL, 10) : 0;
    if (document == NULL) {
        if (ts != 0 && !commit_log_is_replaced(judge->log, row->table))
            *judge->future = row;
        return;
    }
    const size_t version = commit_order_version(document, ts);
    document->seen_by = judge->number + 1;
    if (ts != 0 && ts < document->versions[0].ts && commit_log_is_replaced(judge->log, row->table))
        add_edge(judge, document->versions[0].commit, document, NULL); /* as it was imported */
    else if ((version == 0 && ts != 0) || ts > judge->snapshot)
        *judge->future = row;
    else if (version < document->n_versions) /* versions[version] is the one after */
        add_edge(judge, document->versions[version].commit, document, NULL);
}

/* Documents of the range that were there in the snapshot, and that the transaction has not seen. */
static void judge_missing(struct judge *judge, const struct logged_range *range) {
    const struct key_order *order = commit_log_index(judge->log, range->table, range->index);
    if (order == NULL)
        return;
    struct key_place place = key_order_seek(order, range->low);
    for (const struct key_entry *entry = key_order_next(order, &place);
         entry != NULL && logged_range_holds(range, entry->key); entry = key_order_next(order, &place)) {
        const struct logged_document *document = entry->item;
        const struct logged_version *newest = &document->versions[document->n_versions - 1];
        if (document->seen_by != judge->number + 1 &&
            judge->log->commits[newest->commit].ts <= judge->snapshot)
            add_edge(judge, newest->commit, document, range->index);
    }
}

static void judge_range(struct judge *judge, const struct note_row *row) {
    struct logged_range range;
    if (!logged_range_parse(row, &range))
        return;
    for (size_t i = judge->log->n_commits; i > 0 && judge->log->commits[i - 1].ts > judge->snapshot; i--) {
        const struct logged_commit *commit = &judge->log->commits[i - 1];
        for (size_t j = 0; j < commit->n_writes; j++) {
            if (logged_write_touches(&commit->writes[j], &range))
                add_edge(judge, i - 1, commit->writes[j].document, range.index);
        }
    }
    judge_missing(judge, &range);
}

void commit_order_judge(struct commit_log *log, const struct history_record *reads,
                        const struct history_record *commit, struct commit_edges *edges,
                        const struct note_row **future) {
    struct judge judge = {.log = log,
                          .edges = edges,
                          .first_edge = edges->count,
                          .number = log->n_commits,
                          .snapshot = reads->note.timestamp,
                          .future = future};
    *future = NULL;
    for (size_t i = 0; i < reads->note.n_rows; i++) {
        if (strcmp(reads->note.rows[i].operation, "READ") == 0)
            judge_read(&judge, &reads->note.rows[i]);
    }
    /* What it wrote itself it saw as its own. */
    for (size_t i = 0; i < commit->note.n_rows; i++) {
        struct logged_document *document =
            commit_log_document(log, commit->note.rows[i].table, commit->note.rows[i].id);
        if (document != NULL)
            document->seen_by = judge.number + 1;
    }
    for (size_t i = 0; i < reads->note.n_rows; i++) {
        if (strcmp(reads->note.rows[i].operation, "RANGE") == 0)
            judge_range(&judge, &reads->note.rows[i]);
    }
}

/* What the properties about transactions know of a deployment: every commit with its reads and writes, every
 * document with its versions, and where the documents stand in the indexes. It is built from NOTE_READS and
 * NOTE_COMMIT alone. Texts are borrowed from the history, which outlives it; memory grows with the number of
 * documents written. */
#ifndef SYNCLINE_CHECK_COMMIT_LOG_H
#define SYNCLINE_CHECK_COMMIT_LOG_H

#include "base/map.h"
#include "check/key_order.h"
#include "history/history.h"

struct logged_version {
    int64_t ts;       /* of the commit, ns */
    size_t commit;    /* its number */
    const char *keys; /* {index:hex,..}; NULL: deleted, or nothing is known */
};

struct logged_document {
    const char *table, *id;
    struct logged_version *versions; /* oldest first */
    size_t n_versions, capacity;
    size_t seen_by; /* the commit being judged that has read or written it, + 1 */
};

struct logged_write {
    struct logged_document *document;
    size_t version; /* index of the version that it made */
};

struct logged_commit {
    int64_t ts, snapshot;                /* ns */
    const struct history_record *record; /* NOTE_COMMIT */
    const struct history_record *reads;  /* NOTE_READS; NULL: read nothing */
    struct logged_write *writes;
    size_t n_writes;
};

struct logged_table;

struct commit_log {
    struct arena arena; /* documents, writes */
    struct map tables;
    struct logged_table *ended; /* kept, because earlier commits name their documents */
    struct logged_commit *commits;
    size_t n_commits, capacity;
};

/* What a RANGE row says. */
struct logged_range {
    const char *table, *index;
    struct key_text low, high; /* hex; high.text NULL: to the end */
};

void commit_log_free(struct commit_log *log);

/* NOTE_TABLE: what was known of the table's documents ends. */
void commit_log_end_table(struct commit_log *log, const struct history_record *record);
/* Does the table hold documents that no commit has told of? */
bool commit_log_is_replaced(const struct commit_log *log, const char *table);
/* NULL: nobody has written such a document. */
struct logged_document *commit_log_document(struct commit_log *log, const char *table, const char *id);
/* The documents of the table that are in this index now, in order; NULL: there are none. */
const struct key_order *commit_log_index(struct commit_log *log, const char *table, const char *index);
/* False: the row does not have the form that note.h says. */
bool logged_range_parse(const struct note_row *row, struct logged_range *range);
bool logged_range_holds(const struct logged_range *range, struct key_text key);
/* The key of this index among `keys`. */
struct key_text logged_key(const char *keys, const char *index);
/* Does the range hold the document as the write found it or as it left it? */
bool logged_write_touches(const struct logged_write *write, const struct logged_range *range);

/* Append the commit; `reads` is the NOTE_READS before it, or NULL. Returns its number, from 0. */
size_t commit_log_add(struct commit_log *log, const struct history_record *reads,
                      const struct history_record *commit);

#endif

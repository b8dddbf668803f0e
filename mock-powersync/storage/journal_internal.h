/* What journal.c and journal_read.c share. */
#ifndef MOCK_POWERSYNC_JOURNAL_INTERNAL_H
#define MOCK_POWERSYNC_JOURNAL_INTERNAL_H

#include <sqlite3.h>

#include "mock-powersync/storage/journal.h"

enum journal_statement {
    JOURNAL_META,
    JOURNAL_ADD_STREAM,
    JOURNAL_SET_STREAM,
    JOURNAL_SET_TABLE,
    JOURNAL_ADD_BUCKET,
    JOURNAL_EMPTY_BUCKET,
    JOURNAL_ADD_OPERATION,
    JOURNAL_EMPTY_PARAMETERS,
    JOURNAL_ADD_PARAMETER,
    JOURNAL_SET_WRITE_CHECKPOINT,
    JOURNAL_REMOVE_WRITE_CHECKPOINT,
    JOURNAL_STATEMENTS
};

struct journal {
    sqlite3 *database;
    sqlite3_stmt *statements[JOURNAL_STATEMENTS]; /* prepared when first used */
    int *forgotten;                               /* streams whose data is to go */
    size_t n_forgotten;
    size_t forgotten_capacity;
};

/* STATUS_IO with SQLite's words. */
enum status journal_failed(const struct journal *journal, struct error *error);
enum status journal_execute(struct journal *journal, const char *sql, struct error *error);

/* Fill a storage that is empty. */
enum status journal_read(struct journal *journal, struct storage *storage, struct error *error);

#endif

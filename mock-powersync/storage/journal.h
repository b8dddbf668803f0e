/* The file behind a storage: a SQLite database that holds what was flushed. Written behind, in one
 * transaction a flush, so that after a crash at any moment it holds exactly one of the flushed states. */
#ifndef MOCK_POWERSYNC_JOURNAL_H
#define MOCK_POWERSYNC_JOURNAL_H

#include "mock-powersync/storage/storage.h"

/* Write all that is new or changed. STATUS_IO: nothing was written; the next call tries again. */
enum status journal_flush(struct journal *journal, struct storage *storage, struct error *error);
/* A stream's data is no longer needed: it goes with the next flush. */
void journal_forget(struct journal *journal, int stream);
void journal_close(struct journal *journal); /* may be NULL */

#endif

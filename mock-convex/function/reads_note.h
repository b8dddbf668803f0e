/* Commits that are told to the world: NOTE_READS (what the transaction has read, and the index keys of what
 * it writes), then NOTE_COMMIT. Every mutation commits here, so that checks see all of them. */
#ifndef MOCK_CONVEX_READS_NOTE_H
#define MOCK_CONVEX_READS_NOTE_H

#include "mock-convex/state.h"
#include "mock-convex/store/transaction.h"

/* convex_transaction_commit at the host's wall clock, and both notes with `path` when something was written.
 */
enum status convex_commit_noted(struct convex_deployment *deployment, struct convex_transaction *transaction,
                                const char *path, int64_t *ts, struct error *error);

/* NOTE_READS for everything in the log from position `from`, which `transaction` has written (NULL: somebody
 * who read nothing). System tables, whose names begin with "_", are left out. */
void convex_note_reads(struct convex_deployment *deployment, const struct convex_transaction *transaction,
                       size_t from);

#endif

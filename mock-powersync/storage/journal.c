#include "mock-powersync/storage/journal.h"

/* Nothing is written yet: all storages are in memory. */

enum status journal_flush(struct journal *journal, struct storage *storage, struct error *error) {
    (void)journal;
    (void)storage;
    (void)error;
    return STATUS_OK;
}

void journal_forget(struct journal *journal, int stream) {
    (void)journal;
    (void)stream;
}

void journal_close(struct journal *journal) {
    (void)journal;
}

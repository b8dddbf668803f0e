#include "client/engine.h"

void engine_transaction_free(struct engine_transaction *transaction) {
    json_decref(transaction->entries);
    transaction->entries = NULL;
}

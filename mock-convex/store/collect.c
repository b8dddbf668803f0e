#include "mock-convex/store/collect.h"

#include <assert.h>
#include <string.h>

#include "mock-convex/function/reads_note.h"
#include "mock-convex/store/storage.h"
#include "mock-convex/store/transaction.h"

/* When the row was done with, ms of the wall clock; a job that has not ended: never. */
static double done_at(const struct convex_store_table *table, const struct convex_value *row) {
    bool is_job = strcmp(table->name, CONVEX_JOBS_TABLE) == 0;
    const struct convex_value *time = convex_object_get(row, is_job ? "completedTime" : "_creationTime");
    return time != NULL ? time->as.number : 1e18;
}

/* Delete old rows, up to the room that is left. */
static size_t delete_rows(struct convex_transaction *transaction, struct convex_store_table *table,
                          double before, size_t room) {
    size_t count = 0;
    const struct convex_ordered_node *node = convex_ordered_first(&table->indexes[1].entries);
    for (; node != NULL && count < room; node = convex_ordered_next(node)) {
        const struct convex_document *document = node->item;
        const struct convex_value *row = node->until == CONVEX_LIVE ? document->newest->value : NULL;
        if (row != NULL && done_at(table, row) < before) {
            enum status status =
                convex_transaction_delete(transaction, table, convex_object_text(row, "_id"), NULL);
            assert(status == STATUS_OK);
            (void)status;
            count++;
        }
    }
    return count;
}

static size_t collect(struct convex_deployment *deployment) {
    static const char *const names[] = {CONVEX_JOBS_TABLE, CONVEX_REQUESTS_TABLE};
    int64_t now = host_wall_clock(deployment->host), ts;
    double before = (double)((now - CONVEX_COLLECT_AFTER) / TIME_MILLISECOND);
    struct convex_transaction transaction;
    size_t count = 0;
    convex_transaction_begin(&transaction, &deployment->store, deployment->host, now);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        count += delete_rows(&transaction, convex_store_table(&deployment->store, names[i]), before,
                             CONVEX_COLLECT_ROWS - count);
    }
    enum status status = convex_commit_noted(deployment, &transaction, "collect", &ts, NULL);
    assert(status == STATUS_OK); /* nothing can have come in between */
    (void)status;
    convex_transaction_end(&transaction);
    return count;
}

static bool has_rows(const struct convex_deployment *deployment, const char *name) {
    const struct convex_store_table *table = convex_store_table(&deployment->store, name);
    const struct convex_ordered_node *node = convex_ordered_first(&table->indexes[0].entries);
    while (node != NULL && node->until != CONVEX_LIVE) {
        node = convex_ordered_next(node);
    }
    return node != NULL;
}

static void fire(void *context);

static void wait(struct convex_deployment *deployment, int64_t delay) {
    if (deployment->collect_timer == 0) {
        deployment->collect_timer = host_timer_set(deployment->host, delay, fire, deployment);
    }
}

static void fire(void *context) {
    struct convex_deployment *deployment = context;
    deployment->collect_timer = 0;
    size_t count = collect(deployment);
    if (has_rows(deployment, CONVEX_JOBS_TABLE) || has_rows(deployment, CONVEX_REQUESTS_TABLE)) {
        wait(deployment, count == CONVEX_COLLECT_ROWS ? TIME_SECOND : CONVEX_COLLECT_EVERY);
    }
}

void convex_collect_wait(struct convex_deployment *deployment) {
    wait(deployment, CONVEX_COLLECT_EVERY);
}

void convex_collect_stop(struct convex_deployment *deployment) {
    host_timer_cancel(deployment->host, deployment->collect_timer);
    deployment->collect_timer = 0;
}

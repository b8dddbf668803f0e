/* Promises that a sum over an app's rows never changes: each row weighs something, and what the deployment
 * holds and what each client shows weighs the same, always. A viewer without rows is not judged (it has not
 * synced yet, or was cleared), and the deployment's first commit of such rows says how much it must be. */
#ifndef SYNCLINE_CHECK_ROW_SUM_H
#define SYNCLINE_CHECK_ROW_SUM_H

#include "check/viewers.h"

struct row_sum {
    const struct property *property;
    const char *what; /* "the money in all accounts" */
    bool (*wants)(const char *table);
    int64_t (*weigh)(const struct viewer_row *row, const struct viewer_values *values); /* of a row there */
};

void *row_sum_create(struct checker *checker, const struct row_sum *sum);
void row_sum_record(void *self, const struct history_record *record);
void row_sum_destroy(void *self);

#endif

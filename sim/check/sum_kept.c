/* sum-kept: in the app bank money neither comes nor goes, whoever looks, at any time. */
#include <string.h>

#include "check/properties.h"
#include "check/row_sum.h"

static bool wants(const char *table) {
    return strcmp(table, "accounts") == 0;
}

static int64_t weigh(const struct viewer_row *row, const struct viewer_values *values) {
    (void)row;
    return viewer_whole(values, "balance");
}

static const struct row_sum sum = {&property_sum_kept, "the money in all accounts", wants, weigh};

static void *create(struct checker *checker) {
    return row_sum_create(checker, &sum);
}

const struct property property_sum_kept = {
    .name = "sum-kept",
    .promise =
        "the money in all accounts of the app bank stays the same, in the deployment and on every device",
    .create = create,
    .record = row_sum_record,
    .destroy = row_sum_destroy,
};

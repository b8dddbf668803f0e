/* counter-exact: in the app counter, what the counters say is what was counted, whoever looks, at any time.
 */
#include <string.h>

#include "check/properties.h"
#include "check/row_sum.h"

static bool wants(const char *table) {
    return strcmp(table, "counters") == 0 || strcmp(table, "increments") == 0;
}

/* An increment without a total has not been counted yet. */
static int64_t weigh(const struct viewer_row *row, const struct viewer_values *values) {
    if (strcmp(row->table, "counters") == 0)
        return viewer_whole(values, "value");
    return viewer_has_number(values, "total") ? -viewer_whole(values, "amount") : 0;
}

static const struct row_sum sum = {&property_counter_exact, "counters less counted increments", wants, weigh};

static void *create(struct checker *checker) {
    return row_sum_create(checker, &sum);
}

const struct property property_counter_exact = {
    .name = "counter-exact",
    .promise = "the counters of the app counter are the sum of the increments that were counted, everywhere",
    .create = create,
    .record = row_sum_record,
    .destroy = row_sum_destroy,
};

#include "check/properties.h"

#include <string.h>

/* clang-format off */
const struct property *const check_properties[] = {
    &property_atomic_visibility,
    &property_prefix_consistency,
    &property_monotonic_reads,
    &property_read_your_writes,
    &property_no_lost_write,
    &property_convergence,
    &property_isolation,
    &property_wire_grammar,
    &property_serializable,
    &property_reactive_exact,
    &property_exactly_once,
    &property_bounded_work,
    &property_local_first,
    &property_one_poll,
    &property_valid_tokens,
    &property_sum_kept,
    &property_counter_exact,
    &property_unique_numbers,
    &property_messages_ordered,
    &property_last_write_wins,
    &property_causal_order,
    &property_intact_rows,
    &property_values_exact,
    &property_atomic_upload,
    &property_parent_first,
    &property_ownership,
    &property_type_fidelity,
    &property_deletions_stay,
    &property_told_of_loss,
    &property_no_orphans,
    &property_no_ghosts,
    &property_no_duplicates,
    &property_row_ids,
    &property_unique_ids,
    &property_watch_hears,
    &property_durability,
    &property_local_only,
    &property_subscriptions,
    &property_single,
    &property_status,
    NULL,
};
/* clang-format on */

const struct property *check_property_find(const char *name) {
    for (size_t i = 0; check_properties[i] != NULL; i++) {
        if (strcmp(check_properties[i]->name, name) == 0)
            return check_properties[i];
    }
    return NULL;
}

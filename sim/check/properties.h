/* The properties there are, each defined in a file of its own. properties.c lists them in the order of
 * reports. */
#ifndef SYNCLINE_CHECK_PROPERTIES_H
#define SYNCLINE_CHECK_PROPERTIES_H

#include "check/check.h"

extern const struct property property_atomic_visibility;
extern const struct property property_prefix_consistency;
extern const struct property property_monotonic_reads;
extern const struct property property_read_your_writes;
extern const struct property property_no_lost_write;
extern const struct property property_convergence;
extern const struct property property_isolation;
extern const struct property property_wire_grammar;
extern const struct property property_serializable;
extern const struct property property_reactive_exact;
extern const struct property property_exactly_once;
extern const struct property property_durability;
extern const struct property property_local_only;
extern const struct property property_bounded_work;
extern const struct property property_sum_kept;
extern const struct property property_counter_exact;
extern const struct property property_unique_numbers;
extern const struct property property_messages_ordered;
extern const struct property property_last_write_wins;
extern const struct property property_causal_order;
extern const struct property property_intact_rows;
extern const struct property property_values_exact;
extern const struct property property_atomic_upload;
extern const struct property property_parent_first;
extern const struct property property_ownership;
extern const struct property property_type_fidelity;
extern const struct property property_subscriptions;
extern const struct property property_single;
extern const struct property property_status;
extern const struct property property_local_first;
extern const struct property property_one_poll;
extern const struct property property_valid_tokens;
extern const struct property property_deletions_stay;
extern const struct property property_told_of_loss;
extern const struct property property_no_orphans;
extern const struct property property_no_ghosts;
extern const struct property property_no_duplicates;
extern const struct property property_row_ids;
extern const struct property property_unique_ids;
extern const struct property property_watch_hears;

#endif

/* Freshness: how long after its commit a change shows on the devices of others. A commit counts for a client
 * from the first published checkpoint in which one of its rows reads as that commit wrote it; what is
 * overwritten before a client ever saw it is not counted, nor what was there before its first checkpoint.
 * Reads the history only. */
#ifndef SYNCLINE_SCENARIO_FRESHNESS_H
#define SYNCLINE_SCENARIO_FRESHNESS_H

#include "client/client.h"
#include "history/history.h"

struct freshness;

/* `clients` are node names, borrowed like the schema. */
struct freshness *freshness_create(const struct client_schema *schema, const char *const *clients,
                                   size_t n_clients);
void freshness_destroy(struct freshness *freshness);
/* For history_subscribe. */
void freshness_record(void *freshness, const struct history_record *record);
/* Delays in ns, in the order in which they were seen. The caller owns the array. */
size_t freshness_take(struct freshness *freshness, int64_t **delays);

#endif

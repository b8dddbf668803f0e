/* Switches of a deployment: its troubles that are not at the door (docs/faults.md), and its limits under
 * load. All zero is a deployment without trouble and without limits. */
#ifndef MOCK_CONVEX_SWITCHES_H
#define MOCK_CONVEX_SWITCHES_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/time.h"

#define CONVEX_NOISE_MAX 1000

/* 0: no limit. Queries of WebSockets and what checks run count for none of them. */
struct convex_limits {
    int64_t function_slots;  /* queries and mutations at once; after 5 s of waiting 429 */
    int64_t action_slots;    /* actions at once; after 10 s of waiting 429 */
    int64_t write_rate;      /* bytes of documents a second; above it mutations try again, then 429 */
    int64_t requests;        /* HTTP requests at once; others wait */
    int64_t request_timeout; /* ns; then 408 */
};

/* Those of a real deployment on a server of one's own. */
static inline struct convex_limits convex_limits_real(void) {
    return (struct convex_limits){.function_slots = 16,
                                  .action_slots = 64,
                                  .write_rate = INT64_C(4) << 20,
                                  .requests = 128,
                                  .request_timeout = 300 * TIME_SECOND};
}

struct convex_switches {
    int64_t retention;             /* ns that the log is kept; 0: 14 days */
    int64_t snapshot_max_age;      /* ns; 0: 5 days */
    int64_t summaries_delay;       /* ns after each start without json_schemas (503) */
    int64_t restart_loses;         /* ns of commits that a restart forgets, as after a restored backup */
    int64_t system_noise;          /* hidden log rows after each commit, 0..CONVEX_NOISE_MAX */
    bool no_streaming_export;      /* the plan is without it: 403 StreamingExportNotEnabled */
    bool ignores_table_name_alias; /* `tableName` is not known, as to older servers */
    struct convex_limits limits;
};

#endif

/* What a file of faults says, and `server-faults:` of a scenario: rules for the doors of the servers, and
 * switches of the deployment itself. docs/faults.md is the reference. */
#ifndef SYNCLINE_FAULT_FAULT_FILE_H
#define SYNCLINE_FAULT_FAULT_FILE_H

#include "base/buffer.h"
#include "fault/fault_host.h"

#define FAULT_NOT_GIVEN (-1)

/* Troubles of the deployment itself, as docs/faults.md describes them. Durations in ns; 0: the usual. */
struct fault_deployment {
    int64_t retention, snapshot_max_age, summaries_delay, restart_loses;
    int64_t system_noise; /* rows */
    bool no_streaming_export, ignores_table_name_alias;
    /* Limits: 0 is none, FAULT_NOT_GIVEN what is usual where the deployment runs. */
    int64_t function_slots, action_slots, write_rate /* bytes a second */, requests, request_timeout;
};

struct fault_file {
    struct fault_settings convex; /* with the deployment's knobs and clock */
    struct fault_settings powersync;
    struct fault_settings backend, issuer; /* nodes of scenarios only */
    bool bumps_when_idle;                  /* options of the deployment */
    int64_t conflicts;
    struct fault_deployment deployment;
};

/* No faults, and nothing is given. */
struct fault_file fault_file_empty(void);
/* A list is that of convex; a mapping has `convex`, `powersync`, `backend`, `issuer`, `deployment`.
 * Everything lies in the reader's arena. */
enum status fault_file_read(struct reader *reader, struct reader_value value, struct fault_file *file);
/* The whole of a YAML file, for servers on sockets: there is no backend and no door at the issuer. The arena
 * is the caller's, also when reading fails. */
enum status fault_file_load(const char *path, struct arena *arena, struct fault_file *file,
                            struct error *error);

/* "convex: lose-response at POST /api/mutation: 2 of 5" a line, for people. */
void fault_settings_report(const struct fault_settings *settings, const struct host *host,
                           struct buffer *out);

#endif

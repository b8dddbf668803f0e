/* What a file of faults says, and `server-faults:` of a scenario: rules for the doors of the servers, and
 * switches of the deployment itself. docs/faults.md is the reference. */
#ifndef SYNCLINE_FAULT_FAULT_FILE_H
#define SYNCLINE_FAULT_FAULT_FILE_H

#include "base/buffer.h"
#include "fault/fault_host.h"

struct fault_file {
    struct fault_settings convex; /* with the deployment's knobs and clock */
    struct fault_settings powersync;
    bool bumps_when_idle; /* options of the deployment */
    int64_t conflicts;
};

/* A list is that of convex; a mapping has `convex`, `powersync`, `deployment`. Everything lies in the
 * reader's arena. */
enum status fault_file_read(struct reader *reader, struct reader_value value, struct fault_file *file);
/* The whole of a YAML file. The arena is the caller's, also when reading fails. */
enum status fault_file_load(const char *path, struct arena *arena, struct fault_file *file,
                            struct error *error);

/* "convex: lose-response at POST /api/mutation: 2 of 5" a line, for people. */
void fault_settings_report(const struct fault_settings *settings, const struct host *host,
                           struct buffer *out);

#endif

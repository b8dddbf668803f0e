/* service.yaml, as the real service reads it: connections, storage, sync config, client auth, the API's
 * tokens and limits, with `!env NAME`. Keys that mean nothing here are taken and noted; unknown keys, wrong
 * types and values out of range are refused with file, line and column. Reads files and the environment only
 * through functions of the caller.
 *
 * `storage` has a type of our own: `sqlite` with a `path`. MongoDB and PostgreSQL become memory, with a note.
 */
#ifndef MOCK_POWERSYNC_SERVICE_CONFIG_H
#define MOCK_POWERSYNC_SERVICE_CONFIG_H

#include "base/memory.h"
#include "mock-powersync/service.h"

/* Where the values come from. */
struct service_config_world {
    const char *(*variable)(const char *name); /* of the environment; NULL: not set */
    /* The whole text of a file, as buffer_take gives it. STATUS_NOT_FOUND, STATUS_IO. */
    enum status (*read)(const char *path, char **text, struct error *error);
};

struct service_config {
    struct powersync_options options; /* all texts live in `arena` */
    const char *storage_path;         /* SQLite file; NULL: in memory */
    int64_t port, prometheus_port;    /* 0: not given */
    const char **notes;               /* what was taken and has no effect; no final newline */
    size_t n_notes;
    struct arena arena;
};

/* `file` names the text in messages; relative paths in it start at its folder. `text` ends with 0. */
enum status service_config_parse(struct service_config *config, const char *text, const char *file,
                                 const struct service_config_world *world, struct error *error);
void service_config_free(struct service_config *config);

#endif

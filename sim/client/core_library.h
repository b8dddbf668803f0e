/* The real PowerSync client core, loaded from npm's @powersync/node. One library a process is enough. */
#ifndef SYNCLINE_CLIENT_CORE_LIBRARY_H
#define SYNCLINE_CLIENT_CORE_LIBRARY_H

#include <sqlite3.h>

#include "base/error.h"

struct core_library;

/* `path` NULL: the file that the build found (or the environment variable SYNCLINE_CORE names).
 * STATUS_MISSING with what to install when there is none or it does not load. */
enum status core_library_open(const char *path, struct core_library **library, struct error *error);
void core_library_close(struct core_library *library);
const char *core_library_path(const struct core_library *library);
/* Register the core's functions on a new connection and make uuid() and gen_random_uuid() deterministic. */
enum status core_library_attach(struct core_library *library, sqlite3 *database, struct error *error);

#endif

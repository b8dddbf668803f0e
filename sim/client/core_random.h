/* uuid() and gen_random_uuid() of a connection, from the seed instead of the operating system. The core draws
 * from getrandom(2) otherwise: its only source of chance (the clock comes from the VFS). */
#ifndef SYNCLINE_CLIENT_CORE_RANDOM_H
#define SYNCLINE_CLIENT_CORE_RANDOM_H

#include <sqlite3.h>

#include "kernel/host.h"

/* The functions draw from `host`, which must outlive the connection; NULL: from SQLite's own generator
 * (sim/disk seeds it). May be called again to change the host. */
void core_random_install(sqlite3 *database, struct host *host);

/* A version 4 UUID from the node's random stream `choice`. */
void core_random_uuid(struct host *host, const char *choice, char out[37]);

#endif

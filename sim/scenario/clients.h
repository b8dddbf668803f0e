/* The clients of a scenario: `devices` for each user, named "<user>-<n>", then the plain Convex clients,
 * named
 * "<group>-<n>". */
#ifndef SYNCLINE_SCENARIO_CLIENTS_H
#define SYNCLINE_SCENARIO_CLIENTS_H

#include "scenario/scenario.h"

struct scenario_clients {
    const char **names; /* user by user, device by device, then group by group; NULL-terminated */
    const char **users; /* the user of each; NULL: a plain Convex client */
    size_t count;       /* how many are devices of users: they come first */
    size_t total;
};

/* Names live in `arena`. */
struct scenario_clients scenario_clients_list(const struct scenario *scenario, struct arena *arena);
bool scenario_client_writes(const struct scenario *scenario, const char *client);

#endif

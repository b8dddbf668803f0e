#include "scenario/clients.h"

#include <assert.h>
#include <string.h>

struct scenario_clients scenario_clients_list(const struct scenario *scenario, struct arena *arena) {
    struct scenario_clients clients = {0};
    assert(scenario->devices_per_user > 0);
    size_t room = scenario->n_users * (size_t)scenario->devices_per_user + scenario->n_reactive_clients + 1;
    clients.names = arena_allocate(arena, room * sizeof *clients.names);
    clients.users = arena_allocate(arena, room * sizeof *clients.users);
    for (size_t u = 0; u < scenario->n_users; u++)
        for (int64_t d = 1; d <= scenario->devices_per_user; d++) {
            clients.users[clients.count] = scenario->users[u];
            clients.names[clients.count++] = arena_format(arena, "%s-%lld", scenario->users[u], (long long)d);
        }
    clients.total = clients.count;
    for (size_t g = 0; g < scenario->n_reactive; g++)
        for (int64_t n = 1; n <= scenario->reactive[g].clients; n++)
            clients.names[clients.total++] =
                arena_format(arena, "%s-%lld", scenario->reactive[g].name, (long long)n);
    assert(clients.total + 1 == room);
    return clients;
}

bool scenario_client_writes(const struct scenario *scenario, const char *client) {
    if (!scenario->writers)
        return true;
    for (size_t i = 0; i < scenario->n_writers; i++)
        if (!strcmp(scenario->writers[i], client))
            return true;
    return false;
}

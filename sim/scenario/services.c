#include "scenario/services.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char *const front_names[SERVICE_PROCESSES_MOST] = {"powersync", "powersync-2", "powersync-3",
                                                                "powersync-4"};
static const char *const back_names[SERVICE_PROCESSES_MOST] = {"replicator", "replicator-2", "replicator-3",
                                                               "replicator-4"};

size_t scenario_services(const struct scenario *scenario) {
    const size_t fronts = (size_t)scenario->service_processes;
    if (scenario->n_users == 0)
        return 0;
    return scenario->service_split ? 2 * fronts : fronts;
}

bool scenario_service_answers(const struct scenario *scenario, size_t n) {
    return n < (size_t)scenario->service_processes;
}

const char *scenario_service_name(const struct scenario *scenario, size_t n) {
    assert(n < scenario_services(scenario));
    const size_t fronts = (size_t)scenario->service_processes;
    return n < fronts ? front_names[n] : back_names[n - fronts];
}

bool scenario_is_service_name(const char *name) {
    for (size_t i = 0; i < SERVICE_PROCESSES_MOST; i++)
        if (!strcmp(name, front_names[i]) || !strcmp(name, back_names[i]))
            return true;
    return false;
}

bool scenario_has_service(const struct scenario *scenario, const char *name) {
    for (size_t i = 0; i < scenario_services(scenario); i++)
        if (!strcmp(name, scenario_service_name(scenario, i)))
            return true;
    return false;
}

bool scenario_has_backend(const struct scenario *scenario) {
    return scenario->n_users > 0 && (scenario->upload->to_server || scenario->fetch_config);
}

const char *scenario_service_of(const struct scenario *scenario, const char *device) {
    for (size_t u = 0; u < scenario->n_users; u++) {
        const size_t length = strlen(scenario->users[u]);
        if (strncmp(device, scenario->users[u], length) != 0 || device[length] != '-')
            continue;
        const size_t number = strtoul(device + length + 1, NULL, 10);
        return front_names[(u + number - 1) % (size_t)scenario->service_processes];
    }
    return front_names[0];
}

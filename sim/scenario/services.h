/* The processes of the PowerSync service in a scenario: "powersync", "powersync-2", ... answer devices (and
 * replicate, unless `split`); with `split` "replicator", "replicator-2", ... replicate. All work on one
 * storage. Beside them stands the app's own server, where a scenario needs one. */
#ifndef SYNCLINE_SCENARIO_SERVICES_H
#define SYNCLINE_SCENARIO_SERVICES_H

#include "scenario/scenario.h"

enum { SERVICE_PROCESSES_MOST = 4 };

/* 0 without users. */
size_t scenario_services(const struct scenario *scenario);
/* The n-th, from 0; those that answer devices come first. */
const char *scenario_service_name(const struct scenario *scenario, size_t n);
bool scenario_service_answers(const struct scenario *scenario, size_t n);
/* Whatever the scenario: such names belong to the service. */
bool scenario_is_service_name(const char *name);
bool scenario_has_service(const struct scenario *scenario, const char *name);
/* The process that a device talks to: neighbours have different ones. */
const char *scenario_service_of(const struct scenario *scenario, const char *device);

/* The node of the app's own server, and whether there is one. */
#define SCENARIO_BACKEND "backend"
bool scenario_has_backend(const struct scenario *scenario);

#endif

/* `backend: FILE`: a backend in YAML that the scenario's deployment runs, and what the deployment has
 * altogether. */
#ifndef SYNCLINE_SCENARIO_SCENARIO_BACKEND_H
#define SYNCLINE_SCENARIO_SCENARIO_BACKEND_H

#include "reader/reader.h"
#include "scenario/scenario.h"

/* `backend:`, a path from the scenario's file on. Errors inside that file have their place in it. */
enum status scenario_read_backend(struct reader *reader, struct reader_value value, void *scenario);

/* Fills tables, functions, routes and providers: the backend's on top of the app's. Without users the app
 * takes no part and a backend stands alone. Arrays live in `arena`, their contents with app and scenario.
 * STATUS_INVALID: app and backend have a name in common. */
enum status scenario_fill_deployment(const struct scenario *scenario, struct arena *arena,
                                     struct convex_deployment_options *options, struct error *error);
/* The app has documents, devices and functions in this scenario. */
bool scenario_app_takes_part(const struct scenario *scenario);

#endif

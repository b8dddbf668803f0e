#include "cli/engine_options.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "scenario/scenario.h"

static enum status check_engine(const char *engine, struct error *error) {
    for (const struct scenario_name *known = scenario_engines(); known->name != NULL; known++)
        if (strcmp(known->name, engine) == 0)
            return STATUS_OK;
    return error_set(error, STATUS_INVALID, "unknown engine %s", engine);
}

enum status engine_options_check(struct engine_options *options, struct error *error) {
    size_t n = 0;
    options->worker_arguments[n++] = PROGRAM;
    options->worker_arguments[n++] = "worker";
    if (options->engine != NULL) {
        enum status status = check_engine(options->engine, error);
        if (status != STATUS_OK)
            return status;
        options->worker_arguments[n++] = "--engine";
        options->worker_arguments[n++] = options->engine;
    }
    if (options->core != NULL) {
        if (access(options->core, R_OK) != 0)
            return error_set(error, STATUS_NOT_FOUND, "--core: cannot read %s", options->core);
        options->worker_arguments[n++] = "--core";
        options->worker_arguments[n++] = options->core;
    }
    assert(n < sizeof options->worker_arguments / sizeof options->worker_arguments[0]);
    options->worker_arguments[n] = NULL;
    return STATUS_OK;
}

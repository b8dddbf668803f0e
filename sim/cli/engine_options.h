/* --engine and --core, which several commands take, and how they reach the workers. */
#ifndef SYNCLINE_CLI_ENGINE_OPTIONS_H
#define SYNCLINE_CLI_ENGINE_OPTIONS_H

#include "base/error.h"

struct engine_options {
    const char *engine;              /* NULL: as the scenario says */
    const char *core;                /* NULL: the one the build found */
    const char *worker_arguments[8]; /* filled by engine_options_check: argv of a worker */
};

/* STATUS_INVALID: no such engine. STATUS_NOT_FOUND: no such file. */
enum status engine_options_check(struct engine_options *options, struct error *error);

#endif

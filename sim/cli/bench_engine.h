/* `syncline bench clients`, `worlds` and `kernel`: the cost of simulating. Options as they were written, NULL
 * where they were not. */
#ifndef SYNCLINE_CLI_BENCH_ENGINE_H
#define SYNCLINE_CLI_BENCH_ENGINE_H

#include <stdbool.h>
#include <stddef.h>

struct command;

struct bench_engine_options {
    const char *clients, *rounds, *seeds, *seed, *engine, *core;
    const char *const *scenarios; /* paths */
    size_t n_scenarios;
};

bool bench_engine_is(const char *what);
/* Returns the exit status. */
int bench_engine_command(const char *what, const struct bench_engine_options *options,
                         const struct command *command);

#endif

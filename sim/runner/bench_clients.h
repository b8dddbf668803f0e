/* `syncline bench clients`: what a client with 100 rows costs with the engines core and model, without a
 * world around it: memory, start with the first checkpoint, one small checkpoint. */
#ifndef SYNCLINE_RUNNER_BENCH_CLIENTS_H
#define SYNCLINE_RUNNER_BENCH_CLIENTS_H

#include <stdio.h>

#include "base/error.h"

/* `core` NULL: the client core that the build found. `clients` 1..100000 of each engine. */
enum status bench_clients_run(const char *core, size_t clients, FILE *out, struct error *error);

#endif

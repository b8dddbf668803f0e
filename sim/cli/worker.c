#include "runner/worker.h"

#include <assert.h>

#include "cli/args.h"
#include "cli/command.h"

static int run(int argc, char **argv) {
    struct worker_settings settings = {0};
    const struct args_option options[] = {{"--engine", NULL, &settings.engine},
                                          {"--core", NULL, &settings.core}};
    struct args args;
    struct error error = {0};
    assert(argc >= 1);
    enum status status = args_parse(argc, argv, options, 2, &args, &error);
    if (status == STATUS_OK && args.n_rest > 0)
        status = error_set(&error, STATUS_INVALID, "a worker takes its jobs from its input");
    args_free(&args);
    return status == STATUS_OK ? worker_main(&settings) : command_refuse(&command_worker, &error);
}

const struct command command_worker = {"worker", NULL, "usage: started by syncline run\n", run};

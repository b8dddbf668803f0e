#include "runner/replay.h"

#include <assert.h>
#include <string.h>

#include "cli/args.h"
#include "cli/command.h"
#include "cli/engine_options.h"
#include "runner/seeds.h"
#include "runner/suite.h"

static const char usage[] =
    "usage: syncline replay [OPTION]... FAILURE-FILE\n"
    "       syncline replay [OPTION]... --seed N SCENARIO\n"
    "Runs one seed again. The verdict and the trace hash must be those of the failure file or of "
    "--trace-hash; with\n"
    "nothing to compare with, it runs twice and compares both. Exit status 0: the same again.\n"
    "  --trace-hash H   the trace hash to compare with\n"
    "  --trace          print what happens\n"
    "  --keep-databases DIR  write the clients' databases to DIR, for the sqlite3 shell\n"
    "  --engine NAME    the clients' engine\n"
    "  --core FILE      the client core to load\n";

static enum status check_hash(const char *hash, struct error *error) {
    if (hash == NULL || (strlen(hash) == 32 && strspn(hash, "0123456789abcdef") == 32))
        return STATUS_OK;
    return error_set(error, STATUS_INVALID, "'%s' is not a trace hash of 32 hexadecimal digits", hash);
}

static enum status choose(const struct args *args, const char *seed, struct engine_options *engine,
                          struct replay_settings *settings, struct error *error) {
    enum status status = STATUS_OK;
    if (args->n_rest != 1)
        return error_set(error, STATUS_INVALID, "replay needs exactly one file");
    settings->path = args->rest[0];
    settings->has_seed = seed != NULL;
    if (seed != NULL)
        status = seed_parse_number(seed, SEED_MAX, &settings->seed, error);
    if (status == STATUS_OK)
        status = check_hash(settings->trace_hash, error);
    if (status == STATUS_OK)
        status = engine_options_check(engine, error);
    settings->worker_arguments = engine->worker_arguments;
    return status;
}

static int run(int argc, char **argv) {
    struct replay_settings settings = {.program = PROGRAM, .out = stdout};
    struct engine_options engine = {0};
    const char *seed = NULL;
    const struct args_option options[] = {{"--seed", NULL, &seed},
                                          {"--trace-hash", NULL, &settings.trace_hash},
                                          {"--trace", &settings.trace, NULL},
                                          {"--keep-databases", NULL, &settings.databases},
                                          {"--engine", NULL, &engine.engine},
                                          {"--core", NULL, &engine.core}};
    struct args args;
    struct error error = {0};
    assert(argc >= 1);
    enum status status = args_parse(argc, argv, options, sizeof options / sizeof options[0], &args, &error);
    if (status == STATUS_OK)
        status = choose(&args, seed, &engine, &settings, &error);
    int exit_status = EXIT_WRONG_USE;
    if (status != STATUS_OK) {
        command_refuse(&command_replay, &error);
    } else {
        exit_status = replay_run(&settings, &error);
        if (exit_status == EXIT_WRONG_USE || exit_status == EXIT_INTERNAL)
            command_fail(&error, exit_status);
    }
    args_free(&args);
    return exit_status;
}

const struct command command_replay = {"replay", "run one seed again and compare", usage, run};

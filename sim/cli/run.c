#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/command.h"
#include "cli/engine_options.h"
#include "runner/installation.h"
#include "runner/suite.h"
#include "runner/suite_versions.h"

#define USUAL_SEEDS 20

static const char usage[] =
    "usage: syncline run [OPTION]... [SCENARIO|FOLDER]...\n"
    "Runs each scenario with each seed. Without a scenario: the suite scenarios/smoke. Without seeds: 1-20.\n"
    "  --seed N         one seed\n"
    "  --seeds A-B      a range of seeds\n"
    "  --for 60s        go on with increasing seeds until this much time has passed (ms, s, min, h)\n"
    "  -j N             worker processes; usually one for each CPU\n"
    "  --shard I/N      only the I-th of N shares of the jobs; usually from the environment of Slurm "
    "arrays,\n"
    "                   Kubernetes indexed Jobs and CI matrices\n"
    "  --engine NAME    the clients' engine (syncline list engines)\n"
    "  --core FILE      the client core to load\n"
    "  --versions       on every release of the client core that can be installed, and a table of them\n"
    "  --out DIR        report folder; usually syncline-results\n"
    "  --junit FILE     one more copy of the JUnit report\n"
    "  --fail-fast      start nothing new after the first failure\n"
    "  --no-shrink      report failures as they were found\n"
    "  --trace          keep what happened in each seed, in DIR/traces\n"
    "  --keep-databases keep the clients' databases, in DIR/databases, for the sqlite3 shell\n"
    "  --flip-delay N   change the lowest bit of the N-th network delay: a control, the traces must differ\n";

struct run_options {
    const char *seed, *seeds, *run_for, *workers, *shard, *out, *junit, *flip_delay;
    struct engine_options engine;
    bool fail_fast, no_shrink, trace, versions, keep_databases;
    struct args args;
    struct buffer default_suite, command;
    const char *default_path;
};

static enum status parse_arguments(struct run_options *options, int argc, char **argv, struct error *error) {
    const struct args_option known[] = {{"--seed", NULL, &options->seed},
                                        {"--seeds", NULL, &options->seeds},
                                        {"--for", NULL, &options->run_for},
                                        {"-j", NULL, &options->workers},
                                        {"--shard", NULL, &options->shard},
                                        {"--engine", NULL, &options->engine.engine},
                                        {"--core", NULL, &options->engine.core},
                                        {"--versions", &options->versions, NULL},
                                        {"--out", NULL, &options->out},
                                        {"--junit", NULL, &options->junit},
                                        {"--fail-fast", &options->fail_fast, NULL},
                                        {"--no-shrink", &options->no_shrink, NULL},
                                        {"--trace", &options->trace, NULL},
                                        {"--keep-databases", &options->keep_databases, NULL},
                                        {"--flip-delay", NULL, &options->flip_delay}};
    return args_parse(argc, argv, known, sizeof known / sizeof known[0], &options->args, error);
}

static enum status choose_seeds(const struct run_options *options, struct suite_settings *settings,
                                struct error *error) {
    if ((options->seed != NULL) + (options->seeds != NULL) + (options->run_for != NULL) > 1 &&
        !(options->seeds != NULL && options->run_for != NULL && options->seed == NULL))
        return error_set(error, STATUS_INVALID, "--seed goes with neither --seeds nor --for");
    settings->seeds_chosen = options->seed != NULL || options->seeds != NULL;
    settings->seeds = (struct seed_range){1, options->run_for != NULL ? (uint64_t)SEED_MAX : USUAL_SEEDS};
    if (options->run_for != NULL) {
        enum status status = wall_time_parse(options->run_for, &settings->run_for, error);
        if (status != STATUS_OK)
            return status;
    }
    if (options->seeds != NULL)
        return seed_range_parse(options->seeds, &settings->seeds, error);
    if (options->seed == NULL)
        return STATUS_OK;
    enum status status = seed_parse_number(options->seed, SEED_MAX, &settings->seeds.first, error);
    settings->seeds.last = settings->seeds.first;
    return status;
}

static const char *get_environment(const char *name) {
    return getenv(name);
}

static enum status choose_shard(const struct run_options *options, struct suite_settings *settings,
                                struct error *error) {
    const char *source = NULL;
    if (options->shard != NULL)
        return shard_parse(options->shard, &settings->shard, error);
    enum status status = shard_from_environment(get_environment, &settings->shard, &source, error);
    if (status == STATUS_OK && source != NULL)
        fprintf(stderr, "shard %llu of %llu, from %s\n", (unsigned long long)settings->shard.index + 1,
                (unsigned long long)settings->shard.count, source);
    return status;
}

static enum status choose_workers(const struct run_options *options, struct suite_settings *settings,
                                  struct error *error) {
    uint64_t workers = 0;
    if (options->workers == NULL)
        return STATUS_OK;
    enum status status = seed_parse_number(options->workers, 1024, &workers, error);
    if (status == STATUS_OK && workers == 0)
        status = error_set(error, STATUS_INVALID, "-j needs at least one worker");
    settings->workers = (size_t)workers;
    return status;
}

static enum status choose_paths(struct run_options *options, struct suite_settings *settings,
                                struct error *error) {
    settings->paths = options->args.rest;
    settings->n_paths = options->args.n_rest;
    if (settings->n_paths > 0)
        return STATUS_OK;
    if (!installation_find("scenarios/smoke", &options->default_suite))
        return error_set(error, STATUS_NOT_FOUND,
                         "there is no scenarios/smoke here; name a scenario or a folder");
    options->default_path = buffer_text(&options->default_suite);
    settings->paths = &options->default_path;
    settings->n_paths = 1;
    return STATUS_OK;
}

static enum status choose(struct run_options *options, struct suite_settings *settings, struct error *error) {
    enum status status = choose_seeds(options, settings, error);
    if (status == STATUS_OK)
        status = choose_workers(options, settings, error);
    if (status == STATUS_OK)
        status = choose_shard(options, settings, error);
    if (status == STATUS_OK)
        status = engine_options_check(&options->engine, error);
    if (status == STATUS_OK && options->versions &&
        (options->engine.engine != NULL || options->engine.core != NULL))
        status = error_set(error, STATUS_INVALID, "--versions goes with neither --engine nor --core");
    if (status == STATUS_OK && options->flip_delay != NULL)
        status = seed_parse_number(options->flip_delay, SEED_MAX, &settings->flip_delay, error);
    if (status == STATUS_OK)
        status = choose_paths(options, settings, error);
    return status;
}

static void join_command(struct buffer *out, int argc, char **argv) {
    assert(argc >= 1);
    buffer_append_text(out, PROGRAM);
    for (int i = 0; i < argc; i++)
        buffer_printf(out, " %s", argv[i]);
}

static int run_chosen(struct run_options *options, struct suite_settings *settings, int argc, char **argv) {
    struct error error = {0};
    join_command(&options->command, argc, argv);
    settings->engine = options->engine.engine;
    settings->core = options->engine.core;
    settings->folder = options->out != NULL ? options->out : "syncline-results";
    settings->junit = options->junit;
    settings->fail_fast = options->fail_fast;
    settings->trace = options->trace;
    settings->keep_databases = options->keep_databases;
    settings->command = buffer_text(&options->command);
    settings->version = SYNCLINE_VERSION;
    settings->program = PROGRAM;
    settings->out = stdout;
    settings->progress = stderr;
    settings->terminal = isatty(STDERR_FILENO) == 1;
    int exit_status = options->versions ? suite_versions_run(settings, &error) : suite_run(settings, &error);
    return exit_status == EXIT_WRONG_USE || exit_status == EXIT_INTERNAL ? command_fail(&error, exit_status)
                                                                         : exit_status;
}

static int run(int argc, char **argv) {
    struct run_options options = {0};
    struct suite_settings settings = {0};
    struct error error = {0};
    enum status status = parse_arguments(&options, argc, argv, &error);
    int exit_status;
    if (status == STATUS_OK)
        status = choose(&options, &settings, &error);
    if (status != STATUS_OK)
        exit_status = command_refuse(&command_run, &error);
    else
        exit_status = run_chosen(&options, &settings, argc, argv);
    args_free(&options.args);
    buffer_free(&options.default_suite);
    buffer_free(&options.command);
    return exit_status;
}

const struct command command_run = {"run", "run scenarios over seeds and give a verdict", usage, run};

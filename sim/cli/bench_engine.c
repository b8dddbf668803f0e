#include "cli/bench_engine.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "cli/command.h"
#include "cli/engine_options.h"
#include "runner/bench_clients.h"
#include "runner/bench_kernel.h"
#include "runner/bench_worlds.h"
#include "runner/installation.h"
#include "runner/seeds.h"
#include "runner/suite.h"

enum { USUAL_SCENARIOS = 2 };

bool bench_engine_is(const char *what) {
    return !strcmp(what, "clients") || !strcmp(what, "worlds") || !strcmp(what, "kernel");
}

static enum status read_number(const char *text, const char *usual, uint64_t most, uint64_t *number,
                               struct error *error) {
    enum status status = seed_parse_number(text != NULL ? text : usual, most, number, error);
    if (status == STATUS_OK && *number == 0)
        return error_set(error, STATUS_INVALID, "%s is too small", text);
    return status;
}

/* The scenarios that were named, or the usual ones; `paths` holds the latter's texts. */
static enum status find_scenarios(const struct bench_engine_options *options,
                                  struct bench_worlds_settings *settings, const char **list,
                                  struct buffer paths[USUAL_SCENARIOS], struct error *error) {
    static const char *const usual[USUAL_SCENARIOS] = {"scenarios/bench/todo.yaml",
                                                       "scenarios/bench/search.yaml"};
    settings->scenarios = options->scenarios;
    settings->n_scenarios = options->n_scenarios;
    if (options->n_scenarios > 0)
        return STATUS_OK;
    for (size_t i = 0; i < USUAL_SCENARIOS; i++) {
        if (!installation_find(usual[i], &paths[i]))
            return error_set(error, STATUS_NOT_FOUND, "there is no %s here; name a scenario", usual[i]);
        list[i] = buffer_text(&paths[i]);
    }
    settings->scenarios = list;
    settings->n_scenarios = USUAL_SCENARIOS;
    return STATUS_OK;
}

static enum status choose_engines(const struct bench_engine_options *options,
                                  struct engine_options engines[2], struct bench_worlds_settings *settings,
                                  struct error *error) {
    static const char *const usual[] = {"core", "model"};
    enum status status = STATUS_OK;
    settings->n_engines = options->engine != NULL ? 1 : 2;
    for (size_t i = 0; status == STATUS_OK && i < settings->n_engines; i++) {
        engines[i].engine = options->engine != NULL ? options->engine : usual[i];
        engines[i].core = options->core;
        status = engine_options_check(&engines[i], error);
        settings->engines[i] = engines[i].engine;
        settings->worker_arguments[i] = engines[i].worker_arguments;
    }
    return status;
}

static int run_worlds(const struct bench_engine_options *options, const struct command *command) {
    struct bench_worlds_settings settings = {.out = stdout};
    struct engine_options engines[2] = {0};
    struct buffer paths[USUAL_SCENARIOS] = {0};
    const char *list[USUAL_SCENARIOS];
    struct error error = {0};
    const char *seeds = options->seeds != NULL  ? options->seeds
                        : options->seed != NULL ? options->seed
                                                : "1-5";
    enum status status = seed_range_parse(seeds, &settings.seeds, &error);
    if (status == STATUS_OK)
        status = choose_engines(options, engines, &settings, &error);
    if (status == STATUS_OK)
        status = find_scenarios(options, &settings, list, paths, &error);
    int exit_status = EXIT_EXPECTED;
    if (status != STATUS_OK) {
        exit_status = command_refuse(command, &error);
    } else {
        status = bench_worlds_run(&settings, &error);
        if (status != STATUS_OK)
            exit_status = command_fail(&error, status == STATUS_CONFLICT ? EXIT_VIOLATED
                                                                         : suite_exit_status_of(status));
    }
    for (size_t i = 0; i < USUAL_SCENARIOS; i++)
        buffer_free(&paths[i]);
    return exit_status;
}

int bench_engine_command(const char *what, const struct bench_engine_options *options,
                         const struct command *command) {
    uint64_t clients = 0, rounds = 0;
    struct error error = {0};
    if (!strcmp(what, "worlds"))
        return run_worlds(options, command);
    enum status status = read_number(options->clients, "300", 100000, &clients, &error);
    if (status == STATUS_OK)
        status = read_number(options->rounds, "5", 100, &rounds, &error);
    if (status == STATUS_OK && options->n_scenarios > 0)
        status = error_set(&error, STATUS_INVALID, "bench %s takes no scenario", what);
    if (status != STATUS_OK)
        return command_refuse(command, &error);
    if (!strcmp(what, "clients"))
        status = bench_clients_run(options->core, (size_t)clients, stdout, &error);
    else
        bench_kernel_run((unsigned)rounds, stdout);
    return status == STATUS_OK ? EXIT_EXPECTED : command_fail(&error, suite_exit_status_of(status));
}

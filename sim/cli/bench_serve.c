#include "cli/bench_serve.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "cli/command.h"
#include "kernel/time.h"
#include "reader/units.h"
#include "runner/bench_serve.h"
#include "runner/bench_sync.h"
#include "runner/seeds.h"
#include "runner/suite.h"

static enum status read_count(const char *text, uint64_t least, uint64_t most, size_t *count,
                              struct error *error) {
    uint64_t number = *count;
    enum status status = text ? seed_parse_number(text, most, &number, error) : STATUS_OK;
    if (status == STATUS_OK && number < least)
        return error_set(error, STATUS_INVALID, "%s is too small", text);
    *count = (size_t)number;
    return status;
}

static enum status read_options(const struct bench_serve_options *options,
                                struct bench_serve_settings *settings, struct error *error) {
    size_t rounds = settings->rounds;
    enum status status = read_count(options->connections, 1, 1000, &settings->connections, error);
    if (status == STATUS_OK)
        status = read_count(options->ahead, 1, 100, &settings->ahead, error);
    if (status == STATUS_OK)
        status = read_count(options->sockets, 0, 9000, &settings->sockets, error);
    if (status == STATUS_OK)
        status = read_count(options->subscriptions, 1, 1000, &settings->subscriptions, error);
    if (status == STATUS_OK)
        status = read_count(options->rounds, 1, 100, &rounds, error);
    settings->rounds = (unsigned)rounds;
    if (status == STATUS_OK && options->round_time &&
        (!units_read_duration(options->round_time, &settings->round_time) ||
         settings->round_time < 10 * TIME_MILLISECOND || settings->round_time > TIME_MINUTE))
        return error_set(error, STATUS_INVALID, "--round-time is 10ms to 1min, not %s", options->round_time);
    return status;
}

static enum status read_sync_options(const struct bench_serve_options *options,
                                     struct bench_sync_settings *settings, struct error *error) {
    if (options->part && strcmp(options->part, "convex") != 0 && strcmp(options->part, "powersync") != 0)
        return error_set(error, STATUS_INVALID, "--part is convex or powersync, not %s", options->part);
    if (options->json && !options->part)
        return error_set(error, STATUS_INVALID, "--json needs --part: it holds the figures of one");
    enum status status = read_count(options->rows, 100, 1000000, &settings->rows, error);
    return status == STATUS_OK ? read_count(options->streams, 1, 200, &settings->streams, error) : status;
}

static bool wants(const struct bench_serve_options *options, const char *part) {
    return !options->part || strcmp(options->part, part) == 0;
}

int bench_serve_command(const struct bench_serve_options *options, const struct command *command) {
    char executable[4096];
    size_t size = sizeof executable;
    struct error error = {0};
    struct bench_serve_settings settings = {.executable = executable,
                                            .connections = 16,
                                            .ahead = 16,
                                            .sockets = 1000,
                                            .subscriptions = 10,
                                            .rounds = 5,
                                            .round_time = TIME_SECOND,
                                            .json = options->json,
                                            .out = stdout,
                                            .progress = stderr};
    struct bench_sync_settings sync = {.executable = executable,
                                       .rows = 100000,
                                       .streams = 200,
                                       .json = options->json,
                                       .out = stdout,
                                       .progress = stderr};
    enum status status = read_options(options, &settings, &error);
    if (status == STATUS_OK)
        status = read_sync_options(options, &sync, &error);
    if (status != STATUS_OK)
        return command_refuse(command, &error);
    sync.rounds = settings.rounds;
    sync.round_time = settings.round_time;
    if (uv_exepath(executable, &size) != 0) {
        error_set(&error, STATUS_IO, "this program does not know where it lies");
        return command_fail(&error, EXIT_INTERNAL);
    }
    if (wants(options, "convex"))
        status = bench_serve_run(&settings, &error);
    if (status == STATUS_OK && wants(options, "powersync"))
        status = bench_sync_run(&sync, &error);
    return status == STATUS_OK ? EXIT_EXPECTED : command_fail(&error, suite_exit_status_of(status));
}

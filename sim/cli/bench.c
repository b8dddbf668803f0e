#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/bench_engine.h"
#include "cli/bench_serve.h"
#include "cli/command.h"
#include "cli/engine_options.h"
#include "runner/bench_polling.h"
#include "runner/installation.h"
#include "runner/suite.h"

static const char usage[] =
    "usage: syncline bench polling [OPTION]... [SCENARIO]\n"
    "       syncline bench serve [OPTION]...\n"
    "       syncline bench clients|worlds|kernel [OPTION]...\n"
    "polling:\n"
    "How fresh the devices are and how many requests it costs, by polling interval. SCENARIO is usually\n"
    "scenarios/bench/polling.yaml.\n"
    "  --intervals LIST   ms, usually 50,100,250,500,1000,2000\n"
    "  --seeds A-B        usually 1-5; --seed N for one\n"
    "  -j N               worker processes\n"
    "  --out DIR          polling.csv, polling.png and polling.svg; usually syncline-results/bench\n"
    "  --engine NAME, --core FILE   as for run\n"
    "serve: what `syncline serve` manages in real time on this machine, and its memory: as a deployment\n"
    "mutations, rows of document_deltas, updates of subscriptions; as a PowerSync service start, initial\n"
    "replication, initial sync, connections, rows to many streams and their delay.\n"
    "  --part convex|powersync         one of the two; usually both\n"
    "  --connections N, --ahead N      of HTTP, and requests sent ahead on each; usually 16 and 16\n"
    "  --sockets N, --subscriptions N  WebSockets, and queries of each; usually 1000 and 10; 0 sockets: "
    "none\n"
    "  --rows N, --streams N           of the PowerSync service, usually 100000 and (at most) 200\n"
    "  --rounds N, --round-time TIME   after one to warm up; usually 5 and 1s\n"
    "  --json FILE                     the figures as JSON\n"
    "clients: what a client with 100 rows costs with the engines core and model: memory, start, one small\n"
    "checkpoint. --clients N (usually 300), --core FILE\n"
    "worlds: how fast worlds run with each engine, the share of the checks, and their memory, in CPU time\n"
    "of one worker. SCENARIOs are usually todo.yaml and search.yaml of scenarios/bench.\n"
    "  --seeds A-B, --seed N, --engine NAME, --core FILE\n"
    "kernel: events a second through the queue of pending events. --rounds N (usually 5)\n";

struct bench_options {
    const char *intervals, *seeds, *seed, *workers, *out;
    struct engine_options engine;
    struct buffer scenario, script;
    struct bench_serve_options serve;
    const char *clients;
};

static enum status choose_numbers(const struct bench_options *options,
                                  struct bench_polling_settings *settings, struct polling_table *table,
                                  struct error *error) {
    uint64_t workers = 0;
    const char *seeds = options->seeds != NULL  ? options->seeds
                        : options->seed != NULL ? options->seed
                                                : "1-5";
    if (options->seeds != NULL && options->seed != NULL)
        return error_set(error, STATUS_INVALID, "--seed and --seeds exclude each other");
    enum status status = polling_intervals_parse(
        options->intervals == NULL ? "50,100,250,500,1000,2000" : options->intervals, table, error);
    if (status == STATUS_OK)
        status = seed_range_parse(seeds, &settings->seeds, error);
    if (status == STATUS_OK && options->workers != NULL)
        status = seed_parse_number(options->workers, 1024, &workers, error);
    settings->workers = (size_t)workers;
    return status;
}

static enum status choose_files(const struct args *args, struct bench_options *options,
                                struct bench_polling_settings *settings, struct error *error) {
    if (args->n_rest < 1 || args->n_rest > 2 || strcmp(args->rest[0], "polling") != 0)
        return error_set(error, STATUS_INVALID, "bench what? (polling, serve, clients, worlds, kernel)");
    if (args->n_rest == 2)
        buffer_append_text(&options->scenario, args->rest[1]);
    else if (!installation_find("scenarios/bench/polling.yaml", &options->scenario))
        return error_set(error, STATUS_NOT_FOUND,
                         "there is no scenarios/bench/polling.yaml here; name a scenario");
    settings->scenario = buffer_text(&options->scenario);
    if (installation_find("reports/polling.gnuplot", &options->script))
        settings->script = buffer_text(&options->script);
    settings->folder = options->out != NULL ? options->out : "syncline-results/bench";
    return engine_options_check(&options->engine, error);
}

static int run_chosen(const struct bench_polling_settings *settings, struct polling_table *table) {
    struct error error = {0};
    enum status status = bench_polling_run(settings, table, &error);
    if (status == STATUS_OK)
        return EXIT_EXPECTED;
    return command_fail(&error, status == STATUS_CONFLICT ? EXIT_VIOLATED : suite_exit_status_of(status));
}

static int run(int argc, char **argv) {
    struct polling_table table = {0};
    struct bench_options options = {0};
    struct bench_polling_settings settings = {.out = stdout};
    const struct args_option known[] = {{"--intervals", NULL, &options.intervals},
                                        {"--seeds", NULL, &options.seeds},
                                        {"--seed", NULL, &options.seed},
                                        {"-j", NULL, &options.workers},
                                        {"--out", NULL, &options.out},
                                        {"--engine", NULL, &options.engine.engine},
                                        {"--core", NULL, &options.engine.core},
                                        {"--part", NULL, &options.serve.part},
                                        {"--rows", NULL, &options.serve.rows},
                                        {"--streams", NULL, &options.serve.streams},
                                        {"--connections", NULL, &options.serve.connections},
                                        {"--ahead", NULL, &options.serve.ahead},
                                        {"--sockets", NULL, &options.serve.sockets},
                                        {"--subscriptions", NULL, &options.serve.subscriptions},
                                        {"--rounds", NULL, &options.serve.rounds},
                                        {"--round-time", NULL, &options.serve.round_time},
                                        {"--json", NULL, &options.serve.json},
                                        {"--clients", NULL, &options.clients}};
    struct args args;
    struct error error = {0};
    assert(argc >= 1);
    enum status status = args_parse(argc, argv, known, sizeof known / sizeof known[0], &args, &error);
    if (status == STATUS_OK && args.n_rest == 1 && !strcmp(args.rest[0], "serve")) {
        args_free(&args);
        return bench_serve_command(&options.serve, &command_bench);
    }
    const struct bench_engine_options measured = {.clients = options.clients,
                                                  .rounds = options.serve.rounds,
                                                  .seeds = options.seeds,
                                                  .seed = options.seed,
                                                  .engine = options.engine.engine,
                                                  .core = options.engine.core,
                                                  .scenarios = args.rest + 1,
                                                  .n_scenarios = args.n_rest > 0 ? args.n_rest - 1 : 0};
    if (status == STATUS_OK && args.n_rest > 0 && bench_engine_is(args.rest[0])) {
        int exit_status = bench_engine_command(args.rest[0], &measured, &command_bench);
        args_free(&args);
        return exit_status;
    }
    if (status == STATUS_OK)
        status = choose_numbers(&options, &settings, &table, &error);
    if (status == STATUS_OK)
        status = choose_files(&args, &options, &settings, &error);
    settings.worker_arguments = options.engine.worker_arguments;
    int exit_status =
        status == STATUS_OK ? run_chosen(&settings, &table) : command_refuse(&command_bench, &error);
    polling_table_free(&table);
    args_free(&args);
    buffer_free(&options.scenario);
    buffer_free(&options.script);
    return exit_status;
}

const struct command command_bench = {
    "bench", "measure freshness in virtual time, or speed and memory in real time", usage, run};

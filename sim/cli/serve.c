/* `syncline serve`: a mock Convex deployment, a PowerSync service, or both, on real sockets. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "cli/args.h"
#include "cli/command.h"
#include "cli/serve_powersync.h"
#include "runner/seeds.h"
#include "runner/suite.h"

static const char usual_key[] = "dev:syncline-1|0123456789abcdef";

static const char usage[] =
    "usage: syncline serve [--convex ADDRESS] [--powersync ADDRESS] [OPTION]...\n"
    "A mock Convex deployment, a mock PowerSync service, or both, on real sockets, until SIGINT or SIGTERM.\n"
    "The deployment starts empty, and what it keeps is gone when it ends.\n"
    "  --convex ADDRESS  where to serve: HOST:PORT with a numeric host; port 0 picks a free one\n"
    "                    (\"127.0.0.1:3210\" is what `npx convex dev --local` uses)\n"
    "  --convex-site ADDRESS  where to serve its HTTP actions as well; they are always below /http/ on the\n"
    "                    first address (\"127.0.0.1:3211\" is usual)\n"
    "  --powersync ADDRESS  serve a PowerSync service there (\"127.0.0.1:8080\" is usual)\n"
    "  --config FILE     its service.yaml: source, sync config, tokens, storage (docs/serve.md); without it\n"
    "                    everybody who has a token of --issuer gets the rows of the deployment of --convex\n"
    "  --issuer ADDRESS  serve a token issuer there, whose tokens the deployment and the built-in service\n"
    "                    accept: GET /token?user=NAME&audience=convex, GET /token?user=NAME for PowerSync\n"
    "  --app NAME        whose tables and functions it has; usually todo\n"
    "  --backend FILE    another backend instead: tables, functions, HTTP routes, auth providers in YAML\n"
    "                    (docs/backends.md; backends/ has samples)\n"
    "  --deploy-key KEY  usually dev:syncline-1|0123456789abcdef; with prod: instead of dev: callers see no "
    "error\n"
    "                    texts, as in production\n"
    "  --seed N          of document ids and every other random choice; usually 1\n"
    "  --mutant NAME     switch on a deliberate bug\n"
    "  --faults FILE     what goes wrong with requests, answers and WebSockets (docs/faults.md); how often "
    "each\n"
    "                    rule struck is printed at the end\n"
    "  --verbose         print what happens\n"
    "Anybody who can reach the address can use it: stay on 127.0.0.1 unless you mean otherwise.\n";

/* All that is served, and what it was made of. */
struct server {
    const struct serve_options *options;
    const struct app *app; /* NULL: `backend` */
    struct convex_backend *backend;
    struct arena arena; /* of the faults */
    struct fault_file faults;
    struct live *live;
    struct app_issuer *issuer;
    struct serve_convex convex;
    struct serve_powersync powersync;
    uint64_t seed;
    int64_t began; /* ns of the monotonic clock: the command's start */
};

static int64_t monotonic_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * TIME_SECOND + now.tv_nsec;
}

static void print_note(void *context, int64_t now, const char *node, const struct note *note) {
    (void)context;
    if (note->kind == NOTE_READS)
        return;
    printf("%lld.%06lld %s %s", (long long)(now / TIME_SECOND),
           (long long)(now % TIME_SECOND / TIME_MICROSECOND), node,
           note->kind == NOTE_COMMIT ? "committed" : "note");
    if (note->timestamp)
        printf(" at %lld", (long long)note->timestamp);
    if (note->text)
        printf(": %s", note->text);
    putchar('\n');
}

static bool is_private(const struct serve_options *options) {
    const char *const addresses[] = {options->convex, options->site, options->powersync};
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++)
        if (addresses[i] && !live_address_is_loopback(addresses[i]))
            return false;
    return true;
}

static void print_start(const struct server *server) {
    const struct serve_options *options = server->options;
    if (options->convex)
        serve_convex_print(&server->convex);
    if (options->powersync)
        serve_powersync_print(&server->powersync);
    if (server->issuer)
        printf("issuer     %s\n", app_issuer_url(server->issuer));
    const int64_t taken = monotonic_now() - server->began;
    printf("started in %lld.%01lld ms\n", (long long)(taken / TIME_MILLISECOND),
           (long long)(taken % TIME_MILLISECOND / (TIME_MILLISECOND / 10)));
    if (is_private(options))
        printf("Only this machine can reach it.\n");
    else
        printf("Other machines can reach it. The deploy key is no secret; there is no encryption.\n");
    fflush(stdout);
}

/* The token issuer, when one is asked for: before the deployment, which has to know its address. */
static enum status serve_issuer(const struct serve_options *options, struct live *live,
                                struct app_issuer **issuer, struct error *error) {
    if (!options->issuer)
        return STATUS_OK;
    struct host *host = live_node(live, "issuer");
    *issuer = app_issuer_create(host, SERVE_TOKEN_KEY_ID, SERVE_TOKEN_SECRET, SERVE_TOKEN_AUDIENCE,
                                300 * TIME_SECOND);
    enum status status = live_serve(live, host, options->issuer, error);
    if (status != STATUS_OK)
        return status;
    char *url = memory_format("http://%s", live_address(live, host));
    app_issuer_set_url(*issuer, url);
    free(url);
    return STATUS_OK;
}

static void print_end(const struct server *server) {
    if (server->options->convex)
        serve_convex_print_faults(&server->convex);
    if (server->options->powersync)
        serve_powersync_print_faults(&server->powersync);
}

/* --- what the options name --- */

static enum status check_options(const struct args *args, const struct serve_options *options,
                                 struct error *error) {
    if (args->n_rest > 0)
        return error_set(error, STATUS_INVALID, "serve takes no %s", args->rest[0]);
    if (!options->convex && !options->powersync)
        return error_set(error, STATUS_INVALID,
                         "serve where? (--convex 127.0.0.1:3210, --powersync 127.0.0.1:8080)");
    if (!options->convex && (options->site || options->app || options->backend))
        return error_set(error, STATUS_INVALID, "--convex-site, --app and --backend go with --convex");
    if (options->config && !options->powersync)
        return error_set(error, STATUS_INVALID, "--config goes with --powersync");
    if (options->powersync && !options->config && !options->convex)
        return error_set(error, STATUS_INVALID,
                         "--powersync without --convex needs --config: what should it replicate?");
    if (!strchr(options->deploy_key, '|'))
        return error_set(error, STATUS_INVALID, "\"%s\" is no deploy key: dev:NAME|SECRET",
                         options->deploy_key);
    if (options->app && options->backend)
        return error_set(error, STATUS_INVALID, "either --app or --backend");
    return STATUS_OK;
}

static enum status load_faults(struct server *server, struct error *error) {
    const struct serve_options *options = server->options;
    enum status status = fault_file_load(options->faults, &server->arena, &server->faults, error);
    if (status == STATUS_OK && server->faults.powersync.rules.count > 0 && !options->powersync)
        return error_set(error, STATUS_INVALID, "%s has rules for powersync, and --powersync is not given",
                         options->faults);
    return status;
}

/* Reads and checks everything before anything listens. */
static enum status load(struct server *server, struct error *error) {
    static const struct app no_app = {0};
    const struct serve_options *options = server->options;
    enum status status = STATUS_OK;
    server->seed = 1;
    if (options->seed)
        status = seed_parse_number(options->seed, UINT64_MAX, &server->seed, error);
    server->app = app_find(options->app ? options->app : "todo");
    if (status == STATUS_OK && !server->app)
        status = error_set(error, STATUS_INVALID, "there is no app %s", options->app);
    if (status == STATUS_OK && options->backend) {
        server->app = &no_app;
        status = convex_backend_load(options->backend, &server->backend, error);
    }
    if (status == STATUS_OK && options->faults)
        status = load_faults(server, error);
    if (status == STATUS_OK && options->powersync)
        status = serve_powersync_load(&server->powersync, options, error);
    return status;
}

/* --- running --- */

static enum status start(struct server *server, struct error *error) {
    const struct serve_options *options = server->options;
    enum status status = serve_issuer(options, server->live, &server->issuer, error);
    if (status == STATUS_OK && options->convex)
        status = serve_convex_start(&server->convex, server->live, options, server->app, server->backend,
                                    server->issuer, &server->faults, error);
    if (status == STATUS_OK && options->powersync)
        status = serve_powersync_start(&server->powersync, server->live, options,
                                       server->backend ? NULL : server->app,
                                       options->convex ? &server->convex : NULL, &server->faults, error);
    return status;
}

static void end_streams(void *context) {
    struct server *server = context;
    serve_powersync_end(&server->powersync);
}

/* Answers take as long as they take: no time is added. */
static enum status serve(struct server *server, struct error *error) {
    const char *const mutants[] = {server->options->mutant, NULL};
    const struct live_settings settings = {.seed = server->seed,
                                           .mutants = mutants,
                                           .authorities_file = getenv("SSL_CERT_FILE"),
                                           .note = server->options->verbose ? print_note : NULL};
    server->live = live_create(&settings);
    enum status status = start(server, error);
    if (status == STATUS_OK) {
        live_stop_on_signals(server->live, end_streams, server);
        print_start(server);
        live_run(server->live);
        print_end(server);
    }
    serve_powersync_stop(&server->powersync);
    serve_convex_stop(&server->convex);
    app_issuer_destroy(server->issuer);
    live_destroy(server->live);
    return status;
}

static int run(int argc, char **argv) {
    struct serve_options options = {.deploy_key = usual_key};
    const struct args_option known[] = {{"--convex", NULL, &options.convex},
                                        {"--convex-site", NULL, &options.site},
                                        {"--issuer", NULL, &options.issuer},
                                        {"--powersync", NULL, &options.powersync},
                                        {"--config", NULL, &options.config},
                                        {"--faults", NULL, &options.faults},
                                        {"--app", NULL, &options.app},
                                        {"--seed", NULL, &options.seed},
                                        {"--backend", NULL, &options.backend},
                                        {"--mutant", NULL, &options.mutant},
                                        {"--deploy-key", NULL, &options.deploy_key},
                                        {"--verbose", &options.verbose, NULL}};
    struct args args;
    struct error error = {0};
    struct server server = {.options = &options, .faults = fault_file_empty(), .began = monotonic_now()};
    assert(argc >= 1);
    enum status status = args_parse(argc, argv, known, sizeof known / sizeof known[0], &args, &error);
    if (status == STATUS_OK)
        status = check_options(&args, &options, &error);
    args_free(&args);
    if (status == STATUS_OK)
        status = load(&server, &error);
    const bool is_loaded = status == STATUS_OK;
    if (is_loaded)
        status = serve(&server, &error);
    arena_free(&server.arena);
    convex_backend_free(server.backend);
    if (status == STATUS_OK)
        return EXIT_EXPECTED;
    return is_loaded && status != STATUS_INVALID ? command_fail(&error, EXIT_INTERNAL)
                                                 : command_refuse(&command_serve, &error);
}

const struct command command_serve = {"serve", "the mock servers on real sockets", usage, run};

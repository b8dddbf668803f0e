/* `syncline serve`: the mock Convex deployment with an app's tables and functions on a real socket. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "base/memory.h"
#include "cli/args.h"
#include "cli/command.h"
#include "fault/fault_file.h"
#include "live/live.h"
#include "mock-convex/backend.h"
#include "runner/seeds.h"
#include "runner/suite.h"
#include "scenario/switches.h"

static const char usual_key[] = "dev:syncline-1|0123456789abcdef";

static const char usage[] =
    "usage: syncline serve --convex ADDRESS [OPTION]...\n"
    "A mock Convex deployment on a real socket, until SIGINT or SIGTERM. It starts empty, and what it keeps\n"
    "is gone when it ends.\n"
    "  --convex ADDRESS  where to serve: HOST:PORT with a numeric host; port 0 picks a free one\n"
    "                    (\"127.0.0.1:3210\" is what `npx convex dev --local` uses)\n"
    "  --convex-site ADDRESS  where to serve its HTTP actions as well; they are always below /http/ on the\n"
    "                    first address (\"127.0.0.1:3211\" is usual)\n"
    "  --issuer ADDRESS  serve a token issuer there, whose tokens the deployment accepts:\n"
    "                    GET /token?user=NAME&audience=convex\n"
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

struct serve_options {
    const char *convex, *site, *issuer, *powersync, *config, *faults, *app, *backend, *seed, *mutant,
        *deploy_key;
    bool verbose;
    const struct convex_backend *loaded; /* of `backend`; NULL: the app's functions */
};

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

static void print_backend(const struct convex_deployment_options *whole) {
    printf("tables    ");
    for (size_t i = 0; i < whole->n_tables; i++)
        printf(" %s", whole->tables[i].name);
    printf("\nfunctions ");
    for (size_t i = 0; i < whole->n_functions; i++)
        printf(" %s", whole->functions[i].path);
    printf(" powersync_checkpoints:createCheckpoint\n");
    for (size_t i = 0; i < whole->n_http_routes; i++) {
        const struct convex_http_route *route = &whole->http_routes[i];
        printf("route      %s %s -> %s\n", route->method, route->path, route->function);
    }
}

static void print_start(struct live *live, struct host *host, struct host *site,
                        const struct convex_deployment_options *whole, const struct app_issuer *issuer,
                        const struct serve_options *options) {
    printf("convex     http://%s\n", live_address(live, host));
    if (site)
        printf("site       http://%s\n", live_address(live, site));
    if (issuer)
        printf("issuer     %s\n", app_issuer_url(issuer));
    printf("deploy key %s\n", options->deploy_key);
    print_backend(whole);
    if (live_address_is_loopback(options->convex) &&
        (!options->site || live_address_is_loopback(options->site)))
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
    *issuer = app_issuer_create(host, "syncline", "syncline", "powersync", 300 * TIME_SECOND);
    enum status status = live_serve(live, host, options->issuer, error);
    if (status != STATUS_OK)
        return status;
    char *url = memory_format("http://%s", live_address(live, host));
    app_issuer_set_url(*issuer, url);
    free(url);
    return STATUS_OK;
}

/* How often each rule struck. */
static void print_faults(const struct fault_file *faults, const struct host *door) {
    struct buffer text = {0};
    fault_settings_report(&faults->convex, door, &text);
    if (text.length > 0)
        printf("faults, struck of matched:\n%s", buffer_text(&text));
    buffer_free(&text);
}

/* Answers take as long as they take: no time is added. */
static enum status serve(const struct serve_options *options, const struct app *app, uint64_t seed,
                         const struct fault_file *faults, struct error *error) {
    const char *const mutants[] = {options->mutant, NULL};
    const struct live_settings settings = {
        .seed = seed, .mutants = mutants, .note = options->verbose ? print_note : NULL};
    struct live *live = live_create(&settings);
    struct host *host = live_node(live, "convex");
    struct host *site = options->site ? live_node(live, "convex-site") : NULL;
    struct app_issuer *issuer = NULL;
    enum status status = serve_issuer(options, live, &issuer, error);
    const struct convex_auth_provider provider = {.issuer = issuer ? app_issuer_url(issuer) : NULL,
                                                  .application = APP_ISSUER_AUDIENCE};
    struct host *door = fault_host_create(host, &faults->convex);
    const struct convex_limits usual = convex_limits_real();
    struct convex_deployment_options whole = {.deploy_key = options->deploy_key,
                                              .site = site,
                                              .tables = app->tables,
                                              .n_tables = app->n_tables,
                                              .functions = app->functions,
                                              .n_functions = app->n_functions,
                                              .providers = &provider,
                                              .n_providers = issuer ? 1 : 0,
                                              .conflicts = (int)faults->conflicts,
                                              .bumps_when_idle = faults->bumps_when_idle,
                                              .switches = scenario_switches(&faults->deployment, &usual)};
    struct arena arena = {0};
    if (status == STATUS_OK && options->loaded)
        status = convex_backend_add(options->loaded, &arena, &whole, error);
    struct convex_deployment *deployment = convex_deployment_create(door, &whole);
    if (status == STATUS_OK)
        status = live_serve(live, host, options->convex, error);
    if (status == STATUS_OK && site)
        status = live_serve(live, site, options->site, error);
    if (status == STATUS_OK) {
        live_stop_on_signals(live);
        print_start(live, host, site, &whole, issuer, options);
        live_run(live);
        print_faults(faults, door);
    }
    convex_deployment_destroy(deployment);
    arena_free(&arena);
    app_issuer_destroy(issuer);
    fault_host_destroy(door);
    live_destroy(live);
    return status;
}

static enum status check_options(const struct args *args, const struct serve_options *options,
                                 struct error *error) {
    if (args->n_rest > 0)
        return error_set(error, STATUS_INVALID, "serve takes no %s", args->rest[0]);
    if (options->powersync || options->config)
        return error_set(error, STATUS_INVALID,
                         "serve has no PowerSync service yet: --powersync and --config are not supported");
    if (!options->convex)
        return error_set(error, STATUS_INVALID, "serve where? (--convex 127.0.0.1:3210)");
    if (!strchr(options->deploy_key, '|'))
        return error_set(error, STATUS_INVALID, "\"%s\" is no deploy key: dev:NAME|SECRET",
                         options->deploy_key);
    if (options->app && options->backend)
        return error_set(error, STATUS_INVALID, "either --app or --backend");
    return STATUS_OK;
}

static enum status load_faults(const char *path, struct arena *arena, struct fault_file *faults,
                               struct error *error) {
    enum status status = fault_file_load(path, arena, faults, error);
    if (status == STATUS_OK && faults->powersync.rules.count > 0)
        return error_set(error, STATUS_INVALID, "%s has rules for powersync, and serve has no such service",
                         path);
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
    uint64_t seed = 1;
    assert(argc >= 1);
    enum status status = args_parse(argc, argv, known, sizeof known / sizeof known[0], &args, &error);
    if (status == STATUS_OK)
        status = check_options(&args, &options, &error);
    if (status == STATUS_OK && options.seed)
        status = seed_parse_number(options.seed, UINT64_MAX, &seed, &error);
    const struct app *app = app_find(options.app ? options.app : "todo");
    if (status == STATUS_OK && !app)
        status = error_set(&error, STATUS_INVALID, "there is no app %s", options.app);
    struct convex_backend *backend = NULL;
    const struct app no_app = {0};
    if (status == STATUS_OK && options.backend)
        status = convex_backend_load(options.backend, &backend, &error);
    if (backend) {
        app = &no_app;
        options.loaded = backend;
    }
    args_free(&args);
    struct arena arena = {0};
    struct fault_file faults = fault_file_empty();
    if (status == STATUS_OK && options.faults)
        status = load_faults(options.faults, &arena, &faults, &error);
    if (status != STATUS_OK) {
        arena_free(&arena);
        convex_backend_free(backend);
        return command_refuse(&command_serve, &error);
    }
    status = serve(&options, app, seed, &faults, &error);
    arena_free(&arena);
    convex_backend_free(backend);
    return status == STATUS_OK        ? EXIT_EXPECTED
           : status == STATUS_INVALID ? command_refuse(&command_serve, &error)
                                      : command_fail(&error, EXIT_INTERNAL);
}

const struct command command_serve = {"serve", "a mock Convex deployment on a real socket", usage, run};

#include "cli/serve_convex.h"

#include <stdio.h>

#include "scenario/switches.h"

static struct convex_deployment_options options_of(const struct serve_convex *convex, const struct app *app,
                                                   const char *deploy_key, bool has_issuer) {
    const struct convex_limits usual = convex_limits_real();
    const struct fault_file *faults = convex->faults;
    return (struct convex_deployment_options){.deploy_key = deploy_key,
                                              .site = convex->site,
                                              .tables = app->tables,
                                              .n_tables = app->n_tables,
                                              .functions = app->functions,
                                              .n_functions = app->n_functions,
                                              .providers = &convex->provider,
                                              .n_providers = has_issuer ? 1 : 0,
                                              .conflicts = (int)faults->conflicts,
                                              .bumps_when_idle = faults->bumps_when_idle,
                                              .switches = scenario_switches(&faults->deployment, &usual)};
}

enum status serve_convex_start(struct serve_convex *convex, struct live *live,
                               const struct serve_options *options, const struct app *app,
                               const struct convex_backend *backend, const struct app_issuer *issuer,
                               const struct fault_file *faults, struct error *error) {
    *convex = (struct serve_convex){.live = live,
                                    .host = live_node(live, "convex"),
                                    .site = options->site ? live_node(live, "convex-site") : NULL,
                                    .faults = faults};
    convex->provider = (struct convex_auth_provider){.issuer = issuer ? app_issuer_url(issuer) : NULL,
                                                     .application = APP_ISSUER_AUDIENCE};
    convex->door = fault_host_create(convex->host, &faults->convex);
    convex->options = options_of(convex, app, options->deploy_key, issuer != NULL);
    enum status status = STATUS_OK;
    if (backend)
        status = convex_backend_add(backend, &convex->arena, &convex->options, error);
    if (status != STATUS_OK)
        return status;
    convex->deployment = convex_deployment_create(convex->door, &convex->options);
    status = live_serve(live, convex->host, options->convex, error);
    if (status == STATUS_OK && convex->site)
        status = live_serve(live, convex->site, options->site, error);
    return status;
}

void serve_convex_stop(struct serve_convex *convex) {
    convex_deployment_destroy(convex->deployment);
    arena_free(&convex->arena);
    fault_host_destroy(convex->door);
}

void serve_convex_print(const struct serve_convex *convex) {
    const struct convex_deployment_options *options = &convex->options;
    printf("convex     http://%s\n", live_address(convex->live, convex->host));
    if (convex->site)
        printf("site       http://%s\n", live_address(convex->live, convex->site));
    printf("deploy key %s\n", options->deploy_key);
    printf("tables    ");
    for (size_t i = 0; i < options->n_tables; i++)
        printf(" %s", options->tables[i].name);
    printf("\nfunctions ");
    for (size_t i = 0; i < options->n_functions; i++)
        printf(" %s", options->functions[i].path);
    printf(" powersync_checkpoints:createCheckpoint\n");
    for (size_t i = 0; i < options->n_http_routes; i++) {
        const struct convex_http_route *route = &options->http_routes[i];
        printf("route      %s %s -> %s\n", route->method, route->path, route->function);
    }
}

void serve_convex_print_faults(const struct serve_convex *convex) {
    struct buffer text = {0};
    fault_settings_report(&convex->faults->convex, convex->door, &text);
    if (text.length > 0)
        printf("faults, struck of matched:\n%s", buffer_text(&text));
    buffer_free(&text);
}

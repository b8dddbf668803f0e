#include "cli/serve_powersync.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/file.h"

static enum status read_text(const char *path, char **text, struct error *error) {
    struct buffer bytes = {0};
    enum status status = file_read(&bytes, path, error);
    *text = status == STATUS_OK ? buffer_take(&bytes) : NULL;
    buffer_free(&bytes);
    return status;
}

static const char *variable(const char *name) {
    return getenv(name);
}

static const struct service_config_world world = {variable, read_text};

/* --- the built-in config --- */

static const char built_in[] =
    "replication:\n"
    "  connections: [{type: convex, deployment_url: convex}]\n"
    "client_auth:\n"
    "  audience: [" SERVE_TOKEN_AUDIENCE "]\n"
    "  jwks: {keys: [{kty: oct, alg: HS256, kid: " SERVE_TOKEN_KEY_ID ", k: %s}]}\n"
    "api: {tokens: [admin]}\n";

static enum status parse_built_in(struct serve_powersync *powersync, struct error *error) {
    struct buffer secret = {0};
    base64url_append(&secret, SERVE_TOKEN_SECRET, strlen(SERVE_TOKEN_SECRET));
    char *text = memory_format(built_in, buffer_text(&secret));
    enum status status = service_config_parse(&powersync->config, text, "built-in config", &world, error);
    free(text);
    buffer_free(&secret);
    return status;
}

/* Every table of the deployment to everybody: clients need an `id`, and a document's is `_id`. */
static const char *stream_every_table(struct buffer *text, const struct convex_deployment_options *options) {
    buffer_append_text(text, "config: {edition: 3}\nstreams:\n");
    for (size_t i = 0; i < options->n_tables; i++)
        buffer_printf(text, "  %s:\n    auto_subscribe: true\n    query: SELECT *, _id AS id FROM \"%s\"\n",
                      options->tables[i].name, options->tables[i].name);
    return buffer_text(text);
}

enum status serve_powersync_load(struct serve_powersync *powersync, const struct serve_options *options,
                                 struct error *error) {
    *powersync = (struct serve_powersync){0};
    if (!options->config)
        return parse_built_in(powersync, error);
    char *text = NULL;
    enum status status = read_text(options->config, &text, error);
    if (status == STATUS_OK)
        status = service_config_parse(&powersync->config, text, options->config, &world, error);
    free(text);
    return status;
}

/* --- the deployment beside --- */

static enum status use_deployment(struct serve_powersync *powersync, const struct serve_options *options,
                                  const struct app *app, const struct serve_convex *convex,
                                  struct error *error) {
    struct powersync_options *service = &powersync->config.options;
    if (strcmp(service->source.deployment, "convex") == 0) {
        if (!convex)
            return error_set(error, STATUS_INVALID,
                             "deployment_url is `convex`, the deployment of --convex, and there is none");
        if (!service->source.deploy_key)
            service->source.deploy_key = options->deploy_key;
    }
    if (!options->config) {
        service->sync_config_file = "built-in sync config";
        service->sync_config =
            app ? app->sync_config : stream_every_table(&powersync->built_in, &convex->options);
    }
    return STATUS_OK;
}

enum status serve_powersync_start(struct serve_powersync *powersync, struct live *live,
                                  const struct serve_options *options, const struct app *app,
                                  const struct serve_convex *convex, const struct fault_file *faults,
                                  struct error *error) {
    assert(!powersync->service);
    enum status status = use_deployment(powersync, options, app, convex, error);
    if (status != STATUS_OK)
        return status;
    powersync->live = live;
    powersync->faults = faults;
    powersync->host = live_node(live, "powersync");
    powersync->door = fault_host_create(powersync->host, &faults->powersync);
    if (powersync->config.storage_path)
        status = storage_open(&powersync->storage, powersync->config.storage_path, error);
    powersync->config.options.storage = powersync->storage;
    if (status == STATUS_OK)
        status =
            powersync_service_create(powersync->door, &powersync->config.options, &powersync->service, error);
    if (status == STATUS_OK)
        status = live_serve(live, powersync->host, options->powersync, error);
    if (status == STATUS_OK && powersync->config.prometheus_port)
        status = serve_metrics_start(&powersync->metrics, live, powersync->service, options->powersync,
                                     powersync->config.prometheus_port, error);
    return status;
}

void serve_powersync_end(struct serve_powersync *powersync) {
    if (powersync->service)
        powersync_service_shut_down(powersync->service);
}

void serve_powersync_stop(struct serve_powersync *powersync) {
    serve_metrics_stop(&powersync->metrics);
    powersync_service_destroy(powersync->service);
    fault_host_destroy(powersync->door);
    if (powersync->storage)
        storage_destroy(powersync->storage);
    service_config_free(&powersync->config);
    buffer_free(&powersync->built_in);
}

void serve_powersync_print(const struct serve_powersync *powersync) {
    const struct service_config *config = &powersync->config;
    for (size_t i = 0; i < config->n_notes; i++)
        printf("note       %s\n", config->notes[i]);
    printf("powersync  http://%s\n", live_address(powersync->live, powersync->host));
    if (powersync->metrics.host)
        printf("metrics    http://%s/metrics\n", live_address(powersync->live, powersync->metrics.host));
    printf("source     %s\n", config->options.source.deployment);
    printf("storage    %s\n", config->storage_path ? config->storage_path : "memory");
}

void serve_powersync_print_faults(const struct serve_powersync *powersync) {
    struct buffer text = {0};
    fault_settings_report(&powersync->faults->powersync, powersync->door, &text);
    if (text.length > 0)
        printf("faults, struck of matched:\n%s", buffer_text(&text));
    buffer_free(&text);
}

#include "mock-powersync/service.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "mock-powersync/replication/convex_module.h"
#include "mock-powersync/service_internal.h"

#define BATCH_OPERATIONS 1000

struct exchange_key exchange_key(uint64_t exchange) {
    struct exchange_key key;
    snprintf(key.text, sizeof key.text, "%" PRIu64, exchange);
    return key;
}

static void stream_ended(void *context, struct sync_stream *stream) {
    struct powersync_service *service = context;
    map_remove(&service->streams, exchange_key(sync_stream_exchange(stream)).text);
    sync_stream_destroy(stream);
}

static void request_ended(void *context, struct checkpoint_request *request) {
    struct powersync_service *service = context;
    map_remove(&service->requests, exchange_key(checkpoint_request_exchange(request)).text);
    checkpoint_request_destroy(request);
}

static const char *copy_text(struct powersync_service *service, const char *text) {
    return text ? arena_copy_text(&service->texts, text) : NULL;
}

static const char *const *copy_texts(struct powersync_service *service, const char *const *texts,
                                     size_t count) {
    const char **copies = arena_allocate(&service->texts, (count + 1) * sizeof *copies);
    for (size_t i = 0; i < count; i++)
        copies[i] = arena_copy_text(&service->texts, texts[i]);
    return copies;
}

static int64_t usual(int64_t value, int64_t otherwise) {
    return value ? value : otherwise;
}

static void copy_options(struct powersync_service *service, const struct powersync_options *options) {
    struct powersync_options *own = &service->options;
    *own = *options;
    own->sync_config = NULL; /* parsed already */
    own->sync_config_file = NULL;
    own->source.type = copy_text(service, options->source.type ? options->source.type : "convex");
    own->source.deployment = copy_text(service, options->source.deployment);
    own->source.deploy_key = copy_text(service, options->source.deploy_key);
    own->source.polling_interval = usual(options->source.polling_interval, TIME_SECOND);
    own->source.request_timeout = usual(options->source.request_timeout, 60 * TIME_SECOND);
    own->auth.jwks = copy_text(service, options->auth.jwks);
    own->auth.jwks_uris = copy_texts(service, options->auth.jwks_uris, options->auth.n_jwks_uris);
    own->auth.audiences = copy_texts(service, options->auth.audiences, options->auth.n_audiences);
    own->auth.supabase_jwt_secret = copy_text(service, options->auth.supabase_jwt_secret);
    own->api_tokens = copy_texts(service, options->api_tokens, options->n_api_tokens);
    own->keepalive_interval = usual(options->keepalive_interval, 20 * TIME_SECOND);
}

/* The one place that knows which sources there are. */
static const struct source_module *source_module_of(const char *type) {
    return !type || strcmp(type, convex_module.type) == 0 ? &convex_module : NULL;
}

static struct source_settings source_settings_of(const struct powersync_options *options) {
    return (struct source_settings){.address = options->source.deployment,
                                    .key = options->source.deploy_key,
                                    .polling_interval = usual(options->source.polling_interval, TIME_SECOND),
                                    .request_timeout =
                                        usual(options->source.request_timeout, 60 * TIME_SECOND),
                                    .strict_expiry = options->strict_expiry};
}

static enum status check_source(const struct powersync_options *options, struct error *error) {
    const struct source_module *module = source_module_of(options->source.type);
    if (!module)
        return error_set(error, STATUS_INVALID, "there is no source of type %s", options->source.type);
    const struct source_settings settings = source_settings_of(options);
    return module->settings_check(&settings, error);
}

/* The first static key and the first audience only, for now. */
static void read_auth(struct powersync_service *service) {
    const struct powersync_auth_options *auth = &service->options.auth;
    json_t *set = auth->jwks ? json_parse(auth->jwks, strlen(auth->jwks), NULL) : NULL;
    struct jwt_key *key = NULL;
    if (set)
        jwt_key_from_jwk(json_array_get(json_object_get(set, "keys"), 0), &key, NULL);
    json_decref(set);
    service->auth = (struct auth_settings){key, auth->n_audiences ? auth->audiences[0] : NULL};
}

static void start_process(struct powersync_service *service) {
    assert(!service->running);
    static const struct http_server_events events = {routes_request, routes_closed};
    service->running = true;
    host_http_listen(service->host, &events, service);
    const struct source_settings settings = source_settings_of(&service->options);
    service->source = source_module_of(service->options.source.type)->open(service->host, &settings);
    service->request_environment.source = service->source;
    service->replicator =
        replicator_create(&(struct replicator_options){.source = service->source,
                                                       .storage = service->storage,
                                                       .metrics = &service->metrics,
                                                       .job_lock = service->options.job_lock});
}

static void stop_process(struct powersync_service *service, bool crashed) {
    assert(service->running);
    if (crashed)
        replicator_crash(service->replicator);
    else
        replicator_destroy(service->replicator);
    service->replicator = NULL;
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&service->streams, &i));)
        sync_stream_destroy(entry->value);
    for (size_t i = 0; (entry = map_next(&service->requests, &i));)
        checkpoint_request_destroy(entry->value);
    map_clear(&service->streams, NULL);
    map_clear(&service->requests, NULL);
    source_close(service->source);
    service->source = NULL;
    service->running = false;
}

enum status powersync_service_create(struct host *host, const struct powersync_options *options,
                                     struct powersync_service **service, struct error *error) {
    assert(host && options && service);
    if (options->keepalive_interval < 0)
        return error_set(error, STATUS_INVALID, "the keepalive interval must be above 0");
    enum status status = check_source(options, error);
    if (status)
        return status;
    struct storage *storage = storage_create();
    struct replication_stream *stream;
    const char *file = options->sync_config_file ? options->sync_config_file : "sync config";
    status = storage_deploy(storage, options->sync_config, file, false, &stream, error);
    if (status) {
        storage_destroy(storage);
        return status;
    }
    struct powersync_service *made = memory_allocate(sizeof *made);
    made->host = host;
    copy_options(made, options);
    read_auth(made);
    made->storage = storage;
    made->stream = replication_stream_hold(stream);
    storage->write_checkpoints.heads_may_go_back = host_mutant(host, "stale-head");
    made->stream_environment = (struct sync_stream_environment){
        .host = host,
        .config = stream->config,
        .storage = stream->buckets,
        .write_checkpoints = &storage->write_checkpoints,
        .batch_operations =
            (size_t)host_knob(host, "powersync.chunk-operations", BATCH_OPERATIONS, 1, BATCH_OPERATIONS),
        .keepalive_interval = made->options.keepalive_interval,
        .ended = stream_ended,
        .context = made};
    made->request_environment =
        (struct checkpoint_request_environment){.host = host,
                                                .write_checkpoints = &storage->write_checkpoints,
                                                .ended = request_ended,
                                                .context = made};
    start_process(made);
    *service = made;
    return STATUS_OK;
}

void powersync_service_destroy(struct powersync_service *service) {
    if (!service)
        return;
    if (service->running) {
        host_http_listen(service->host, NULL, NULL);
        stop_process(service, false);
    }
    map_free(&service->streams, NULL);
    map_free(&service->requests, NULL);
    replication_stream_release(service->stream);
    storage_destroy(service->storage);
    jwt_key_free((struct jwt_key *)(uintptr_t)service->auth.key);
    arena_free(&service->texts);
    free(service);
}

void powersync_service_crash(struct powersync_service *service) {
    if (service->running)
        stop_process(service, true);
}

void powersync_service_restart(struct powersync_service *service) {
    assert(!service->running);
    start_process(service);
}

int64_t powersync_service_position(const struct powersync_service *service) {
    return service->stream->buckets->lsn;
}

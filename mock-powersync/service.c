#include "mock-powersync/service.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

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

static void copy_options(struct powersync_service *service, const struct powersync_options *options) {
    struct powersync_options *own = &service->options;
    *own = *options;
    own->deployment = arena_copy_text(&service->texts, options->deployment);
    own->deploy_key = arena_copy_text(&service->texts, options->deploy_key);
    own->key_id = options->key_id ? arena_copy_text(&service->texts, options->key_id) : NULL;
    own->key_secret = options->key_secret ? arena_copy_text(&service->texts, options->key_secret) : NULL;
    own->audience = options->audience ? arena_copy_text(&service->texts, options->audience) : NULL;
    own->sync_config = NULL; /* parsed already */
    own->sync_config_file = NULL;
    service->auth = (struct auth_settings){own->key_id, own->key_secret, own->audience};
}

static struct convex_source source_of(const struct powersync_service *service) {
    return (struct convex_source){.host = service->host,
                                  .deployment = service->options.deployment,
                                  .deploy_key = service->options.deploy_key,
                                  .request_timeout = service->options.request_timeout};
}

static void start_process(struct powersync_service *service) {
    assert(!service->running);
    static const struct http_server_events events = {routes_request, routes_closed};
    struct replicator_options options = {.host = service->host,
                                         .config = service->stream->config,
                                         .storage = service->stream->buckets,
                                         .source = source_of(service),
                                         .polling_interval = service->options.polling_interval};
    service->running = true;
    host_http_listen(service->host, &events, service);
    service->replicator = replicator_create(&options);
}

static void stop_process(struct powersync_service *service) {
    assert(service->running);
    replicator_destroy(service->replicator);
    service->replicator = NULL;
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&service->streams, &i));)
        sync_stream_destroy(entry->value);
    for (size_t i = 0; (entry = map_next(&service->requests, &i));)
        checkpoint_request_destroy(entry->value);
    map_clear(&service->streams, NULL);
    map_clear(&service->requests, NULL);
    service->running = false;
}

enum status powersync_service_create(struct host *host, const struct powersync_options *options,
                                     struct powersync_service **service, struct error *error) {
    assert(host && options && service);
    if (options->polling_interval <= 0 || options->request_timeout <= 0 || options->keepalive_interval <= 0)
        return error_set(error, STATUS_INVALID,
                         "polling interval, request timeout and keepalive must be above 0");
    struct storage *storage = storage_create();
    struct replication_stream *stream;
    const char *file = options->sync_config_file ? options->sync_config_file : "sync config";
    enum status status = storage_deploy(storage, options->sync_config, file, false, &stream, error);
    if (status) {
        storage_destroy(storage);
        return status;
    }
    struct powersync_service *made = memory_allocate(sizeof *made);
    made->host = host;
    copy_options(made, options);
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
                                                .source = source_of(made),
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
        stop_process(service);
    }
    map_free(&service->streams, NULL);
    map_free(&service->requests, NULL);
    replication_stream_release(service->stream);
    storage_destroy(service->storage);
    arena_free(&service->texts);
    free(service);
}

void powersync_service_crash(struct powersync_service *service) {
    if (service->running)
        stop_process(service);
}

void powersync_service_restart(struct powersync_service *service) {
    assert(!service->running);
    start_process(service);
}

int64_t powersync_service_position(const struct powersync_service *service) {
    return service->stream->buckets->lsn;
}

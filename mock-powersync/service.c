#include "mock-powersync/service.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mock-powersync/http/rsocket_route.h"
#include "mock-powersync/service_internal.h"
#include "mock-powersync/service_options.h"
#include "mock-powersync/storage/compaction.h"

#define BATCH_OPERATIONS 1000
#define DELAY_MOST (100 * TIME_MILLISECOND) /* of notifications, where it is drawn */

struct exchange_key exchange_key(uint64_t exchange) {
    struct exchange_key key;
    snprintf(key.text, sizeof key.text, "%" PRIu64, exchange);
    return key;
}

bool service_is_active(const struct powersync_service *service, struct http_error *error) {
    if (service->closing)
        return http_error_set(error, 503, "ServiceError", "PSYNC_S2003", "Service is shutting down");
    return storage_serving(service->storage) ||
           http_error_set(error, 500, "ServiceError", "PSYNC_S2302", "No sync config available");
}

/* --- the process --- */

static void start_replication(struct powersync_service *service) {
    const struct replicator_options options = {.source = service->source,
                                               .storage = service->storage,
                                               .metrics = &service->metrics,
                                               .write_checkpoint_table =
                                                   service->options.write_checkpoint_table,
                                               .job_lock = service->options.job_lock};
    service->replicator = replicator_create(&options);
}

static int64_t notification_delay(struct powersync_service *service) {
    int64_t usual = service->options.notification_delay, most = usual > DELAY_MOST ? usual : DELAY_MOST;
    return host_knob(service->host, "powersync.notification-delay", usual, 0, most);
}

static void start_api(struct powersync_service *service) {
    struct host *host = service->host;
    enum status status = auth_create(host, &service->options.auth, &service->auth, NULL);
    assert(status == STATUS_OK); /* it was tried when the service was made */
    (void)status;
    service->batcher = checkpoint_batcher_create(host, service->source, service->storage);
    const struct powersync_limits *limits = &service->options.limits;
    service->stream_environment = (struct sync_stream_environment){
        .host = host,
        .storage = service->storage,
        .metrics = &service->metrics,
        .fetches = {.host = host, .free = limits->max_data_fetches},
        .max_buckets = limits->max_buckets,
        .max_parameter_results = limits->max_parameter_results,
        .notification_delay = notification_delay(service),
        .batch_operations =
            (size_t)host_knob(host, "powersync.chunk-operations", BATCH_OPERATIONS, 1, BATCH_OPERATIONS),
        .keepalive_interval = service->options.keepalive_interval};
    service->rsocket = rsocket_route_create(service);
}

static void open_groups(struct powersync_service *service) {
    static const struct request_group usual[ROUTE_GROUPS] = {
        [GROUP_ADMIN] = {.running_most = 10, .queue_most = 20},
        [GROUP_CHECKPOINT] = {.running_most = 100, .queue_most = 100}};
    memcpy(service->groups, usual, sizeof usual);
    service->groups[GROUP_SYNC].running_most = service->options.limits.max_concurrent_connections;
}

static void start_process(struct powersync_service *service) {
    static const struct http_server_events events = {routes_request, routes_closed};
    assert(!service->running);
    const struct source_settings settings = service_source_settings(&service->options);
    service->running = true;
    service->closing = false;
    service->metrics = (struct powersync_metrics){0};
    open_groups(service);
    host_http_listen(service->host, &events, service);
    service->source = service_source_module(service->options.source.type)->open(service->host, &settings);
    if (service->options.role != POWERSYNC_REPLICATION)
        start_api(service);
    if (service->options.role != POWERSYNC_API)
        start_replication(service);
}

static void stop_process(struct powersync_service *service, bool crash) {
    assert(service->running);
    if (crash)
        replicator_crash(service->replicator);
    else
        replicator_destroy(service->replicator);
    service->replicator = NULL;
    routes_stop(service);
    rsocket_server_destroy(service->rsocket);
    service->rsocket = NULL;
    data_lines_free(&service->stream_environment.lines);
    checkpoint_batcher_destroy(service->batcher);
    service->batcher = NULL;
    auth_destroy(service->auth);
    service->auth = NULL;
    source_close(service->source);
    service->source = NULL;
    service->running = false;
}

/* --- the service --- */

static void free_service(struct powersync_service *service) {
    if (!service->options.storage)
        storage_destroy(service->storage);
    map_free(&service->calls, NULL);
    arena_free(&service->texts);
    free(service);
}

/* What can be wrong is found here and not when a process starts. */
static enum status check(const struct powersync_service *service, struct error *error) {
    struct auth *auth = NULL;
    enum status status = service_options_check(&service->options, error);
    if (!status)
        status = auth_create(service->host, &service->options.auth, &auth, error);
    auth_destroy(auth);
    return status;
}

enum status powersync_service_create(struct host *host, const struct powersync_options *options,
                                     struct powersync_service **service, struct error *error) {
    assert(host && options && service);
    struct powersync_service *made = memory_allocate(sizeof *made);
    made->host = host;
    made->options = service_options_complete(options, &made->texts);
    made->storage = options->storage ? options->storage : storage_create();
    made->storage->write_checkpoints.heads_may_go_back = host_mutant(host, "stale-head");
    made->storage->write_checkpoints.one_for_a_user = host_mutant(host, "slot-per-user");
    enum status status = check(made, error);
    if (!status && options->sync_config)
        status = powersync_service_deploy(made, options->sync_config, options->sync_config_file, error);
    if (status) {
        free_service(made);
        return status;
    }
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
    free_service(service);
}

void powersync_service_shut_down(struct powersync_service *service) {
    if (!service->batcher)
        return;
    service->closing = true;
    routes_break_streams(service);
    rsocket_server_go_away(service->rsocket);
}

void powersync_service_crash(struct powersync_service *service) {
    if (service->running)
        stop_process(service, true);
}

void powersync_service_restart(struct powersync_service *service) {
    start_process(service);
}

int64_t powersync_service_position(const struct powersync_service *service) {
    const struct replication_stream *stream = storage_serving(service->storage);
    return stream ? stream->buckets->lsn : 0;
}

enum status powersync_service_deploy(struct powersync_service *service, const char *text, const char *file,
                                     struct error *error) {
    return storage_deploy(service->storage, text, file ? file : "sync config", false, NULL, error);
}

enum status powersync_service_compact(struct powersync_service *service, struct error *error) {
    struct compaction_options options = compaction_usual();
    options.expire_before =
        host_wall_clock(service->host) - service->options.limits.checkpoint_request_retention;
    return storage_compact(service->storage, NULL, &options, NULL, error);
}

void powersync_service_metrics(const struct powersync_service *service, struct buffer *out) {
    struct powersync_metrics metrics = service->metrics;
    struct storage_size size = storage_size(service->storage);
    metrics.operation_storage_bytes = size.operations;
    metrics.parameter_storage_bytes = size.parameters;
    metrics.replication_storage_bytes = size.source_rows;
    if (service->replicator)
        metrics.replication_lag = replicator_lag(service->replicator);
    powersync_metrics_append(&metrics, service->replicator != NULL, service->batcher != NULL, out);
}

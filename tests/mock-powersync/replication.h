/* A replicator between the scripted Convex and a storage, without the rest of a service. Include once a test
 * program. */
#ifndef TESTS_MOCK_POWERSYNC_REPLICATION_H
#define TESTS_MOCK_POWERSYNC_REPLICATION_H

#include "mock-powersync/fake_convex.h"
#include "mock-powersync/replication/convex_module.h"
#include "mock-powersync/replication/replicator.h"
#include "net/net.h"

#define START INT64_C(1767225600000000000) /* as FAKE_START */

struct setting {
    struct world *world;
    struct net *net;
    struct fake_convex *fake;
    struct host *host;
    struct source_settings settings;
    struct source *source;
    struct storage *storage;
    struct powersync_metrics metrics;
    struct replicator *replicator;
};

static inline void run(struct setting *setting, int64_t time) {
    assert_int_equal(world_run(setting->world, world_now(setting->world) + time, NULL), STATUS_OK);
}

/* Everything but the replicator. */
static inline struct setting *setting_create(void) {
    struct setting *setting = memory_allocate(sizeof *setting);
    setting->world = world_create(&(struct world_settings){.seed = 1, .max_events = 10000000});
    setting->net = net_create(
        setting->world, &(struct net_settings){.latency = TIME_MILLISECOND, .give_up = 30 * TIME_SECOND});
    setting->fake = fake_convex_create(net_node(setting->net, "convex"));
    setting->host = net_node(setting->net, "powersync");
    setting->settings = (struct source_settings){.address = "convex",
                                                 .key = "key",
                                                 .polling_interval = TIME_SECOND,
                                                 .request_timeout = 60 * TIME_SECOND};
    setting->storage = storage_create();
    return setting;
}

static inline struct replication_stream *deploy(struct setting *setting, const char *yaml) {
    struct error error = {0};
    struct replication_stream *stream = NULL;
    if (storage_deploy(setting->storage, yaml, "sync.yaml", true, &stream, &error))
        fail_msg("%s", error.message);
    return stream;
}

/* An edition 3 config with one query in a stream that everybody gets. */
static inline struct replication_stream *deploy_query(struct setting *setting, const char *query) {
    char *yaml = memory_format("config: {edition: 3}\nstreams:\n  all:\n    auto_subscribe: true\n"
                               "    query: \"%s\"\n",
                               query);
    struct replication_stream *stream = deploy(setting, yaml);
    free(yaml);
    return stream;
}

static inline void start(struct setting *setting) {
    setting->source = convex_module.open(setting->host, &setting->settings);
    setting->replicator = replicator_create(&(struct replicator_options){
        .source = setting->source, .storage = setting->storage, .metrics = &setting->metrics});
}

/* The process dies at once and comes back. */
static inline void crash(struct setting *setting) {
    net_crash_node(setting->net, "powersync");
    replicator_crash(setting->replicator);
    source_close(setting->source);
    start(setting);
}

static inline void setting_destroy(struct setting *setting) {
    replicator_destroy(setting->replicator);
    source_close(setting->source);
    storage_check(setting->storage);
    storage_destroy(setting->storage);
    fake_convex_destroy(setting->fake);
    net_destroy(setting->net);
    world_destroy(setting->world);
    free(setting);
}

static inline void put(struct setting *setting, int64_t ts, const char *table, const char *id,
                       const char *fields) {
    fake_put(setting->fake, START + ts, table, id, fields);
}

static inline const struct bucket_storage *serving(const struct setting *setting) {
    assert_non_null(storage_serving(setting->storage));
    return storage_serving(setting->storage)->buckets;
}

/* The visible operations of a bucket: "PUT a, REMOVE a". */
static inline void assert_operations(const struct setting *setting, const char *name, const char *expected) {
    const struct bucket_storage *buckets = serving(setting);
    const struct bucket *bucket = bucket_storage_find(buckets, name, strlen(name));
    struct buffer text = {0};
    for (size_t i = 0; bucket && i < bucket->count && bucket->operations[i].op_id <= buckets->checkpoint;
         i++) {
        const struct bucket_operation *operation = &bucket->operations[i];
        buffer_printf(&text, "%s%s %s", i > 0 ? ", " : "",
                      operation->kind == OPERATION_PUT ? "PUT" : "REMOVE", operation_object_id(operation));
    }
    assert_string_equal(buffer_text(&text), expected);
    buffer_free(&text);
}

/* The text of the last visible operation of a bucket. */
static inline void assert_data(const struct setting *setting, const char *name, const char *expected) {
    const struct bucket *bucket = bucket_storage_find(serving(setting), name, strlen(name));
    assert_non_null(bucket);
    assert_string_equal(bucket->operations[bucket->count - 1].data, expected);
}

static inline const char *last_request(const struct setting *setting) {
    return setting->fake->requests[setting->fake->n_requests - 1];
}

/* How many requests began with this since request number `from`. */
static inline size_t requests(const struct setting *setting, size_t from, const char *begin) {
    size_t count = 0;
    for (size_t i = from; i < setting->fake->n_requests; i++)
        count += strncmp(setting->fake->requests[i], begin, strlen(begin)) == 0;
    return count;
}

#endif

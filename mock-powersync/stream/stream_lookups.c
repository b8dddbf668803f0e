#include "mock-powersync/stream/stream_lookups.h"

#include <stdlib.h>

#include "base/memory.h"

static void free_watch(void *value) {
    watch_remove(value);
    free(value);
}

void stream_lookups_begin(struct stream_lookups *lookups, uint64_t op_id) {
    map_clear(&lookups->watches, free_watch);
    stream_tally_free(&lookups->results);
    lookups->op_id = op_id;
    lookups->too_many_results = lookups->too_many_lookups = false;
}

void stream_lookups_free(struct stream_lookups *lookups) {
    stream_lookups_begin(lookups, 0);
    map_free(&lookups->watches, NULL);
}

static void watch_key(struct stream_lookups *lookups, const char *key, size_t length) {
    if (map_get_bytes(&lookups->watches, key, length))
        return;
    struct watch *watch = memory_allocate(sizeof *watch);
    watch_add(bucket_storage_lookup_watches(lookups->storage, key, length), watch, lookups->wake,
              lookups->context);
    map_set_bytes(&lookups->watches, key, length, watch);
}

/* Hands tuples on until there are too many. */
struct counting {
    struct stream_lookups *lookups;
    void (*each)(void *context, const char *tuple, size_t length);
    void *context;
};

static void count_tuple(void *context, const char *tuple, size_t length) {
    struct counting *counting = context;
    struct stream_lookups *lookups = counting->lookups;
    if (lookups->too_many_results)
        return;
    stream_tally_add(&lookups->results, lookups->definition, 1);
    lookups->too_many_results = lookups->results.total > lookups->limit;
    if (!lookups->too_many_results)
        counting->each(counting->context, tuple, length);
}

static bool find(void *context, const char *key, size_t key_length,
                 void (*each)(void *each_context, const char *tuple, size_t length), void *each_context) {
    struct stream_lookups *lookups = context;
    struct counting counting = {lookups, each, each_context};
    if (lookups->too_many_results || lookups->too_many_lookups)
        return false;
    lookups->too_many_lookups = ++lookups->lookups > lookups->limit;
    if (lookups->too_many_lookups)
        return false;
    watch_key(lookups, key, key_length);
    bucket_storage_lookup(lookups->storage, key, key_length, lookups->op_id, count_tuple, &counting);
    return !lookups->too_many_results;
}

struct lookup_source stream_lookups_source(struct stream_lookups *lookups, const char *definition) {
    lookups->definition = definition;
    lookups->lookups = 0;
    return (struct lookup_source){find, lookups};
}

bool stream_lookups_check(const struct stream_lookups *lookups, const char *definitions,
                          struct http_error *error, char **text) {
    if (lookups->too_many_results)
        return stream_limit_exceeded(error, text, "parameter query results", definitions, &lookups->results,
                                     lookups->limit);
    if (!lookups->too_many_lookups)
        return true;
    struct stream_tally tally = {0};
    stream_tally_add(&tally, lookups->definition, lookups->lookups);
    stream_limit_exceeded(error, text, "parameter lookups", definitions, &tally, lookups->limit);
    stream_tally_free(&tally);
    return false;
}

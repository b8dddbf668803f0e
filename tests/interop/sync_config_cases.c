/* What the mock service makes of sync configs: reads cases as JSON lines, prints one answer a line. The other
 * side is sync_config_judge.mjs, which says what cases and answers look like. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../mock-powersync/document.h"
#include "base/json.h"
#include "base/map.h"
#include "mock-powersync/config/evaluate.h"

/* The parameter index: key -> JSON array of all tuples that the rows of the case left under it. */
static void keep_lookups(struct map *lookups, const struct row_outputs *found) {
    for (size_t i = 0; i < found->n_lookups; i++) {
        const struct lookup_output *output = &found->lookups[i];
        json_t *tuples = map_get_bytes(lookups, output->key, output->key_length);
        if (!tuples) {
            tuples = json_array();
            map_set_bytes(lookups, output->key, output->key_length, tuples);
        }
        json_t *more = json_parse(output->values, output->values_length, NULL);
        json_array_extend(tuples, more);
        json_decref(more);
    }
}

static bool find_lookup(void *context, const char *key, size_t key_length,
                        void (*each)(void *each_context, const char *tuple, size_t length),
                        void *each_context) {
    size_t i;
    json_t *tuple;
    json_array_foreach(map_get_bytes(context, key, key_length), i, tuple) {
        struct buffer text = {0};
        json_append(&text, tuple);
        each(each_context, text.data, text.length);
        buffer_free(&text);
    }
    return true;
}

static void free_tuples(void *tuples) {
    json_decref(tuples);
}

static json_t *judge_row(const struct sync_config *config, struct map *lookups, const json_t *row) {
    json_t *outputs = json_array(), *keys = json_array();
    struct row_outputs found = {0};
    const char *text = json_text(row, "document");
    json_t *document = json_parse(text, strlen(text), NULL);
    struct source_table table = {"default", "convex", json_text(row, "table")};
    struct arena arena = {0};
    if (json_is_object(document)) {
        struct row columns = document_row(document, &arena);
        evaluate_row(config, 1, &table, &columns, &arena, &found);
        keep_lookups(lookups, &found);
        for (size_t i = 0; i < found.n_lookups; i++)
            json_array_append_new(keys, json_string(found.lookups[i].key));
        for (size_t i = 0; i < found.n_buckets; i++) {
            const struct bucket_output *output = &found.buckets[i];
            json_array_append_new(outputs, json_pack("{s:s,s:s,s:s,s:s}", "bucket", output->bucket, "table",
                                                     output->object_type, "id", output->object_id, "data",
                                                     output->data));
        }
    }
    arena_free(&arena);
    json_decref(document);
    return json_pack("{s:o,s:o,s:b}", "outputs", outputs, "keys", keys, "failed", (int)(found.failed > 0));
}

static char *request_text(const json_t *request, const char *key) {
    const char *text = json_text(request, key);
    json_t *json = text ? json_parse(text, strlen(text), NULL) : NULL;
    char *values = evaluate_request_text(json);
    json_decref(json);
    return values;
}

static void subscribe(json_t *answer, struct map *lookups, const struct sync_stream_definition *stream,
                      struct sync_request_values *values, int override, json_t *reason) {
    struct arena arena = {0};
    struct request_bucket *found;
    const char *message;
    size_t count;
    if (!evaluate_request(stream, 1, values, &(struct lookup_source){find_lookup, lookups}, &arena, &found,
                          &count, &message))
        json_array_append_new(json_object_get(answer, "failed"), json_string(stream->name));
    for (size_t i = 0; i < count; i++)
        json_array_append_new(json_object_get(answer, "buckets"),
                              json_pack("{s:s,s:i,s:[O]}", "bucket", found[i].name, "priority",
                                        override >= 0 ? override : found[i].priority, "reasons", reason));
    json_decref(reason);
    arena_free(&arena);
}

static json_t *judge_request(const struct sync_config *config, struct map *lookups, const json_t *request) {
    json_t *answer = json_pack("{s:[],s:[]}", "buckets", "failed");
    char *claims = request_text(request, "claims"), *connection = request_text(request, "parameters");
    for (size_t i = 0; i < config->n_streams; i++) {
        const struct sync_stream_definition *stream = &config->streams[i];
        size_t index;
        bool subscribed = false;
        json_t *subscription;
        json_array_foreach(json_object_get(request, "subscriptions"), index, subscription) {
            if (strcmp(json_text(subscription, "stream"), stream->name) != 0)
                continue;
            subscribed = true;
            if (stream->is_bucket_definition)
                continue;
            char *own = request_text(subscription, "parameters");
            struct sync_request_values values = {claims, connection, own};
            json_t *override = json_object_get(subscription, "override_priority");
            subscribe(answer, lookups, stream, &values,
                      json_is_integer(override) ? (int)json_integer_value(override) : -1,
                      json_pack("{s:i}", "subscription", (int)index));
            free(own);
        }
        struct sync_request_values values = {claims, connection, "{}"};
        if (stream->auto_subscribe && (json_bool_or(request, "include_defaults", true) ||
                                       (subscribed && stream->subscription_brings_default)))
            subscribe(answer, lookups, stream, &values, -1, json_string("default"));
    }
    free(claims);
    free(connection);
    return answer;
}

static json_t *judge(const json_t *task) {
    struct sync_config *config;
    struct error error = {0};
    if (sync_config_parse(&config, json_text(task, "config"), "sync.yaml", &error))
        return json_pack("{s:s,s:{s:i,s:i}}", "error", error.message, "place", "line", error.line, "column",
                         error.column);
    json_t *rows = json_array(), *requests = json_array();
    struct map lookups = {0};
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(task, "rows"), i, item) {
        json_array_append_new(rows, judge_row(config, &lookups, item));
    }
    json_array_foreach(json_object_get(task, "requests"), i, item) {
        json_array_append_new(requests, judge_request(config, &lookups, item));
    }
    map_free(&lookups, free_tuples);
    sync_config_destroy(config);
    return json_pack("{s:o,s:o}", "rows", rows, "requests", requests);
}

int main(void) {
    char *line = NULL;
    size_t capacity = 0;
    while (getline(&line, &capacity, stdin) > 0) {
        json_t *task = json_loads(line, 0, NULL);
        if (!task) {
            fprintf(stderr, "a case is not JSON\n");
            return 1;
        }
        json_t *answer = judge(task);
        char *text = json_dumps(answer, JSON_COMPACT);
        puts(text);
        free(text);
        json_decref(answer);
        json_decref(task);
    }
    free(line);
    return 0;
}

/* What the mock service makes of sync configs: reads cases as JSON lines, prints one answer a line. The other
 * side is sync_config_judge.mjs, which says what cases and answers look like. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "mock-powersync/config/evaluate.h"

static json_t *judge_row(const struct sync_config *config, const json_t *row) {
    json_t *outputs = json_array();
    struct row_outputs found = {0};
    const char *text = json_text(row, "document");
    json_t *document = json_parse(text, strlen(text), NULL);
    struct source_table table = {"default", "convex", json_text(row, "table")};
    struct arena arena = {0};
    if (json_is_object(document)) {
        struct row columns = row_from_document(document, &arena);
        evaluate_row(config, 1, &table, &columns, &arena, &found);
        for (size_t i = 0; i < found.n_buckets; i++) {
            const struct bucket_output *output = &found.buckets[i];
            json_array_append_new(outputs, json_pack("{s:s,s:s,s:s,s:s}", "bucket", output->bucket, "table",
                                                     output->object_type, "id", output->object_id, "data",
                                                     output->data));
        }
    }
    arena_free(&arena);
    json_decref(document);
    return json_pack("{s:o,s:b}", "outputs", outputs, "failed", (int)(found.failed > 0));
}

static char *request_text(const json_t *request, const char *key) {
    const char *text = json_text(request, key);
    json_t *json = text ? json_parse(text, strlen(text), NULL) : NULL;
    char *values = evaluate_request_text(json);
    json_decref(json);
    return values;
}

static void subscribe(json_t *answer, const struct sync_stream_definition *stream,
                      struct sync_request_values *values, int priority, json_t *reason) {
    struct arena arena = {0};
    struct request_bucket *found;
    const char *message;
    size_t count;
    if (!evaluate_request(stream, 1, values, NULL, &arena, &found, &count, &message))
        json_array_append_new(json_object_get(answer, "failed"), json_string(stream->name));
    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            json_object_get(answer, "buckets"),
            json_pack("{s:s,s:i,s:[O]}", "bucket", found[i].name, "priority", priority, "reasons", reason));
    json_decref(reason);
    arena_free(&arena);
}

static json_t *judge_request(const struct sync_config *config, const json_t *request) {
    json_t *answer = json_pack("{s:[],s:[]}", "buckets", "failed");
    char *claims = request_text(request, "claims"), *connection = request_text(request, "parameters");
    for (size_t i = 0; i < config->n_streams; i++) {
        const struct sync_stream_definition *stream = &config->streams[i];
        size_t index;
        json_t *subscription;
        json_array_foreach(json_object_get(request, "subscriptions"), index, subscription) {
            if (strcmp(json_text(subscription, "stream"), stream->name) != 0)
                continue;
            char *own = request_text(subscription, "parameters");
            struct sync_request_values values = {claims, connection, own};
            json_t *override = json_object_get(subscription, "override_priority");
            subscribe(answer, stream, &values,
                      json_is_integer(override) ? (int)json_integer_value(override) : stream->priority,
                      json_pack("{s:i}", "subscription", (int)index));
            free(own);
        }
        struct sync_request_values values = {claims, connection, "{}"};
        if (stream->auto_subscribe && json_bool_or(request, "include_defaults", true))
            subscribe(answer, stream, &values, stream->priority, json_string("default"));
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
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(task, "rows"), i, item) {
        json_array_append_new(rows, judge_row(config, item));
    }
    json_array_foreach(json_object_get(task, "requests"), i, item) {
        json_array_append_new(requests, judge_request(config, item));
    }
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

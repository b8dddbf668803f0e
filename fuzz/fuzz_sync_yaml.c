/* Fuzz target: sync configs of the mock PowerSync service (docs/mock-powersync.md). The input is the YAML
 * file.
 *
 * Checked for any input: nothing crashes; a refusal has a reason. A config that is taken gets a row of each
 * of its tables and some requests: what is stored is JSON, what is left in the parameter index are tuples,
 * and every bucket of a request has a name. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "mock-powersync/config/evaluate.h"

static struct sql_value text_value(const char *text) {
    return (struct sql_value){.kind = SQL_TEXT, .text = text, .length = strlen(text)};
}

static const struct row *row_of_everything(void) {
    static struct row_column columns[7];
    static const struct row row = {columns, 7};
    columns[0] = (struct row_column){"_id", text_value("d1")};
    columns[1] = (struct row_column){"a", text_value("u1")};
    columns[2] = (struct row_column){"n", {.kind = SQL_INTEGER, .integer = 1}};
    columns[3] = (struct row_column){"r", {.kind = SQL_REAL, .real = 1.5}};
    columns[4] = (struct row_column){"list", text_value("[\"u1\",1,{\"k\":2.0},null]")};
    columns[5] = (struct row_column){"obj", text_value("{\"k\":\"u1\",\"o\":[1]}")};
    columns[6] = (struct row_column){"z", {.kind = SQL_NULL}};
    return &row;
}

static void check_json(const char *text, size_t length, bool is_object) {
    json_t *json = json_parse(text, length, NULL);
    assert(is_object ? json_is_object(json) : json_is_array(json));
    json_decref(json);
}

/* The key -> the text of its tuples; the last row wins. */
static void keep_outputs(const struct row_outputs *outputs, struct map *lookups) {
    for (size_t i = 0; i < outputs->n_buckets; i++) {
        assert(strlen(outputs->buckets[i].bucket) == outputs->buckets[i].bucket_length);
        check_json(outputs->buckets[i].data, outputs->buckets[i].data_length, true);
    }
    for (size_t i = 0; i < outputs->n_lookups; i++) {
        const struct lookup_output *lookup = &outputs->lookups[i];
        check_json(lookup->values, lookup->values_length, false);
        free(map_set_bytes(lookups, lookup->key, lookup->key_length,
                           memory_copy_bytes(lookup->values, lookup->values_length)));
    }
}

static bool find(void *context, const char *key, size_t key_length,
                 void (*each)(void *each_context, const char *tuple, size_t length), void *each_context) {
    const char *values = map_get_bytes(context, key, key_length);
    json_t *tuples = values ? json_parse(values, strlen(values), NULL) : NULL, *tuple;
    size_t i;
    json_array_foreach(tuples, i, tuple) {
        struct buffer text = {0};
        json_append(&text, tuple);
        each(each_context, text.data, text.length);
        buffer_free(&text);
    }
    json_decref(tuples);
    return true;
}

static void evaluate_rows(const struct sync_config *config, struct map *lookups) {
    for (size_t i = 0; i < config->n_patterns; i++) {
        const struct source_pattern *pattern = &config->patterns[i];
        struct source_table table = {pattern->tag, pattern->schema, pattern->name};
        struct row_outputs outputs;
        struct arena arena = {0};
        assert(sync_config_selects(config, &table));
        evaluate_row(config, 1, &table, row_of_everything(), &arena, &outputs);
        keep_outputs(&outputs, lookups);
        arena_free(&arena);
    }
}

static void evaluate_requests(const struct sync_config *config, struct map *lookups) {
    static const struct sync_request_values requests[] = {
        {"{\"sub\":\"u1\",\"n\":1.0,\"roles\":[\"u1\",1.0]}", "{\"l\":[\"u1\",2.0],\"o\":{\"k\":1.0}}",
         "{\"n\":1.0}"},
        {"{}", "{}", "{}"}};
    for (size_t i = 0; i < config->n_streams * 2; i++) {
        struct arena arena = {0};
        struct request_bucket *buckets;
        const char *reason;
        size_t count;
        struct lookup_source source = {find, lookups};
        bool good = evaluate_request(&config->streams[i / 2], 1, &requests[i % 2], &source, &arena, &buckets,
                                     &count, &reason);
        assert(good == !reason);
        for (size_t j = 0; j < count; j++)
            assert(buckets[j].name[0] && buckets[j].priority >= 0 && buckets[j].priority <= 3);
        arena_free(&arena);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = memory_copy_bytes(data, size);
    struct sync_config *config;
    struct error error = {0};
    if (sync_config_parse(&config, text, "sync.yaml", &error)) {
        assert(error.message[0]);
    } else {
        struct map lookups = {0};
        evaluate_rows(config, &lookups);
        evaluate_requests(config, &lookups);
        map_free(&lookups, free);
        sync_config_destroy(config);
    }
    free(text);
    return 0;
}

/* Fuzz target: sync configs of all editions, YAML with SQL in it. The input is the file.
 *
 * Checked for any input: nothing crashes; a refusal has a reason and a place; reading takes less than a
 * second. A config that is taken evaluates rows of each of its tables and a request for each of its streams:
 * buckets have names and data that is a JSON object, entries of the parameter index are arrays of arrays, and
 * a request that asks the index finds them. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "mock-powersync/config/evaluate.h"
#include "mock-powersync/replication/convex_page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TUPLES_MOST = 100 };

static const char *const documents[] = {
    "{\"_id\":\"d1\",\"id\":\"x\",\"a\":1.0,\"b\":\"u1\",\"n\":null,\"list\":[\"u1\",1,true],\"obj\":{\"k\":["
    "1]}}",
    "{\"_id\":\"d2\",\"a\":[],\"b\":{\"k\":null},\"n\":2,\"list\":\"no\",\"obj\":\"{\",\"owner\":\"u1\"}"};

struct index {
    const struct row_outputs *outputs;
    size_t tuples;
};

/* Each tuple of the entry; stops when there are too many. */
static bool find(void *context, const char *key, size_t key_length,
                 void (*each)(void *each_context, const char *tuple, size_t length), void *each_context) {
    struct index *index = context;
    for (size_t i = 0; i < index->outputs->n_lookups; i++) {
        const struct lookup_output *lookup = &index->outputs->lookups[i];
        if (lookup->key_length != key_length || memcmp(lookup->key, key, key_length) != 0)
            continue;
        each(each_context, lookup->values + 1, lookup->values_length - 2); /* most have one */
        if (++index->tuples > TUPLES_MOST)
            return false;
    }
    return true;
}

static void check_bucket(const struct bucket_output *output) {
    json_t *json = json_parse(output->data, output->data_length, NULL);
    assert(strlen(output->bucket) == output->bucket_length && strchr(output->bucket, '['));
    assert(json_is_object(json) && output->object_type && output->object_id);
    json_decref(json);
}

static void check_lookup(struct lookup_output *lookup) {
    json_t *json = json_parse(lookup->values, lookup->values_length, NULL);
    assert(lookup->key_length > 0 && json_is_array(json));
    for (size_t i = 0; i < json_array_size(json); i++)
        assert(json_is_array(json_array_get(json, i)));
    if (json_array_size(json) != 1) /* `find` above takes one */
        *lookup = (struct lookup_output){"-", 1, "[[]]", 4};
    json_decref(json);
}

static void ask(const struct sync_config *config, const struct row_outputs *outputs, struct arena *arena) {
    static const struct sync_request_values values = {
        "{\"sub\":\"u1\",\"parameters\":{\"a\":1.0},\"roles\":[\"u1\",1.0]}",
        "{\"p\":\"u1\",\"l\":[1.0,null,\"x\"]}", "{\"a\":\"u1\"}"};
    for (size_t i = 0; i < config->n_streams; i++) {
        struct index index = {outputs, 0};
        const struct lookup_source lookups = {find, &index};
        struct request_bucket *buckets;
        const char *reason;
        size_t count;
        bool complete =
            evaluate_request(&config->streams[i], 1, &values, &lookups, arena, &buckets, &count, &reason);
        assert(complete == (reason == NULL));
        (void)complete;
        for (size_t j = 0; j < count; j++)
            assert(strchr(buckets[j].name, '[') && buckets[j].priority >= 0 && buckets[j].priority <= 3);
    }
}

static void evaluate(const struct sync_config *config, const struct source_pattern *pattern,
                     const char *document) {
    struct arena arena = {0};
    struct convex_document read;
    bool good = convex_document_read(document, strlen(document), &arena, &read);
    assert(good);
    (void)good;
    const struct source_table table = {pattern->tag, pattern->schema,
                                       pattern->prefix ? arena_format(&arena, "%sx", pattern->name)
                                                       : pattern->name};
    struct row_outputs outputs;
    assert(sync_config_selects(config, &table));
    evaluate_row(config, 1, &table, &read.row, &arena, &outputs);
    for (size_t i = 0; i < outputs.n_buckets; i++)
        check_bucket(&outputs.buckets[i]);
    for (size_t i = 0; i < outputs.n_lookups; i++)
        check_lookup(&outputs.lookups[i]);
    ask(config, &outputs, &arena);
    arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > 65536 || memchr(data, 0, size))
        return 0;
    struct sync_config *config = NULL;
    struct error error = {0};
    char *text = memory_copy_bytes(data, size);
    clock_t before = clock();
    enum status status = sync_config_parse(&config, text, "sync.yaml", &error);
    assert(clock() - before < CLOCKS_PER_SEC);
    (void)before;
    if (status == STATUS_OK) {
        for (size_t i = 0; i < config->n_patterns && i < 10; i++)
            for (size_t j = 0; j < sizeof documents / sizeof *documents; j++)
                evaluate(config, &config->patterns[i], documents[j]);
        sync_config_destroy(config);
    } else {
        assert(status == STATUS_INVALID && error.message[0] != 0);
        assert(strcmp(error.file, "sync.yaml") == 0 && error.line >= 0);
    }
    free(text);
    return 0;
}

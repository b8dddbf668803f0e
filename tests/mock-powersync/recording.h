/* The recorded stream of a real service, and the documents behind it: what Convex must have held for the
 * service to send those rows. Include once a test program. */
#ifndef TESTS_MOCK_POWERSYNC_RECORDING_H
#define TESTS_MOCK_POWERSYNC_RECORDING_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"

struct recording {
    json_t *lines;  /* array of the protocol lines */
    int64_t commit; /* commit timestamp noted in the file; 0: none */
};

static inline struct recording recording_read(const char *name) {
    char path[500];
    snprintf(path, sizeof path, "%s/real-service-1.25.0/%s", TEST_VECTORS, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    struct recording recording = {.lines = json_array()};
    char text[20000];
    while (fgets(text, sizeof text, file)) {
        const char *start = strstr(text, "] {\"");
        const char *commit = strstr(text, "commit _ts ");
        if (commit)
            recording.commit = strtoll(commit + 11, NULL, 10);
        else if (text[0] == '[' && start)
            assert_int_equal(
                json_array_append_new(recording.lines, json_parse(start + 2, strlen(start + 2) - 1, NULL)),
                0);
    }
    fclose(file);
    return recording;
}

static inline void recording_free(struct recording *recording) {
    json_decref(recording->lines);
}

/* Undo the type mapping of a synced row, as far as these rows need it: text that holds a JSON array or object
 * was one, and is_urgent was a boolean (the recorded requests show it). `id` was made by the query. */
static inline json_t *recording_document(const char *data) {
    json_t *row = json_parse(data, strlen(data), NULL);
    assert_non_null(row);
    json_object_del(row, "id");
    const char *key;
    json_t *value;
    json_object_foreach(row, key, value) {
        const char *text = json_string_value(value);
        if (text && (text[0] == '[' || text[0] == '{'))
            json_object_set_new(row, key, json_parse(text, strlen(text), NULL));
        else if (strcmp(key, "is_urgent") == 0)
            json_object_set_new(row, key, json_boolean(json_integer_value(value)));
    }
    return row;
}

/* Call `each` for every operation of the data lines, in order of op id (data lines are grouped by bucket). */
static inline void recording_operations(const struct recording *recording,
                                        void (*each)(void *context, const json_t *operation), void *context) {
    json_t *by_id[64] = {0};
    size_t i, j;
    json_t *line, *operation;
    json_array_foreach(recording->lines, i, line) {
        json_array_foreach(json_object_get(json_object_get(line, "data"), "data"), j, operation) {
            by_id[strtol(json_text(operation, "op_id"), NULL, 10) % 64] = operation;
        }
    }
    for (i = 0; i < 64; i++)
        if (by_id[i])
            each(context, by_id[i]);
}

#endif

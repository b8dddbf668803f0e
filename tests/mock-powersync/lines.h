/* The lines of a sync stream as JSON values, for tests.
 */
#ifndef TESTS_MOCK_POWERSYNC_LINES_H
#define TESTS_MOCK_POWERSYNC_LINES_H

#include <string.h>

#include "base/json.h"

static inline const json_t *lines_at(const json_t *lines, size_t index) {
    if (index >= json_array_size(lines))
        fail_msg("line %zu wanted, %zu there", index, json_array_size(lines));
    return json_array_get(lines, index);
}

static inline const char *line_kind(const json_t *json) {
    return json_object_iter_key(json_object_iter((json_t *)(uintptr_t)json));
}

static inline const json_t *lines_of(const json_t *lines, size_t index, const char *kind) {
    const json_t *json = lines_at(lines, index);
    assert_string_equal(line_kind(json), kind);
    return json_object_get(json, kind);
}

/* The lines' kinds in order: "checkpoint data checkpoint_complete". */
static inline void lines_assert_kinds(const json_t *lines, const char *expected) {
    struct buffer kinds = {0};
    for (size_t i = 0; i < json_array_size(lines); i++) {
        if (i > 0)
            buffer_append_char(&kinds, ' ');
        buffer_append_text(&kinds, line_kind(lines_at(lines, i)));
    }
    assert_string_equal(buffer_text(&kinds), expected);
    buffer_free(&kinds);
}

static inline const json_t *at(const json_t *array, size_t index) {
    assert_true(index < json_array_size(array));
    return json_array_get(array, index);
}

static inline void assert_json(const json_t *json, const char *expected) {
    struct buffer text = {0};
    json_append(&text, json);
    assert_string_equal(buffer_text(&text), expected);
    buffer_free(&text);
}

#endif

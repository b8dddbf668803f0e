#include "runner/result_message.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static json_t *count_json(uint64_t count) {
    return json_integer(count > INT64_MAX ? INT64_MAX : (json_int_t)count);
}

/* Text from a run may hold anything; JSON is UTF-8. */
static json_t *text_json(const char *text) {
    json_t *json = json_string(text == NULL ? "" : text);
    if (json != NULL)
        return json;
    struct buffer safe = {0};
    for (const char *at = text; *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;
        if (byte < 0x80)
            buffer_append_char(&safe, *at);
        else
            buffer_printf(&safe, "\\x%02x", byte);
    }
    json = json_string(buffer_text(&safe));
    assert(json != NULL);
    buffer_free(&safe);
    return json;
}

static json_t *counts_json(const struct stage_count *counts, size_t n) {
    json_t *object = json_object();
    for (size_t i = 0; i < n; i++)
        json_object_set_new(object, counts[i].name, count_json(counts[i].count));
    return object;
}

static json_t *violation_json(const struct violation *violation) {
    json_t *json = json_object();
    assert(violation->property != NULL);
    json_object_set_new(json, "property", text_json(violation->property));
    json_object_set_new(json, "client", text_json(violation->client));
    json_object_set_new(json, "table", text_json(violation->table));
    json_object_set_new(json, "row", text_json(violation->row));
    json_object_set_new(json, "expected", text_json(violation->expected));
    json_object_set_new(json, "seen", text_json(violation->seen));
    json_object_set_new(json, "time_ns", json_integer(violation->time));
    json_object_set_new(json, "first_record", count_json(violation->first_record));
    json_object_set_new(json, "second_record", count_json(violation->second_record));
    json_object_set_new(json, "explanation", text_json(violation->explanation));
    return json;
}

static json_t *marks_json(const struct stage_result *result) {
    json_t *array = json_array();
    for (size_t i = 0; i < result->n_trace_marks; i++) {
        char text[17];
        snprintf(text, sizeof text, "%016" PRIx64, result->trace_marks[i]);
        json_array_append_new(array, json_string(text));
    }
    return array;
}

static json_t *delays_json(const struct stage_result *result) {
    json_t *array = json_array();
    for (size_t i = 0; i < result->n_delays; i++)
        json_array_append_new(array, json_integer(result->delays[i]));
    return array;
}

static void set_figures(json_t *json, const struct stage_result *result) {
    const struct {
        const char *name;
        uint64_t value;
    } figures[] = {
        {"events", result->events},
        {"commits", result->commits},
        {"local_writes", result->local_writes},
        {"applied", result->applied},
        {"judged", result->judged},
        {"exchanges", result->exchanges},
        {"convex_requests", result->convex_requests},
    };
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        json_object_set_new(json, figures[i].name, count_json(figures[i].value));
}

json_t *result_message_make(const struct stage_result *result, const struct result_message_options *options) {
    json_t *json = json_object(), *violations = json_array();
    char hash[33];
    assert(result->passed == (result->n_violations == 0));
    hash128_text(result->trace_hash, hash);
    json_object_set_new(json, "passed", json_boolean(result->passed));
    json_object_set_new(json, "as_expected", json_boolean(result->as_expected));
    for (size_t i = 0; i < result->n_violations; i++)
        json_array_append_new(violations, violation_json(&result->violations[i]));
    json_object_set_new(json, "violations", violations);
    json_object_set_new(json, "steps", text_json(result->steps_text));
    json_object_set_new(json, "trace_hash", json_string(hash));
    json_object_set_new(json, "trace_length", count_json(result->trace_length));
    json_object_set_new(json, "virtual_ns", json_integer(result->virtual_time));
    set_figures(json, result);
    json_object_set_new(json, "faults", counts_json(result->faults, result->n_faults));
    json_object_set_new(json, "fault_points", counts_json(result->fault_points, result->n_fault_points));
    json_object_set_new(json, "marks", counts_json(result->marks, result->n_marks));
    json_object_set_new(json, "knobs", counts_json(result->knobs, result->n_knobs));
    if (options->trace_marks)
        json_object_set_new(json, "trace_marks", marks_json(result));
    if (options->delays)
        json_object_set_new(json, "delays", delays_json(result));
    if (options->narration)
        json_object_set_new(json, "narration", text_json(buffer_text(&result->narration)));
    return json;
}

json_t *result_message_make_ended(const char *property, const char *seen, const char *explanation) {
    struct violation violation = {.property = property, .client = "", .table = "", .row = ""};
    struct stage_result result = {.passed = false, .n_violations = 1, .violations = &violation};
    char expected[] = "the run ends by itself";
    violation.expected = expected;
    struct buffer texts[2] = {0};
    buffer_append_text(&texts[0], seen);
    buffer_append_text(&texts[1], explanation == NULL ? "" : explanation);
    violation.seen = buffer_take(&texts[0]);
    violation.explanation = buffer_take(&texts[1]);
    json_t *json = result_message_make(&result, &(struct result_message_options){0});
    json_object_set_new(json, "trace_hash", json_string("")); /* nothing to compare */
    free(violation.seen);
    free(violation.explanation);
    return json;
}

#include "reader/reader.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "reader/names_near.h"
#include "reader/units.h"

struct reader_value reader_item(const json_t *holder, size_t index) {
    return (struct reader_value){holder, NULL, json_array_get(holder, index)};
}

struct reader_value reader_member(const json_t *holder, const char *key) {
    return (struct reader_value){holder, key, json_object_get(holder, key)};
}

static void find_place(struct reader *reader, struct reader_value value, int *line, int *column) {
    assert(value.value || value.holder);
    bool shared = json_is_true(value.value) || json_is_false(value.value) || json_is_null(value.value);
    *line = *column = 0;
    if (value.value && !shared)
        yaml_place(reader->document, value.value, line, column);
    else if (value.holder && value.key)
        yaml_key_place(reader->document, value.holder, value.key, line, column);
    else if (value.holder)
        yaml_place(reader->document, value.holder, line, column);
    if (*line == 0) /* an empty file has no values */
        *line = *column = 1;
}

static enum status refuse_at(struct reader *reader, int line, int column, const char *format,
                             va_list arguments) {
    char message[900];
    vsnprintf(message, sizeof message, format, arguments);
    return error_set_at(reader->error, STATUS_INVALID, reader->document->file, line, column, "%s", message);
}

enum status reader_refuse(struct reader *reader, struct reader_value value, const char *format, ...) {
    int line, column;
    find_place(reader, value, &line, &column);
    va_list arguments;
    va_start(arguments, format);
    enum status status = refuse_at(reader, line, column, format, arguments);
    va_end(arguments);
    return status;
}

enum status reader_refuse_key(struct reader *reader, struct reader_value mapping, const char *key,
                              const char *format, ...) {
    int line, column;
    yaml_key_place(reader->document, mapping.value, key, &line, &column);
    va_list arguments;
    va_start(arguments, format);
    enum status status = refuse_at(reader, line, column, format, arguments);
    va_end(arguments);
    return status;
}

/* "; did you mean `x`? Expected one of: a, b, c" */
static void append_names(struct buffer *out, const char *name,
                         const char *(*names)(size_t index, const void *context), const void *context) {
    const char *nearest = names_nearest(name, names, context);
    if (nearest)
        buffer_printf(out, "; did you mean `%s`?", nearest);
    buffer_append_text(out, nearest ? " Expected one of: " : "; expected one of: ");
    for (size_t i = 0; names(i, context); i++)
        buffer_printf(out, "%s%s", i ? ", " : "", names(i, context));
}

enum status reader_refuse_name(struct reader *reader, struct reader_value value, const char *what,
                               const char *name, const char *(*names)(size_t index, const void *context),
                               const void *context) {
    struct buffer text = {0};
    append_names(&text, name, names, context);
    enum status status =
        reader_refuse(reader, value, "unknown %s `%.100s`%.700s", what, name, buffer_text(&text));
    buffer_free(&text);
    return status;
}

const char *reader_type(const json_t *value) {
    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_OBJECT:
        return "a mapping";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a text";
    case JSON_INTEGER:
        return "a whole number";
    case JSON_REAL:
        return "a number with decimals";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        break;
    }
    return "nothing";
}

static const char *call(struct reader_value value) {
    return value.key ? value.key : "an entry of this list";
}

enum status reader_text(struct reader *reader, struct reader_value value, const char **text) {
    if (!json_is_string(value.value))
        return reader_refuse(reader, value, "`%s` must be a text, this is %s", call(value),
                             reader_type(value.value));
    *text = arena_copy_text(reader->arena, json_string_value(value.value));
    return STATUS_OK;
}

enum status reader_count(struct reader *reader, struct reader_value value, int64_t low, int64_t high,
                         int64_t *count) {
    if (!json_is_integer(value.value))
        return reader_refuse(reader, value, "`%s` must be a whole number, this is %s", call(value),
                             reader_type(value.value));
    *count = json_integer_value(value.value);
    if (*count < low || *count > high)
        return reader_refuse(reader, value, "`%s` must be from %" PRId64 " to %" PRId64 ", this is %" PRId64,
                             call(value), low, high, *count);
    return STATUS_OK;
}

enum status reader_duration(struct reader *reader, struct reader_value value, int64_t low, int64_t high,
                            int64_t *ns) {
    if (json_is_number(value.value))
        return reader_refuse(reader, value, "`%s` is a duration and needs a unit: 250ms, 1.5s, 2min, 1h",
                             call(value));
    if (!json_is_string(value.value))
        return reader_refuse(reader, value,
                             "`%s` must be a duration such as 250ms, 1.5s, 2min or 1h, this is %s",
                             call(value), reader_type(value.value));
    if (!units_read_duration(json_string_value(value.value), ns))
        return reader_refuse(reader, value,
                             "`%s` must be a duration such as 250ms, 1.5s, 2min or 1h, this is `%.60s`",
                             call(value), json_string_value(value.value));
    if (*ns >= low && *ns <= high)
        return STATUS_OK;
    struct buffer limits = {0};
    units_print_duration(&limits, low);
    buffer_append_text(&limits, " to ");
    units_print_duration(&limits, high);
    enum status status = reader_refuse(reader, value, "`%s` must be from %s, this is %s", call(value),
                                       buffer_text(&limits), json_string_value(value.value));
    buffer_free(&limits);
    return status;
}

static enum status read_range(struct reader *reader, struct reader_value value, bool durations, int64_t low,
                              int64_t high, struct reader_range *range) {
    assert(low <= high);
    struct reader_value ends[2] = {value, value};
    if (json_is_array(value.value)) {
        if (json_array_size(value.value) != 2)
            return reader_refuse(reader, value, "`%s` must be one value or a range of two: [%s]", call(value),
                                 durations ? "1s, 5s" : "1, 5");
        for (size_t i = 0; i < 2; i++)
            ends[i] = (struct reader_value){value.holder, value.key, json_array_get(value.value, i)};
    }
    int64_t read[2] = {0, 0};
    for (size_t i = 0; i < 2; i++) {
        enum status status = durations ? reader_duration(reader, ends[i], low, high, &read[i])
                                       : reader_count(reader, ends[i], low, high, &read[i]);
        if (status != STATUS_OK)
            return status;
    }
    if (read[0] > read[1])
        return reader_refuse(reader, value, "`%s`: the range must go from the smaller to the larger value",
                             call(value));
    *range = (struct reader_range){read[0], read[1]};
    return STATUS_OK;
}

enum status reader_duration_range(struct reader *reader, struct reader_value value, int64_t low, int64_t high,
                                  struct reader_range *range) {
    return read_range(reader, value, true, low, high, range);
}

enum status reader_texts(struct reader *reader, struct reader_value value,
                         enum status (*check)(struct reader *reader, struct reader_value item, void *context),
                         void *context, const char *const **texts, size_t *count) {
    if (!json_is_array(value.value))
        return reader_refuse(reader, value, "`%s` must be a list of texts: [a, b], this is %s", call(value),
                             reader_type(value.value));
    assert(texts && count);
    size_t n = json_array_size(value.value);
    const char **list = arena_allocate(reader->arena, (n + 1) * sizeof *list);
    for (size_t i = 0; i < n; i++) {
        struct reader_value item = reader_item(value.value, i);
        enum status status = reader_text(reader, item, &list[i]);
        if (status == STATUS_OK && check)
            status = check(reader, item, context);
        if (status != STATUS_OK)
            return status;
        for (size_t j = 0; j < i; j++)
            if (!strcmp(list[i], list[j]))
                return reader_refuse(reader, item, "`%.100s` is in this list twice", list[i]);
    }
    *texts = list;
    *count = n;
    return STATUS_OK;
}

enum status reader_field(struct reader *reader, const struct field *field, struct reader_value value,
                         void *target) {
    assert(field->key && value.value);
    void *place = (char *)target + field->offset;
    switch (field->kind) {
    case FIELD_TEXT:
        return reader_text(reader, value, place);
    case FIELD_COUNT:
        return reader_count(reader, value, field->low, field->high, place);
    case FIELD_COUNT_RANGE:
        return read_range(reader, value, false, field->low, field->high, place);
    case FIELD_DURATION:
        return reader_duration(reader, value, field->low, field->high, place);
    case FIELD_DURATION_RANGE:
        return read_range(reader, value, true, field->low, field->high, place);
    case FIELD_BOOLEAN:
        if (!json_is_boolean(value.value))
            return reader_refuse(reader, value, "`%s` must be true or false, this is %s", call(value),
                                 reader_type(value.value));
        *(bool *)place = json_is_true(value.value);
        return STATUS_OK;
    case FIELD_SECTION:
        return reader_mapping(reader, value, field->key, field->section, target);
    case FIELD_SPECIAL:
        return field->read(reader, value, target);
    }
    assert(false); /* every kind of field is handled above */
    return STATUS_INTERNAL;
}

static const char *field_name(size_t index, const void *fields) {
    return ((const struct field *)fields)[index].key;
}

static enum status refuse_unknown_key(struct reader *reader, struct reader_value mapping, const char *key,
                                      const char *name, const struct field *fields) {
    struct buffer text = {0};
    append_names(&text, key, field_name, fields);
    enum status status = reader_refuse_key(reader, mapping, key, "unknown key `%.100s`%s%s%s%.600s", key,
                                           *name ? " in `" : "", name, *name ? "`" : "", buffer_text(&text));
    buffer_free(&text);
    return status;
}

enum status reader_mapping(struct reader *reader, struct reader_value mapping, const char *name,
                           const struct field *fields, void *target) {
    if (!json_is_object(mapping.value))
        return reader_refuse(reader, mapping, "%s%s%s must be a mapping of keys to values, this is %s",
                             *name ? "`" : "", *name ? name : "a scenario", *name ? "`" : "",
                             reader_type(mapping.value));
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)mapping.value, key, value) {
        const struct field *field = fields;
        while (field->key && strcmp(field->key, key) != 0)
            field++;
        if (!field->key)
            return refuse_unknown_key(reader, mapping, key, name, fields);
    }
    for (const struct field *field = fields; field->key; field++) {
        struct reader_value member = reader_member(mapping.value, field->key);
        enum status status = member.value ? reader_field(reader, field, member, target) : STATUS_OK;
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

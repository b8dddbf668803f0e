#include "runner/violation_text.h"

#include <assert.h>
#include <string.h>

#include "base/json.h"
#include "kernel/time.h"

#define LINE_LIMIT 400 /* bytes of one value; the failure file and results.sqlite have it whole */

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_text(object, key);
    return text == NULL ? "" : text;
}

/* Bytes of `text` to show: at most the limit, and never a cut UTF-8 sequence. */
static size_t shown_length(const char *text) {
    size_t length = strlen(text);
    if (length <= LINE_LIMIT)
        return length;
    length = LINE_LIMIT;
    while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
        length--;
    return length;
}

/* "  name      value", further lines of the value under the first. Empty values are left out. */
static void append_entry(struct buffer *out, const char *name, const char *value) {
    size_t length = shown_length(value);
    assert(length <= LINE_LIMIT);
    if (length == 0)
        return;
    buffer_printf(out, "  %-9s ", name);
    for (size_t i = 0; i < length; i++) {
        if (value[i] != '\n')
            buffer_append_char(out, value[i]);
        else if (i + 1 < length)
            buffer_append_text(out, "\n            ");
    }
    buffer_append_text(out, value[length] == '\0' ? "\n" : " ...\n");
}

static void append_row(struct buffer *out, const json_t *violation) {
    struct buffer row = {0};
    buffer_printf(&row, "%s %s", text_of(violation, "table"), text_of(violation, "row"));
    if (row.length > 1)
        append_entry(out, "row", buffer_text(&row));
    buffer_free(&row);
}

static void append_time(struct buffer *out, const json_t *violation) {
    struct buffer time = {0};
    int64_t at = json_integer_or(violation, "time_ns", 0);
    buffer_printf(&time, "%lld.%03lld s", (long long)(at / TIME_SECOND),
                  (long long)(at % TIME_SECOND / TIME_MILLISECOND));
    if (at > 0)
        append_entry(out, "at", buffer_text(&time));
    buffer_free(&time);
}

/* Other violations of the same seed, by property. */
static void append_others(struct buffer *out, const json_t *violations) {
    struct buffer others = {0};
    for (size_t i = 1; i < json_array_size(violations); i++) {
        const char *property = text_of(json_array_get(violations, i), "property");
        bool known = false;
        for (size_t j = 0; j < i; j++)
            known = known || strcmp(property, text_of(json_array_get(violations, j), "property")) == 0;
        if (!known)
            buffer_printf(&others, "%s%s", others.length > 0 ? ", " : "", property);
    }
    append_entry(out, "also", buffer_text(&others));
    buffer_free(&others);
}

void violation_text_append(struct buffer *out, const char *scenario, uint64_t seed, const json_t *result,
                           const char *replay) {
    const json_t *violations = json_object_get(result, "violations");
    const json_t *first = json_array_get(violations, 0);
    assert(first != NULL);
    buffer_printf(out, "FAILED %s, seed %llu: %s\n", scenario, (unsigned long long)seed,
                  text_of(first, "property"));
    append_entry(out, "client", text_of(first, "client"));
    append_row(out, first);
    append_time(out, first);
    append_entry(out, "expected", text_of(first, "expected"));
    append_entry(out, "seen", text_of(first, "seen"));
    append_entry(out, "why", text_of(first, "explanation"));
    append_entry(out, "steps", text_of(result, "steps"));
    append_others(out, violations);
    append_entry(out, "replay", replay);
}

void violation_text_append_line(struct buffer *out, const json_t *violation) {
    static const char *const places[] = {"client", "table", "row"};
    struct buffer place = {0};
    for (int i = 0; i < 3; i++)
        if (text_of(violation, places[i])[0] != '\0')
            buffer_printf(&place, "%s%s", place.length > 0 ? " " : "", text_of(violation, places[i]));
    buffer_printf(out, "%s: ", text_of(violation, "property"));
    if (place.length > 0)
        buffer_printf(out, "%s: ", buffer_text(&place));
    buffer_append_text(out, "seen ");
    buffer_append(out, text_of(violation, "seen"), shown_length(text_of(violation, "seen")));
    buffer_append_text(out, ", expected ");
    buffer_append(out, text_of(violation, "expected"), shown_length(text_of(violation, "expected")));
    buffer_free(&place);
}

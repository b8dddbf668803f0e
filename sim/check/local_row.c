#include "check/local_row.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

const struct client_table *local_row_table(const struct client_schema *schema, const char *name) {
    for (size_t i = 0; i < schema->n_tables; i++) {
        if (strcmp(schema->tables[i].name, name) == 0)
            return &schema->tables[i];
    }
    return NULL;
}

/* The client core keeps rows as JSON that SQLite wrote, with 15 significant digits of a real number: 0.1 +
 * 0.2 reads back as 0.3 from the moment it is written. This is SQLite's own format for it. */
static void print_real(char out[64], double number) {
    sqlite3_snprintf(64, out, "%!.15g", number);
}

static void append_real_digits(struct buffer *out, double number) {
    char text[64];
    print_real(text, number);
    buffer_append_text(out, text);
}

static void append_as_text(struct buffer *out, const json_t *value) {
    if (json_is_string(value)) {
        buffer_append_json_string(out, json_string_value(value), json_string_length(value));
        return;
    }
    struct buffer text = {0};
    if (json_is_boolean(value))
        buffer_append_char(&text, json_is_true(value) ? '1' : '0');
    else if (json_is_real(value))
        append_real_digits(&text, json_real_value(value));
    else
        json_append(&text, value); /* an integer's digits; JSON text of an array or object */
    buffer_append_json_string(out, buffer_text(&text), text.length);
    buffer_free(&text);
}

static double number_of(const json_t *value) {
    if (json_is_string(value))
        return strtod(json_string_value(value), NULL);
    return json_is_boolean(value) ? (double)json_is_true(value) : json_number_value(value);
}

/* As CAST to INTEGER: towards zero, and no further than 64 bits go. */
static void append_as_integer(struct buffer *out, const json_t *value) {
    if (json_is_integer(value)) {
        buffer_append_integer(out, json_integer_value(value));
        return;
    }
    const double number = number_of(value);
    int64_t integer = 0; /* of what is no number */
    if (number >= 0x1p63)
        integer = INT64_MAX;
    else if (number <= -0x1p63)
        integer = INT64_MIN;
    else if (number == number)
        integer = (int64_t)number;
    buffer_append_integer(out, integer);
}

static void append_as_real(struct buffer *out, const json_t *value) {
    char text[64];
    print_real(text, number_of(value));
    buffer_append_double(out, strtod(text, NULL));
}

static void append_value(struct buffer *out, const char *type, const json_t *value) {
    if (value == NULL || json_is_null(value))
        buffer_append_text(out, "null");
    else if (strcmp(type, "integer") == 0)
        append_as_integer(out, value);
    else if (strcmp(type, "real") == 0)
        append_as_real(out, value);
    else
        append_as_text(out, value);
}

static json_t *parse(const char *text) {
    return text == NULL ? NULL : json_parse(text, strlen(text), NULL);
}

bool local_row_apply(struct buffer *out, const struct client_table *table, const char *current,
                     const struct note_row *operation) {
    const char *kind = operation->operation == NULL ? "" : operation->operation;
    const bool put = strcmp(kind, "PUT") == 0;
    if (!put && (current == NULL || strcmp(kind, "PATCH") != 0))
        return false;
    json_t *before = put ? NULL : parse(current);
    json_t *values = parse(operation->values);
    assert(put || before == NULL || json_is_array(before));
    buffer_append_char(out, '[');
    for (size_t i = 0; i < table->n_columns; i++) {
        const struct client_column *column = &table->columns[i];
        const json_t *value = json_object_get(values, column->name);
        if (i > 0)
            buffer_append_char(out, ',');
        if (value != NULL || put)
            append_value(out, column->type, value);
        else if (json_array_get(before, i) != NULL)
            json_append(out, json_array_get(before, i));
        else
            buffer_append_text(out, "null");
    }
    buffer_append_char(out, ']');
    json_decref(before);
    json_decref(values);
    return true;
}

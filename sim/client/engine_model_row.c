#include "client/engine_model_row.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/json_scan.h"
#include "base/memory.h"

/* --- the reader --- */

static enum row_type type_of(const char *name) {
    return strcmp(name, "text") == 0 ? ROW_TEXT : strcmp(name, "integer") == 0 ? ROW_INTEGER : ROW_REAL;
}

static void sort_columns(struct model_table *table) {
    table->by_name = memory_allocate_array(table->n_columns, sizeof *table->by_name);
    for (size_t c = 0; c < table->n_columns; c++) {
        size_t at = c;

        for (; at > 0 && strcmp(table->columns[table->by_name[at - 1]].name, table->columns[c].name) > 0;
             at--)
            table->by_name[at] = table->by_name[at - 1];
        table->by_name[at] = c;
    }
}

static void make_table(struct model_table *table, const struct client_table *schema, size_t index) {
    table->name = schema->name;
    table->index = index;
    table->options = schema;
    table->n_columns = schema->n_columns;
    table->columns = memory_allocate_array(schema->n_columns, sizeof *table->columns);
    for (size_t c = 0; c < schema->n_columns; c++)
        table->columns[c] = (struct model_column){.name = schema->columns[c].name,
                                                  .length = strlen(schema->columns[c].name),
                                                  .type = type_of(schema->columns[c].type),
                                                  .is_path = strpbrk(schema->columns[c].name, ".[\"'\\")};
    sort_columns(table);
}

struct row_reader *row_reader_create(const struct client_schema *schema) {
    struct row_reader *reader = memory_allocate(sizeof *reader);
    size_t widest = 1;
    int opened =
        sqlite3_open_v2(":memory:", &reader->database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);

    assert(opened == SQLITE_OK);
    reader->n_tables = schema->n_tables;
    reader->tables = memory_allocate_array(schema->n_tables, sizeof *reader->tables);
    for (size_t t = 0; t < schema->n_tables; t++) {
        make_table(&reader->tables[t], &schema->tables[t], t);
        if (reader->tables[t].n_columns > widest)
            widest = reader->tables[t].n_columns;
    }
    reader->values = memory_allocate_array(widest, sizeof *reader->values);
    reader->others = memory_allocate_array(widest, sizeof *reader->others);
    return reader;
}

void row_reader_free(struct row_reader *reader) {
    int closed;

    if (reader == NULL)
        return;
    for (size_t t = 0; t < reader->n_tables; t++) {
        sqlite3_finalize(reader->tables[t].read);
        free(reader->tables[t].columns);
        free(reader->tables[t].by_name);
    }
    sqlite3_finalize(reader->convert);
    arena_free(&reader->converted);
    closed = sqlite3_close(reader->database);
    assert(closed == SQLITE_OK);
    free(reader->tables);
    free(reader->values);
    free(reader->others);
    buffer_free(&reader->scratch);
    free(reader);
}

/* --- by SQLite --- */

static const char *const type_names[] = {[ROW_TEXT] = "text", [ROW_INTEGER] = "integer", [ROW_REAL] = "real"};

static void prepare_read(struct row_reader *reader, const struct model_table *table) {
    struct buffer sql = {0};
    int prepared;

    for (size_t c = 0; c < table->n_columns; c++) {
        char *path = sqlite3_mprintf("$.%s", table->columns[c].name);
        char *cast = sqlite3_mprintf("%s CAST(json_extract(?1, %Q) AS %s)", c > 0 ? "," : "SELECT", path,
                                     type_names[table->columns[c].type]);

        buffer_append_text(&sql, cast);
        sqlite3_free(cast);
        sqlite3_free(path);
    }
    prepared = sqlite3_prepare_v3(reader->database, buffer_text(&sql), -1, SQLITE_PREPARE_PERSISTENT,
                                  &reader->tables[table->index].read, NULL);
    assert(prepared == SQLITE_OK);
    buffer_free(&sql);
}

static struct row_value column_value(sqlite3_stmt *statement, int column) {
    struct row_value value = {0};

    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
        value.kind = ROW_VALUE_INTEGER;
        value.integer = sqlite3_column_int64(statement, column);
        break;
    case SQLITE_FLOAT:
        value.kind = ROW_VALUE_REAL;
        value.real = sqlite3_column_double(statement, column);
        break;
    case SQLITE_TEXT:
        value.kind = ROW_VALUE_TEXT;
        value.text = (const char *)sqlite3_column_text(statement, column);
        value.length = (size_t)sqlite3_column_bytes(statement, column);
        break;
    case SQLITE_BLOB:
        value.kind = ROW_VALUE_BLOB;
        value.text = sqlite3_column_blob(statement, column);
        value.length = (size_t)sqlite3_column_bytes(statement, column);
        break;
    default:
        break;
    }
    return value;
}

static bool read_by_sqlite(struct row_reader *reader, const struct model_table *table, const char *data,
                           size_t length, struct row_value *values, const char **message) {
    size_t text_length = 0;

    if (table->read == NULL)
        prepare_read(reader, table);
    sqlite3_reset(table->read);
    sqlite3_bind_text(table->read, 1, data, (int)length, SQLITE_STATIC);
    if (sqlite3_step(table->read) != SQLITE_ROW) {
        *message = sqlite3_errmsg(reader->database);
        sqlite3_reset(table->read);
        return false;
    }
    for (size_t c = 0; c < table->n_columns; c++) {
        values[c] = column_value(table->read, (int)c);
        text_length += values[c].length;
    }
    /* The statement must not stand in the middle of anything when the next row comes. */
    buffer_clear(&reader->scratch);
    MEMORY_RESERVE(reader->scratch.data, reader->scratch.capacity, text_length + 1);
    for (size_t c = 0; c < table->n_columns; c++) {
        size_t at = reader->scratch.length;

        if (values[c].kind < ROW_VALUE_TEXT)
            continue;
        buffer_append(&reader->scratch, values[c].text, values[c].length);
        values[c].text = reader->scratch.data + at;
    }
    sqlite3_reset(table->read);
    return true;
}

/* --- plain values --- */

static bool is_plain_real(struct json_span number) {
    size_t digits = 0;

    for (size_t i = 0; i < number.length; i++) {
        if (number.bytes[i] == 'e' || number.bytes[i] == 'E')
            return false;
        digits += number.bytes[i] >= '0' && number.bytes[i] <= '9';
    }
    return digits <= 15;
}

static bool read_number(const struct model_column *column, struct json_scan *scan, struct row_value *value) {
    struct json_span number;
    int64_t whole;
    char copy[32];

    if (!json_scan_number(scan, &number, ""))
        return false;
    if (json_span_integer(number, &whole)) {
        if (number.bytes[0] == '-' && whole == 0)
            return false;
        *value = (struct row_value){.kind = ROW_VALUE_INTEGER, .integer = whole};
        if (column->type == ROW_TEXT)
            *value =
                (struct row_value){.kind = ROW_VALUE_TEXT, .text = number.bytes, .length = number.length};
        if (column->type == ROW_REAL)
            *value = (struct row_value){.kind = ROW_VALUE_REAL, .real = (double)whole};
        return true;
    }
    if (column->type != ROW_REAL || !is_plain_real(number))
        return false;
    memcpy(copy, number.bytes, number.length < sizeof copy ? number.length : sizeof copy - 1);
    copy[number.length < sizeof copy ? number.length : sizeof copy - 1] = 0;
    *value = (struct row_value){.kind = ROW_VALUE_REAL, .real = strtod(copy, NULL)};
    return number.length < sizeof copy;
}

static bool read_string(struct row_reader *reader, struct json_scan *scan, struct row_value *value) {
    struct json_span text;
    bool escaped;

    if (!json_scan_string(scan, &text, &escaped, ""))
        return false;
    *value = (struct row_value){.kind = ROW_VALUE_TEXT, .text = text.bytes, .length = text.length};
    if (!escaped)
        return true;
    if (memmem(text.bytes, text.length, "\\u", 2) != NULL)
        return false;
    value->text = reader->scratch.data + reader->scratch.length;
    value->length =
        (size_t)(json_scan_unescape(reader->scratch.data + reader->scratch.length, text.bytes, text.length) -
                 value->text);
    reader->scratch.length += value->length;
    return true;
}

static bool read_boolean(const struct model_column *column, struct json_scan *scan, bool truth,
                         struct row_value *value) {
    *value = (struct row_value){.kind = ROW_VALUE_INTEGER, .integer = truth};
    if (column->type == ROW_TEXT)
        *value = (struct row_value){.kind = ROW_VALUE_TEXT, .text = truth ? "1" : "0", .length = 1};
    if (column->type == ROW_REAL)
        *value = (struct row_value){.kind = ROW_VALUE_REAL, .real = truth};
    return json_scan_literal(scan, truth ? "true" : "false");
}

static bool read_plain_value(struct row_reader *reader, const struct model_column *column,
                             struct json_scan *scan, struct row_value *value) {
    switch (json_scan_peek(scan)) {
    case '"':
        return column->type == ROW_TEXT && read_string(reader, scan, value);
    case 't':
    case 'f':
        return read_boolean(column, scan, json_scan_peek(scan) == 't', value);
    case 'n':
        *value = (struct row_value){0};
        return json_scan_literal(scan, "null");
    case '{':
    case '[':
        return false;
    default:
        return read_number(column, scan, value);
    }
}

/* The column of that name; most rows have their columns in the order of the schema. */
static size_t find_column(const struct model_table *table, struct json_span name, size_t hint) {
    for (size_t i = 0; i < table->n_columns; i++) {
        size_t c = (hint + i) % table->n_columns;

        if (table->columns[c].length == name.length &&
            memcmp(table->columns[c].name, name.bytes, name.length) == 0)
            return c;
    }
    return table->n_columns;
}

/* Of a key that is there twice the first one counts: `kind` BLOB marks a column that was not met. */
static bool read_members(struct row_reader *reader, const struct model_table *table, struct json_scan *scan,
                         struct row_value *values) {
    bool first = true, more, escaped;
    size_t hint = 0;
    struct json_span key;

    for (;;) {
        size_t c;

        if (!json_scan_next(scan, '}', &first, &more))
            return false;
        if (!more)
            return json_scan_finish(scan);
        if (!json_scan_string(scan, &key, &escaped, "") || escaped || !json_scan_take(scan, ':', ""))
            return false;
        c = find_column(table, key, hint);
        if (c < table->n_columns && values[c].kind == ROW_VALUE_BLOB) {
            if (!read_plain_value(reader, &table->columns[c], scan, &values[c]))
                return false;
            hint = c + 1;
        } else if (!json_scan_skip(scan)) {
            return false;
        }
    }
}

static bool read_plainly(struct row_reader *reader, const struct model_table *table, const char *data,
                         size_t length, struct row_value *values) {
    struct json_scan scan;

    for (size_t c = 0; c < table->n_columns; c++) {
        if (table->columns[c].is_path)
            return false;
        values[c] = (struct row_value){.kind = ROW_VALUE_BLOB};
    }
    buffer_clear(&reader->scratch);
    MEMORY_RESERVE(reader->scratch.data, reader->scratch.capacity, length + 1);
    json_scan_start(&scan, data, length);
    if (!json_scan_open(&scan, '{', "") || !read_members(reader, table, &scan, values))
        return false;
    for (size_t c = 0; c < table->n_columns; c++)
        if (values[c].kind == ROW_VALUE_BLOB)
            values[c] = (struct row_value){0};
    return true;
}

bool row_read(struct row_reader *reader, const struct model_table *table, const char *data, size_t length,
              struct row_value *values, const char **message) {
    arena_free(&reader->converted);
    return read_plainly(reader, table, data, length, values) ||
           read_by_sqlite(reader, table, data, length, values, message);
}

/* --- conversion --- */

static void prepare_convert(struct row_reader *reader) {
    int prepared = sqlite3_exec(
        reader->database, "CREATE TABLE converted (text TEXT, integer INTEGER, real REAL)", NULL, NULL, NULL);

    if (prepared == SQLITE_OK)
        prepared = sqlite3_prepare_v3(reader->database,
                                      "INSERT OR REPLACE INTO converted (rowid, text, integer, real) "
                                      "VALUES (1, ?1, ?1, ?1) RETURNING text, integer, real",
                                      -1, SQLITE_PREPARE_PERSISTENT, &reader->convert, NULL);
    assert(prepared == SQLITE_OK);
}

static void bind_value(sqlite3_stmt *statement, const struct row_value *value) {
    if (value->kind == ROW_VALUE_INTEGER)
        sqlite3_bind_int64(statement, 1, value->integer);
    else if (value->kind == ROW_VALUE_REAL)
        sqlite3_bind_double(statement, 1, value->real);
    else
        sqlite3_bind_text(statement, 1, value->text, (int)value->length, SQLITE_STATIC);
}

static bool is_of(enum row_value_kind kind, enum row_type type) {
    return kind == ROW_VALUE_NULL || (type == ROW_TEXT && kind == ROW_VALUE_TEXT) ||
           (type == ROW_INTEGER && kind == ROW_VALUE_INTEGER) || (type == ROW_REAL && kind == ROW_VALUE_REAL);
}

void row_convert(struct row_reader *reader, enum row_type type, struct row_value *value) {
    int stepped;

    if (is_of(value->kind, type))
        return;
    if (reader->convert == NULL)
        prepare_convert(reader);
    bind_value(reader->convert, value);
    stepped = sqlite3_step(reader->convert);
    assert(stepped == SQLITE_ROW);
    *value = column_value(reader->convert, (int)type);
    if (value->kind >= ROW_VALUE_TEXT)
        value->text = arena_copy_bytes(&reader->converted, value->text, value->length);
    sqlite3_reset(reader->convert);
}

/* --- writing --- */

static void append_value(struct buffer *out, const struct row_value *value) {
    switch (value->kind) {
    case ROW_VALUE_INTEGER:
        buffer_append_integer(out, value->integer);
        break;
    case ROW_VALUE_REAL:
        if (isfinite(value->real))
            buffer_append_double(out, value->real);
        else
            buffer_append_text(out, value->real > 0 ? "1e999" : "-1e999");
        break;
    case ROW_VALUE_TEXT:
        buffer_append_json_string(out, value->text, value->length);
        break;
    case ROW_VALUE_BLOB:
        buffer_append_text(out, "{\"blob\":\"");
        base64_append(out, value->text, value->length);
        buffer_append_text(out, "\"}");
        break;
    default:
        buffer_append_text(out, "null");
    }
}

void row_append_text(struct row_reader *reader, const struct model_table *table, const char *data,
                     size_t length, struct buffer *out) {
    const char *message = NULL;

    if (!row_read(reader, table, data, length, reader->values, &message)) {
        buffer_append_text(out, "{\"error\":");
        buffer_append_json_text(out, message);
        buffer_append_char(out, '}');
        return;
    }
    for (size_t c = 0; c < table->n_columns; c++) {
        buffer_append_char(out, c > 0 ? ',' : '[');
        append_value(out, &reader->values[c]);
    }
    buffer_append_char(out, ']');
}

/* A real number as SQLite's JSON functions write it. */
static void stored_real(double real, char out[64]) {
    sqlite3_snprintf(64, out, "%!0.15g", real);
}

static void append_stored(const struct row_value *value, struct buffer *out) {
    char real[64];

    if (value->kind != ROW_VALUE_REAL || !isfinite(value->real)) {
        append_value(out, value);
        return;
    }
    stored_real(value->real, real);
    buffer_append_text(out, real);
}

void row_append_old(const struct row_value *value, struct buffer *out) {
    if (value->kind == ROW_VALUE_REAL && !isfinite(value->real))
        buffer_append_text(out, "null");
    else
        append_stored(value, out);
}

void row_append_data(const struct model_table *table, const struct row_value *values, struct buffer *out) {
    for (size_t c = 0; c < table->n_columns; c++) {
        buffer_append_char(out, c > 0 ? ',' : '{');
        buffer_append_json_string(out, table->columns[c].name, table->columns[c].length);
        buffer_append_char(out, ':');
        append_stored(&values[c], out);
    }
    buffer_append_char(out, '}');
}

/* The core compares rows as JSON, with a reader that is fast and not exact: digits as a whole number, times
 * or divided by a power of ten. */
static double queued_real(double real) {
    char text[64];
    double value = 0;
    uint64_t digits = 0;
    int exponent = 0;
    bool point = false;
    const char *at = text;
    char power[16];

    stored_real(real, text);
    for (at += *at == '-'; (*at >= '0' && *at <= '9') || *at == '.'; at++) {
        if (*at == '.') {
            point = true;
            continue;
        }
        digits = digits * 10 + (uint64_t)(*at - '0');
        exponent -= point;
    }
    if (*at == 'e')
        exponent += atoi(at + 1);
    value = (double)digits;
    while (exponent < -308 && value != 0) {
        value /= 1e308;
        exponent += 308;
    }
    sqlite3_snprintf(sizeof power, power, "1e%d", abs(exponent));
    value = exponent >= 0 ? value * strtod(power, NULL) : value / strtod(power, NULL);
    return text[0] == '-' ? -value : value;
}

void row_append_queued(const struct row_value *value, struct buffer *out) {
    struct row_value queued = *value;

    if (queued.kind == ROW_VALUE_REAL)
        queued.real = queued_real(queued.real);
    append_value(out, &queued);
}

bool row_is_readable(const struct model_table *table, const struct row_value *values) {
    for (size_t c = 0; c < table->n_columns; c++)
        if (values[c].kind == ROW_VALUE_REAL &&
            !(isfinite(values[c].real) && isfinite(queued_real(values[c].real))))
            return false;
    return true;
}

bool row_value_equal(const struct row_value *a, const struct row_value *b) {
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case ROW_VALUE_INTEGER:
        return a->integer == b->integer;
    case ROW_VALUE_REAL:
        return queued_real(a->real) == queued_real(b->real);
    case ROW_VALUE_NULL:
        return true;
    default:
        return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
    }
}

#include "app/map_row.h"

#include <math.h>
#include <string.h>

#include "app/iso_time.h"

const struct client_table *app_find_table(const char *name, const struct app **app) {
    for (size_t a = 0; app_all()[a]; a++)
        for (size_t t = 0; t < app_all()[a]->schema->n_tables; t++)
            if (!strcmp(app_all()[a]->schema->tables[t].name, name)) {
                *app = app_all()[a];
                return &app_all()[a]->schema->tables[t];
            }
    return NULL;
}

static bool as_number(const struct convex_value *value, double *number) {
    if (value->kind == CONVEX_INT64)
        *number = (double)value->as.integer;
    else if (value->kind == CONVEX_FLOAT64)
        *number = value->as.number;
    else
        return false;
    return true;
}

/* What people and their databases write for true and false. */
static struct convex_value *map_boolean_text(const char *text, const struct app_mapping_rules *rules) {
    const bool yes = !strcmp(text, "true") || !strcmp(text, "1");
    if (rules->truthy_text)
        return convex_boolean(*text);
    return yes || !strcmp(text, "false") || !strcmp(text, "0") ? convex_boolean(yes) : NULL;
}

static struct convex_value *map_boolean(const struct convex_value *value,
                                        const struct app_mapping_rules *rules) {
    double number = 0;
    if (value->kind == CONVEX_BOOLEAN)
        return convex_boolean(value->as.boolean);
    if (value->kind == CONVEX_STRING)
        return map_boolean_text(value->as.bytes.data, rules);
    if (!as_number(value, &number))
        return NULL;
    return rules->boolean_as_number ? convex_float64(number) : convex_boolean(number < 0 || number > 0);
}

static struct convex_value *map_time(const struct convex_value *value, bool seconds,
                                     const struct app_mapping_rules *rules) {
    double number = 0;
    if (!as_number(value, &number))
        return NULL;
    if (rules->guess_units)
        seconds = fabs(number) < 1e10;
    return convex_float64(seconds && !rules->seconds_as_milliseconds ? number * 1000 : number);
}

static struct convex_value *map_iso_time(const struct convex_value *value,
                                         const struct app_mapping_rules *rules) {
    char text[ISO_TIME_SIZE];
    if (value->kind != CONVEX_STRING)
        return NULL;
    if (rules->times_as_sent)
        return convex_copy(value);
    return iso_time_normal(value->as.bytes.data, text) ? convex_string(text) : NULL;
}

/* SQLite's numbers become Float64 (what a JavaScript function would store). */
static struct convex_value *map_plain(const struct client_column *column, const struct convex_value *value) {
    double number = 0;
    if (!strcmp(column->type, "text"))
        return value->kind == CONVEX_STRING ? convex_copy(value) : NULL;
    return as_number(value, &number) ? convex_float64(number) : NULL;
}

static bool is_title(const struct convex_value *value) {
    return value && value->kind == CONVEX_STRING && value->as.bytes.length > 0 &&
           value->as.bytes.length <= COLUMN_TITLE_MOST;
}

static struct convex_value *map_value(enum column_meaning meaning, const struct client_column *column,
                                      const struct convex_value *value,
                                      const struct app_mapping_rules *rules) {
    if (meaning == COLUMN_TITLE && !is_title(value))
        return NULL;
    if (!value || value->kind == CONVEX_NULL)
        return meaning == COLUMN_BOOLEAN && rules->null_is_false ? convex_boolean(false) : convex_null();
    if (meaning == COLUMN_BOOLEAN)
        return map_boolean(value, rules);
    if (meaning == COLUMN_SECONDS || meaning == COLUMN_MILLISECONDS)
        return map_time(value, meaning == COLUMN_SECONDS, rules);
    return meaning == COLUMN_ISO_TIME ? map_iso_time(value, rules) : map_plain(column, value);
}

/* Clients may spell a column either way; their own spelling comes first. Others than these are left out. */
static const struct convex_value *find_value(const struct convex_value *data, const char *column,
                                             const struct app_mapping_rules *rules) {
    struct buffer camel = {0};
    if (!data)
        return NULL;
    mapping_append_camel_case(&camel, column);
    const struct convex_value *own = rules->camel_only ? NULL : convex_object_get(data, column);
    const struct convex_value *other = convex_object_get(data, buffer_text(&camel));
    buffer_free(&camel);
    return rules->camel_first && other ? other : own ? own : other;
}

static enum status map_column(const struct app *app, const struct client_table *table,
                              const struct client_column *column, const struct convex_value *data, bool whole,
                              const struct app_mapping_rules *rules, struct convex_value *fields,
                              struct error *error) {
    const enum column_meaning meaning = mapping_meaning(&app->mapping, table->name, column->name);
    const struct convex_value *value = find_value(data, column->name, rules);
    const bool owned = meaning == COLUMN_OWNER && rules->user && !rules->owner_from_client;
    if (!whole && (!value || owned))
        return STATUS_OK;
    struct convex_value *mapped =
        owned ? convex_string(rules->user) : map_value(meaning, column, value, rules);
    if (!mapped)
        return error_set(error, STATUS_INVALID, "%s.%s: the value does not fit the column's type %s",
                         table->name, column->name, column->type);
    struct buffer field = {0};
    mapping_append_field(&field, &app->mapping, column->name);
    convex_object_set(fields, buffer_text(&field), mapped);
    buffer_free(&field);
    return STATUS_OK;
}

enum status app_map_row(const struct app *app, const struct client_table *table,
                        const struct convex_value *data, bool whole, const struct app_mapping_rules *rules,
                        struct convex_value **fields, struct error *error) {
    enum status status = STATUS_OK;
    *fields = convex_object();
    for (size_t i = 0; status == STATUS_OK && i < table->n_columns; i++)
        status = map_column(app, table, &table->columns[i], data, whole, rules, *fields, error);
    if (status != STATUS_OK) {
        convex_free(*fields);
        *fields = NULL;
    }
    return status;
}

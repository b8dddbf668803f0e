/* Source rows as SQLite column values, and from those the text that is synced. What has to be made anew lives
 * in the arena. */
#ifndef MOCK_POWERSYNC_ROW_H
#define MOCK_POWERSYNC_ROW_H

#include <jansson.h>

#include "base/buffer.h"
#include "base/memory.h"

/* BLOB comes from casts only: never stored, never in a bucket's name. */
enum sql_kind { SQL_NULL, SQL_INTEGER, SQL_REAL, SQL_TEXT, SQL_BLOB };

struct sql_value {
    enum sql_kind kind;
    int64_t integer;
    double real;
    const char *text;
    size_t length; /* of text, in bytes */
    bool absent;   /* a NULL for a field that the source's row does not have: never in synced data */
};

struct row_column {
    const char *name;
    struct sql_value value;
};

struct row {
    struct row_column *columns; /* in the source's order */
    size_t count;
};

/* Booleans become 1 and 0, arrays and objects compact JSON text, numbers keep integer or floating. Borrows
 * texts from the JSON. */
struct sql_value sql_value_from_json(const json_t *json, struct arena *arena);
/* The same with nothing borrowed from the JSON. */
struct sql_value sql_value_from_json_copy(const json_t *json, struct arena *arena);

/* NULL: absent. */
const struct sql_value *row_get(const struct row *row, const char *name);

/* Set or overwrite a column; an overwritten one keeps its place. The row must have room (see evaluate.c). */
void row_set(struct row *row, const char *name, const struct sql_value *value);

/* {"column":value,...}: a column's JSON in synced data. REAL always shows a point or an exponent; -0 shows as
 * 0.0. */
void row_append_json(struct buffer *out, const struct row *row);
void sql_value_append_json(struct buffer *out, const struct sql_value *value);
/* As TEXT, for object ids: NULL gives "", REAL its JavaScript form (1.0 gives 1). */
void sql_value_append_text(struct buffer *out, const struct sql_value *value);
/* As a bucket parameter: JSON, with equal text for 1 and 1.0. */
void sql_value_append_parameter(struct buffer *out, const struct sql_value *value);

#endif

/* Rows as JSON, read as the views of the client core read them: CAST(json_extract(data, '$.column') AS type).
 * Plain values are read here; what is rare (arrays, numbers in texts, odd numbers, malformed JSON) is left to
 * SQLite itself, so that there is one truth. */
#ifndef SYNCLINE_CLIENT_ENGINE_MODEL_ROW_H
#define SYNCLINE_CLIENT_ENGINE_MODEL_ROW_H

#include "base/buffer.h"
#include "base/memory.h"
#include "client/client.h"

enum row_type { ROW_TEXT, ROW_INTEGER, ROW_REAL };
enum row_value_kind { ROW_VALUE_NULL, ROW_VALUE_INTEGER, ROW_VALUE_REAL, ROW_VALUE_TEXT, ROW_VALUE_BLOB };

struct row_value {
    enum row_value_kind kind;
    int64_t integer;
    double real;
    const char *text; /* not terminated */
    size_t length;
};

struct model_column {
    const char *name;
    size_t length;
    enum row_type type;
    bool is_path; /* the name means something else to json_extract */
};

struct model_table {
    const char *name;
    size_t index; /* in the schema */
    const struct client_table *options;
    struct model_column *columns;
    size_t n_columns;
    size_t *by_name;    /* columns in the order of their names */
    sqlite3_stmt *read; /* made when first needed */
};

struct row_reader {
    sqlite3 *database; /* empty: for its functions */
    struct model_table *tables;
    size_t n_tables;
    struct row_value *values; /* room for the widest table */
    struct row_value *others;
    struct buffer scratch;
    sqlite3_stmt *convert; /* made when first needed */
    struct arena converted;
};

struct row_reader *row_reader_create(const struct client_schema *schema);
void row_reader_free(struct row_reader *reader);

/* One value a column into `values`; texts are borrowed from `data` and the reader until the next call. False:
 * no JSON, `message` says what the core's view says. */
bool row_read(struct row_reader *reader, const struct model_table *table, const char *data, size_t length,
              struct row_value *values, const char **message);
/* As disk/row_text.h writes rows; {"error":..} when it cannot be read. */
void row_append_text(struct row_reader *reader, const struct model_table *table, const char *data,
                     size_t length, struct buffer *out);
/* What SQLite makes of a value that an UPDATE gives to a column of this type. Texts live until the next row
 * is read. */
void row_convert(struct row_reader *reader, enum row_type type, struct row_value *value);
/* The object that the core's triggers store. */
void row_append_data(const struct model_table *table, const struct row_value *values, struct buffer *out);
/* A value as it stands in an entry's old values: as stored, and null for what is no finite number. */
void row_append_old(const struct row_value *value, struct buffer *out);
/* A value as it stands in an entry of the upload queue: numbers have gone through the core's JSON reader. */
void row_append_queued(const struct row_value *value, struct buffer *out);
/* Whether the core can read the row again: not when a number is too large. */
bool row_is_readable(const struct model_table *table, const struct row_value *values);
bool row_value_equal(const struct row_value *a, const struct row_value *b); /* as queued */

#endif

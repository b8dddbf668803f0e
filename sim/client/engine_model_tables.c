/* The app's questions: one SQLite connection a pool, with a virtual table for each table of the schema. It
 * holds no rows; it walks those of the client that was named last. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "client/engine_model.h"

struct model_tables {
    sqlite3 *database;
    struct model_shared *shared;
    struct engine_model *asked; /* whose rows are read */
};

struct table {
    sqlite3_vtab base; /* first */
    struct model_tables *tables;
    const struct model_table *schema;
};

struct cursor {
    sqlite3_vtab_cursor base;  /* first */
    struct model_item **items; /* a copy: rows may change while a statement runs */
    size_t n_items, at;
    bool is_read;        /* `values` are of the current row */
    struct buffer texts; /* what `values` borrow from */
    struct row_value values[];
};

static void append_declaration(struct buffer *sql, const struct model_table *table) {
    static const char *const types[] = {[ROW_TEXT] = "TEXT", [ROW_INTEGER] = "INTEGER", [ROW_REAL] = "REAL"};

    buffer_append_text(sql, "CREATE TABLE x(\"id\" TEXT");
    for (size_t c = 0; c < table->n_columns; c++) {
        char *column = sqlite3_mprintf(", \"%w\" %s", table->columns[c].name, types[table->columns[c].type]);

        buffer_append_text(sql, column);
        sqlite3_free(column);
    }
    if (table->options->include_metadata) /* always NULL to who reads */
        buffer_append_text(sql, ", " CLIENT_METADATA ", _deleted");
    buffer_append_char(sql, ')');
}

static int connect_table(sqlite3 *database, void *context, int n_arguments, const char *const *arguments,
                         sqlite3_vtab **made, char **message) {
    struct model_tables *tables = context;
    struct table *table = memory_allocate(sizeof *table);
    struct buffer sql = {0};
    int declared;

    (void)n_arguments;
    (void)message;
    table->tables = tables;
    table->schema = &tables->shared->rows->tables[atoi(arguments[3])];
    append_declaration(&sql, table->schema);
    declared = sqlite3_declare_vtab(database, buffer_text(&sql));
    assert(declared == SQLITE_OK);
    buffer_free(&sql);
    *made = &table->base;
    return SQLITE_OK;
}

static int disconnect_table(sqlite3_vtab *table) {
    free(table);
    return SQLITE_OK;
}

/* Rows come by id; one id is found at once. */
static int best_index(sqlite3_vtab *table, sqlite3_index_info *info) {
    (void)table;
    info->estimatedCost = 1000;
    for (int i = 0; i < info->nConstraint; i++) {
        if (!info->aConstraint[i].usable || info->aConstraint[i].iColumn != 0 ||
            info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ ||
            sqlite3_stricmp(sqlite3_vtab_collation(info, i), "BINARY") != 0)
            continue;
        info->aConstraintUsage[i].argvIndex = 1;
        info->idxNum = 1;
        info->estimatedCost = 1;
        info->estimatedRows = 1;
        break;
    }
    info->orderByConsumed = info->nOrderBy == 1 && info->aOrderBy[0].iColumn == 0 && !info->aOrderBy[0].desc;
    return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *base, sqlite3_vtab_cursor **made) {
    const struct table *table = (const struct table *)base;
    struct cursor *cursor =
        memory_allocate(sizeof *cursor + table->schema->n_columns * sizeof *cursor->values);

    *made = &cursor->base;
    return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *base) {
    struct cursor *cursor = (struct cursor *)base;

    buffer_free(&cursor->texts);
    free(cursor->items);
    free(cursor);
    return SQLITE_OK;
}

static void find_one(struct cursor *cursor, const struct table *table, sqlite3_value *id) {
    struct engine_model *model = table->tables->asked;
    const char *text = (const char *)sqlite3_value_text(id);
    const struct model_type *type = model_table_type(model->shared, table->schema->name);
    struct model_item *item =
        text == NULL ? NULL : model_item_find(model, type, text, (size_t)sqlite3_value_bytes(id));

    cursor->items = memory_allocate(sizeof *cursor->items);
    cursor->n_items = item != NULL && item->shown != NULL;
    cursor->items[0] = item;
}

static void find_all(struct cursor *cursor, const struct table *table) {
    struct model_item **items =
        model_table_items(table->tables->asked, table->schema->index, &cursor->n_items);

    cursor->items = memory_allocate_array(cursor->n_items + 1, sizeof *cursor->items);
    if (cursor->n_items > 0)
        memcpy(cursor->items, items, cursor->n_items * sizeof *items);
}

static int filter(sqlite3_vtab_cursor *base, int number, const char *text, int n_arguments,
                  sqlite3_value **arguments) {
    struct cursor *cursor = (struct cursor *)base;
    const struct table *table = (const struct table *)base->pVtab;

    (void)text;
    (void)n_arguments;
    assert(table->tables->asked != NULL);
    free(cursor->items);
    cursor->at = 0;
    cursor->is_read = false;
    if (number == 1)
        find_one(cursor, table, arguments[0]);
    else
        find_all(cursor, table);
    return SQLITE_OK;
}

static int next(sqlite3_vtab_cursor *base) {
    struct cursor *cursor = (struct cursor *)base;

    cursor->at++;
    cursor->is_read = false;
    return SQLITE_OK;
}

static int is_at_end(sqlite3_vtab_cursor *base) {
    const struct cursor *cursor = (const struct cursor *)base;

    return cursor->at >= cursor->n_items;
}

/* Texts are copied out of the shared reader, which the next row of another table uses. */
static bool read_row(struct cursor *cursor, const struct table *table, const struct model_item *item,
                     const char **message) {
    size_t n_columns = table->schema->n_columns, length = 0;

    if (!row_read(table->tables->shared->rows, table->schema, item->shown->bytes, item->shown->length,
                  cursor->values, message))
        return false;
    for (size_t c = 0; c < n_columns; c++)
        length += cursor->values[c].length;
    buffer_clear(&cursor->texts);
    MEMORY_RESERVE(cursor->texts.data, cursor->texts.capacity, length + 1);
    for (size_t c = 0; c < n_columns; c++) {
        struct row_value *value = &cursor->values[c];
        size_t at = cursor->texts.length;

        if (value->kind < ROW_VALUE_TEXT)
            continue;
        buffer_append(&cursor->texts, value->text, value->length);
        value->text = cursor->texts.data + at;
    }
    cursor->is_read = true;
    return true;
}

static void set_result(sqlite3_context *context, const struct row_value *value) {
    switch (value->kind) {
    case ROW_VALUE_INTEGER:
        sqlite3_result_int64(context, value->integer);
        break;
    case ROW_VALUE_REAL:
        sqlite3_result_double(context, value->real);
        break;
    case ROW_VALUE_TEXT:
        sqlite3_result_text(context, value->text, (int)value->length, SQLITE_TRANSIENT);
        break;
    case ROW_VALUE_BLOB:
        sqlite3_result_blob(context, value->text, (int)value->length, SQLITE_TRANSIENT);
        break;
    default:
        sqlite3_result_null(context);
    }
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *context, int index) {
    struct cursor *cursor = (struct cursor *)base;
    const struct table *table = (const struct table *)base->pVtab;
    const struct model_item *item = cursor->items[cursor->at];
    const char *message = NULL;

    if (index == 0) {
        sqlite3_result_text(context, item->id, (int)item->id_length, SQLITE_TRANSIENT);
        return SQLITE_OK;
    }
    if ((size_t)index > table->schema->n_columns)
        return SQLITE_OK;
    if (!cursor->is_read && !read_row(cursor, table, item, &message)) {
        sqlite3_result_error(context, message, -1);
        return SQLITE_ERROR;
    }
    set_result(context, &cursor->values[index - 1]);
    return SQLITE_OK;
}

static int row_number(sqlite3_vtab_cursor *base, sqlite3_int64 *number) {
    *number = (sqlite3_int64)((const struct cursor *)base)->at;
    return SQLITE_OK;
}

static const sqlite3_module table_module = {.iVersion = 1,
                                            .xCreate = connect_table,
                                            .xConnect = connect_table,
                                            .xBestIndex = best_index,
                                            .xDisconnect = disconnect_table,
                                            .xDestroy = disconnect_table,
                                            .xOpen = open_cursor,
                                            .xClose = close_cursor,
                                            .xFilter = filter,
                                            .xNext = next,
                                            .xEof = is_at_end,
                                            .xColumn = column,
                                            .xRowid = row_number};

struct model_tables *model_tables_create(struct model_shared *shared) {
    struct model_tables *tables = memory_allocate(sizeof *tables);
    int code =
        sqlite3_open_v2(":memory:", &tables->database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);

    assert(code == SQLITE_OK);
    tables->shared = shared;
    code = sqlite3_create_module_v2(tables->database, "model_rows", &table_module, tables, NULL);
    assert(code == SQLITE_OK);
    for (size_t t = 0; t < shared->schema->n_tables; t++) {
        char *sql = sqlite3_mprintf("CREATE VIRTUAL TABLE \"%w\" USING model_rows(%d)",
                                    shared->schema->tables[t].name, (int)t);

        code = sqlite3_exec(tables->database, sql, NULL, NULL, NULL);
        assert(code == SQLITE_OK);
        sqlite3_free(sql);
    }
    return tables;
}

void model_tables_free(struct model_tables *tables) {
    int closed;

    if (tables == NULL)
        return;
    closed = sqlite3_close(tables->database);
    assert(closed == SQLITE_OK);
    free(tables);
}

sqlite3 *model_tables_of(struct model_tables *tables, struct engine_model *model) {
    tables->asked = model;
    return tables->database;
}

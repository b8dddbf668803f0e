#include "client/view.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "client/shown_rows.h"
#include "disk/row_text.h"

/* The core keeps the rows of table t in ps_data__t, or ps_data_local__t. */
static const char data_prefix[] = "ps_data__", local_prefix[] = "ps_data_local__";

/* What was touched is given back after use when it was more than this: an initial sync must not decide what a
 * client costs for good. */
enum { KEPT_BYTES = 2048 };

struct touched_row {
    uint32_t table;
    uint32_t id_length;
    size_t id; /* position in touched_ids */
};

struct view_shown {
    size_t n_tables;
    struct shown_rows *rows; /* by table */
};

struct view_answer {
    struct note_row *rows; /* pointers are set when it is complete */
    size_t n_rows;
    size_t rows_capacity;
    size_t *texts; /* two positions in `text` a row: id, values (SIZE_MAX: none) */
    size_t texts_capacity;
    struct buffer text;
};

struct view {
    sqlite3 *database;
    const struct client_schema *schema;
    struct view_shown *shown;
    sqlite3_stmt **read_one; /* by table; NULL: not needed yet */

    struct touched_row *touched; /* since the last collect; the same row may occur twice */
    size_t n_touched;
    size_t touched_capacity;
    uint64_t changes;
    struct buffer touched_ids; /* each terminated by 0 */

    struct view_answer *answer; /* shared with others */
};

static void append_name(struct buffer *sql, const char *name) {
    buffer_append_char(sql, '"');
    for (; *name != 0; name++) {
        if (*name == '"')
            buffer_append_char(sql, '"');
        buffer_append_char(sql, *name);
    }
    buffer_append_char(sql, '"');
}

static sqlite3_stmt *prepare_read(struct view *view, const struct client_table *table) {
    struct buffer sql = {0};
    sqlite3_stmt *statement = NULL;
    int prepared;

    for (size_t c = 0; c < table->n_columns; c++) {
        buffer_append_text(&sql, c > 0 ? ", " : "SELECT ");
        append_name(&sql, table->columns[c].name);
    }
    buffer_append_text(&sql, " FROM ");
    append_name(&sql, table->name);
    buffer_append_text(&sql, " WHERE id = ?1");
    prepared = sqlite3_prepare_v3(view->database, buffer_text(&sql), -1, SQLITE_PREPARE_PERSISTENT,
                                  &statement, NULL);
    assert(prepared == SQLITE_OK);
    buffer_free(&sql);
    return statement;
}

static uint32_t find_table(const struct view *view, const char *name) {
    for (uint32_t t = 0; t < view->schema->n_tables; t++)
        if (strcmp(view->schema->tables[t].name, name) == 0)
            return t;
    return UINT32_MAX;
}

static uint32_t find_data_table(const struct view *view, const char *name) {
    if (strncmp(name, data_prefix, sizeof data_prefix - 1) == 0)
        return find_table(view, name + sizeof data_prefix - 1);
    if (strncmp(name, local_prefix, sizeof local_prefix - 1) == 0)
        return find_table(view, name + sizeof local_prefix - 1);
    return UINT32_MAX;
}

static void touch(struct view *view, uint32_t table, const char *id, size_t length) {
    const struct touched_row *last = view->n_touched > 0 ? &view->touched[view->n_touched - 1] : NULL;

    /* REPLACE deletes and inserts: two calls for one row. */
    if (last != NULL && last->table == table && last->id_length == length &&
        memcmp(view->touched_ids.data + last->id, id, length) == 0)
        return;
    MEMORY_RESERVE(view->touched, view->touched_capacity, view->n_touched + 1);
    assert(view->touched != NULL);
    view->touched[view->n_touched++] =
        (struct touched_row){.table = table, .id_length = (uint32_t)length, .id = view->touched_ids.length};
    buffer_append(&view->touched_ids, id, length);
    buffer_append_char(&view->touched_ids, 0);
}

static void before_change(void *context, sqlite3 *database, int operation, const char *schema_name,
                          const char *table_name, sqlite3_int64 old_rowid, sqlite3_int64 new_rowid) {
    struct view *view = context;
    sqlite3_value *id = NULL;
    uint32_t table;
    int found;

    (void)schema_name;
    (void)old_rowid;
    (void)new_rowid;
    table = find_data_table(view, table_name);
    if (table == UINT32_MAX)
        return;
    view->changes++;
    /* Column 0 is the id, and no UPDATE of the core changes it. */
    found = operation == SQLITE_INSERT ? sqlite3_preupdate_new(database, 0, &id)
                                       : sqlite3_preupdate_old(database, 0, &id);
    assert(found == SQLITE_OK);
    touch(view, table, (const char *)sqlite3_value_text(id), (size_t)sqlite3_value_bytes(id));
}

struct view_shown *view_shown_create(const struct client_schema *schema) {
    struct view_shown *shown = memory_allocate(sizeof *shown);

    shown->n_tables = schema->n_tables;
    shown->rows = memory_allocate_array(schema->n_tables, sizeof *shown->rows);
    return shown;
}

void view_shown_destroy(struct view_shown *shown) {
    if (shown == NULL)
        return;
    for (size_t t = 0; t < shown->n_tables; t++)
        shown_rows_free(&shown->rows[t]);
    free(shown->rows);
    free(shown);
}

struct view_answer *view_answer_create(void) {
    return memory_allocate(sizeof(struct view_answer));
}

void view_answer_destroy(struct view_answer *answer) {
    if (answer == NULL)
        return;
    free(answer->rows);
    free(answer->texts);
    buffer_free(&answer->text);
    free(answer);
}

struct view *view_create(sqlite3 *database, const struct client_schema *schema, struct view_shown *shown,
                         struct view_answer *answer) {
    struct view *view = memory_allocate(sizeof *view);

    view->database = database;
    view->schema = schema;
    view->shown = shown;
    view->answer = answer;
    view->read_one = memory_allocate_array(schema->n_tables, sizeof(sqlite3_stmt *));
    sqlite3_preupdate_hook(database, before_change, view);
    return view;
}

void view_destroy(struct view *view) {
    if (view == NULL)
        return;
    sqlite3_preupdate_hook(view->database, NULL, NULL);
    for (size_t t = 0; t < view->schema->n_tables; t++)
        sqlite3_finalize(view->read_one[t]);
    free(view->read_one);
    free(view->touched);
    buffer_free(&view->touched_ids);
    free(view);
}

/* Begin an answer row: table and id. Its values follow in `text`, unless it has none. */
static void begin_row(struct view *view, uint32_t table, const char *id, size_t length) {
    struct view_answer *answer = view->answer;

    MEMORY_RESERVE(answer->rows, answer->rows_capacity, answer->n_rows + 1);
    MEMORY_RESERVE(answer->texts, answer->texts_capacity, 2 * (answer->n_rows + 1));
    answer->rows[answer->n_rows] = (struct note_row){.table = view->schema->tables[table].name};
    answer->texts[2 * answer->n_rows] = answer->text.length;
    buffer_append(&answer->text, id, length);
    buffer_append_char(&answer->text, 0);
    answer->texts[2 * answer->n_rows + 1] = SIZE_MAX;
    answer->n_rows++;
}

static void finish_answer(struct view_answer *answer, const struct note_row **rows, size_t *n_rows) {
    for (size_t i = 0; i < answer->n_rows; i++) {
        size_t values = answer->texts[2 * i + 1];

        answer->rows[i].id = answer->text.data + answer->texts[2 * i];
        answer->rows[i].values = values == SIZE_MAX ? NULL : answer->text.data + values;
    }
    *rows = answer->rows;
    *n_rows = answer->n_rows;
}

static void begin_answer(struct view_answer *answer) {
    answer->n_rows = 0;
    buffer_clear(&answer->text);
}

static void forget_touched(struct view *view) {
    view->n_touched = 0;
    buffer_clear(&view->touched_ids);
    if (view->touched_ids.capacity > KEPT_BYTES) {
        buffer_free(&view->touched_ids);
        free(view->touched);
        view->touched = NULL;
        view->touched_capacity = 0;
    }
}

static void append_values(struct view *view, sqlite3_stmt *statement, int stepped) {
    if (stepped == SQLITE_ROW) {
        row_text_append(&view->answer->text, statement, 0);
    } else {
        buffer_append_text(&view->answer->text, "{\"error\":");
        buffer_append_json_text(&view->answer->text, sqlite3_errmsg(view->database));
        buffer_append_char(&view->answer->text, '}');
    }
}

static void forget_row(struct view *view, uint32_t index, const char *id, size_t length) {
    if (shown_rows_remove(&view->shown->rows[index], id, length)) /* else it came and went within one
                                                                     transaction */
        begin_row(view, index, id, length);
}

static void collect_row(struct view *view, const struct touched_row *row) {
    sqlite3_stmt **read_one = &view->read_one[row->table];
    struct view_answer *answer = view->answer;
    const char *id = view->touched_ids.data + row->id;
    size_t before = answer->text.length;
    size_t values;
    int stepped;

    if (*read_one == NULL)
        *read_one = prepare_read(view, &view->schema->tables[row->table]);
    sqlite3_bind_text(*read_one, 1, id, (int)row->id_length, SQLITE_STATIC);
    stepped = sqlite3_step(*read_one);
    if (stepped == SQLITE_DONE) {
        forget_row(view, row->table, id, row->id_length);
    } else {
        begin_row(view, row->table, id, row->id_length);
        values = answer->text.length;
        append_values(view, *read_one, stepped);
        if (shown_rows_put(&view->shown->rows[row->table], id, row->id_length, answer->text.data + values,
                           answer->text.length - values)) {
            answer->texts[2 * (answer->n_rows - 1) + 1] = values;
            buffer_append_char(&answer->text, 0);
        } else { /* take the row back */
            answer->n_rows--;
            answer->text.length = before;
            answer->text.data[before] = 0;
        }
    }
    sqlite3_reset(*read_one);
}

uint64_t view_changes(const struct view *view) {
    return view->changes;
}

void view_collect(struct view *view, const struct note_row **rows, size_t *n_rows) {
    begin_answer(view->answer);
    for (size_t i = 0; i < view->n_touched; i++)
        collect_row(view, &view->touched[i]);
    forget_touched(view);
    finish_answer(view->answer, rows, n_rows);
}

/* The ids alone: reading them works even where a row's JSON does not. */
static void touch_table(struct view *view, uint32_t index) {
    struct buffer sql = {0};
    sqlite3_stmt *statement = NULL;
    int prepared;

    buffer_append_text(&sql, "SELECT id FROM ");
    append_name(&sql, view->schema->tables[index].name);
    buffer_append_text(&sql, " ORDER BY id");
    prepared = sqlite3_prepare_v2(view->database, buffer_text(&sql), -1, &statement, NULL);
    assert(prepared == SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW)
        touch(view, index, (const char *)sqlite3_column_text(statement, 0),
              (size_t)sqlite3_column_bytes(statement, 0));
    sqlite3_finalize(statement);
    buffer_free(&sql);
}

void view_collect_all(struct view *view, const struct note_row **rows, size_t *n_rows) {
    forget_touched(view);
    for (uint32_t t = 0; t < view->schema->n_tables; t++) {
        shown_rows_free(&view->shown->rows[t]);
        touch_table(view, t);
    }
    view_collect(view, rows, n_rows);
}

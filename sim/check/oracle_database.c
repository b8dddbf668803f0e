#include "check/oracle_database.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/memory.h"
#include "check/oracle_functions.h"
#include "check/oracle_sql.h"
#include "check/sql_text.h"
#include "disk/row_text.h"

enum {
    MAX_ADDED = 256 /* names that a query may use before any document does */
};

/* One row for each time that a subject has a stream. */
#define REQUESTS "\"oracle requests\""
#define REQUEST_COLUMN(name) REQUESTS ".\"oracle " name "\""

static const struct oracle_sql_request request_columns = {REQUEST_COLUMN("user"), REQUEST_COLUMN("token"),
                                                          REQUEST_COLUMN("connection"),
                                                          REQUEST_COLUMN("subscription")};
static const struct oracle_sql_request request_parameters = {"?1", "?2", "?3", "?4"};

struct table {
    char *name;
    struct map
        columns; /* field -> parameter number of `put`; refused_column when SQLite has no room for it */
    struct buffer fields; /* quoted names in parameter order, with commas */
    size_t n_columns;
    sqlite3_stmt *put; /* NULL: columns changed since it was made */
    sqlite3_stmt *remove;
};

struct evaluation {
    const struct oracle_stream *stream;
    const struct client_table *client_table; /* NULL: clients do not have such a table */
    size_t columns_seen;    /* `columns_added` of the database when the statements were made */
    sqlite3_stmt *document; /* NULL: not a one-table stream */
    sqlite3_stmt *user;
};

struct oracle_database {
    sqlite3 *connection;
    struct map tables; /* name -> struct table */
    struct evaluation *evaluations;
    size_t n_evaluations;
    const struct oracle_subject *subjects;
    size_t n_subjects;
    char **tokens;        /* of each subject: what a token says, JSON object text */
    size_t columns_added; /* in all tables; `*` stands for other columns after each */
    struct buffer text;
};

static const char refused_column; /* its address marks fields that have no column */

/* --- tables --- */

static int execute(struct oracle_database *database, const char *sql) {
    return sqlite3_exec(database->connection, sql, NULL, NULL, NULL);
}

static void must(struct oracle_database *database, int code) {
    if (code != SQLITE_OK && code != SQLITE_DONE) {
        fprintf(stderr, "oracle: SQLite: %s\n", sqlite3_errmsg(database->connection));
        abort();
    }
}

/* Keys that belong to the export's rows and not to the document. */
static bool is_metadata(const char *field) {
    return strcmp(field, "_table") == 0 || strcmp(field, "_ts") == 0 || strcmp(field, "_deleted") == 0 ||
           strcmp(field, "_component") == 0;
}

static void table_add_column(struct oracle_database *database, struct table *table, const char *field) {
    assert(table->n_columns > 0 && !is_metadata(field));
    if (map_has(&table->columns, field))
        return;
    struct buffer sql = {0};
    buffer_append_text(&sql, "ALTER TABLE ");
    sql_append_name(&sql, table->name);
    buffer_append_text(&sql, " ADD COLUMN ");
    sql_append_name(&sql, field);
    sqlite3_finalize(table->put);
    table->put = NULL;
    /* Names that differ only in case, or more than 2000 columns: SQLite has no place for the field. */
    if (execute(database, buffer_text(&sql)) != SQLITE_OK) {
        map_set(&table->columns, field, (void *)(uintptr_t)&refused_column);
    } else {
        table->n_columns++;
        map_set(&table->columns, field, (void *)(uintptr_t)table->n_columns);
        buffer_append_text(&table->fields, ", ");
        sql_append_name(&table->fields, field);
        database->columns_added++;
    }
    buffer_free(&sql);
}

static struct table *table_open(struct oracle_database *database, const char *name) {
    struct table *table = map_get(&database->tables, name);
    if (table != NULL)
        return table;
    table = memory_allocate(sizeof *table);
    table->name = memory_copy_text(name);
    table->n_columns = 1;
    map_set(&table->columns, "_id", (void *)(uintptr_t)1);
    buffer_append_text(&table->fields, "\"_id\"");
    map_set(&database->tables, name, table);
    struct buffer sql = {0};
    buffer_append_text(&sql, "CREATE TABLE ");
    sql_append_name(&sql, name);
    buffer_append_text(&sql, "(\"_id\" PRIMARY KEY) WITHOUT ROWID");
    must(database, execute(database, buffer_text(&sql)));
    buffer_free(&sql);
    return table;
}

static void table_free(void *value) {
    struct table *table = value;
    sqlite3_finalize(table->put);
    sqlite3_finalize(table->remove);
    map_free(&table->columns, NULL);
    buffer_free(&table->fields);
    free(table->name);
    free(table);
}

static sqlite3_stmt *table_statement(struct oracle_database *database, struct table *table, bool put) {
    sqlite3_stmt **statement = put ? &table->put : &table->remove;
    if (*statement != NULL)
        return *statement;
    struct buffer sql = {0};
    buffer_append_text(&sql, put ? "INSERT OR REPLACE INTO " : "DELETE FROM ");
    sql_append_name(&sql, table->name);
    if (put) {
        buffer_printf(&sql, " (%s) VALUES (?", buffer_text(&table->fields));
        for (size_t i = 1; i < table->n_columns; i++)
            buffer_append_text(&sql, ", ?");
        buffer_append_char(&sql, ')');
    } else {
        buffer_append_text(&sql, " WHERE \"_id\" = ?");
    }
    must(database, sqlite3_prepare_v3(database->connection, buffer_text(&sql), -1, SQLITE_PREPARE_PERSISTENT,
                                      statement, NULL));
    buffer_free(&sql);
    return *statement;
}

/* --- documents --- */

/* The service prints numbers as JavaScript does, where minus zero is 0. */
static void normalize_zeros(json_t *value) {
    json_t *item;
    size_t index;
    const char *key;
    if (json_is_real(value) && json_real_value(value) == 0.0)
        json_real_set(value, 0.0);
    json_array_foreach(value, index, item) normalize_zeros(item);
    json_object_foreach(value, key, item) normalize_zeros(item);
}

static void bind_value(struct oracle_database *database, sqlite3_stmt *statement, int at, json_t *value) {
    int code = SQLITE_OK;
    assert(at >= 1 && at <= sqlite3_bind_parameter_count(statement));
    normalize_zeros(value);
    switch (json_typeof(value)) {
    case JSON_STRING:
        code = sqlite3_bind_text(statement, at, json_string_value(value), (int)json_string_length(value),
                                 SQLITE_STATIC);
        break;
    case JSON_INTEGER:
        code = sqlite3_bind_int64(statement, at, json_integer_value(value));
        break;
    case JSON_REAL:
        code = sqlite3_bind_double(statement, at, json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        code = sqlite3_bind_int(statement, at, json_is_true(value));
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        buffer_clear(&database->text);
        json_append(&database->text, value);
        code = sqlite3_bind_text(statement, at, buffer_text(&database->text), (int)database->text.length,
                                 SQLITE_TRANSIENT);
        break;
    case JSON_NULL:
        break; /* parameters start as NULL */
    }
    must(database, code);
}

static void run(struct oracle_database *database, sqlite3_stmt *statement) {
    must(database, sqlite3_step(statement));
    must(database, sqlite3_reset(statement));
    must(database, sqlite3_clear_bindings(statement));
}

static void put_document(struct oracle_database *database, struct table *table, const char *id,
                         json_t *document) {
    const char *field;
    json_t *value;
    json_object_foreach(document, field, value) {
        if (!is_metadata(field))
            table_add_column(database, table, field);
    }
    sqlite3_stmt *put = table_statement(database, table, true);
    json_object_foreach(document, field, value) {
        const void *column = is_metadata(field) ? &refused_column : map_get(&table->columns, field);
        if (column != &refused_column)
            bind_value(database, put, (int)(uintptr_t)column, value);
    }
    must(database, sqlite3_bind_text(put, 1, id, -1, SQLITE_STATIC));
    run(database, put);
}

static void put_into(struct oracle_database *database, const char *table_name, const char *id,
                     const char *json) {
    struct table *table = table_open(database, table_name);
    if (json == NULL) {
        sqlite3_stmt *remove = table_statement(database, table, false);
        must(database, sqlite3_bind_text(remove, 1, id, -1, SQLITE_STATIC));
        run(database, remove);
        return;
    }
    assert(table->n_columns > 0);
    json_t *document = json_parse(json, strlen(json), NULL);
    put_document(database, table, id, json_is_object(document) ? document : NULL);
    json_decref(document);
}

/* A wildcard is a table of its own, with the documents of all that it stands for. */
void oracle_database_put(struct oracle_database *database, const char *table_name, const char *id,
                         const char *json) {
    const struct map_entry *entry;
    put_into(database, table_name, id, json);
    for (size_t i = 0; (entry = map_next(&database->tables, &i)) != NULL;) {
        const char *wildcard = ((struct table *)entry->value)->name;
        const size_t length = strlen(wildcard);
        if (wildcard[length - 1] == '%' && strncmp(wildcard, table_name, length - 1) == 0)
            put_into(database, wildcard, id, json);
    }
}

/* --- statements --- */

/* Could a column qualified by `alias` be the source's? An unqualified one (length 0) could be anybody's. */
static bool may_belong(const struct oracle_source *source, const char *alias, size_t length) {
    return length == 0 || (strlen(source->alias) == length && strncasecmp(source->alias, alias, length) == 0);
}

/* A query may name a field that no document has had yet: NULL everywhere. Adds it to the first table that
 * lacks it; when SQLite meant another one it complains again. False when its complaint is about something
 * else. */
static bool add_missing_name(struct oracle_database *database, const struct oracle_stream *stream) {
    static const char complaint[] = "no such column: ";
    if (strncmp(sqlite3_errmsg(database->connection), complaint, strlen(complaint)) != 0)
        return false;
    char *message =
        memory_copy_text(sqlite3_errmsg(database->connection)); /* SQLite's own goes with the next call */
    const char *qualified = message + strlen(complaint);
    const char *dot = strchr(qualified, '.');
    const char *name = dot == NULL ? qualified : dot + 1;
    const size_t alias_length = dot == NULL ? 0 : (size_t)(dot - qualified);
    const bool quoted = name[0] == '"'; /* then a hint about quotes follows */
    char *field = memory_copy_bytes(name + quoted, strcspn(name + quoted, quoted ? "\"" : ""));
    const size_t before = database->columns_added;
    for (size_t i = 0; i < stream->n_sources && database->columns_added == before; i++) {
        if (may_belong(&stream->sources[i], qualified, alias_length))
            table_add_column(database, table_open(database, stream->sources[i].table), field);
    }
    free(field);
    free(message);
    return database->columns_added > before;
}

static enum status prepare(struct oracle_database *database, const struct oracle_stream *stream,
                           const char *sql, sqlite3_stmt **statement, struct error *error) {
    for (int i = 0; i < MAX_ADDED; i++) {
        if (sqlite3_prepare_v3(database->connection, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL) ==
            SQLITE_OK)
            return STATUS_OK;
        if (!add_missing_name(database, stream))
            break;
    }
    return error_set(error, STATUS_INVALID, "the oracle cannot evaluate stream %s: %s", stream->name,
                     sqlite3_errmsg(database->connection));
}

/* The query of one document for all requests of the stream with this number; its last column is the
 * subject's. */
static void append_document_query(struct buffer *sql, const struct oracle_stream *stream, size_t number) {
    assert(stream->one_table && stream->n_sources == 1 && stream->columns != NULL);
    buffer_append_text(sql, "SELECT ");
    oracle_sql_translate(sql, stream->columns, stream->with, &request_columns);
    buffer_append_text(sql, ", " REQUEST_COLUMN("subject") " FROM ");
    sql_append_name(sql, stream->sources[0].table);
    buffer_printf(sql, ", " REQUESTS " WHERE " REQUEST_COLUMN("stream") " = %zu AND ", number);
    if (stream->condition != NULL) {
        buffer_append_char(sql, '(');
        oracle_sql_translate(sql, stream->condition, stream->with, &request_columns);
        buffer_append_text(sql, ") AND ");
    }
    sql_append_name(sql, stream->sources[0].table);
    buffer_append_text(sql, ".\"_id\" = ?1");
}

/* The last column of that name: later columns win over earlier ones, as `SELECT *, uuid AS id` needs. */
static int find_column(sqlite3_stmt *statement, const char *name) {
    for (int i = sqlite3_column_count(statement); i-- > 0;) {
        if (strcasecmp(sqlite3_column_name(statement, i), name) == 0)
            return i;
    }
    return -1;
}

static void append_cast(struct buffer *sql, int column, const char *type) {
    if (column < 0)
        buffer_append_text(sql, ", NULL");
    else
        buffer_printf(sql, ", CAST(c%d AS %s)", column, type);
}

/* Wraps `query`, so that it gives: user number, id as text, the client table's columns cast to their types.
 */
static enum status prepare_wrapped(struct oracle_database *database, const struct evaluation *evaluation,
                                   const char *with, const char *query, bool has_number,
                                   sqlite3_stmt **statement, struct error *error) {
    const struct oracle_stream *stream = evaluation->stream;
    struct buffer sql = {0};
    sqlite3_stmt *inner = NULL;
    if (with[0] != '\0')
        buffer_printf(&sql, "WITH %.*s ", (int)strlen(with) - 2, with); /* without the last comma */
    buffer_append_text(&sql, query);
    enum status status = prepare(database, stream, buffer_text(&sql), &inner, error);
    buffer_clear(&sql);
    if (status == STATUS_OK) {
        const int columns = sqlite3_column_count(inner);
        assert(columns > 0 && evaluation->client_table != NULL);
        buffer_printf(&sql, "WITH %squery(", with);
        for (int i = 0; i < columns; i++)
            buffer_printf(&sql, "%sc%d", i == 0 ? "" : ", ", i);
        buffer_printf(&sql, ") AS (%s\n) SELECT ", query);
        buffer_printf(&sql, has_number ? "c%d" : "%d", has_number ? columns - 1 : 0);
        append_cast(&sql, find_column(inner, "id"), "TEXT");
        for (size_t i = 0; i < evaluation->client_table->n_columns; i++) {
            const struct client_column *column = &evaluation->client_table->columns[i];
            append_cast(&sql, find_column(inner, column->name), column->type);
        }
        buffer_append_text(&sql, " FROM query");
        sqlite3_finalize(inner);
        status = prepare(database, stream, buffer_text(&sql), statement, error);
    }
    buffer_free(&sql);
    return status;
}

/* Makes the statements anew: `*` may stand for more columns now. */
static enum status prepare_evaluation(struct oracle_database *database, struct evaluation *evaluation,
                                      struct error *error) {
    const struct oracle_stream *stream = evaluation->stream;
    sqlite3_finalize(evaluation->document);
    sqlite3_finalize(evaluation->user);
    evaluation->document = evaluation->user = NULL;
    if (evaluation->client_table == NULL)
        return STATUS_OK;
    struct buffer with = {0};
    struct buffer query = {0};
    oracle_sql_translate(&with, stream->with, "", &request_parameters);
    oracle_sql_translate(&query, stream->query, stream->with, &request_parameters);
    if (with.length > 0)
        buffer_append_char(&with, ' '); /* behind its last comma */
    enum status status = prepare_wrapped(database, evaluation, buffer_text(&with), buffer_text(&query), false,
                                         &evaluation->user, error);
    buffer_free(&with);
    buffer_clear(&query);
    if (status == STATUS_OK && stream->one_table) {
        append_document_query(&query, stream, (size_t)(evaluation - database->evaluations));
        status = prepare_wrapped(database, evaluation, "", buffer_text(&query), true, &evaluation->document,
                                 error);
    }
    buffer_free(&query);
    evaluation->columns_seen = database->columns_added;
    return status;
}

static struct evaluation *current_evaluation(struct oracle_database *database, size_t stream) {
    assert(stream < database->n_evaluations);
    struct evaluation *evaluation = &database->evaluations[stream];
    if (evaluation->columns_seen != database->columns_added) {
        /* It could be prepared before, and more columns do not change that. */
        if (prepare_evaluation(database, evaluation, NULL) != STATUS_OK)
            must(database, SQLITE_ERROR);
    }
    return evaluation;
}

static void each_row(struct oracle_database *database, sqlite3_stmt *statement, oracle_row_function *row,
                     void *context, size_t user, bool user_from_row) {
    int code;
    assert(sqlite3_column_count(statement) >= 2); /* user number, id, columns */
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *id = (const char *)sqlite3_column_text(statement, 1);
        const size_t whose = user_from_row ? (size_t)sqlite3_column_int64(statement, 0) : user;
        assert(whose < database->n_subjects);
        buffer_clear(&database->text);
        row_text_append(&database->text, statement, 2);
        row(context, whose, id == NULL ? "" : id, buffer_text(&database->text));
    }
    sqlite3_reset(
        statement); /* an error here is that of the step: a row that SQL cannot evaluate is not synced */
    sqlite3_clear_bindings(statement);
}

void oracle_database_document(struct oracle_database *database, size_t stream, const char *id,
                              oracle_row_function *row, void *context) {
    const struct evaluation *evaluation = current_evaluation(database, stream);
    assert(evaluation->stream->one_table);
    if (evaluation->document == NULL)
        return;
    must(database, sqlite3_bind_text(evaluation->document, 1, id, -1, SQLITE_STATIC));
    each_row(database, evaluation->document, row, context, 0, true);
}

static void bind_text_at(struct oracle_database *database, sqlite3_stmt *statement, int at,
                         const char *text) {
    if (at <= sqlite3_bind_parameter_count(statement))
        must(database, sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC));
}

/* One way in which a subject has the stream. */
static void each_row_of_request(struct oracle_database *database, const struct evaluation *evaluation,
                                size_t subject, const char *subscription, oracle_row_function *row,
                                void *context) {
    const char *connection = database->subjects[subject].request.parameters;
    sqlite3_stmt *statement = evaluation->user;
    bind_text_at(database, statement, 1, database->subjects[subject].user);
    bind_text_at(database, statement, 2, database->tokens[subject]);
    bind_text_at(database, statement, 3, connection == NULL ? "{}" : connection);
    bind_text_at(database, statement, 4, subscription == NULL ? "{}" : subscription);
    each_row(database, statement, row, context, subject, false);
}

void oracle_database_user(struct oracle_database *database, size_t stream, size_t user,
                          oracle_row_function *row, void *context) {
    assert(user < database->n_subjects);
    const struct evaluation *evaluation = current_evaluation(database, stream);
    const struct oracle_request *request = &database->subjects[user].request;
    if (evaluation->user == NULL)
        return;
    if (evaluation->stream->automatic)
        each_row_of_request(database, evaluation, user, NULL, row, context);
    for (size_t i = 0; i < request->n_subscriptions; i++) {
        const struct client_subscription *subscription = &request->subscriptions[i];
        if (strcmp(subscription->stream, evaluation->stream->name) == 0)
            each_row_of_request(database, evaluation, user, subscription->parameters, row, context);
    }
}

/* --- life --- */

static void open_connection(struct oracle_database *database) {
    /* The plain VFS of the system where there is one: nothing is read or written, and the database may then
     * outlive a world's own VFS. */
    const char *vfs = sqlite3_vfs_find("unix") == NULL ? NULL : "unix";
    must(database, sqlite3_open_v2(":memory:", &database->connection,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY, vfs));
    /* So that `convex.lists` names a table, as it does in a sync config. */
    must(database, sqlite3_db_config(database->connection, SQLITE_DBCONFIG_MAINDBNAME, "convex"));
    /* One transaction for ever: nothing is rolled back, and so no statement has to begin and end its own. */
    must(database,
         execute(database, "PRAGMA temp_store=MEMORY; PRAGMA journal_mode=OFF; BEGIN;"
                           "CREATE TABLE " REQUESTS "(\"oracle stream\", \"oracle user\", \"oracle number\","
                           " \"oracle subject\", \"oracle token\", \"oracle connection\","
                           " \"oracle subscription\","
                           " PRIMARY KEY (\"oracle stream\", \"oracle user\", \"oracle number\"))"
                           " WITHOUT ROWID"));
    must(database, oracle_functions_register(database->connection));
}

static void insert_request(struct oracle_database *database, sqlite3_stmt *insert, size_t stream,
                           size_t subject, size_t number, const char *subscription) {
    const struct oracle_subject *who = &database->subjects[subject];
    must(database, sqlite3_bind_int64(insert, 1, (sqlite3_int64)stream));
    must(database, sqlite3_bind_text(insert, 2, who->user, -1, SQLITE_STATIC));
    must(database, sqlite3_bind_int64(insert, 3, (sqlite3_int64)number));
    must(database, sqlite3_bind_int64(insert, 4, (sqlite3_int64)subject));
    bind_text_at(database, insert, 5, database->tokens[subject]);
    bind_text_at(database, insert, 6, who->request.parameters == NULL ? "{}" : who->request.parameters);
    bind_text_at(database, insert, 7, subscription == NULL ? "{}" : subscription);
    run(database, insert);
}

static void insert_requests(struct oracle_database *database, const struct oracle_streams *streams) {
    sqlite3_stmt *insert = NULL;
    size_t number = 0;
    must(database,
         sqlite3_prepare_v2(database->connection, "INSERT INTO " REQUESTS " VALUES (?, ?, ?, ?, ?, ?, ?)", -1,
                            &insert, NULL));
    for (size_t i = 0; i < streams->count; i++)
        for (size_t j = 0; streams->items[i].one_table && j < database->n_subjects; j++) {
            const struct oracle_request *request = &database->subjects[j].request;
            if (streams->items[i].automatic)
                insert_request(database, insert, i, j, number++, NULL);
            for (size_t k = 0; k < request->n_subscriptions; k++)
                if (strcmp(request->subscriptions[k].stream, streams->items[i].name) == 0)
                    insert_request(database, insert, i, j, number++, request->subscriptions[k].parameters);
        }
    sqlite3_finalize(insert);
}

/* What auth.parameters() knows of a token: the rest of it (times, audience) is nobody's business here. */
static void make_tokens(struct oracle_database *database) {
    database->tokens = memory_allocate_array(database->n_subjects + 1, sizeof *database->tokens);
    for (size_t i = 0; i < database->n_subjects; i++) {
        struct buffer text = {0};
        buffer_append_text(&text, "{\"sub\":");
        buffer_append_json_text(&text, database->subjects[i].user);
        buffer_append_char(&text, '}');
        database->tokens[i] = buffer_take(&text);
    }
}

static const struct client_table *find_client_table(const struct client_schema *schema, const char *name) {
    for (size_t i = 0; i < schema->n_tables; i++) {
        if (strcmp(schema->tables[i].name, name) == 0)
            return &schema->tables[i];
    }
    return NULL;
}

static enum status create_evaluations(struct oracle_database *database, const struct oracle_streams *streams,
                                      const struct client_schema *schema, struct error *error) {
    enum status status = STATUS_OK;
    database->n_evaluations = streams->count;
    database->evaluations = memory_allocate_array(streams->count, sizeof *database->evaluations);
    for (size_t i = 0; i < streams->count; i++) {
        const struct oracle_stream *stream = &streams->items[i];
        for (size_t j = 0; j < stream->n_sources; j++)
            table_open(database, stream->sources[j].table);
        database->evaluations[i].stream = stream;
        database->evaluations[i].client_table = find_client_table(schema, stream->output_table);
    }
    for (size_t i = 0; status == STATUS_OK && i < streams->count; i++)
        status = prepare_evaluation(database, &database->evaluations[i], error);
    return status;
}

enum status oracle_database_create(const struct oracle_streams *streams, const struct client_schema *schema,
                                   const struct oracle_subject *subjects, size_t n_subjects,
                                   struct oracle_database **out, struct error *error) {
    struct oracle_database *database = memory_allocate(sizeof *database);
    database->subjects = subjects;
    database->n_subjects = n_subjects;
    make_tokens(database);
    open_connection(database);
    insert_requests(database, streams);
    const enum status status = create_evaluations(database, streams, schema, error);
    if (status != STATUS_OK) {
        oracle_database_destroy(database);
        return status;
    }
    *out = database;
    return STATUS_OK;
}

void oracle_database_destroy(struct oracle_database *database) {
    for (size_t i = 0; i < database->n_evaluations; i++) {
        sqlite3_finalize(database->evaluations[i].document);
        sqlite3_finalize(database->evaluations[i].user);
    }
    for (size_t i = 0; i < database->n_subjects; i++)
        free(database->tokens[i]);
    free(database->tokens);
    free(database->evaluations);
    map_free(&database->tables, table_free);
    sqlite3_close(database->connection);
    buffer_free(&database->text);
    free(database);
}

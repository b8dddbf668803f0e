/* type-fidelity: every value of an upload arrives as the app's mapping says: text and numbers as they were,
 * times in their unit, booleans as booleans, null as null, and the owner is who uploaded. Judged at each
 * commit that carries an upload, on the documents that it leaves. */
#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "check/local_row.h"
#include "check/properties.h"
#include "check/upload_log.h"

struct state {
    struct checker *checker;
    sqlite3 *clock; /* an empty database in memory, to ask about times */
};

static void *create(struct checker *checker) {
    struct state *state = memory_allocate(sizeof *state);
    state->checker = checker;
    sqlite3_open(":memory:", &state->clock);
    return state;
}

static void destroy(void *self) {
    struct state *state = self;
    sqlite3_close(state->clock);
    free(state);
}

/* One column of one row of an upload. */
struct arrival {
    const struct uploaded_part *part;
    const struct note_row *row;
    const struct client_column *column;
    enum column_meaning meaning;
    const char *user;
    const json_t *value;   /* as the app wrote it; NULL: null */
    const json_t *arrived; /* NULL: no such field */
    sqlite3 *clock;
};

static bool is_null(const json_t *value) {
    return value == NULL || json_is_null(value);
}

/* Numbers pass through 15 digits on their way. */
static bool same_number(const json_t *arrived, double expected) {
    return json_is_number(arrived) && fabs(json_number_value(arrived) - expected) <= fabs(expected) * 1e-14;
}

/* The document has the one form; SQLite, which did not make it, says that it is the same time. */
static bool is_same_time(const struct arrival *arrival) {
    bool same = false;
    sqlite3_stmt *statement = NULL;
    if (!json_is_string(arrival->arrived) || !json_is_string(arrival->value)) {
        return false;
    }
    if (sqlite3_prepare_v2(arrival->clock, "SELECT ?1 = strftime('%Y-%m-%dT%H:%M:%fZ', ?2)", -1, &statement,
                           NULL) == SQLITE_OK) {
        sqlite3_bind_text(statement, 1, json_string_value(arrival->arrived), -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 2, json_string_value(arrival->value), -1, SQLITE_STATIC);
        same = sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_int(statement, 0) == 1;
    }
    sqlite3_finalize(statement);
    return same;
}

static bool is_right(const struct arrival *arrival) {
    if (arrival->meaning == COLUMN_BACKEND) {
        return true;
    }
    if (arrival->meaning == COLUMN_OWNER) {
        return json_is_string(arrival->arrived) &&
               strcmp(json_string_value(arrival->arrived), arrival->user) == 0;
    }
    if (is_null(arrival->value)) {
        return is_null(arrival->arrived);
    }
    if (arrival->meaning == COLUMN_ISO_TIME) {
        return is_same_time(arrival);
    }
    if (arrival->meaning == COLUMN_BOOLEAN && json_is_string(arrival->value)) {
        const char *text = json_string_value(arrival->value);
        const bool yes = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
        return json_is_boolean(arrival->arrived) && json_is_true(arrival->arrived) == yes;
    }
    if (json_is_string(arrival->value)) {
        return json_is_string(arrival->arrived) && json_equal(arrival->value, arrival->arrived);
    }
    const double number = json_is_true(arrival->value) ? 1 : json_number_value(arrival->value);
    if (arrival->meaning == COLUMN_BOOLEAN) {
        return json_is_boolean(arrival->arrived) &&
               json_is_true(arrival->arrived) == (number < 0 || number > 0);
    }
    return same_number(arrival->arrived, arrival->meaning == COLUMN_SECONDS ? number * 1000 : number);
}

static char *print(const json_t *value) {
    struct buffer text = {0};
    if (value == NULL) {
        buffer_append_text(&text, "nothing");
    } else {
        json_append(&text, value);
    }
    return buffer_take(&text);
}

static void report(struct checker *checker, const struct arrival *arrival,
                   const struct history_record *commit) {
    static const char *const meanings[] = {[COLUMN_COPIED] = "the same value",
                                           [COLUMN_BOOLEAN] = "a boolean",
                                           [COLUMN_MILLISECONDS] = "the time in ms",
                                           [COLUMN_SECONDS] = "the time, which is in s here, in ms",
                                           [COLUMN_ISO_TIME] = "the time in the one form",
                                           [COLUMN_OWNER] = "who uploads",
                                           [COLUMN_TITLE] = "the same text",
                                           [COLUMN_BACKEND] = "anything"};
    char *seen = print(arrival->arrived);
    const struct history_record *write = arrival->part->write;
    const struct violation violation = {
        .property = property_type_fidelity.name,
        .client = write->node,
        .table = arrival->row->table,
        .row = arrival->row->id,
        .expected =
            arrival->meaning == COLUMN_OWNER ? memory_copy_text(arrival->user) : print(arrival->value),
        .seen = memory_copy_text(seen),
        .first_record = write->number,
        .second_record = commit->number,
        .time = commit->time,
        .explanation =
            memory_format("Column %s of transaction %lld of %s (record %llu) should have arrived as %s; the "
                          "document of commit %lld says %s.",
                          arrival->column->name, (long long)write->note.transaction, write->node,
                          (unsigned long long)write->number, meanings[arrival->meaning],
                          (long long)commit->note.timestamp, seen)};
    free(seen);
    checker_report(checker, &violation);
}

static const json_t *document_of(struct checker *checker, const struct note_row *row) {
    const struct committed_document *documents;
    const size_t count = upload_log_documents(checker_uploads(checker), &documents);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(documents[i].table, row->table) == 0 && strcmp(documents[i].uuid, row->id) == 0) {
            return documents[i].fields;
        }
    }
    return NULL;
}

/* The row as this operation leaves it: no later one of the transaction is about it. */
static bool is_last(const struct note *write, size_t index) {
    for (size_t i = index + 1; i < write->n_rows; i++) {
        if (strcmp(write->rows[i].table, write->rows[index].table) == 0 &&
            strcmp(write->rows[i].id, write->rows[index].id) == 0) {
            return false;
        }
    }
    return true;
}

/* `index` of the row in its transaction. */
static void judge_row(struct checker *checker, struct arrival *arrival, size_t index, const json_t *document,
                      const struct history_record *commit) {
    const struct check_settings *settings = checker_settings(checker);
    const struct client_table *table = local_row_table(settings->schema, arrival->row->table);
    const bool put = strcmp(arrival->row->operation, "PUT") == 0;
    const char *values = arrival->row->values == NULL ? "{}" : arrival->row->values;
    json_t *written = json_parse(values, strlen(values), NULL);
    for (size_t i = 0; table != NULL && i < table->n_columns; i++) {
        struct buffer field = {0};
        arrival->column = &table->columns[i];
        arrival->meaning = mapping_meaning(settings->mapping, table->name, arrival->column->name);
        arrival->value = json_object_get(written, arrival->column->name);
        mapping_append_field(&field, settings->mapping, arrival->column->name);
        arrival->arrived = json_object_get(document, buffer_text(&field));
        buffer_free(&field);
        const bool unchanged =
            unchanged_has(upload_log_unchanged(checker_uploads(checker)), arrival->part->write, index, i);
        const bool states = put || (arrival->value != NULL && arrival->meaning != COLUMN_OWNER && !unchanged);
        if (states && !is_right(arrival)) {
            report(checker, arrival, commit);
            break; /* one column of a row says enough */
        }
    }
    json_decref(written);
}

static void judge_part(const struct state *state, const struct uploaded_part *part,
                       const struct history_record *commit) {
    struct checker *checker = state->checker;
    const struct note *write = &part->write->note;
    for (size_t i = 0; i < write->n_rows; i++) {
        const struct note_row *row = &write->rows[i];
        if (strcmp(row->operation, "DELETE") == 0 || !is_last(write, i)) {
            continue;
        }
        struct arrival arrival = {.part = part,
                                  .row = row,
                                  .user = checker_settings(checker)->users[part->client],
                                  .clock = state->clock};
        const json_t *document = document_of(checker, row);
        if (document != NULL) { /* a change of nothing writes nothing */
            judge_row(checker, &arrival, i, document, commit);
        }
    }
}

static void on_record(void *self, const struct history_record *record) {
    const struct state *state = self;
    const struct uploaded_part *parts;
    const size_t count = upload_log_parts(checker_uploads(state->checker), &parts);
    for (size_t i = 0; i < count && checker_settings(state->checker)->mapping != NULL; i++) {
        judge_part(state, &parts[i], record);
    }
}

const struct property property_type_fidelity = {
    .name = "type-fidelity",
    .promise = "every value of an upload arrives as the app's mapping says",
    .create = create,
    .record = on_record,
    .destroy = destroy,
};

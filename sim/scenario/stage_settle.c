#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "check/oracle.h"
#include "check/row_set.h"
#include "disk/row_text.h"
#include "scenario/stage_private.h"

static void append_identifier(struct buffer *out, const char *name) {
    buffer_printf(out, "\"%s\"", name); /* names of our own schemas: no quotes inside */
}

static sqlite3_stmt *read_table(struct client *client, const struct client_table *table) {
    struct buffer sql = {0};
    buffer_append_text(&sql, "SELECT id");
    for (size_t i = 0; i < table->n_columns; i++) {
        buffer_append_text(&sql, ", ");
        append_identifier(&sql, table->columns[i].name);
    }
    buffer_append_text(&sql, " FROM ");
    append_identifier(&sql, table->name);
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(client_database(client), buffer_text(&sql), -1, &statement, NULL);
    assert(code == SQLITE_OK);
    (void)code;
    buffer_free(&sql);
    return statement;
}

/* The set of what the app sees now. */
static struct hash128 shown_set(struct client *client, const struct client_schema *schema) {
    struct hash128 set = {0, 0};
    assert(schema->n_tables > 0);
    struct buffer text = {0}, scratch = {0};
    for (size_t t = 0; t < schema->n_tables; t++) {
        sqlite3_stmt *statement = read_table(client, &schema->tables[t]);
        while (sqlite3_step(statement) == SQLITE_ROW) {
            buffer_clear(&text);
            row_text_append(&text, statement, 1);
            const char *id = (const char *)sqlite3_column_text(statement, 0);
            set = hash128_add(set, row_set_hash(&scratch, schema->tables[t].name, id, buffer_text(&text)));
        }
        sqlite3_finalize(statement);
    }
    buffer_free(&text);
    buffer_free(&scratch);
    return set;
}

static bool shows_newest(struct stage *stage, size_t index) {
    const struct oracle *oracle = checker_oracle(stage->checker);
    const struct oracle_user *user = oracle ? oracle_user(oracle, stage->names.users[index]) : NULL;
    if (!user) /* no property looks at views: the service standing at the newest commit must do */
        return powersync_service_position(stage->service) >= convex_deployment_latest(stage->deployment);
    return hash128_equal(oracle_user_set(user),
                         shown_set(stage->clients[index].client, stage->scenario->app->schema));
}

bool stage_is_quiet(struct stage *stage) {
    for (size_t i = 0; i < stage->names.count; i++)
        if (!client_settled(stage->clients[i].client))
            return false;
    for (size_t i = 0; i < stage->names.count; i++)
        if (!shows_newest(stage, i))
            return false;
    return true;
}

static bool judges_convergence(const struct stage *stage) {
    for (size_t i = 0; i < stage->scenario->n_properties; i++)
        if (!strcmp(stage->scenario->properties[i], "convergence"))
            return true;
    return !stage->scenario->properties;
}

static bool reported(const struct stage *stage, const char *client) {
    const struct violation *const *violations;
    size_t n = checker_violations(stage->checker, &violations);
    for (size_t i = 0; i < n; i++)
        if (!strcmp(violations[i]->property, "convergence") && !strcmp(violations[i]->client, client))
            return true;
    return false;
}

/* The client's last record of a kind; 0: none. */
static uint64_t last_record(const struct stage *stage, const char *client, enum note_kind kind) {
    for (size_t i = history_length(stage->history); i > 0; i--) {
        const struct history_record *record = history_get(stage->history, i - 1);
        if (record->note.kind == kind && !strcmp(record->node, client))
            return record->number;
    }
    return 0;
}

void stage_report_unsettled(struct stage *stage) {
    for (size_t i = 0; judges_convergence(stage) && i < stage->names.count; i++) {
        const char *name = stage->clients[i].name;
        if (client_settled(stage->clients[i].client) || reported(stage, name))
            continue;
        char *explanation =
            memory_format("At the end %s still waits for the write checkpoint of its last upload: it "
                          "would show nothing that others write.",
                          name);
        const struct violation violation = {.property = "convergence",
                                            .client = name,
                                            .expected = (char[]){"nothing left to wait for"},
                                            .seen = (char[]){"waits for its write checkpoint"},
                                            .first_record =
                                                last_record(stage, name, NOTE_UPLOAD_ACKNOWLEDGED),
                                            .second_record = last_record(stage, name, NOTE_WRITE_CHECKPOINT),
                                            .time = world_now(stage->world),
                                            .explanation = explanation};
        stage_add_violation(stage, &violation);
        free(explanation);
    }
}

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

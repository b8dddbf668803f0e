#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "check/oracle.h"
#include "check/row_set.h"
#include "check/stream_log.h"
#include "check/view_model.h"
#include "client/reactive_client.h"
#include "disk/row_text.h"
#include "scenario/language.h"
#include "scenario/stage_party.h"

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
    const struct oracle_user *user = view_models_get(checker_views(stage->checker), index)->user;
    if (!user) /* no property looks at views: the service standing at the newest commit must do */
        return stage_service_position(stage) >= convex_deployment_latest(stage->deployment);
    return hash128_equal(oracle_user_set(user),
                         shown_set(stage->clients[index].client, stage->scenario->app->schema));
}

/* What the deployment would answer this user now, encoded; NULL: an error. The caller frees it. False: it
 * cannot be told. */
static bool newest_answer(struct stage *stage, const char *path, const char *args, const char *user,
                          char **answer) {
    bool failed;
    const int64_t now = convex_deployment_latest(stage->deployment);
    if (convex_deployment_evaluate(stage->deployment, path, args, user, now, &failed, answer, NULL) !=
        STATUS_OK)
        return false;
    if (failed) {
        free(*answer);
        *answer = NULL;
    }
    return true;
}

/* Both as JSON: they may write numbers differently. */
static bool same_answer(const char *shown, const char *newest) {
    if (!shown || !newest)
        return shown == newest;
    if (!strcmp(shown, newest))
        return true;
    json_t *a = json_parse(shown, strlen(shown), NULL), *b = json_parse(newest, strlen(newest), NULL);
    bool same = json_equal(a, b);
    json_decref(a);
    json_decref(b);
    return same;
}

static bool plain_shows_newest(struct stage *stage, size_t index) {
    const struct stage_client *client = &stage->clients[index];
    const struct scenario_reactive *group = scenario_group_of(stage->scenario, client->name);
    bool same = true;
    if (reactive_client_dead(client->reactive))
        return true;
    for (size_t i = 0; same && i < group->n_queries; i++) {
        struct buffer args = {0};
        plan_query_args(stage->plan->seed, client->name, &group->queries[i], i, &args);
        char *newest = NULL;
        bool known = newest_answer(stage, group->queries[i].path, buffer_text(&args),
                                   reactive_client_identity(client->reactive), &newest);
        uint32_t id = reactive_client_subscribe(client->reactive, group->queries[i].path, buffer_text(&args));
        same = !known || same_answer(reactive_client_value(client->reactive, id), newest);
        free(newest);
        buffer_free(&args);
    }
    return same;
}

bool stage_is_quiet(struct stage *stage) {
    for (size_t i = 0; i < stage->names.total; i++)
        if (!party_is_settled(&stage->clients[i]))
            return false;
    for (size_t i = stage->names.count; i < stage->names.total; i++)
        if (!plain_shows_newest(stage, i))
            return false;
    for (size_t i = 0; i < stage->names.count; i++)
        if (!shows_newest(stage, i))
            return false;
    return stream_log_settled(checker_streams(stage->checker), world_now(stage->world));
}

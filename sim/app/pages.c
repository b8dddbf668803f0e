/* Shared pages, without any merging: whoever's edit arrives last wins, column by column, whatever the
 * devices' clocks say (last-write-wins). */
#include <stdio.h>
#include <string.h>

#include "app/batch.h"
#include "app/parts.h"
#include "base/memory.h"

static const char sync_config[] = "config: {edition: 3}\nstreams:\n" APP_STREAM("pages");

static const struct client_column page_columns[] = {
    {"title", "text"}, {"body", "text"}, {"edited_by", "text"}, {"edited_at", "text"}};
static const struct client_table client_tables[] = {{"pages", page_columns, APP_ROOM(page_columns)}};
static const struct client_schema schema = {client_tables, APP_ROOM(client_tables)};
static const struct convex_table tables[] = {APP_SYNCED_TABLE("pages"), APP_RECEIPTS};
static const struct convex_function functions[] = {APP_UPLOAD_FUNCTIONS, APP_PLANTING};

/* The mutant `newest-edit-wins` is the usual wrong belief: an edit that was made before the one that is there
 * is dropped. */
static enum status receive(struct convex_context *context, struct app_arrival *arrival, struct error *error) {
    const char *made = convex_object_text(arrival->fields, "edited_at");
    if (!arrival->document || !made || !convex_mutant(context, "newest-edit-wins"))
        return STATUS_OK;
    const struct convex_value *page = NULL;
    enum status status = app_row(context, "pages", arrival->uuid, &page, error);
    const char *stored = page ? convex_object_text(page, "edited_at") : NULL;
    arrival->dropped = stored && strcmp(made, stored) < 0;
    return status;
}

static void edit(struct batch *batch, const char *column) {
    char id[BATCH_ID_SIZE], text[96];
    if (!batch_pick(batch, "pages", "1", id))
        return;
    for (size_t i = 0; i < batch->count; i++) /* a transaction touches a row once */
        if (!strcmp(batch->row_ids[i], id))
            return;
    snprintf(text, sizeof text, "%s says %llu", client_name(batch->client),
             (unsigned long long)random_below(&batch->chance, 1000000));
    json_t *values = json_object();
    json_object_set_new(values, column, json_string(text));
    json_object_set_new(values, "edited_by", json_string(client_user(batch->client)));
    json_object_set_new(values, "edited_at", json_string(batch->created_at));
    batch_add(batch, CLIENT_PATCH, "pages", id, values);
}

static void rename_some(struct batch *batch) {
    for (int64_t i = 0; i < batch->rows; i++)
        edit(batch, "title");
}

static void rewrite_some(struct batch *batch) {
    for (int64_t i = 0; i < batch->rows; i++)
        edit(batch, "body");
}

/* `lists` pages. */
static enum status seed(struct convex_deployment *deployment, const char *const *users, size_t n_users,
                        int64_t lists_per_user, int64_t todos_per_list, uint64_t choice,
                        struct error *error) {
    struct convex_value *rows = convex_object();
    struct random_stream chance = random_stream_make(choice, "pages.seed");
    (void)users, (void)n_users, (void)todos_per_list;
    for (int64_t i = 1; i <= lists_per_user; i++) {
        char uuid[37], *title = memory_format("page %lld", (long long)i);
        random_uuid(&chance, uuid);
        struct convex_value *page = app_plant_row(rows, "pages", uuid);
        convex_object_set(page, "title", convex_string(title));
        convex_object_set(page, "body", convex_string(""));
        convex_object_set(page, "edited_by", convex_null());
        convex_object_set(page, "edited_at", convex_null());
        free(title);
    }
    return app_plant(deployment, rows, error);
}

static const struct app_action_kind actions[] = {
    {"rename", 1, rename_some}, {"rewrite", 3, rewrite_some}, {.name = NULL}};

const struct app app_pages = {.name = "pages", APP_DECLARED, .seed = seed, .receive = receive};

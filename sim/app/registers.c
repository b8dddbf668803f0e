/* Registers for checking consistency, as Jepsen's tests of PowerSync have them: keys that are there from the
 * start, and writes of values that nobody else ever writes, so that a value tells which write somebody has
 * seen (causal-order). Reading is looking at the screen: every view is judged. */
#include <stdio.h>
#include <string.h>

#include "app/batch.h"
#include "app/parts.h"
#include "base/memory.h"

static const char sync_config[] = "config: {edition: 3}\nstreams:\n" APP_STREAM("registers");

static const struct client_column register_columns[] = {{"value", "text"}};
static const struct client_table client_tables[] = {
    {"registers", register_columns, APP_ROOM(register_columns)}};
static const struct client_schema schema = {client_tables, APP_ROOM(client_tables)};
static const struct convex_table tables[] = {APP_SYNCED_TABLE("registers"), APP_RECEIPTS};
static const struct convex_function functions[] = {APP_UPLOAD_FUNCTIONS, APP_PLANTING};

static void write_one(struct batch *batch) {
    char id[BATCH_ID_SIZE], value[37];
    if (!batch_pick(batch, "registers", "1", id))
        return;
    for (size_t i = 0; i < batch->count; i++) /* a transaction touches a row once */
        if (!strcmp(batch->row_ids[i], id))
            return;
    random_uuid(&batch->ids, value);
    json_t *values = json_object();
    json_object_set_new(values, "value", json_string(value));
    batch_add(batch, CLIENT_PATCH, "registers", id, values);
}

/* One local transaction that writes up to `rows` keys. */
static void write_some(struct batch *batch) {
    for (int64_t i = 0; i < batch->rows; i++)
        write_one(batch);
}

/* `lists` keys. */
static enum status seed(struct convex_deployment *deployment, const char *const *users, size_t n_users,
                        int64_t lists_per_user, int64_t todos_per_list, uint64_t choice,
                        struct error *error) {
    struct convex_value *rows = convex_object();
    struct random_stream chance = random_stream_make(choice, "registers.seed");
    (void)users, (void)n_users, (void)todos_per_list;
    for (int64_t i = 0; i < lists_per_user; i++) {
        char uuid[37], value[37];
        random_uuid(&chance, uuid);
        random_uuid(&chance, value);
        convex_object_set(app_plant_row(rows, "registers", uuid), "value", convex_string(value));
    }
    return app_plant(deployment, rows, error);
}

static const struct app_action_kind actions[] = {{"set", 1, write_some}, {.name = NULL}};

const struct app app_registers = {
    .name = "registers",
    APP_DECLARED,
    .seed = seed,
};

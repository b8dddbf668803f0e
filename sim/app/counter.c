/* Counters that everybody counts up. An increment is a row of its own, which the backend adds to the counter
 * and marks with the total that it made. `set` is what people write first: the value as this device sees it,
 * plus one; two of them at once count once (counter-exact). */
#include <string.h>

#include "app/batch.h"
#include "app/parts.h"
#include "base/memory.h"

static const char sync_config[] =
    "config: {edition: 3}\nstreams:\n" APP_STREAM("counters") APP_STREAM("increments");

static const struct client_column counter_columns[] = {{"name", "text"}, {"value", "integer"}};
static const struct client_column increment_columns[] = {
    {"counter", "text"}, {"amount", "integer"}, {"total", "integer"}};
static const struct client_table client_tables[] = {
    {"counters", counter_columns, APP_ROOM(counter_columns)},
    {"increments", increment_columns, APP_ROOM(increment_columns)}};
static const struct client_schema schema = {client_tables, APP_ROOM(client_tables)};
static const struct convex_table tables[] = {APP_SYNCED_TABLE("counters"), APP_SYNCED_TABLE("increments"),
                                             APP_RECEIPTS};
static const struct convex_function functions[] = {APP_UPLOAD_FUNCTIONS, APP_PLANTING};

static enum status receive(struct convex_context *context, struct app_arrival *arrival, struct error *error) {
    const char *uuid = convex_object_text(arrival->fields, "counter");
    const struct convex_value *given = convex_object_get(arrival->fields, "total");
    if (strcmp(arrival->table, "increments") != 0 || arrival->document ||
        (given && given->kind == CONVEX_FLOAT64)) /* of `set`, which has counted already */
        return STATUS_OK;
    const struct convex_value *counter = NULL;
    enum status status = uuid ? app_row(context, "counters", uuid, &counter, error) : STATUS_OK;
    if (status != STATUS_OK || !counter)
        return status == STATUS_OK ? error_set(error, STATUS_INVALID, "there is no such counter") : status;
    const int64_t total = app_whole(counter, "value") + app_whole(arrival->fields, "amount");
    convex_object_set(arrival->fields, "total", convex_float64((double)total));
    return app_set_whole(context, "counters", convex_object_text(counter, "_id"), "value", total, error);
}

static void increment(struct batch *batch) {
    char id[37], counter[BATCH_ID_SIZE];
    if (!batch_pick(batch, "counters", "1", counter))
        return;
    random_uuid(&batch->ids, id);
    json_t *values = json_object();
    json_object_set_new(values, "counter", json_string(counter));
    json_object_set_new(values, "amount", json_integer((json_int_t)(1 + random_below(&batch->chance, 3))));
    batch_add(batch, CLIENT_PUT, "increments", id, values);
}

static void set(struct batch *batch) {
    char id[37], counter[BATCH_ID_SIZE];
    if (!batch_pick(batch, "counters", "1", counter))
        return;
    char *sql = memory_format("SELECT value FROM counters WHERE id = '%s'", counter);
    const int64_t total = batch_query_integer(batch, sql) + 1;
    free(sql);
    json_t *values = json_object();
    json_object_set_new(values, "value", json_integer(total));
    batch_add(batch, CLIENT_PATCH, "counters", counter, values);
    random_uuid(&batch->ids, id);
    values = json_object();
    json_object_set_new(values, "counter", json_string(counter));
    json_object_set_new(values, "amount", json_integer(1));
    json_object_set_new(values, "total", json_integer(total));
    batch_add(batch, CLIENT_PUT, "increments", id, values);
}

static void increment_some(struct batch *batch) {
    for (int64_t i = 0; i < batch->rows; i++)
        increment(batch);
}

/* `lists` counters, whoever takes part. */
static enum status seed(struct convex_deployment *deployment, const char *const *users, size_t n_users,
                        int64_t lists_per_user, int64_t todos_per_list, uint64_t choice,
                        struct error *error) {
    struct convex_value *rows = convex_object();
    struct random_stream chance = random_stream_make(choice, "counter.seed");
    (void)users, (void)n_users, (void)todos_per_list;
    for (int64_t i = 1; i <= lists_per_user; i++) {
        char uuid[37], *name = memory_format("counter %lld", (long long)i);
        random_uuid(&chance, uuid);
        struct convex_value *counter = app_plant_row(rows, "counters", uuid);
        convex_object_set(counter, "name", convex_string(name));
        convex_object_set(counter, "value", convex_float64(0));
        free(name);
    }
    return app_plant(deployment, rows, error);
}

static const struct column_mapping mapped[] = {{"increments", "total", COLUMN_BACKEND, NULL}};
static const struct app_action_kind actions[] = {
    {"increment", 1, increment_some}, {"set", 0, set}, {.name = NULL}};

const struct app app_counter = {.name = "counter",
                                APP_DECLARED,
                                .mapping = {.columns = mapped, .n_columns = APP_ROOM(mapped)},
                                .seed = seed,
                                .receive = receive};

/* A help desk: everybody opens tickets, offline too, and each ticket gets a number that no other has. Only
 * the backend can give it: it looks for the highest one in the mutation that stores the ticket. `number-here`
 * is what people write first: one more than the highest number on this device (unique-numbers). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/batch.h"
#include "app/parts.h"
#include "base/memory.h"

static const char sync_config[] = "config: {edition: 3}\nstreams:\n" APP_STREAM("tickets");

static const struct client_column ticket_columns[] = {
    {"title", "text"}, {"number", "integer"}, {"opened_by", "text"}, {"closed", "integer"}};
static const struct client_table client_tables[] = {{"tickets", ticket_columns, APP_ROOM(ticket_columns)}};
static const struct client_schema schema = {client_tables, APP_ROOM(client_tables)};
static const struct convex_index ticket_indexes[] = {{"by_uuid", {"uuid"}, 1}, {"by_number", {"number"}, 1}};
static const struct convex_table tables[] = {
    {.name = "tickets", .indexes = ticket_indexes, .n_indexes = APP_ROOM(ticket_indexes)}, APP_RECEIPTS};
static const struct convex_function functions[] = {APP_UPLOAD_FUNCTIONS, APP_PLANTING};

static enum status highest_number(struct convex_context *context, int64_t *number, struct error *error) {
    const struct convex_range range = {.index = "by_number", .descending = true, .limit = 1};
    const struct convex_value **documents = NULL;
    size_t count = 0;
    enum status status = convex_find_range(context, "tickets", &range, &documents, &count, error);
    *number = status == STATUS_OK && count > 0 ? app_whole(documents[0], "number") : 0;
    free(documents);
    return status;
}

static enum status receive(struct convex_context *context, struct app_arrival *arrival, struct error *error) {
    const struct convex_value *given = convex_object_get(arrival->fields, "number");
    if (arrival->document || (given && given->kind == CONVEX_FLOAT64))
        return STATUS_OK;
    int64_t number;
    enum status status = highest_number(context, &number, error);
    convex_object_set(arrival->fields, "number", convex_float64((double)number + 1));
    return status;
}

static void open_ticket(struct batch *batch, int64_t number) {
    char id[37], title[64];
    random_uuid(&batch->ids, id);
    snprintf(title, sizeof title, "it broke %llu", (unsigned long long)random_below(&batch->chance, 1000000));
    json_t *values = json_object();
    json_object_set_new(values, "title", json_string(title));
    json_object_set_new(values, "opened_by", json_string(client_user(batch->client)));
    json_object_set_new(values, "closed", json_integer(0));
    if (number > 0)
        json_object_set_new(values, "number", json_integer(number));
    batch_add(batch, CLIENT_PUT, "tickets", id, values);
}

static void close_ticket(struct batch *batch) {
    char id[BATCH_ID_SIZE];
    if (!batch_pick(batch, "tickets", "closed = 0", id))
        return;
    json_t *values = json_object();
    json_object_set_new(values, "closed", json_integer(1));
    batch_add(batch, CLIENT_PATCH, "tickets", id, values);
}

static void open_some(struct batch *batch) {
    for (int64_t i = 0; i < batch->rows; i++)
        open_ticket(batch, 0);
}

static void number_here(struct batch *batch) {
    open_ticket(batch, 1 + batch_query_integer(batch, "SELECT max(number) FROM tickets"));
}

/* `lists` open tickets of each user. */
static enum status seed(struct convex_deployment *deployment, const char *const *users, size_t n_users,
                        int64_t lists_per_user, int64_t todos_per_list, uint64_t choice,
                        struct error *error) {
    struct convex_value *rows = convex_object();
    int64_t number = 0;
    (void)todos_per_list;
    for (size_t u = 0; u < n_users; u++) {
        char *name = memory_format("tickets.seed.%s", users[u]), uuid[37];
        struct random_stream chance = random_stream_make(choice, name);
        free(name);
        for (int64_t i = 0; i < lists_per_user; i++) {
            random_uuid(&chance, uuid);
            struct convex_value *ticket = app_plant_row(rows, "tickets", uuid);
            convex_object_set(ticket, "title", convex_string("the first ones"));
            convex_object_set(ticket, "number", convex_float64((double)++number));
            convex_object_set(ticket, "opened_by", convex_string(users[u]));
            convex_object_set(ticket, "closed", convex_boolean(false));
        }
    }
    return app_plant(deployment, rows, error);
}

static const struct column_mapping mapped[] = {{"tickets", "number", COLUMN_BACKEND, NULL},
                                               {"tickets", "closed", COLUMN_BOOLEAN, NULL}};
static const struct app_action_kind actions[] = {
    {"open", 3, open_some}, {"close", 1, close_ticket}, {"number-here", 0, number_here}, {.name = NULL}};

const struct app app_tickets = {.name = "tickets",
                                APP_DECLARED,
                                .mapping = {.columns = mapped, .n_columns = APP_ROOM(mapped)},
                                .seed = seed,
                                .receive = receive};

/* A chat: rooms that everybody is in, and messages that are only ever added, often. Whoever sees a message
 * has all that its sender said before in the room (messages-ordered). */
#include <stdio.h>
#include <string.h>

#include "app/batch.h"
#include "app/parts.h"
#include "base/memory.h"

static const char sync_config[] =
    "config: {edition: 3}\nstreams:\n" APP_STREAM("rooms") APP_STREAM("messages");

static const struct client_column room_columns[] = {{"name", "text"}};
static const struct client_column message_columns[] = {
    {"room", "text"}, {"sender", "text"}, {"body", "text"}, {"sent_at", "text"}};
static const struct client_table client_tables[] = {{"rooms", room_columns, APP_ROOM(room_columns)},
                                                    {"messages", message_columns, APP_ROOM(message_columns)}};
static const struct client_schema schema = {client_tables, APP_ROOM(client_tables)};
static const struct convex_table tables[] = {APP_SYNCED_TABLE("rooms"), APP_SYNCED_TABLE("messages"),
                                             APP_RECEIPTS};
static const struct convex_function functions[] = {APP_UPLOAD_FUNCTIONS, APP_PLANTING};

static void say(struct batch *batch, const char *room) {
    static const char *const openings[] = {"well,", "I think", "no:", "ha, \xf0\x9f\x98\x80", "so"};
    char id[37], body[96];
    random_uuid(&batch->ids, id);
    const char *opening = openings[random_below(&batch->chance, APP_ROOM(openings))];
    snprintf(body, sizeof body, "%s %llu", opening,
             (unsigned long long)random_below(&batch->chance, 1000000));
    json_t *values = json_object();
    json_object_set_new(values, "room", json_string(room));
    json_object_set_new(values, "sender", json_string(client_user(batch->client)));
    json_object_set_new(values, "body", json_string(body));
    json_object_set_new(values, "sent_at", json_string(batch->created_at));
    batch_add(batch, CLIENT_PUT, "messages", id, values);
}

/* `rows` messages in one room. */
static void say_some(struct batch *batch) {
    char room[BATCH_ID_SIZE];
    if (batch_pick(batch, "rooms", "1", room))
        for (int64_t i = 0; i < batch->rows; i++)
            say(batch, room);
}

/* `lists` rooms. */
static enum status seed(struct convex_deployment *deployment, const char *const *users, size_t n_users,
                        int64_t lists_per_user, int64_t todos_per_list, uint64_t choice,
                        struct error *error) {
    struct convex_value *rows = convex_object();
    struct random_stream chance = random_stream_make(choice, "chat.seed");
    (void)users, (void)n_users, (void)todos_per_list;
    for (int64_t i = 1; i <= lists_per_user; i++) {
        char uuid[37], *name = memory_format("room %lld", (long long)i);
        random_uuid(&chance, uuid);
        convex_object_set(app_plant_row(rows, "rooms", uuid), "name", convex_string(name));
        free(name);
    }
    return app_plant(deployment, rows, error);
}

static const struct column_mapping mapped[] = {{"messages", "room", COLUMN_COPIED, "rooms"}};
static const struct app_action_kind actions[] = {{"say", 1, say_some}, {.name = NULL}};

const struct app app_chat = {
    .name = "chat",
    APP_DECLARED,
    .mapping = {.columns = mapped, .n_columns = APP_ROOM(mapped)},
    .seed = seed,
};

/* Profiles, in an app with every kind of table and two versions: profiles whose changes say what was before
 * and why (trackPrevious, trackMetadata), preferences that stay on the device (local-only), events that are
 * sent and not kept (insert-only), badges that version 1 does not know, and drafts that were local-only in it
 * and are synced since. The backend keeps the metadata and the name before, and changes the type of a field
 * as it goes. The knob profile.lacks-bio at 1 makes it one that lags behind: it does not have the column
 * `bio`, and refuses rows with it. */
#include <stdio.h>
#include <string.h>

#include "app/batch.h"
#include "app/parts.h"
#include "base/memory.h"

static const char sync_config[] =
    "config: {edition: 3}\nstreams:\n" APP_STREAM("profiles") APP_STREAM("badges") APP_STREAM("drafts");

static const struct client_column profile_columns[] = {
    {"name", "text"}, {"bio", "text"}, {"level", "integer"}, {"comment", "text"}, {"was", "text"}};
static const struct client_column old_profile_columns[] = {{"name", "text"}, {"comment", "text"}};
static const struct client_column badge_columns[] = {{"profile", "text"}, {"label", "text"}};
static const struct client_column preference_columns[] = {{"value", "text"}};
static const struct client_column event_columns[] = {{"kind", "text"}, {"at", "text"}};
static const struct client_column draft_columns[] = {{"text", "text"}};
static const char *const tracked[] = {"name"};

#define PROFILES(columns_)                                                                                   \
    {                                                                                                        \
        .name = "profiles", .columns = columns_, .n_columns = APP_ROOM(columns_), .include_metadata = true,  \
        .include_old = true, .old_only_when_changed = true, .old_columns = tracked,                          \
        .n_old_columns = APP_ROOM(tracked)                                                                   \
    }
#define PREFERENCES                                                                                          \
    {                                                                                                        \
        .name = "preferences", .columns = preference_columns, .n_columns = APP_ROOM(preference_columns),     \
        .local_only = true                                                                                   \
    }
#define EVENTS                                                                                               \
    { .name = "events", .columns = event_columns, .n_columns = APP_ROOM(event_columns), .insert_only = true }

static const struct client_table client_tables[] = {
    PROFILES(profile_columns),
    {.name = "badges",
     .columns = badge_columns,
     .n_columns = APP_ROOM(badge_columns),
     .ignore_empty_update = true},
    {.name = "drafts", .columns = draft_columns, .n_columns = APP_ROOM(draft_columns)},
    PREFERENCES,
    EVENTS};
static const struct client_table old_client_tables[] = {
    PROFILES(old_profile_columns),
    {.name = "drafts", .columns = draft_columns, .n_columns = APP_ROOM(draft_columns), .local_only = true},
    PREFERENCES,
    EVENTS};
static const struct client_schema schema = {client_tables, APP_ROOM(client_tables), 2};
static const struct client_schema old_schema = {old_client_tables, APP_ROOM(old_client_tables), 1};

static const struct convex_table tables[] = {APP_SYNCED_TABLE("profiles"), APP_SYNCED_TABLE("badges"),
                                             APP_SYNCED_TABLE("drafts"), APP_SYNCED_TABLE("events"),
                                             APP_RECEIPTS};
static const struct convex_function functions[] = {APP_UPLOAD_FUNCTIONS, APP_PLANTING};

/* --- the backend --- */

/* Schemas drift: a number, a text, nothing, a list, an object, a boolean. */
static void set_level(struct convex_value *fields, const char *name) {
    struct convex_value *value = NULL;
    switch (strlen(name) % 6) {
    case 0:
        value = convex_float64((double)strlen(name));
        break;
    case 1:
        value = convex_string("7th");
        break;
    case 2:
        value = convex_null();
        break;
    case 3:
        value = convex_array();
        convex_array_append(value, convex_float64(3));
        break;
    case 4:
        value = convex_object();
        convex_object_set(value, "steps", convex_float64(2));
        break;
    default:
        value = convex_boolean(true);
    }
    convex_object_set(fields, "level", value);
}

static enum status receive(struct convex_context *context, struct app_arrival *arrival, struct error *error) {
    const char *name = convex_object_text(arrival->fields, "name");
    const char *was = arrival->old != NULL ? convex_object_text(arrival->old, "name") : NULL;
    if (strcmp(arrival->table, "profiles") != 0)
        return STATUS_OK;
    if (convex_knob(context, "profile.lacks-bio", 0, 0, 1) && convex_object_get(arrival->fields, "bio"))
        return error_set(error, STATUS_INVALID, "the table profiles has no column bio");
    if (arrival->metadata)
        convex_object_set(arrival->fields, "comment", convex_string(arrival->metadata));
    if (was)
        convex_object_set(arrival->fields, "was", convex_string(was));
    if (name)
        set_level(arrival->fields, name);
    return STATUS_OK;
}

/* --- people --- */

static bool is_new_version(const struct batch *batch) {
    return client_schema(batch->client)->version == schema.version;
}

static json_t *one_text(const char *column, const char *text) {
    json_t *values = json_object();
    json_object_set_new(values, column, json_string(text));
    return values;
}

static void draw_text(struct batch *batch, const char *what, char *text, size_t size) {
    snprintf(text, size, "%s %llu", what, (unsigned long long)random_below(&batch->chance, 1000000));
}

/* Why, as version and device. */
static void add_reason(struct batch *batch, json_t *values) {
    char reason[64];
    snprintf(reason, sizeof reason, "%s, version %d", client_name(batch->client),
             is_new_version(batch) ? 2 : 1);
    json_object_set_new(values, CLIENT_METADATA, json_string(reason));
}

static bool is_touched(const struct batch *batch, const char *id) {
    for (size_t i = 0; i < batch->count; i++)
        if (!strcmp(batch->row_ids[i], id))
            return true;
    return false;
}

static void change_profile(struct batch *batch, const char *column) {
    char id[BATCH_ID_SIZE], text[64];
    if (!batch_pick(batch, "profiles", "1", id) || is_touched(batch, id))
        return;
    draw_text(batch, column, text, sizeof text);
    json_t *values = one_text(column, text);
    if (random_chance(&batch->chance, 1, 2))
        add_reason(batch, values);
    batch_add(batch, CLIENT_PATCH, "profiles", id, values);
}

static void join(struct batch *batch) {
    char id[37], text[64];
    random_uuid(&batch->ids, id);
    draw_text(batch, "somebody", text, sizeof text);
    json_t *values = one_text("name", text);
    add_reason(batch, values);
    batch_add(batch, CLIENT_PUT, "profiles", id, values);
}

static void leave(struct batch *batch) {
    char id[BATCH_ID_SIZE];
    json_t *values = json_object();
    add_reason(batch, values);
    if (!batch_pick(batch, "profiles", "1", id) || is_touched(batch, id)) {
        json_decref(values);
        return;
    }
    batch_add(batch, CLIENT_DELETE, "profiles", id, values);
}

static void award(struct batch *batch) {
    char id[37], profile[BATCH_ID_SIZE], text[64];
    if (!is_new_version(batch) || !batch_pick(batch, "profiles", "1", profile))
        return;
    random_uuid(&batch->ids, id);
    draw_text(batch, "badge", text, sizeof text);
    json_t *values = one_text("label", text);
    json_object_set_new(values, "profile", json_string(profile));
    batch_add(batch, CLIENT_PUT, "badges", id, values);
}

static void insert(struct batch *batch, const char *table, const char *column, const char *what) {
    char id[37], text[64];
    random_uuid(&batch->ids, id);
    draw_text(batch, what, text, sizeof text);
    batch_add(batch, CLIENT_PUT, table, id, one_text(column, text));
}

/* A few settings that change. */
static void prefer(struct batch *batch) {
    static const char *const names[] = {"theme", "language", "sound"};
    const char *name = names[random_below(&batch->chance, APP_ROOM(names))];
    char text[64];
    draw_text(batch, name, text, sizeof text);
    if (!is_touched(batch, name))
        batch_add(batch, CLIENT_PUT, "preferences", name, one_text("value", text));
}

static void rename_once(struct batch *batch) {
    change_profile(batch, "name");
}

static void describe(struct batch *batch) {
    change_profile(batch, is_new_version(batch) ? "bio" : "name");
}

static void track(struct batch *batch) {
    insert(batch, "events", "kind", "event");
}

static void draft(struct batch *batch) {
    insert(batch, "drafts", "text", "draft");
}

static void (*const steps[])(struct batch *) = {rename_once, describe, join,  leave,
                                                award,       prefer,   track, draft};

static void mix(struct batch *batch) {
    for (int64_t i = 0; i < batch->rows; i++)
        steps[random_below(&batch->chance, APP_ROOM(steps))](batch);
}

#define SOME(step)                                                                                           \
    static void step##_some(struct batch *batch) {                                                           \
        for (int64_t i = 0; i < batch->rows; i++)                                                            \
            step(batch);                                                                                     \
    }
SOME(rename_once)
SOME(describe)
SOME(join)
SOME(leave)
SOME(award)
SOME(prefer)
SOME(track)
SOME(draft)

static const struct app_action_kind actions[] = {{"rename", 4, rename_once_some},
                                                 {"describe", 3, describe_some},
                                                 {"join", 1, join_some},
                                                 {"leave", 1, leave_some},
                                                 {"award", 3, award_some},
                                                 {"prefer", 4, prefer_some},
                                                 {"track", 2, track_some},
                                                 {"draft", 3, draft_some},
                                                 {"mixed", 3, mix},
                                                 {.name = NULL}};

/* `lists` profiles of each user, each with `todos` badges. */
static enum status seed(struct convex_deployment *deployment, const char *const *users, size_t n_users,
                        int64_t lists_per_user, int64_t todos_per_list, uint64_t choice,
                        struct error *error) {
    struct convex_value *rows = convex_object();
    struct random_stream chance = random_stream_make(choice, "profile.seed");
    char uuid[37], badge[37];
    for (int64_t i = 0; i < lists_per_user * (int64_t)n_users; i++) {
        random_uuid(&chance, uuid);
        struct convex_value *profile = app_plant_row(rows, "profiles", uuid);
        convex_object_set(profile, "name", convex_string(users[(size_t)i % n_users]));
        convex_object_set(profile, "bio", convex_string("was here first"));
        for (int64_t b = 0; b < todos_per_list; b++) {
            random_uuid(&chance, badge);
            struct convex_value *row = app_plant_row(rows, "badges", badge);
            convex_object_set(row, "profile", convex_string(uuid));
            convex_object_set(row, "label", convex_string("founder"));
        }
    }
    return app_plant(deployment, rows, error);
}

static const struct column_mapping mapped[] = {{"profiles", "level", COLUMN_BACKEND, NULL},
                                               {"profiles", "comment", COLUMN_BACKEND, NULL},
                                               {"profiles", "was", COLUMN_BACKEND, NULL}};

const struct app app_profile = {.name = "profile",
                                APP_DECLARED,
                                .old_schema = &old_schema,
                                .mapping = {.columns = mapped, .n_columns = APP_ROOM(mapped)},
                                .seed = seed,
                                .receive = receive};

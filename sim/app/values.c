/* Values of every kind that Convex has, in one field that changes its type, goes and comes back. A device
 * says which value it wants, states how it must come back, and shows it so at once; the backend stores the
 * real thing (values-exact). What must come back follows from the service's rules: Int64 is decimal text,
 * bytes are base64 text, booleans are 1 and 0, lists and objects are compact JSON, NaN is its name, the sign
 * of -0 goes. */
#include <stdlib.h>
#include <string.h>

#include "app/batch.h"
#include "app/parts.h"
#include "base/json.h"

/* `stated` is "=" and how a device must show the value, so that nobody takes it for a number; NULL: null. */
struct specimen {
    const char *name;
    const char *encoded; /* Convex's encoded JSON; NULL: the document does not have the field */
    const char *stated;
};

static const struct specimen specimens[] = {
    {"int64-least", "{\"$integer\":\"AAAAAAAAAIA=\"}", "=-9223372036854775808"},
    {"int64-most", "{\"$integer\":\"/////////38=\"}", "=9223372036854775807"},
    {"int64-above-doubles", "{\"$integer\":\"AQAAAAAAIAA=\"}", "=9007199254740993"},
    {"int64-minus-one", "{\"$integer\":\"//////////8=\"}", "=-1"},
    {"bytes-none", "{\"$bytes\":\"\"}", "="},
    {"bytes-one", "{\"$bytes\":\"/w==\"}", "=/w=="},
    {"bytes-two", "{\"$bytes\":\"+/8=\"}", "=+/8="},
    {"bytes-three", "{\"$bytes\":\"AP8Q\"}", "=AP8Q"},
    {"float-whole", "1.0", "=1.0"},
    {"float-fraction", "0.1", "=0.1"},
    {"float-minus-zero", "{\"$float\":\"AAAAAAAAAIA=\"}", "=0.0"},
    {"float-nan", "{\"$float\":\"AAAAAAAA+H8=\"}", "=NaN"},
    {"text", "\"a text\"", "=a text"},
    {"text-digits", "\"0042\"", "=0042"},
    {"yes", "true", "=1"},
    {"no", "false", "=0"},
    {"list", "[1.0,true,null,\"x\"]", "=[1.0,true,null,\"x\"]"},
    {"object", "{\"deep\":{\"list\":[]},\"whole\":{\"$integer\":\"AQAAAAAAIAA=\"}}",
     "={\"deep\":{\"list\":[]},\"whole\":\"9007199254740993\"}"},
    {"null", "null", NULL},
    {"gone", NULL, NULL},
};

static const struct specimen *find_specimen(const char *name) {
    for (size_t i = 0; i < APP_ROOM(specimens); i++)
        if (!strcmp(specimens[i].name, name))
            return &specimens[i];
    return NULL;
}

static const char sync_config[] = "config: {edition: 3}\nstreams:\n" APP_STREAM("specimens");

static const struct client_column columns[] = {{"specimen", "text"}, {"stated", "text"}, {"value", "text"}};
static const struct client_table client_tables[] = {{"specimens", columns, APP_ROOM(columns)}};
static const struct client_schema schema = {client_tables, APP_ROOM(client_tables)};
static const struct convex_table tables[] = {APP_SYNCED_TABLE("specimens"), APP_RECEIPTS};
static const struct convex_function functions[] = {APP_UPLOAD_FUNCTIONS, APP_PLANTING};
static const struct column_mapping mapped[] = {{"specimens", "value", COLUMN_BACKEND, NULL}};

/* --- the backend --- */

/* Objects also bring a field that no device has a column for. */
static enum status set_value(struct convex_value *fields, const struct specimen *specimen,
                             struct error *error) {
    struct convex_value *value = NULL;
    json_t *json = json_parse(specimen->encoded, strlen(specimen->encoded), error);
    enum status status = json ? convex_from_json(json, &value, error) : STATUS_INVALID;
    json_decref(json);
    if (status != STATUS_OK)
        return status;
    if (value->kind == CONVEX_OBJECT)
        convex_object_set(fields, "more", convex_copy(value));
    convex_object_set(fields, "value", value);
    return STATUS_OK;
}

/* A patch cannot take a field away: the document is replaced by what is left of it. */
static enum status take_value_away(struct convex_context *context, struct app_arrival *arrival,
                                   struct error *error) {
    const struct convex_value *document = NULL;
    convex_object_remove(arrival->fields, "value");
    if (!arrival->document)
        return STATUS_OK;
    enum status status = app_row(context, "specimens", arrival->uuid, &document, error);
    if (status != STATUS_OK || !document)
        return status;
    struct convex_value *rest = convex_object();
    convex_object_set(rest, "uuid", convex_string(arrival->uuid));
    convex_object_set(rest, "specimen", convex_string("gone"));
    convex_object_set(rest, "stated", convex_null());
    arrival->dropped = true; /* it is written here */
    return convex_replace(context, "specimens", arrival->document, rest, error);
}

static enum status receive(struct convex_context *context, struct app_arrival *arrival, struct error *error) {
    const char *name = convex_object_text(arrival->fields, "specimen");
    const struct specimen *specimen = name ? find_specimen(name) : NULL;
    if (!specimen)
        return error_set(error, STATUS_INVALID, "specimens %s: no such specimen", arrival->uuid);
    return specimen->encoded ? set_value(arrival->fields, specimen, error)
                             : take_value_away(context, arrival, error);
}

/* --- users --- */

static json_t *draw_values(struct batch *batch) {
    const struct specimen *specimen = &specimens[random_below(&batch->chance, APP_ROOM(specimens))];
    json_t *values = json_object();
    json_object_set_new(values, "specimen", json_string(specimen->name));
    json_object_set_new(values, "stated", specimen->stated ? json_string(specimen->stated) : json_null());
    json_object_set_new(values, "value", specimen->stated ? json_string(specimen->stated + 1) : json_null());
    return values;
}

static void add(struct batch *batch) {
    char id[37];
    random_uuid(&batch->ids, id);
    batch_add(batch, CLIENT_PUT, "specimens", id, draw_values(batch));
}

static void change(struct batch *batch, bool delete) {
    char id[BATCH_ID_SIZE];
    if (!batch_pick(batch, "specimens", "1", id))
        return;
    if (batch_has(batch, id))
        return;
    batch_add(batch, delete ? CLIENT_DELETE : CLIENT_PATCH, "specimens", id,
              delete ? NULL : draw_values(batch));
}

static void add_some(struct batch *batch) {
    for (int64_t i = 0; i < batch->rows; i++)
        add(batch);
}

static void retype_some(struct batch *batch) {
    for (int64_t i = 0; i < batch->rows; i++)
        change(batch, false);
}

static void remove_some(struct batch *batch) {
    for (int64_t i = 0; i < batch->rows; i++)
        change(batch, true);
}

/* `lists` rows of each kind of value. */
static enum status seed(struct convex_deployment *deployment, const char *const *users, size_t n_users,
                        int64_t lists_per_user, int64_t todos_per_list, uint64_t choice,
                        struct error *error) {
    struct convex_value *rows = convex_object();
    struct random_stream chance = random_stream_make(choice, "values.seed");
    enum status status = STATUS_OK;
    (void)users, (void)n_users, (void)todos_per_list;
    for (size_t i = 0; i < APP_ROOM(specimens) * (size_t)lists_per_user; i++) {
        const struct specimen *specimen = &specimens[i % APP_ROOM(specimens)];
        char uuid[37];
        random_uuid(&chance, uuid);
        struct convex_value *row = app_plant_row(rows, "specimens", uuid);
        convex_object_set(row, "specimen", convex_string(specimen->name));
        convex_object_set(row, "stated", specimen->stated ? convex_string(specimen->stated) : convex_null());
        if (status == STATUS_OK && specimen->encoded)
            status = set_value(row, specimen, error);
    }
    if (status == STATUS_OK)
        return app_plant(deployment, rows, error);
    convex_free(rows);
    return status;
}

static const struct app_action_kind actions[] = {
    {"add", 3, add_some}, {"retype", 6, retype_some}, {"remove", 1, remove_some}, {.name = NULL}};

const struct app app_values = {
    .name = "values", APP_DECLARED, .mapping = {mapped, APP_ROOM(mapped)}, .seed = seed, .receive = receive};

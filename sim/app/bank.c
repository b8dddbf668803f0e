/* The bank: people move money between accounts that everybody sees. A transfer is a row of its own; the
 * backend moves the money when the row arrives, or refuses it for lack of money, so no transfer can undo
 * another. `overwrite` is what people write first: both balances as this device sees them, changed here; two
 * of them at once lose money (sum-kept). */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "app/batch.h"
#include "app/parts.h"
#include "base/memory.h"

static const char sync_config[] =
    "config: {edition: 3}\nstreams:\n" APP_STREAM("accounts") APP_STREAM("transfers");

static const struct client_column account_columns[] = {{"owner", "text"}, {"balance", "integer"}};
static const struct client_column transfer_columns[] = {{"from_account", "text"}, {"to_account", "text"},
                                                        {"amount", "integer"},    {"state", "text"},
                                                        {"made_by", "text"},      {"created_at", "text"}};
static const struct client_table client_tables[] = {
    {"accounts", account_columns, APP_ROOM(account_columns)},
    {"transfers", transfer_columns, APP_ROOM(transfer_columns)}};
static const struct client_schema schema = {client_tables, APP_ROOM(client_tables)};
static const struct convex_table tables[] = {APP_SYNCED_TABLE("accounts"), APP_SYNCED_TABLE("transfers"),
                                             APP_RECEIPTS};
static const struct convex_function functions[] = {APP_UPLOAD_FUNCTIONS, APP_PLANTING};

/* --- the backend --- */

enum { ID_SIZE = 64 };

struct account {
    char id[ID_SIZE]; /* "": there is none */
    int64_t balance;
};

static enum status find_account(struct convex_context *context, const struct convex_value *transfer,
                                const char *field, struct account *account, struct error *error) {
    const char *uuid = convex_object_text(transfer, field);
    const struct convex_value *document = NULL;
    enum status status = uuid ? app_row(context, "accounts", uuid, &document, error) : STATUS_OK;
    snprintf(account->id, sizeof account->id, "%s", document ? convex_object_text(document, "_id") : "");
    account->balance = document ? app_whole(document, "balance") : 0;
    return status;
}

/* Moves the money and says in the transfer's `state` what became of it. */
static enum status receive(struct convex_context *context, struct app_arrival *arrival, struct error *error) {
    if (strcmp(arrival->table, "transfers") != 0 || arrival->document)
        return STATUS_OK;
    struct account from, to;
    const int64_t amount = app_whole(arrival->fields, "amount");
    enum status status = find_account(context, arrival->fields, "from_account", &from, error);
    if (status == STATUS_OK)
        status = find_account(context, arrival->fields, "to_account", &to, error);
    if (status != STATUS_OK)
        return status;
    const bool good =
        *from.id && *to.id && strcmp(from.id, to.id) != 0 && amount > 0 && amount <= from.balance;
    convex_object_set(arrival->fields, "state", convex_string(good ? "accepted" : "refused"));
    if (good)
        status = app_set_whole(context, "accounts", from.id, "balance", from.balance - amount, error);
    if (good && status == STATUS_OK)
        status = app_set_whole(context, "accounts", to.id, "balance", to.balance + amount, error);
    return status;
}

/* --- people --- */

static int64_t balance_of(struct batch *batch, const char *account) {
    char *sql = memory_format("SELECT balance FROM accounts WHERE id = '%s'", account);
    const int64_t balance = batch_query_integer(batch, sql);
    free(sql);
    return balance;
}

static bool pick_two(struct batch *batch, char from[BATCH_ID_SIZE], char to[BATCH_ID_SIZE]) {
    return batch_pick(batch, "accounts", "1", from) && batch_pick(batch, "accounts", "1", to) &&
           strcmp(from, to) != 0;
}

static void transfer(struct batch *batch) {
    char id[37], from[BATCH_ID_SIZE], to[BATCH_ID_SIZE];
    if (!pick_two(batch, from, to))
        return;
    random_uuid(&batch->ids, id);
    json_t *values = json_object();
    json_object_set_new(values, "from_account", json_string(from));
    json_object_set_new(values, "to_account", json_string(to));
    json_object_set_new(values, "amount", json_integer((json_int_t)(1 + random_below(&batch->chance, 60))));
    json_object_set_new(values, "made_by", json_string(client_user(batch->client)));
    json_object_set_new(values, "created_at", json_string(batch->created_at));
    batch_add(batch, CLIENT_PUT, "transfers", id, values);
}

static void set_balance(struct batch *batch, const char *account, int64_t balance) {
    json_t *values = json_object();
    json_object_set_new(values, "balance", json_integer(balance));
    batch_add(batch, CLIENT_PATCH, "accounts", account, values);
}

static void overwrite(struct batch *batch) {
    char from[BATCH_ID_SIZE], to[BATCH_ID_SIZE];
    if (!pick_two(batch, from, to))
        return;
    const int64_t amount = (int64_t)(1 + random_below(&batch->chance, 60));
    set_balance(batch, from, balance_of(batch, from) - amount);
    set_balance(batch, to, balance_of(batch, to) + amount);
}

static void transfer_some(struct batch *batch) {
    for (int64_t i = 0; i < batch->rows; i++)
        transfer(batch);
}

/* `lists` accounts for each user, each with 100. */
static enum status seed(struct convex_deployment *deployment, const char *const *users, size_t n_users,
                        int64_t lists_per_user, int64_t todos_per_list, uint64_t choice,
                        struct error *error) {
    struct convex_value *rows = convex_object();
    (void)todos_per_list;
    for (size_t u = 0; u < n_users; u++) {
        char *name = memory_format("bank.seed.%s", users[u]), uuid[37];
        struct random_stream chance = random_stream_make(choice, name);
        free(name);
        for (int64_t i = 0; i < lists_per_user; i++) {
            random_uuid(&chance, uuid);
            struct convex_value *account = app_plant_row(rows, "accounts", uuid);
            convex_object_set(account, "owner", convex_string(users[u]));
            convex_object_set(account, "balance", convex_float64(100));
        }
    }
    return app_plant(deployment, rows, error);
}

static const struct column_mapping mapped[] = {{"transfers", "state", COLUMN_BACKEND, NULL}};
static const struct app_action_kind actions[] = {
    {"transfer", 1, transfer_some}, {"overwrite", 0, overwrite}, {.name = NULL}};

const struct app app_bank = {.name = "bank",
                             APP_DECLARED,
                             .mapping = {.columns = mapped, .n_columns = APP_ROOM(mapped)},
                             .seed = seed,
                             .receive = receive};

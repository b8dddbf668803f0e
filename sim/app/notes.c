#include "app/notes.h"

#define ROOM(array) (sizeof(array) / sizeof *(array))

static const char sync_config[] =
    "config: {edition: 3}\n"
    "streams:\n"
    "  folders:\n"
    "    auto_subscribe: true\n"
    "    query: >\n"
    "      SELECT uuid AS id, name, \"ownerId\" AS owner_id, \"createdAt\" AS created_at FROM folders\n"
    "      WHERE \"ownerId\" = auth.user_id() AND \"deletedAt\" IS NULL\n"
    "  notes:\n"
    "    auto_subscribe: true\n"
    "    query: >\n"
    "      SELECT uuid AS id, \"folderId\" AS folder_id, title, done, \"dueAt\" AS due_at,\n"
    "      \"remindAt\" / 1000 AS remind_at, \"ownerId\" AS owner_id, \"createdAt\" AS created_at FROM "
    "notes\n"
    "      WHERE \"ownerId\" = auth.user_id() AND \"deletedAt\" IS NULL\n";

static const struct client_column folder_columns[] = {
    {"name", "text"}, {"owner_id", "text"}, {"created_at", "text"}};
static const struct client_column note_columns[] = {
    {"folder_id", "text"},    {"title", "text"},    {"done", "integer"},   {"due_at", "integer"},
    {"remind_at", "integer"}, {"owner_id", "text"}, {"created_at", "text"}};
static const struct client_table client_tables[] = {{"folders", folder_columns, ROOM(folder_columns)},
                                                    {"notes", note_columns, ROOM(note_columns)}};
static const struct client_schema schema = {client_tables, ROOM(client_tables)};

static const struct column_mapping mapped[] = {
    {"folders", "owner_id", COLUMN_OWNER, NULL},      {"notes", "owner_id", COLUMN_OWNER, NULL},
    {"notes", "folder_id", COLUMN_COPIED, "folders"}, {"notes", "title", COLUMN_TITLE, NULL},
    {"notes", "done", COLUMN_BOOLEAN, NULL},          {"notes", "due_at", COLUMN_MILLISECONDS, NULL},
    {"notes", "remind_at", COLUMN_SECONDS, NULL}};

static const struct convex_index by_uuid[] = {{"by_uuid", {"uuid"}, 1}};
static const struct convex_index note_indexes[] = {{"by_uuid", {"uuid"}, 1}, {"by_folder", {"folderId"}, 1}};
static const struct convex_index by_client_transaction[] = {
    {"by_client_transaction", {"client_id", "transaction_id"}, 2}};
static const struct convex_table tables[] = {
    {.name = "folders", .indexes = by_uuid, .n_indexes = 1},
    {.name = "notes", .indexes = note_indexes, .n_indexes = ROOM(note_indexes)},
    {.name = "upload_receipts", .indexes = by_client_transaction, .n_indexes = 1}};

static const struct convex_function functions[] = {
    APP_UPLOAD_FUNCTIONS,
    {.path = "notes:addFolder", .kind = CONVEX_MUTATION, .run = notes_add_folder},
    {.path = "notes:handOver", .kind = CONVEX_MUTATION, .run = notes_hand_over}};

const struct app app_notes = {
    .name = "notes",
    .sync_config = sync_config,
    .schema = &schema,
    .tables = tables,
    .n_tables = ROOM(tables),
    .functions = functions,
    .n_functions = ROOM(functions),
    .mapping = {.columns = mapped, .n_columns = ROOM(mapped), .camel_case = true, .soft_delete = true},
    .actions = notes_actions,
    .seed = notes_seed,
    .receive = notes_receive,
    .remove = notes_remove};

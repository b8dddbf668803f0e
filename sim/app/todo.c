#include "app/todo.h"

#define ROOM(array) (sizeof(array) / sizeof *(array))

/* Clients make the ids (UUIDs), so a document keeps the client's id in `uuid` and that is the synced row's
 * id; Convex's own _id never leaves the backend. One stream a table and a reason, because each stream is one
 * bucket a user. */
static const char sync_config[] =
    "config: {edition: 3}\n"
    "streams:\n"
    "  own_lists:\n"
    "    auto_subscribe: true\n"
    "    query: SELECT *, uuid AS id FROM lists WHERE owner_id = auth.user_id()\n"
    "  shared_lists:\n"
    "    auto_subscribe: true\n"
    "    query: SELECT *, uuid AS id FROM lists WHERE shared_with = auth.user_id()\n"
    "  own_todos:\n"
    "    auto_subscribe: true\n"
    "    query: SELECT *, uuid AS id FROM todos WHERE owner_id = auth.user_id()\n"
    "  shared_todos:\n"
    "    auto_subscribe: true\n"
    "    query: SELECT *, uuid AS id FROM todos WHERE shared_with = auth.user_id()\n";

static const struct client_column list_columns[] = {
    {"name", "text"}, {"owner_id", "text"}, {"shared_with", "text"}, {"created_at", "text"}};
static const struct client_column todo_columns[] = {
    {"list_uuid", "text"}, {"description", "text"}, {"completed", "integer"}, {"rank", "real"},
    {"owner_id", "text"},  {"shared_with", "text"}, {"created_at", "text"}};
static const struct client_table client_tables[] = {{"lists", list_columns, ROOM(list_columns)},
                                                    {"todos", todo_columns, ROOM(todo_columns)}};
static const struct client_schema schema = {client_tables, ROOM(client_tables)};

static const struct convex_index by_uuid[] = {{"by_uuid", {"uuid"}, 1}};
static const struct convex_index by_client_transaction[] = {
    {"by_client_transaction", {"client_id", "transaction_id"}, 2}};
static const struct convex_table tables[] = {
    {.name = "lists", .indexes = by_uuid, .n_indexes = 1},
    {.name = "todos", .indexes = by_uuid, .n_indexes = 1},
    {.name = "upload_receipts", .indexes = by_client_transaction, .n_indexes = 1}};

static const struct convex_function functions[] = {
    APP_UPLOAD_FUNCTIONS,
    {.path = "todo:addList", .kind = CONVEX_MUTATION, .run = todo_add_list},
    {.path = "todo:importList", .kind = CONVEX_ACTION, .run = todo_import_list},
    {.path = "todo:listLists", .kind = CONVEX_QUERY, .run = todo_list_lists},
    {.path = "todo:getList", .kind = CONVEX_QUERY, .run = todo_get_list}};

static const struct column_mapping mapped[] = {{"todos", "completed", COLUMN_BOOLEAN, NULL}};

const struct app app_todo = {.name = "todo",
                             .sync_config = sync_config,
                             .schema = &schema,
                             .tables = tables,
                             .n_tables = ROOM(tables),
                             .functions = functions,
                             .n_functions = ROOM(functions),
                             .mapping = {.columns = mapped, .n_columns = ROOM(mapped)},
                             .actions = todo_actions,
                             .seed = todo_seed};

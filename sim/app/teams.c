#include "app/teams.h"

#define ROOM(array) (sizeof(array) / sizeof *(array))

static const char sync_config[] = "config: {edition: 3}\n"
                                  "with:\n"
                                  "  my_teams: SELECT team FROM members WHERE user_id = auth.user_id()\n"
                                  "streams:\n"
                                  "  teams:\n"
                                  "    auto_subscribe: true\n"
                                  "    query: SELECT *, uuid AS id FROM teams WHERE uuid IN my_teams\n"
                                  "  members:\n"
                                  "    auto_subscribe: true\n"
                                  "    query: SELECT *, uuid AS id FROM members WHERE team IN my_teams\n"
                                  "  documents:\n"
                                  "    auto_subscribe: true\n"
                                  "    query: SELECT *, uuid AS id FROM documents WHERE team IN my_teams\n";

static const struct client_column team_columns[] = {{"name", "text"}, {"created_at", "text"}};
static const struct client_column member_columns[] = {
    {"team", "text"}, {"user_id", "text"}, {"created_at", "text"}};
static const struct client_column document_columns[] = {
    {"team", "text"}, {"title", "text"}, {"archived", "integer"}, {"rank", "real"}, {"created_at", "text"}};
static const struct client_table client_tables[] = {{"teams", team_columns, ROOM(team_columns)},
                                                    {"members", member_columns, ROOM(member_columns)},
                                                    {"documents", document_columns, ROOM(document_columns)}};
static const struct client_schema schema = {client_tables, ROOM(client_tables)};

static const struct convex_index by_uuid[] = {{"by_uuid", {"uuid"}, 1}};
static const struct convex_index by_client_transaction[] = {
    {"by_client_transaction", {"client_id", "transaction_id"}, 2}};
static const struct convex_table tables[] = {
    {.name = "teams", .indexes = by_uuid, .n_indexes = 1},
    {.name = "members", .indexes = by_uuid, .n_indexes = 1},
    {.name = "documents", .indexes = by_uuid, .n_indexes = 1},
    {.name = "upload_receipts", .indexes = by_client_transaction, .n_indexes = 1}};

static const struct convex_function functions[] = {
    APP_UPLOAD_FUNCTIONS, {.path = "teams:addTeam", .kind = CONVEX_MUTATION, .run = teams_add_team}};

static const struct column_mapping mapped[] = {{"documents", "archived", COLUMN_BOOLEAN, NULL}};

const struct app app_teams = {.name = "teams",
                              .sync_config = sync_config,
                              .schema = &schema,
                              .tables = tables,
                              .n_tables = ROOM(tables),
                              .functions = functions,
                              .n_functions = ROOM(functions),
                              .mapping = {.columns = mapped, .n_columns = ROOM(mapped)},
                              .actions = teams_actions,
                              .seed = teams_seed};

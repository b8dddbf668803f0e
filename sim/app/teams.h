/* The teams app: people are members of teams, and see a team, its members and its documents for as long as
 * they are. Who sees what follows from rows of another table, so a single row that comes or goes moves
 * hundreds of others.
 *
 * teams.c holds what is declared (tables, schema, sync config), teams_seed.c the documents that are there
 * from the start, teams_actions.c what its users do. */
#ifndef SYNCLINE_APP_TEAMS_H
#define SYNCLINE_APP_TEAMS_H

#include "app/app.h"

/* `lists` is the number of teams of each user, `todos` that of documents of each team. */
enum status teams_seed(struct convex_deployment *deployment, const char *const *users, size_t n_users,
                       int64_t teams_per_user, int64_t documents_per_team, uint64_t choice,
                       struct error *error);
/* Mutation "teams:addTeam", args {team: {...}, members: [...], documents: [...]}. */
enum status teams_add_team(struct convex_context *context, const struct convex_value *args,
                           struct convex_value **result, struct error *error);
extern const struct app_action_kind teams_actions[];

#endif

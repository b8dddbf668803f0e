#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/teams.h"
#include "base/memory.h"
#include "base/random.h"

static const char created_at[] = "2025-12-31T12:00:00.000Z"; /* before anybody's devices were there */

static enum status insert_all(struct convex_context *context, const char *table,
                              const struct convex_value *list, struct error *error) {
    char id[64];
    enum status status = STATUS_OK;
    if (!list || list->kind != CONVEX_ARRAY)
        return error_set(error, STATUS_INVALID, "teams:addTeam needs lists of members and documents");
    for (size_t i = 0; status == STATUS_OK && i < list->as.array.count; i++)
        status = convex_insert(context, table, convex_copy(list->as.array.items[i]), id, error);
    return status;
}

enum status teams_add_team(struct convex_context *context, const struct convex_value *args,
                           struct convex_value **result, struct error *error) {
    char id[64];
    const struct convex_value *team = convex_object_get(args, "team");
    *result = NULL;
    if (!team || team->kind != CONVEX_OBJECT)
        return error_set(error, STATUS_INVALID, "teams:addTeam needs a team");
    enum status status = convex_insert(context, "teams", convex_copy(team), id, error);
    if (status == STATUS_OK)
        status = insert_all(context, "members", convex_object_get(args, "members"), error);
    if (status == STATUS_OK)
        status = insert_all(context, "documents", convex_object_get(args, "documents"), error);
    return status;
}

static struct convex_value *make_row(const char *uuid) {
    struct convex_value *row = convex_object();
    convex_object_set(row, "uuid", convex_string(uuid));
    convex_object_set(row, "created_at", convex_string(created_at));
    return row;
}

static struct convex_value *make_member(struct random_stream *chance, const char *team, const char *user) {
    char uuid[37];
    random_uuid(chance, uuid);
    struct convex_value *member = make_row(uuid);
    convex_object_set(member, "team", convex_string(team));
    convex_object_set(member, "user_id", convex_string(user));
    return member;
}

static struct convex_value *make_document(struct random_stream *chance, const char *team, int64_t number) {
    char uuid[37], title[64];
    random_uuid(chance, uuid);
    snprintf(title, sizeof title, "document %lld", (long long)number);
    struct convex_value *document = make_row(uuid);
    convex_object_set(document, "team", convex_string(team));
    convex_object_set(document, "title", convex_string(title));
    convex_object_set(document, "archived", convex_boolean(false));
    convex_object_set(document, "rank", convex_float64((double)number));
    return document;
}

static enum status seed_team(struct convex_deployment *deployment, const char *owner, const char *other,
                             int64_t number, int64_t n_documents, uint64_t choice, struct error *error) {
    char *stream_name = memory_format("teams.seed.%s.%lld", owner, (long long)number);
    struct random_stream chance = random_stream_make(choice, stream_name);
    free(stream_name);
    char uuid[37], name[96];
    random_uuid(&chance, uuid);
    snprintf(name, sizeof name, "%.60s's team %lld", owner, (long long)number);
    struct convex_value *team = make_row(uuid);
    convex_object_set(team, "name", convex_string(name));
    struct convex_value *members = convex_array(), *documents = convex_array();
    convex_array_append(members, make_member(&chance, uuid, owner));
    if (other)
        convex_array_append(members, make_member(&chance, uuid, other));
    for (int64_t i = 1; i <= n_documents; i++)
        convex_array_append(documents, make_document(&chance, uuid, i));
    struct convex_value *args = convex_object();
    convex_object_set(args, "team", team);
    convex_object_set(args, "members", members);
    convex_object_set(args, "documents", documents);
    enum status status = convex_deployment_run(deployment, "teams:addTeam", args, NULL, error);
    convex_free(args);
    return status;
}

/* The next user is a member of each user's first team. */
enum status teams_seed(struct convex_deployment *deployment, const char *const *users, size_t n_users,
                       int64_t teams_per_user, int64_t documents_per_team, uint64_t choice,
                       struct error *error) {
    enum status status = STATUS_OK;
    assert(teams_per_user >= 0 && documents_per_team >= 0);
    for (size_t u = 0; u < n_users; u++)
        for (int64_t t = 1; status == STATUS_OK && t <= teams_per_user; t++)
            status = seed_team(deployment, users[u], t == 1 && n_users > 1 ? users[(u + 1) % n_users] : NULL,
                               t, documents_per_team, choice, error);
    return status;
}

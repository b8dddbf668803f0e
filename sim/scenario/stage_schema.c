/* Which tables the app on a device has: in its version, and as a mutant declares them. */
#include <assert.h>
#include <string.h>

#include "scenario/stage_schema.h"

static bool has_mutant(const struct scenario *scenario, const char *name) {
    for (size_t i = 0; i < scenario->n_mutants; i++)
        if (!strcmp(scenario->mutants[i], name))
            return true;
    return false;
}

/* Mutant forget-local-only. Keys of the app's own are metadata of every row that is uploaded. */
static const struct client_schema *declare(const struct stage *stage, struct arena *arena,
                                           const struct client_schema *schema) {
    struct client_table *tables = arena_allocate(arena, schema->n_tables * sizeof *tables);
    struct client_schema *declared = arena_allocate(arena, sizeof *declared);
    for (size_t i = 0; i < schema->n_tables; i++) {
        tables[i] = schema->tables[i];
        tables[i].local_only = tables[i].local_only && !has_mutant(stage->scenario, "forget-local-only");
        tables[i].include_metadata |= stage->scenario->own_keys && !tables[i].local_only;
    }
    *declared = (struct client_schema){tables, schema->n_tables, schema->version};
    return declared;
}

const struct client_schema *stage_app_schema(const struct stage *stage, int64_t version) {
    const struct app *app = stage->scenario->app;
    return app->old_schema && version == app->old_schema->version ? app->old_schema : app->schema;
}

const struct client_schema *stage_client_schema(struct stage *stage, int64_t version) {
    const struct client_schema *right = stage_app_schema(stage, version);
    const struct client_schema **declared = &stage->schemas[right == stage->scenario->app->schema];
    if (!has_mutant(stage->scenario, "forget-local-only") && !stage->scenario->own_keys)
        return right;
    if (!*declared)
        *declared = declare(stage, &stage->arena, right);
    return *declared;
}

bool stage_has_old_app(const struct stage *stage, const char *client) {
    for (size_t i = 0; i < stage->scenario->n_old_apps; i++)
        if (!strcmp(stage->scenario->old_apps[i], client))
            return true;
    return false;
}

void stage_list_versions(struct stage *stage, struct check_settings *settings) {
    const struct app *app = stage->scenario->app;
    if (!app->old_schema)
        return;
    const struct client_schema **begins =
        arena_allocate(&stage->arena, (stage->names.count + 1) * sizeof *begins);
    for (size_t i = 0; i < stage->names.count; i++)
        begins[i] = stage_has_old_app(stage, stage->names.names[i]) ? app->old_schema : app->schema;
    settings->versions = &app->old_schema;
    settings->n_versions = 1;
    settings->begins = begins;
}

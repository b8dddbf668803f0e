#include "scenario/scenario_backend.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "app/write_checkpoint.h"

/* From the folder of the scenario's file on. */
static char *path_beside(const char *file, const char *path) {
    const char *slash = strrchr(file, '/');
    if (*path == '/' || !slash)
        return memory_copy_text(path);
    return memory_format("%.*s/%s", (int)(slash - file), file, path);
}

/* As a pinned plan writes it, which may be read from anywhere. */
static const char *whole_path(struct arena *arena, const char *path) {
    char *whole = realpath(path, NULL);
    const char *kept = arena_copy_text(arena, whole ? whole : path);
    free(whole);
    return kept;
}

enum status scenario_read_backend(struct reader *reader, struct reader_value value, void *target) {
    struct scenario *scenario = target;
    const char *name;
    struct error problem = {0};
    assert(scenario->file && !scenario->backend);
    enum status status = reader_text(reader, value, &name);
    if (status != STATUS_OK)
        return status;
    char *path = path_beside(scenario->file, name);
    status = convex_backend_load(path, &scenario->backend, &problem);
    scenario->backend_file = whole_path(reader->arena, path);
    if (status != STATUS_OK && problem.line == 0)
        status = reader_refuse(reader, value, "%s: %s", path, problem.message);
    else if (status != STATUS_OK && reader->error)
        *reader->error = problem;
    free(path);
    return status;
}

bool scenario_app_takes_part(const struct scenario *scenario) {
    return scenario->n_users > 0 || !scenario->backend;
}

static void add_write_checkpoints(struct arena *arena, struct convex_deployment_options *options) {
    struct convex_table *tables = arena_allocate(arena, (options->n_tables + 1) * sizeof *tables);
    memcpy(tables, options->tables, options->n_tables * sizeof *tables);
    tables[options->n_tables++] = app_write_checkpoints;
    options->tables = tables;
}

enum status scenario_fill_deployment(const struct scenario *scenario, struct arena *arena,
                                     struct convex_deployment_options *options, struct error *error) {
    const struct app *app = scenario->app;
    static const struct convex_auth_provider issuer[] = {
        {.issuer = "https://issuer", .application = APP_ISSUER_AUDIENCE},
        {.issuer = "https://issuer", .application = "powersync"}};
    const bool one_token = scenario->upload->shows_token && !scenario->upload->to_server;
    assert(app && options->n_tables == 0 && options->n_providers == 0);
    options->providers = issuer;
    options->n_providers = one_token ? 2 : 1;
    if (scenario_app_takes_part(scenario)) {
        options->tables = app->tables;
        options->n_tables = app->n_tables;
        options->functions = app->functions;
        options->n_functions = app->n_functions;
        if (client_checkpoints_are_custom(scenario->write_checkpoints))
            add_write_checkpoints(arena, options);
    }
    return scenario->backend ? convex_backend_add(scenario->backend, arena, options, error) : STATUS_OK;
}

/* A backend on top of what a deployment has already. */
#include <string.h>

#include "base/memory.h"
#include "mock-convex/backend.h"

static void *joined(struct arena *arena, const void *first, size_t n_first, const void *second,
                    size_t n_second, size_t size) {
    unsigned char *both = arena_allocate(arena, (n_first + n_second + 1) * size);
    if (n_first > 0) {
        memcpy(both, first, n_first * size);
    }
    if (n_second > 0) {
        memcpy(both + n_first * size, second, n_second * size);
    }
    return both;
}

static enum status check_tables(const struct convex_backend *backend,
                                const struct convex_deployment_options *options, struct error *error) {
    for (size_t i = 0; i < backend->n_tables; i++) {
        for (size_t k = 0; k < options->n_tables; k++) {
            if (strcmp(backend->tables[i].name, options->tables[k].name) == 0) {
                return error_set(error, STATUS_INVALID, "there is a table `%s` already",
                                 backend->tables[i].name);
            }
        }
    }
    return STATUS_OK;
}

static enum status check_functions(const struct convex_backend *backend,
                                   const struct convex_deployment_options *options, struct error *error) {
    for (size_t i = 0; i < backend->n_functions; i++) {
        for (size_t k = 0; k < options->n_functions; k++) {
            if (strcmp(backend->functions[i].path, options->functions[k].path) == 0) {
                return error_set(error, STATUS_INVALID, "there is a function `%s` already",
                                 backend->functions[i].path);
            }
        }
    }
    return STATUS_OK;
}

#define JOIN(member, count)                                                                                  \
    options->member = joined(arena, backend->member, backend->count, options->member, options->count,        \
                             sizeof *options->member);                                                       \
    options->count += backend->count

enum status convex_backend_add(const struct convex_backend *backend, struct arena *arena,
                               struct convex_deployment_options *options, struct error *error) {
    enum status status = check_tables(backend, options, error);
    if (status == STATUS_OK) {
        status = check_functions(backend, options, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    JOIN(tables, n_tables);
    JOIN(functions, n_functions);
    JOIN(http_routes, n_http_routes);
    JOIN(providers, n_providers);
    options->schemaless = options->schemaless || backend->schemaless;
    return STATUS_OK;
}

/* A backend: what an app's `convex/` folder holds, as one YAML file without JavaScript: schema, functions,
 * HTTP routes, auth providers. docs/backends.md is the reference. The functions are ordinary struct
 * convex_function; nobody who runs them knows where they come from. */
#ifndef MOCK_CONVEX_BACKEND_H
#define MOCK_CONVEX_BACKEND_H

#include "base/memory.h"
#include "mock-convex/deployment.h"

struct convex_backend {
    struct convex_table *tables;
    size_t n_tables;
    struct convex_function *functions;
    size_t n_functions;
    struct convex_http_route *http_routes;
    size_t n_http_routes;
    struct convex_auth_provider *providers;
    size_t n_providers;
    bool schemaless;                        /* the file declares no `tables` */
    struct convex_backend_private *private; /* owns everything */
};

/* STATUS_INVALID: with file, line and column. STATUS_IO: cannot be read. */
enum status convex_backend_load(const char *path, struct convex_backend **backend, struct error *error);
enum status convex_backend_parse(const char *text, size_t length, const char *file,
                                 struct convex_backend **backend, struct error *error);
/* Adds all that the backend has to what `options` name already. The new arrays live in `arena`, what they
 * hold is the backend's. STATUS_INVALID: a table or function of both has the same name; nothing is added. */
enum status convex_backend_add(const struct convex_backend *backend, struct arena *arena,
                               struct convex_deployment_options *options, struct error *error);
/* After the deployments that run it. */
void convex_backend_free(struct convex_backend *backend);

#endif

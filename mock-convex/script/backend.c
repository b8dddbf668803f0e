#include "mock-convex/backend.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/yaml.h"
#include "mock-convex/script/script_reader.h"
#include "mock-convex/script/script_run.h"
#include "mock-convex/validator.h"
#include "mock-convex/value/name.h"

struct convex_backend_private {
    struct script_program program;
    struct convex_validator **validators; /* owned */
    size_t n_validators, validators_capacity;
};

/* A file while it is read. */
struct loading {
    const struct yaml_document *document;
    struct convex_backend *backend;
    const char *file; /* without folders, as errors of running functions name it */
    struct error *error;
};

static struct arena *arena_of(struct loading *loading) {
    return &loading->backend->private->program.arena;
}

#define REFUSE(loading, node, ...) script_node_error((loading)->document, node, (loading)->error, __VA_ARGS__)

static enum status check_mapping(struct loading *loading, struct script_node node) {
    return json_is_object(node.json) ? STATUS_OK : REFUSE(loading, node, "a mapping is expected here");
}

/* A text of a mapping as one of the arena. NULL: it is not there. */
static enum status read_text(struct loading *loading, struct script_node node, const char *key, bool needed,
                             const char **text) {
    struct script_node child = script_node_member(node, key);
    *text = NULL;
    if (child.json == NULL) {
        return needed ? REFUSE(loading, node, "`%s` is missing", key) : STATUS_OK;
    }
    if (!json_is_string(child.json)) {
        return REFUSE(loading, child, "`%s` must be a text", key);
    }
    *text = arena_copy_text(arena_of(loading), json_string_value(child.json));
    return STATUS_OK;
}

/* --- validators --- */

/* Ids of tables that there are. */
static enum status check_ids(struct loading *loading, struct script_node node,
                             const struct convex_validator *validator) {
    const struct convex_backend *backend = loading->backend;
    enum status status = STATUS_OK;
    if (validator == NULL) {
        return STATUS_OK;
    }
    if (validator->kind == CONVEX_V_ID && !backend->schemaless && validator->table[0] != '_') {
        size_t i = 0;
        while (i < backend->n_tables && strcmp(backend->tables[i].name, validator->table) != 0) {
            i++;
        }
        if (i == backend->n_tables && strcmp(validator->table, "powersync_checkpoints") != 0) {
            return REFUSE(loading, node, "ids of `%.64s`: there is no such table", validator->table);
        }
    }
    status = check_ids(loading, node, validator->item);
    if (status == STATUS_OK) {
        status = check_ids(loading, node, validator->key);
    }
    for (size_t i = 0; status == STATUS_OK && i < validator->n_fields; i++) {
        status = check_ids(loading, node, validator->fields[i].value);
    }
    for (size_t i = 0; status == STATUS_OK && i < validator->n_members; i++) {
        status = check_ids(loading, node, validator->members[i]);
    }
    return status;
}

static enum status read_validator(struct loading *loading, struct script_node node,
                                  const struct convex_validator **out) {
    struct convex_backend_private *private = loading->backend->private;
    struct convex_validator *validator = NULL;
    struct convex_validator_fault fault = {0};
    struct error failure = {0};
    if (node.json == NULL) {
        return STATUS_OK;
    }
    if (convex_validator_from_json(node.json, &validator, &fault, &failure) != STATUS_OK) {
        struct script_node wrong = node;
        if (fault.parent != NULL) {
            wrong = (struct script_node){.parent = fault.parent, .key = fault.key, .index = fault.index};
        }
        return REFUSE(loading, wrong, "%s", failure.message);
    }
    MEMORY_RESERVE(private->validators, private->validators_capacity, private->n_validators + 1);
    private->validators[private->n_validators++] = validator;
    *out = validator;
    return STATUS_OK;
}

/* --- tables --- */

static enum status read_fields(struct loading *loading, struct script_node node, struct convex_index *index) {
    size_t count = json_array_size(node.json);
    if (count < 1 || count > 4) {
        return REFUSE(loading, node, "an index is a list of 1 to 4 fields");
    }
    for (size_t i = 0; i < count; i++) {
        struct script_node item = script_node_item(node, i);
        const char *field = json_string_value(item.json);
        if (field == NULL || !convex_name_is_field(field)) {
            return REFUSE(loading, item, "this cannot be the name of a field");
        }
        for (size_t before = 0; before < i; before++) {
            if (strcmp(index->fields[before], field) == 0) {
                return REFUSE(loading, item, "the field `%.64s` is in the index already", field);
            }
        }
        index->fields[index->n_fields++] = arena_copy_text(arena_of(loading), field);
    }
    return STATUS_OK;
}

static enum status read_indexes(struct loading *loading, struct script_node node,
                                struct convex_table *table) {
    const char *key;
    json_t *value;
    if (node.json == NULL) {
        return STATUS_OK;
    }
    enum status status = check_mapping(loading, node);
    if (status != STATUS_OK) {
        return status;
    }
    size_t count = json_object_size(node.json);
    if (count > 64) {
        return REFUSE(loading, node, "a table has at most 64 indexes");
    }
    struct convex_index *indexes = arena_allocate(arena_of(loading), (count + 1) * sizeof *indexes);
    table->indexes = indexes;
    json_object_foreach((json_t *)(uintptr_t)node.json, key, value) {
        struct convex_index *index = &indexes[table->n_indexes++];
        struct script_node child = script_node_member(node, key);
        if (!convex_name_is_table(key) || key[0] == '_' || strcmp(key, "by_id") == 0 ||
            strcmp(key, "by_creation_time") == 0) {
            return yaml_error_key(loading->document, node.json, key, loading->error,
                                  "`%.64s` cannot be the name of an index", key);
        }
        index->name = arena_copy_text(arena_of(loading), key);
        status = read_fields(loading, child, index);
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

static enum status read_table(struct loading *loading, struct script_node tables, const char *name,
                              struct convex_table *table) {
    static const char *const keys[] = {"document", "indexes", NULL};
    struct script_node node = script_node_member(tables, name);
    if (!convex_name_is_table(name) || name[0] == '_') {
        return yaml_error_key(loading->document, tables.json, name, loading->error,
                              "`%.64s` cannot be the name of a table", name);
    }
    table->name = arena_copy_text(arena_of(loading), name);
    if (json_is_null(node.json)) {
        return STATUS_OK;
    }
    enum status status = script_node_check_keys(loading->document, node, keys, loading->error);
    if (status == STATUS_OK) {
        status = read_validator(loading, script_node_member(node, "document"), &table->document);
    }
    return status == STATUS_OK ? read_indexes(loading, script_node_member(node, "indexes"), table) : status;
}

static enum status read_tables(struct loading *loading, struct script_node root) {
    struct convex_backend *backend = loading->backend;
    struct script_node tables = script_node_member(root, "tables");
    const char *key;
    json_t *value;
    backend->schemaless = tables.json == NULL;
    if (backend->schemaless) {
        return STATUS_OK;
    }
    enum status status = check_mapping(loading, tables);
    if (status != STATUS_OK) {
        return status;
    }
    backend->tables =
        arena_allocate(arena_of(loading), (json_object_size(tables.json) + 1) * sizeof *backend->tables);
    json_object_foreach((json_t *)(uintptr_t)tables.json, key, value) {
        status = read_table(loading, tables, key, &backend->tables[backend->n_tables++]);
        if (status != STATUS_OK) {
            return status;
        }
    }
    for (size_t i = 0; status == STATUS_OK && i < backend->n_tables; i++) {
        struct script_node node = script_node_member(tables, backend->tables[i].name);
        status = check_ids(loading, script_node_member(node, "document"), backend->tables[i].document);
    }
    return status;
}

/* --- functions --- */

static const char *const kind_keys[] = {"query", "mutation", "action", "http"};
enum { N_KINDS = sizeof kind_keys / sizeof *kind_keys };

static enum status read_kind(struct loading *loading, struct script_node node,
                             struct convex_function *function) {
    size_t found = 0;
    for (size_t i = 0; i < N_KINDS; i++) {
        if (json_object_get(node.json, kind_keys[i]) != NULL) {
            function->kind = (enum convex_function_kind)i;
            found++;
        }
    }
    return found == 1 ? STATUS_OK
                      : REFUSE(loading, node, "a function has one of query, mutation, action and http");
}

/* Its head: what others must know of it. */
static enum status read_head(struct loading *loading, struct script_node functions, const char *path,
                             struct convex_function *function) {
    static const char *const keys[] = {"args",     "returns", "internal", "query",
                                       "mutation", "action",  "http",     NULL};
    struct script_node node = script_node_member(functions, path);
    struct script_node internal = script_node_member(node, "internal");
    char *canonical = convex_path_canonical(path);
    bool good = canonical != NULL && strcmp(canonical, path) == 0;
    free(canonical);
    if (!good) {
        return yaml_error_key(loading->document, functions.json, path, loading->error,
                              "`%.200s` is not a function path such as module:export", path);
    }
    function->path = arena_copy_text(arena_of(loading), path);
    function->run = script_run;
    enum status status = script_node_check_keys(loading->document, node, keys, loading->error);
    if (status == STATUS_OK) {
        status = read_kind(loading, node, function);
    }
    if (status == STATUS_OK && internal.json != NULL && !json_is_boolean(internal.json)) {
        status = REFUSE(loading, internal, "`internal` is true or false");
    }
    function->internal = json_is_true(internal.json);
    return status;
}

static enum status read_types(struct loading *loading, struct script_node node,
                              struct convex_function *function) {
    struct script_node args = script_node_member(node, "args"), returns = script_node_member(node, "returns");
    if (function->kind == CONVEX_HTTP_ACTION && (args.json != NULL || returns.json != NULL)) {
        return REFUSE(loading, args.json != NULL ? args : returns,
                      "an HTTP action has no `args` and `returns`: it gets a request and gives a response");
    }
    enum status status = read_validator(loading, args, &function->args);
    if (status == STATUS_OK && function->args != NULL && function->args->kind != CONVEX_V_OBJECT) {
        status = REFUSE(loading, args, "`args` is a mapping of validators");
    }
    if (status == STATUS_OK) {
        status = check_ids(loading, args, function->args);
    }
    if (status == STATUS_OK) {
        status = read_validator(loading, returns, &function->returns);
    }
    return status == STATUS_OK ? check_ids(loading, returns, function->returns) : status;
}

static enum status read_body(struct loading *loading, struct script_node node,
                             const struct script_names *names, struct convex_function *function) {
    struct script_function *script = arena_allocate(arena_of(loading), sizeof *script);
    struct script_reader *reader = memory_allocate(sizeof *reader);
    *reader = (struct script_reader){.document = loading->document,
                                     .program = &loading->backend->private->program,
                                     .names = names,
                                     .kind = function->kind,
                                     .n_slots = SCRIPT_SLOTS_FIXED,
                                     .error = loading->error};
    enum status status =
        script_read_block(reader, script_node_member(node, kind_keys[function->kind]), &script->body);
    script->path = function->path;
    script->file = loading->file;
    script->n_slots = reader->n_slots;
    function->data = script;
    free(reader);
    return status;
}

static enum status read_functions(struct loading *loading, struct script_node root) {
    struct convex_backend *backend = loading->backend;
    struct script_node functions = script_node_member(root, "functions");
    const char *key;
    json_t *value;
    enum status status = STATUS_OK;
    if (functions.json == NULL) {
        return STATUS_OK;
    }
    status = check_mapping(loading, functions);
    backend->functions = arena_allocate(arena_of(loading),
                                        (json_object_size(functions.json) + 1) * sizeof *backend->functions);
    json_object_foreach((json_t *)(uintptr_t)functions.json, key, value) {
        if (status == STATUS_OK) {
            status = read_head(loading, functions, key, &backend->functions[backend->n_functions++]);
        }
    }
    const struct script_names names = {.tables = backend->tables,
                                       .n_tables = backend->n_tables,
                                       .schemaless = backend->schemaless,
                                       .functions = backend->functions,
                                       .n_functions = backend->n_functions};
    for (size_t i = 0; status == STATUS_OK && i < backend->n_functions; i++) {
        struct script_node node = script_node_member(functions, backend->functions[i].path);
        status = read_types(loading, node, &backend->functions[i]);
        if (status == STATUS_OK) {
            status = read_body(loading, node, &names, &backend->functions[i]);
        }
    }
    return status;
}

/* --- routes and providers --- */

static enum status read_route(struct loading *loading, struct script_node node,
                              struct convex_http_route *route) {
    static const char *const keys[] = {"method", "path", "function", NULL};
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", NULL};
    const struct convex_backend *backend = loading->backend;
    size_t method = 0, function = 0;
    enum status status = script_node_check_keys(loading->document, node, keys, loading->error);
    if (status == STATUS_OK) {
        status = read_text(loading, node, "method", true, &route->method);
    }
    if (status == STATUS_OK) {
        status = read_text(loading, node, "path", true, &route->path);
    }
    if (status == STATUS_OK) {
        status = read_text(loading, node, "function", true, &route->function);
    }
    if (status != STATUS_OK) {
        return status;
    }
    while (methods[method] != NULL && strcmp(methods[method], route->method) != 0) {
        method++;
    }
    while (function < backend->n_functions &&
           strcmp(backend->functions[function].path, route->function) != 0) {
        function++;
    }
    if (methods[method] == NULL) {
        return REFUSE(loading, script_node_member(node, "method"), "there is no method `%.32s` for a route",
                      route->method);
    }
    if (route->path[0] != '/') {
        return REFUSE(loading, script_node_member(node, "path"), "a path begins with /");
    }
    if (function == backend->n_functions || backend->functions[function].kind != CONVEX_HTTP_ACTION) {
        return REFUSE(loading, script_node_member(node, "function"), "there is no HTTP action `%.200s`",
                      route->function);
    }
    return STATUS_OK;
}

static enum status read_routes(struct loading *loading, struct script_node root) {
    struct convex_backend *backend = loading->backend;
    struct script_node http = script_node_member(root, "http");
    enum status status = STATUS_OK;
    if (http.json == NULL) {
        return STATUS_OK;
    }
    if (!json_is_array(http.json)) {
        return REFUSE(loading, http, "`http` is a list of routes");
    }
    backend->http_routes =
        arena_allocate(arena_of(loading), (json_array_size(http.json) + 1) * sizeof *backend->http_routes);
    for (size_t i = 0; status == STATUS_OK && i < json_array_size(http.json); i++) {
        status = read_route(loading, script_node_item(http, i), &backend->http_routes[i]);
        backend->n_http_routes++;
    }
    return status;
}

static enum status read_provider(struct loading *loading, struct script_node node,
                                 struct convex_auth_provider *provider) {
    static const char *const keys[] = {"issuer", "application", "jwks", "algorithm", NULL};
    enum status status = script_node_check_keys(loading->document, node, keys, loading->error);
    if (status == STATUS_OK) {
        status = read_text(loading, node, "issuer", true, &provider->issuer);
    }
    if (status == STATUS_OK) {
        status = read_text(loading, node, "jwks", false, &provider->jwks);
    }
    bool custom = provider->jwks != NULL;
    if (status == STATUS_OK) {
        status = read_text(loading, node, "application", !custom, &provider->application);
    }
    if (status == STATUS_OK) {
        status = read_text(loading, node, "algorithm", custom, &provider->algorithm);
    }
    if (status == STATUS_OK && provider->algorithm != NULL &&
        (!custom ||
         (strcmp(provider->algorithm, "RS256") != 0 && strcmp(provider->algorithm, "ES256") != 0))) {
        return REFUSE(loading, script_node_member(node, "algorithm"),
                      "`algorithm` is RS256 or ES256, and stands beside `jwks`");
    }
    return status;
}

static enum status read_providers(struct loading *loading, struct script_node root) {
    struct convex_backend *backend = loading->backend;
    struct script_node auth = script_node_member(root, "auth");
    enum status status = STATUS_OK;
    if (auth.json == NULL) {
        return STATUS_OK;
    }
    if (!json_is_array(auth.json)) {
        return REFUSE(loading, auth, "`auth` is a list of providers");
    }
    backend->providers =
        arena_allocate(arena_of(loading), (json_array_size(auth.json) + 1) * sizeof *backend->providers);
    for (size_t i = 0; status == STATUS_OK && i < json_array_size(auth.json); i++) {
        status = read_provider(loading, script_node_item(auth, i), &backend->providers[i]);
        backend->n_providers++;
    }
    return status;
}

/* --- the whole --- */

static enum status read_document(struct loading *loading) {
    static const char *const keys[] = {"tables", "functions", "http", "auth", NULL};
    struct script_node root = script_node_root(loading->document->root);
    enum status status = script_node_check_keys(loading->document, root, keys, loading->error);
    if (status == STATUS_OK) {
        status = read_tables(loading, root);
    }
    if (status == STATUS_OK) {
        status = read_functions(loading, root);
    }
    if (status == STATUS_OK) {
        status = read_routes(loading, root);
    }
    return status == STATUS_OK ? read_providers(loading, root) : status;
}

static enum status read_backend(const struct yaml_document *document, struct convex_backend **out,
                                struct error *error) {
    struct convex_backend *backend = memory_allocate(sizeof *backend);
    backend->private = memory_allocate(sizeof *backend->private);
    const char *slash = strrchr(document->file, '/');
    struct loading loading = {.document = document, .backend = backend, .error = error};
    loading.file = arena_copy_text(arena_of(&loading), slash != NULL ? slash + 1 : document->file);
    enum status status = read_document(&loading);
    if (status != STATUS_OK) {
        convex_backend_free(backend);
        return status;
    }
    *out = backend;
    return STATUS_OK;
}

enum status convex_backend_parse(const char *text, size_t length, const char *file,
                                 struct convex_backend **backend, struct error *error) {
    struct yaml_document document;
    *backend = NULL;
    enum status status = yaml_parse(&document, text, length, file, NULL, error);
    if (status == STATUS_OK) {
        status = read_backend(&document, backend, error);
        yaml_release(&document);
    }
    return status;
}

enum status convex_backend_load(const char *path, struct convex_backend **backend, struct error *error) {
    struct yaml_document document;
    *backend = NULL;
    enum status status = yaml_parse_file(&document, path, error);
    if (status == STATUS_OK) {
        status = read_backend(&document, backend, error);
        yaml_release(&document);
    }
    return status == STATUS_NOT_FOUND ? STATUS_IO : status;
}

void convex_backend_free(struct convex_backend *backend) {
    if (backend == NULL) {
        return;
    }
    struct convex_backend_private *private = backend->private;
    for (size_t i = 0; i < private->n_validators; i++) {
        convex_validator_free(private->validators[i]);
    }
    free(private->validators);
    for (size_t i = 0; i < private->program.n_literals; i++) {
        convex_free(private->program.literals[i]);
    }
    free(private->program.literals);
    arena_free(&private->program.arena);
    free(private);
    free(backend);
}

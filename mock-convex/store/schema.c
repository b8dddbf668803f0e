#include "mock-convex/store/schema.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mock-convex/store/component.h"
#include "mock-convex/value/name.h"

#define INDEX_FIELDS_MAX 4

static bool is_system_field(const char *name) {
    return strcmp(name, "_id") == 0 || strcmp(name, "_creationTime") == 0;
}

enum status convex_schema_check(const struct convex_validator *validator, const char *table,
                                const struct convex_value *document,
                                const struct convex_validator_tables *tables, struct error *error) {
    if (validator == NULL) {
        return STATUS_OK;
    }
    assert(document->kind == CONVEX_OBJECT);
    size_t count = document->as.object.count, kept = 0;
    struct convex_field *fields = memory_allocate_array(count + 1, sizeof *fields);
    for (size_t i = 0; i < count; i++) {
        if (!is_system_field(document->as.object.fields[i].name)) {
            fields[kept++] = document->as.object.fields[i];
        }
    }
    const struct convex_value view = {.kind = CONVEX_OBJECT, .as.object = {.fields = fields, .count = kept}};
    struct error why = {0};
    enum status status = convex_validate(validator, &view, tables, &why);
    free(fields);
    const char *id = convex_object_text(document, "_id");
    return status == STATUS_OK
               ? STATUS_OK
               : error_set(error, STATUS_INVALID,
                           "The document %.40s does not fit the schema of the table \"%.64s\": %s",
                           id != NULL ? id : "", table, why.message);
}

/* --- declarations --- */

static enum status check_index(const struct convex_table *table, const struct convex_index *index,
                               struct error *error) {
    bool reserved = index->name[0] == '_' || strcmp(index->name, "by_id") == 0 ||
                    strcmp(index->name, "by_creation_time") == 0;
    if (!convex_name_is_table(index->name) || reserved) {
        return error_set(error, STATUS_INVALID,
                         "\"%.64s\" of the table \"%s\" cannot be the name of an index", index->name,
                         table->name);
    }
    if (index->n_fields < 1 || index->n_fields > INDEX_FIELDS_MAX) {
        return error_set(error, STATUS_INVALID, "the index \"%s\" of the table \"%s\" needs 1 to %d fields",
                         index->name, table->name, INDEX_FIELDS_MAX);
    }
    for (size_t i = 0; i < index->n_fields; i++) {
        bool twice = false;
        for (size_t j = 0; j < i; j++) {
            twice = twice || strcmp(index->fields[i], index->fields[j]) == 0;
        }
        if (twice || !convex_name_is_field(index->fields[i]) || is_system_field(index->fields[i])) {
            return error_set(error, STATUS_INVALID,
                             "\"%.64s\" cannot be a field of the index \"%s\" of \"%s\"", index->fields[i],
                             index->name, table->name);
        }
    }
    return STATUS_OK;
}

static enum status check_table(const struct convex_table *table, struct error *error) {
    enum status status = STATUS_OK;
    if (!convex_name_is_table(table->name) || table->name[0] == '_') {
        return error_set(error, STATUS_INVALID, "\"%.64s\" cannot be the name of a table", table->name);
    }
    if (table->component != NULL && !convex_name_is_component(table->component)) {
        return error_set(error, STATUS_INVALID, "\"%.200s\" cannot be a component", table->component);
    }
    for (size_t i = 0; status == STATUS_OK && i < table->n_indexes; i++) {
        status = check_index(table, &table->indexes[i], error);
        for (size_t j = 0; status == STATUS_OK && j < i; j++) {
            if (strcmp(table->indexes[i].name, table->indexes[j].name) == 0) {
                status = error_set(error, STATUS_INVALID, "the table \"%s\" has two indexes \"%s\"",
                                   table->name, table->indexes[i].name);
            }
        }
    }
    return status;
}

enum status convex_schema_check_tables(const struct convex_table *tables, size_t count, struct error *error) {
    struct map names = {0};
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        status = check_table(&tables[i], error);
        char *name = convex_component_name(tables[i].component, tables[i].name);
        if (status == STATUS_OK && map_set(&names, name, (void *)(uintptr_t)&tables[i]) != NULL) {
            status = error_set(error, STATUS_INVALID, "there are two tables \"%.300s\"", name);
        }
        free(name);
    }
    map_free(&names, NULL);
    return status;
}

static bool is_canonical(const char *path) {
    char *canonical = convex_path_canonical(path);
    bool same = canonical != NULL && strcmp(canonical, path) == 0;
    free(canonical);
    return same;
}

enum status convex_schema_check_functions(const struct convex_function *functions, size_t count,
                                          struct error *error) {
    struct map paths = {0};
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        const struct convex_function *function = &functions[i];
        assert(function->path != NULL && function->run != NULL);
        if (!is_canonical(function->path)) {
            status = error_set(error, STATUS_INVALID, "\"%.200s\" cannot be the path of a function",
                               function->path);
            continue;
        }
        if (function->component != NULL && !convex_name_is_component(function->component)) {
            status =
                error_set(error, STATUS_INVALID, "\"%.200s\" cannot be a component", function->component);
            continue;
        }
        char *name = convex_component_name(function->component, function->path);
        if (map_set(&paths, name, (void *)(uintptr_t)function) != NULL) {
            status = error_set(error, STATUS_INVALID, "there are two functions \"%.300s\"", name);
        }
        free(name);
    }
    map_free(&paths, NULL);
    return status;
}

/* --- documents that are there --- */

/* Whose documents are checked. */
struct scope {
    const struct convex_store *store;
    const char *component;
};

static bool knows_table(const void *context, const char *name, uint32_t number) {
    const struct scope *scope = context;
    char *full = convex_component_name(scope->component, name);
    const struct convex_store_table *table = convex_store_table(scope->store, full);
    free(full);
    return table != NULL && table->number == number;
}

static enum status check_documents(const struct convex_store *store, const struct convex_store_table *table,
                                   const struct convex_validator *validator, struct error *error) {
    const struct scope scope = {store, table->component};
    const struct convex_validator_tables tables = {.knows = knows_table, .context = &scope};
    enum status status = STATUS_OK;
    for (const struct convex_ordered_node *node = convex_ordered_first(&table->indexes[0].entries);
         status == STATUS_OK && node != NULL; node = convex_ordered_next(node)) {
        const struct convex_document *document = node->item;
        if (node->until == CONVEX_LIVE) {
            assert(document->newest->value != NULL);
            status = convex_schema_check(validator, table->name, document->newest->value, &tables, error);
        }
    }
    return status;
}

enum status convex_schema_check_store(const struct convex_store *store, const struct convex_table *tables,
                                      size_t count, struct error *error) {
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        const struct convex_store_table *table = convex_store_declared(store, &tables[i]);
        if (table != NULL && tables[i].document != NULL) {
            status = check_documents(store, table, tables[i].document, error);
        }
    }
    return status;
}

#include "mock-powersync/replication/convex_row.h"

#include <assert.h>
#include <string.h>

static bool is_export_field(const char *name) {
    return name[0] == '_' && (strcmp(name, "_table") == 0 || strcmp(name, "_ts") == 0 ||
                              strcmp(name, "_deleted") == 0 || strcmp(name, "_component") == 0);
}

struct row convex_row(const json_t *document, struct arena *arena) {
    assert(json_is_object(document));
    struct row row = {0};
    row.columns = arena_allocate(arena, (json_object_size(document) + 1) * sizeof *row.columns);
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)document, name, value) {
        if (!is_export_field(name))
            row.columns[row.count++] = (struct row_column){name, sql_value_from_json(value, arena)};
    }
    assert(row.count <= json_object_size(document));
    return row;
}

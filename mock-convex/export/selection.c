#include "mock-convex/export/selection.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "mock-convex/value/name.h"

/* What a level of the grammar holds: the levels of components and of tables hold the next level. */
enum level { COMPONENTS, TABLES, COLUMNS };

static bool is_excluded(const json_t *choice) {
    const char *text = json_string_value(choice);
    return text != NULL && (strcmp(text, "excluded") == 0 || strcmp(text, "excl") == 0);
}

static bool is_included(const json_t *choice) {
    const char *text = json_string_value(choice);
    return text != NULL && (strcmp(text, "included") == 0 || strcmp(text, "incl") == 0);
}

static bool is_formed(const json_t *object, enum level level) {
    const char *name;
    json_t *member;
    const json_t *other = json_object_get(object, "_other");
    if (!json_is_object(object) || !(is_included(other) || is_excluded(other))) {
        return false;
    }
    json_object_foreach((json_t *)(uintptr_t)object, name, member) {
        bool formed = strcmp(name, "_other") == 0 || is_excluded(member) ||
                      (level == COLUMNS ? is_included(member) : is_formed(member, level + 1));
        if (!formed) {
            return false;
        }
    }
    return true;
}

bool convex_selection_is_formed(const json_t *selection) {
    return is_formed(selection, COMPONENTS);
}

static bool is_valid(const json_t *object, enum level level) {
    const char *name;
    json_t *member;
    assert(json_is_object(object));
    json_object_foreach((json_t *)(uintptr_t)object, name, member) {
        bool valid = strcmp(name, "_other") == 0 ? true
                     : level == COMPONENTS       ? convex_name_is_component(name)
                     : level == TABLES           ? convex_name_is_table(name)
                     : strcmp(name, "_id") == 0  ? !is_excluded(member)
                                                 : convex_name_is_field(name);
        if (!valid || (json_is_object(member) && !is_valid(member, level + 1))) {
            return false;
        }
    }
    return true;
}

bool convex_selection_is_valid(const json_t *selection) {
    return is_valid(selection, COMPONENTS);
}

/* The member that decides about `name`: its own, else that of all others. */
static const json_t *decide(const json_t *level, const char *name) {
    const json_t *member = strcmp(name, "_other") != 0 ? json_object_get(level, name) : NULL;
    return member != NULL ? member : json_object_get(level, "_other");
}

bool convex_selection_has_table(const json_t *selection, const char *component, const char *table,
                                const json_t **columns) {
    *columns = NULL;
    const json_t *tables = selection != NULL ? decide(selection, component) : NULL;
    const json_t *choice = json_is_object(tables) ? decide(tables, table) : tables;
    assert(selection == NULL || choice != NULL);
    if (json_is_object(choice)) {
        *columns = choice;
    }
    return !is_excluded(choice);
}

bool convex_selection_has_column(const json_t *columns, const char *column) {
    return columns == NULL || strcmp(column, "_id") == 0 || !is_excluded(decide(columns, column));
}

#include "mock-convex/value/name.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"

static bool is_letter(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

bool convex_name_is_field(const char *name) {
    assert(name != NULL);
    if (name[0] == 0 || name[0] == '$') {
        return false;
    }
    size_t length = 0;
    for (; name[length] != 0; length++) {
        if (length >= CONVEX_FIELD_NAME_MAX || name[length] < 32 || name[length] > 126) {
            return false;
        }
    }
    return true;
}

static bool is_identifier(const char *name, size_t length) {
    if (length == 0 || length > CONVEX_TABLE_NAME_MAX || is_digit(name[0])) {
        return false;
    }
    bool only_underscores = true;
    for (size_t i = 0; i < length; i++) {
        if (!is_letter(name[i]) && !is_digit(name[i]) && name[i] != '_') {
            return false;
        }
        only_underscores = only_underscores && name[i] == '_';
    }
    return !only_underscores;
}

bool convex_name_is_table(const char *name) {
    assert(name != NULL);
    return is_identifier(name, strlen(name));
}

bool convex_name_is_component(const char *path) {
    assert(path != NULL);
    if (path[0] == 0) {
        return true;
    }
    for (;;) {
        size_t length = strcspn(path, "/");
        if (!is_identifier(path, length)) {
            return false;
        }
        if (path[length] == 0) {
            return true;
        }
        path += length + 1;
    }
}

/* A module path: parts of letters, digits, '_' and '.' joined by '/'. */
static bool is_module(const char *module, size_t length) {
    size_t part = 0;
    for (size_t i = 0; i < length; i++) {
        if (module[i] == '/') {
            if (part == 0) {
                return false;
            }
            part = 0;
        } else if (is_letter(module[i]) || is_digit(module[i]) || module[i] == '_' || module[i] == '.') {
            part++;
        } else {
            return false;
        }
    }
    return part > 0;
}

char *convex_path_canonical(const char *path) {
    assert(path != NULL);
    const char *colon = strrchr(path, ':');
    size_t module = colon != NULL ? (size_t)(colon - path) : strlen(path);
    const char *export_name = colon != NULL ? colon + 1 : "default";
    if (module > 3 && memcmp(path + module - 3, ".js", 3) == 0) {
        module -= 3;
    }
    if (!is_module(path, module) || !is_identifier(export_name, strlen(export_name))) {
        return NULL;
    }
    return memory_format("%.*s:%s", (int)module, path, export_name);
}

#include "mock-convex/script/script_reader.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mock-convex/value/name.h"

/* --- nodes --- */

struct script_node script_node_root(const json_t *json) {
    return (struct script_node){.json = json, .parent = json, .key = ""};
}

struct script_node script_node_member(struct script_node node, const char *key) {
    return (struct script_node){.json = json_object_get(node.json, key), .parent = node.json, .key = key};
}

struct script_node script_node_item(struct script_node node, size_t index) {
    return (struct script_node){
        .json = json_array_get(node.json, index), .parent = node.json, .index = index};
}

struct script_place script_node_place(const struct yaml_document *document, struct script_node node) {
    struct script_place place = {0};
    if (node.json != NULL && !json_is_null(node.json) && !json_is_boolean(node.json)) {
        yaml_place(document, node.json, &place.line, &place.column);
    }
    if (place.line == 0 && node.key != NULL) {
        yaml_key_place(document, node.parent, node.key, &place.line, &place.column);
    } else if (place.line == 0) {
        yaml_item_place(document, node.parent, node.index, &place.line, &place.column);
    }
    return place;
}

static enum status refuse_at(const struct yaml_document *document, struct script_node node,
                             struct error *error, const char *format, va_list arguments) {
    char message[512];
    struct script_place place = script_node_place(document, node);
    vsnprintf(message, sizeof message, format, arguments);
    return error_set_at(error, STATUS_INVALID, document->file, place.line, place.column, "%s", message);
}

enum status script_node_error(const struct yaml_document *document, struct script_node node,
                              struct error *error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    enum status status = refuse_at(document, node, error, format, arguments);
    va_end(arguments);
    return status;
}

enum status script_refuse(struct script_reader *reader, struct script_node node, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    enum status status = refuse_at(reader->document, node, reader->error, format, arguments);
    va_end(arguments);
    return status;
}

enum status script_node_check_keys(const struct yaml_document *document, struct script_node node,
                                   const char *const *allowed, struct error *error) {
    const char *key;
    json_t *value;
    if (!json_is_object(node.json)) {
        return script_node_error(document, node, error, "a mapping is expected here");
    }
    json_object_foreach((json_t *)(uintptr_t)node.json, key, value) {
        size_t i = 0;
        while (allowed[i] != NULL && strcmp(allowed[i], key) != 0) {
            i++;
        }
        if (allowed[i] == NULL) {
            return yaml_error_key(document, node.json, key, error, "unknown key `%.64s`", key);
        }
    }
    return STATUS_OK;
}

/* --- variables --- */

bool script_find_variable(const struct script_reader *reader, const char *name, size_t *slot) {
    const char *argument = reader->kind == CONVEX_HTTP_ACTION ? "request" : "args";
    const struct script_variable fixed[] = {{argument, SCRIPT_SLOT_ARGS},
                                            {"user", SCRIPT_SLOT_USER},
                                            {reader->sees_doc ? "doc" : "", SCRIPT_SLOT_DOC},
                                            {reader->sees_error ? "error" : "", SCRIPT_SLOT_ERROR}};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        if (strcmp(fixed[i].name, name) == 0) {
            *slot = fixed[i].slot;
            return true;
        }
    }
    for (size_t i = 0; i < reader->n_variables; i++) {
        if (strcmp(reader->variables[i].name, name) == 0) {
            *slot = reader->variables[i].slot;
            return true;
        }
    }
    return false;
}

static bool is_reserved(const char *name) {
    static const char *const words[] = {"args", "request", "user", "doc",       "error",
                                        "true", "false",   "null", "undefined", NULL};
    size_t i = 0;
    while (words[i] != NULL && strcmp(words[i], name) != 0) {
        i++;
    }
    return words[i] != NULL;
}

enum status script_declare(struct script_reader *reader, struct script_node node, const char *name,
                           size_t *slot) {
    if (!convex_name_is_table(name)) { /* the same letters */
        return script_refuse(reader, node, "`%.64s` cannot be the name of a variable", name);
    }
    if (is_reserved(name)) {
        return script_refuse(reader, node, "`%s` has a meaning of its own", name);
    }
    if (script_find_variable(reader, name, slot)) {
        return script_refuse(reader, node, "there is a variable `%s` already", name);
    }
    if (reader->n_slots == SCRIPT_SLOTS_MAX) {
        return script_refuse(reader, node, "more than %d variables", SCRIPT_SLOTS_MAX - SCRIPT_SLOTS_FIXED);
    }
    *slot = reader->n_slots++;
    reader->variables[reader->n_variables++] =
        (struct script_variable){arena_copy_text(&reader->program->arena, name), *slot};
    return STATUS_OK;
}

/* --- values --- */

struct script_expression *script_make(struct script_reader *reader, enum script_expression_kind kind,
                                      struct convex_value *value) {
    struct script_program *program = reader->program;
    struct script_expression *expression = arena_allocate(&program->arena, sizeof *expression);
    expression->kind = kind;
    if (value != NULL) {
        MEMORY_RESERVE(program->literals, program->literals_capacity, program->n_literals + 1);
        program->literals[program->n_literals++] = value;
        expression->literal = value;
    }
    return expression;
}

static enum status read_scalar(struct script_reader *reader, struct script_node node,
                               const struct script_expression **expression) {
    const json_t *json = node.json;
    struct convex_value *value = NULL;
    if (json_is_string(json)) {
        if (strlen(json_string_value(json)) != json_string_length(json)) {
            return script_refuse(reader, node, "a text with a 0 byte");
        }
        if (json_string_value(json)[0] == '=') {
            return script_read_expression(reader, node, json_string_value(json) + 1, expression);
        }
        value = convex_string(json_string_value(json));
    } else if (json_is_integer(json)) {
        json_int_t integer = json_integer_value(json);
        if (integer > 9007199254740992 || integer < -9007199254740992) {
            return script_refuse(reader, node, "a Float64 cannot hold this number exactly; write =%lldn",
                                 (long long)integer);
        }
        value = convex_float64((double)integer);
    } else if (json_is_real(json)) {
        value = convex_float64(json_real_value(json));
    } else {
        value = json_is_boolean(json) ? convex_boolean(json_is_true(json)) : convex_null();
    }
    *expression = script_make(reader, SCRIPT_LITERAL, value);
    return STATUS_OK;
}

static enum status read_mapping(struct script_reader *reader, struct script_node node,
                                struct script_expression *object) {
    struct script_part *parts =
        arena_allocate(&reader->program->arena, (json_object_size(node.json) + 1) * sizeof *parts);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)node.json, key, value) {
        struct script_node child = script_node_member(node, key);
        struct script_part *part = &parts[object->n_parts++];
        if (strcmp(key, "...") != 0) {
            part->name = arena_copy_text(&reader->program->arena, key);
            if (!convex_name_is_field(key)) {
                return yaml_error_key(reader->document, node.json, key, reader->error,
                                      "`%.64s` cannot be the name of a field", key);
            }
        }
        enum status status = script_read_value(reader, child, &part->value);
        if (status != STATUS_OK) {
            return status;
        }
    }
    object->parts = parts;
    return STATUS_OK;
}

static enum status read_sequence(struct script_reader *reader, struct script_node node,
                                 struct script_expression *array) {
    size_t count = json_array_size(node.json);
    struct script_part *parts = arena_allocate(&reader->program->arena, (count + 1) * sizeof *parts);
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        status = script_read_value(reader, script_node_item(node, i), &parts[i].value);
    }
    array->parts = parts;
    array->n_parts = count;
    return status;
}

enum status script_read_value(struct script_reader *reader, struct script_node node,
                              const struct script_expression **expression) {
    bool mapping = json_is_object(node.json);
    if (!mapping && !json_is_array(node.json)) {
        return read_scalar(reader, node, expression);
    }
    if (reader->depth >= SCRIPT_DEPTH_MAX) {
        return script_refuse(reader, node, "nested more than %d deep", SCRIPT_DEPTH_MAX);
    }
    struct script_expression *made = script_make(reader, mapping ? SCRIPT_OBJECT : SCRIPT_ARRAY, NULL);
    *expression = made;
    reader->depth++;
    enum status status = mapping ? read_mapping(reader, node, made) : read_sequence(reader, node, made);
    reader->depth--;
    return status;
}

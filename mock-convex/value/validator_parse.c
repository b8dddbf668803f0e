/* Validators from their JSON form; see validator.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mock-convex/validator.h"
#include "mock-convex/value/name.h"

/* Where the value lies that is being read. */
struct place {
    const json_t *parent;
    const char *key;
    size_t index;
    int depth;
};

struct reader {
    struct convex_validator_fault *fault;
    struct error *error;
};

/* STATUS_INVALID at a place. */
static enum status refuse(const struct reader *reader, const struct place *place, const char *message,
                          const char *detail) {
    if (reader->fault != NULL) {
        *reader->fault = (struct convex_validator_fault){place->parent, place->key, place->index};
    }
    return error_set(reader->error, STATUS_INVALID, message, detail);
}

static struct place key_of(const struct place *place, const json_t *parent, const char *key) {
    return (struct place){.parent = parent, .key = key, .depth = place->depth + 1};
}

static enum status read_validator(const struct reader *reader, const struct place *place, const json_t *json,
                                  struct convex_validator **validator);

static struct convex_validator *make(enum convex_validator_kind kind) {
    struct convex_validator *validator = memory_allocate(sizeof *validator);
    validator->kind = kind;
    return validator;
}

static enum status read_word(const struct reader *reader, const struct place *place, const char *word,
                             struct convex_validator **validator) {
    static const struct {
        const char *word;
        enum convex_validator_kind kind;
    } words[] = {{"any", CONVEX_V_ANY},        {"null", CONVEX_V_NULL},       {"int64", CONVEX_V_INT64},
                 {"number", CONVEX_V_FLOAT64}, {"float64", CONVEX_V_FLOAT64}, {"boolean", CONVEX_V_BOOLEAN},
                 {"string", CONVEX_V_STRING},  {"bytes", CONVEX_V_BYTES}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i].word, word) == 0) {
            *validator = make(words[i].kind);
            return STATUS_OK;
        }
    }
    if (strncmp(word, "id ", 3) != 0) {
        return refuse(reader, place, "\"%.64s\" is no validator", word);
    }
    if (!convex_name_is_table(word + 3)) {
        return refuse(reader, place, "\"%.64s\" cannot be the name of a table", word + 3);
    }
    *validator = make(CONVEX_V_ID);
    (*validator)->table = memory_copy_text(word + 3);
    return STATUS_OK;
}

static enum status read_literal(const struct reader *reader, const struct place *place, const json_t *json,
                                struct convex_validator *validator) {
    struct error why = {0};
    if (convex_from_json(json, &validator->literal, &why) != STATUS_OK) {
        return refuse(reader, place, "the literal is no value: %.300s", why.message);
    }
    enum convex_kind kind = validator->literal->kind;
    return kind == CONVEX_STRING || kind == CONVEX_FLOAT64 || kind == CONVEX_INT64 || kind == CONVEX_BOOLEAN
               ? STATUS_OK
               : refuse(reader, place, "a literal must be a string, a number or a boolean%s", "");
}

static enum status read_array(const struct reader *reader, const struct place *place, const json_t *json,
                              struct convex_validator *validator) {
    return read_validator(reader, place, json, &validator->item);
}

static bool is_key(const struct convex_validator *validator) {
    for (size_t i = 0; validator->kind == CONVEX_V_UNION && i < validator->n_members; i++) {
        if (!is_key(validator->members[i])) {
            return false;
        }
    }
    return validator->kind == CONVEX_V_STRING || validator->kind == CONVEX_V_ID ||
           validator->kind == CONVEX_V_UNION;
}

static enum status read_record(const struct reader *reader, const struct place *place, const json_t *json,
                               struct convex_validator *validator) {
    const json_t *keys = json_object_get(json, "keys"), *values = json_object_get(json, "values");
    if (keys == NULL || values == NULL || json_object_size(json) != 2) {
        return refuse(reader, place, "a record needs `keys` and `values` and nothing else%s", "");
    }
    struct place here = key_of(place, json, "keys");
    enum status status = read_validator(reader, &here, keys, &validator->key);
    if (status == STATUS_OK && !is_key(validator->key)) {
        return refuse(reader, &here, "the keys of a record are strings or ids%s", "");
    }
    here = key_of(place, json, "values");
    return status == STATUS_OK ? read_validator(reader, &here, values, &validator->item) : status;
}

static enum status read_union(const struct reader *reader, const struct place *place, const json_t *json,
                              struct convex_validator *validator) {
    if (!json_is_array(json)) {
        return refuse(reader, place, "a union needs a list of validators%s", "");
    }
    validator->members = memory_allocate_array(json_array_size(json) + 1, sizeof(struct convex_validator *));
    for (size_t i = 0; i < json_array_size(json); i++) {
        struct place here = {.parent = json, .index = i, .depth = place->depth + 1};
        enum status status =
            read_validator(reader, &here, json_array_get(json, i), &validator->members[validator->n_members]);
        if (status != STATUS_OK) {
            return status;
        }
        validator->n_members++;
    }
    return STATUS_OK;
}

static bool has_field(const struct convex_validator *validator, const char *name) {
    for (size_t i = 0; i < validator->n_fields; i++) {
        if (strcmp(validator->fields[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* "name?" and {optional: V} both make the field optional. */
static enum status read_field(const struct reader *reader, const struct place *place, const json_t *json,
                              struct convex_validator *validator) {
    size_t length = strlen(place->key);
    bool marked = length > 1 && place->key[length - 1] == '?';
    char *name = memory_copy_bytes(place->key, marked ? length - 1 : length);
    enum status status = STATUS_OK;
    if (!convex_name_is_field(name)) {
        status = refuse(reader, place, "\"%.64s\" cannot be the name of a field", name);
    } else if (has_field(validator, name)) {
        status = refuse(reader, place, "the field \"%.64s\" is there twice", name);
    }
    if (status != STATUS_OK) {
        free(name);
        return status;
    }
    struct convex_validator_field *field = &validator->fields[validator->n_fields++];
    struct place inner = key_of(place, json, "optional");
    const json_t *optional = json_object_size(json) == 1 ? json_object_get(json, "optional") : NULL;
    *field = (struct convex_validator_field){.name = name, .optional = marked || optional != NULL};
    return optional != NULL ? read_validator(reader, &inner, optional, &field->value)
                            : read_validator(reader, place, json, &field->value);
}

static enum status read_object(const struct reader *reader, const struct place *place, const json_t *json,
                               struct convex_validator *validator) {
    const char *key;
    json_t *member;
    if (!json_is_object(json)) {
        return refuse(reader, place, "an object needs a mapping of its fields%s", "");
    }
    validator->fields =
        memory_allocate_array(json_object_size(json) + 1, sizeof(struct convex_validator_field));
    json_object_foreach((json_t *)(uintptr_t)json, key, member) {
        struct place here = key_of(place, json, key);
        enum status status = read_field(reader, &here, member, validator);
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

static const struct constructor {
    const char *word;
    enum convex_validator_kind kind;
    enum status (*read)(const struct reader *reader, const struct place *place, const json_t *json,
                        struct convex_validator *validator);
} constructors[] = {{"object", CONVEX_V_OBJECT, read_object},
                    {"array", CONVEX_V_ARRAY, read_array},
                    {"record", CONVEX_V_RECORD, read_record},
                    {"union", CONVEX_V_UNION, read_union},
                    {"literal", CONVEX_V_LITERAL, read_literal}};

static enum status construct(const struct reader *reader, const struct place *place, const json_t *json,
                             const struct constructor *constructor, struct convex_validator **validator) {
    *validator = make(constructor->kind);
    enum status status = constructor->read(reader, place, json, *validator);
    if (status != STATUS_OK) {
        convex_validator_free(*validator);
        *validator = NULL;
    }
    return status;
}

static enum status read_mapping(const struct reader *reader, const struct place *place, const json_t *json,
                                struct convex_validator **validator) {
    const json_t *only = NULL;
    for (size_t i = 0; json_object_size(json) == 1 && i < sizeof constructors / sizeof constructors[0]; i++) {
        only = json_object_get(json, constructors[i].word);
        if (only != NULL) {
            struct place here = key_of(place, json, constructors[i].word);
            return construct(reader, &here, only, &constructors[i], validator);
        }
    }
    if (json_object_size(json) == 1 && json_object_get(json, "optional") != NULL) {
        return refuse(reader, place, "only a field of an object can be optional%s", "");
    }
    return construct(reader, place, json, &constructors[0], validator);
}

static enum status read_validator(const struct reader *reader, const struct place *place, const json_t *json,
                                  struct convex_validator **validator) {
    *validator = NULL;
    if (place->depth > CONVEX_VALIDATOR_NESTING_MAX) {
        return refuse(reader, place, "the validator is nested too deep%s", "");
    }
    switch (json_typeof(json)) {
    case JSON_NULL:
        return read_word(reader, place, "null", validator);
    case JSON_STRING:
        return read_word(reader, place, json_string_value(json), validator);
    case JSON_OBJECT:
        return read_mapping(reader, place, json, validator);
    default:
        return refuse(reader, place, "a validator is a word or a mapping%s", "");
    }
}

enum status convex_validator_from_json(const json_t *json, struct convex_validator **validator,
                                       struct convex_validator_fault *fault, struct error *error) {
    assert(json != NULL && validator != NULL);
    const struct reader reader = {.fault = fault, .error = error};
    const struct place whole = {0};
    return read_validator(&reader, &whole, json, validator);
}

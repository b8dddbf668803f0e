/* Validators: what values a table's documents, a function's arguments or its result may be, as `v` in the
 * npm package's schema.ts. A validator is immutable once made; who made it frees it. */
#ifndef MOCK_CONVEX_VALIDATOR_H
#define MOCK_CONVEX_VALIDATOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "mock-convex/value.h"

enum convex_validator_kind {
    CONVEX_V_ANY,
    CONVEX_V_NULL,
    CONVEX_V_INT64,
    CONVEX_V_FLOAT64,
    CONVEX_V_BOOLEAN,
    CONVEX_V_STRING,
    CONVEX_V_BYTES,
    CONVEX_V_ID,      /* a string that is an id of `table` */
    CONVEX_V_LITERAL, /* equal to `literal` */
    CONVEX_V_ARRAY,   /* of `item` */
    CONVEX_V_RECORD,  /* object with any names; keys by `key` (strings or ids), values by `item` */
    CONVEX_V_OBJECT,  /* exactly these fields */
    CONVEX_V_UNION    /* one of `members` */
};

struct convex_validator_field {
    char *name;
    bool optional;
    struct convex_validator *value;
};

struct convex_validator {
    enum convex_validator_kind kind;
    char *table;
    struct convex_value *literal;
    struct convex_validator *item, *key;
    struct convex_validator_field *fields;
    size_t n_fields;
    struct convex_validator **members;
    size_t n_members;
};

/* From the YAML form (converted to JSON): "string", "number", "int64", "boolean", "bytes", "null", "any", "id
 * todos", a mapping {object: {name: validator, "name?": optional}}, {array: V}, {record: {keys: V, values:
 * V}}, {union: [V, ..]}, {optional: V} (fields only), {literal: value}; a plain mapping is short for object.
 */
enum status convex_validator_from_json(const json_t *json, struct convex_validator **validator,
                                       struct error *error);
void convex_validator_free(struct convex_validator *validator);

/* Does the number of this table's ids equal that of `table`? NULL as `knows`: ids are checked for form only.
 */
struct convex_validator_tables {
    bool (*knows)(const void *context, const char *table, uint32_t number);
    const void *context;
};
/* STATUS_INVALID: the message says where ("Path: .todos[2].text") and what was expected. */
enum status convex_validate(const struct convex_validator *validator, const struct convex_value *value,
                            const struct convex_validator_tables *tables, struct error *error);

#endif

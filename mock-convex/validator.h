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

#define CONVEX_VALIDATOR_NESTING_MAX 64

/* Where in its JSON a validator is wrong, for callers that know the places of a file: the key of a mapping or
 * the item of a sequence. Borrowed from the JSON. */
struct convex_validator_fault {
    const json_t *parent; /* NULL: the JSON as a whole */
    const char *key;      /* of the mapping `parent`; NULL: `index` of the sequence `parent` */
    size_t index;
};

/* From the YAML form (converted to JSON):
 *   "string", "number" (or "float64"), "int64", "boolean", "bytes", "null", "any", "id todos"
 *   {object: {name: V, "name?": V}}     "name?" is optional, as is name: {optional: V}
 *   {array: V}   {record: {keys: V, values: V}}   {union: [V, ..]}   {literal: value}
 * Any other mapping is short for {object: ..}; JSON null is short for "null". A literal is a string, a
 * boolean, a number (Float64) or {"$integer": ..}; keys of records are strings, ids or unions of these.
 * STATUS_INVALID: `fault` (may be NULL) says where, the message why. */
enum status convex_validator_from_json(const json_t *json, struct convex_validator **validator,
                                       struct convex_validator_fault *fault, struct error *error);
void convex_validator_free(struct convex_validator *validator);

/* Does the number of this table's ids equal that of `table`? NULL as `knows`: ids are checked for form only.
 */
struct convex_validator_tables {
    bool (*knows)(const void *context, const char *table, uint32_t number);
    const void *context;
};
/* STATUS_INVALID: the message ends with "Path: .todos[2].text. Value: 1.0. Validator: v.string()"; the path
 * is left out at the top. Of a union none of whose members fits, the union is named. `tables` may be NULL. */
enum status convex_validate(const struct convex_validator *validator, const struct convex_value *value,
                            const struct convex_validator_tables *tables, struct error *error);
/* As a schema.ts would say it: v.object({name: v.optional(v.string())}). */
void convex_validator_describe(const struct convex_validator *validator, struct buffer *out);

#endif

#include "mock-convex/validator.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mock-convex/value/document_id.h"

#define SHOWN_MAX 240 /* bytes of a value or a validator that a message quotes */

void convex_validator_free(struct convex_validator *validator) {
    if (validator == NULL) {
        return;
    }
    for (size_t i = 0; i < validator->n_fields; i++) {
        free(validator->fields[i].name);
        convex_validator_free(validator->fields[i].value);
    }
    for (size_t i = 0; i < validator->n_members; i++) {
        convex_validator_free(validator->members[i]);
    }
    convex_validator_free(validator->item);
    convex_validator_free(validator->key);
    convex_free(validator->literal);
    free(validator->fields);
    free(validator->members);
    free(validator->table);
    free(validator);
}

/* --- in words --- */

static void describe_fields(const struct convex_validator *validator, struct buffer *out) {
    buffer_append_text(out, "v.object({");
    for (size_t i = 0; i < validator->n_fields; i++) {
        const struct convex_validator_field *field = &validator->fields[i];
        buffer_printf(out, "%s%s: %s", i > 0 ? ", " : "", field->name, field->optional ? "v.optional(" : "");
        convex_validator_describe(field->value, out);
        buffer_append_text(out, field->optional ? ")" : "");
    }
    buffer_append_text(out, "})");
}

static void describe_union(const struct convex_validator *validator, struct buffer *out) {
    buffer_append_text(out, "v.union(");
    for (size_t i = 0; i < validator->n_members; i++) {
        buffer_append_text(out, i > 0 ? ", " : "");
        convex_validator_describe(validator->members[i], out);
    }
    buffer_append_char(out, ')');
}

static void describe_literal(const struct convex_value *literal, struct buffer *out) {
    buffer_append_text(out, "v.literal(");
    if (literal->kind == CONVEX_INT64) {
        buffer_append_integer(out, literal->as.integer);
        buffer_append_char(out, 'n');
    } else {
        convex_append_json(out, literal, CONVEX_FORMAT_JSON);
    }
    buffer_append_char(out, ')');
}

void convex_validator_describe(const struct convex_validator *validator, struct buffer *out) {
    static const char *const words[] = {
        [CONVEX_V_ANY] = "v.any()",         [CONVEX_V_NULL] = "v.null()",
        [CONVEX_V_INT64] = "v.int64()",     [CONVEX_V_FLOAT64] = "v.float64()",
        [CONVEX_V_BOOLEAN] = "v.boolean()", [CONVEX_V_STRING] = "v.string()",
        [CONVEX_V_BYTES] = "v.bytes()"};
    switch (validator->kind) {
    case CONVEX_V_ID:
        buffer_printf(out, "v.id(\"%s\")", validator->table);
        return;
    case CONVEX_V_LITERAL:
        describe_literal(validator->literal, out);
        return;
    case CONVEX_V_ARRAY:
        buffer_append_text(out, "v.array(");
        convex_validator_describe(validator->item, out);
        buffer_append_char(out, ')');
        return;
    case CONVEX_V_RECORD:
        buffer_append_text(out, "v.record(");
        convex_validator_describe(validator->key, out);
        buffer_append_text(out, ", ");
        convex_validator_describe(validator->item, out);
        buffer_append_char(out, ')');
        return;
    case CONVEX_V_OBJECT:
        describe_fields(validator, out);
        return;
    case CONVEX_V_UNION:
        describe_union(validator, out);
        return;
    default:
        buffer_append_text(out, words[validator->kind]);
    }
}

/* --- the check --- */

struct check {
    const struct convex_validator_tables *tables;
    struct error *error; /* NULL: nobody asks why */
    struct buffer path;
};

/* At most SHOWN_MAX bytes, never a part of a character. */
static void shorten(struct buffer *text) {
    size_t end = SHOWN_MAX;
    if (text->length <= end) {
        return;
    }
    while (end > 0 && ((unsigned char)text->data[end] & 0xc0) == 0x80) {
        end--;
    }
    text->length = end;
    buffer_append_text(text, "...");
}

static enum status mismatch(const struct check *check, const struct convex_validator *validator,
                            const struct convex_value *value, const char *message, const char *detail) {
    if (check->error == NULL) {
        return STATUS_INVALID;
    }
    struct buffer shown = {0}, expected = {0}, why = {0};
    convex_append_json(&shown, value, CONVEX_FORMAT_ENCODED);
    convex_validator_describe(validator, &expected);
    shorten(&shown);
    shorten(&expected);
    buffer_printf(&why, "%s%.64s%s", message, detail != NULL ? detail : "", detail != NULL ? "'." : "");
    bool top = check->path.length == 0;
    error_set(check->error, STATUS_INVALID, "%s%s%.200s%s Value: %s. Validator: %s", buffer_text(&why),
              top ? "" : " Path: ", buffer_text(&check->path), top ? "" : ".", buffer_text(&shown),
              buffer_text(&expected));
    buffer_free(&shown);
    buffer_free(&expected);
    buffer_free(&why);
    return STATUS_INVALID;
}

static enum status check_value(struct check *check, const struct convex_validator *validator,
                               const struct convex_value *value);

/* Go one step down; the path shows it only when somebody asks. */
static enum status check_member(struct check *check, const struct convex_validator *validator,
                                const struct convex_value *value, const char *name, size_t index) {
    size_t before = check->path.length;
    if (check->error != NULL && name != NULL) {
        buffer_printf(&check->path, ".%s", name);
    } else if (check->error != NULL) {
        buffer_printf(&check->path, "[%zu]", index);
    }
    enum status status = check_value(check, validator, value);
    check->path.length = before;
    if (check->path.data != NULL) {
        check->path.data[before] = 0;
    }
    return status;
}

static enum status check_id(struct check *check, const struct convex_validator *validator,
                            const struct convex_value *value) {
    struct convex_id id;
    if (value->kind != CONVEX_STRING || strlen(value->as.bytes.data) != value->as.bytes.length ||
        convex_id_decode(value->as.bytes.data, &id) != STATUS_OK) {
        return mismatch(check, validator, value, "The value is no document id.", NULL);
    }
    const struct convex_validator_tables *tables = check->tables;
    return tables == NULL || tables->knows == NULL ||
                   tables->knows(tables->context, validator->table, id.table)
               ? STATUS_OK
               : mismatch(check, validator, value, "The id is not of the table '", validator->table);
}

static enum status check_array(struct check *check, const struct convex_validator *validator,
                               const struct convex_value *value) {
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < value->as.array.count; i++) {
        status = check_member(check, validator->item, value->as.array.items[i], NULL, i);
    }
    return status;
}

static enum status check_record(struct check *check, const struct convex_validator *validator,
                                const struct convex_value *value) {
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < value->as.object.count; i++) {
        const struct convex_field *field = &value->as.object.fields[i];
        struct convex_value *key = convex_string(field->name);
        status = check_member(check, validator->key, key, field->name, 0);
        convex_free(key);
        if (status == STATUS_OK) {
            status = check_member(check, validator->item, field->value, field->name, 0);
        }
    }
    return status;
}

static enum status check_object(struct check *check, const struct convex_validator *validator,
                                const struct convex_value *value) {
    enum status status = STATUS_OK;
    size_t found = 0;
    for (size_t i = 0; status == STATUS_OK && i < validator->n_fields; i++) {
        const struct convex_validator_field *field = &validator->fields[i];
        const struct convex_value *member = convex_object_get(value, field->name);
        if (member != NULL) {
            found++;
            status = check_member(check, field->value, member, field->name, 0);
        } else if (!field->optional) {
            return mismatch(check, validator, value, "The object lacks the required field '", field->name);
        }
    }
    for (size_t i = 0; status == STATUS_OK && found < value->as.object.count; i++) {
        const char *name = value->as.object.fields[i].name;
        bool known = false;
        for (size_t j = 0; !known && j < validator->n_fields; j++) {
            known = strcmp(validator->fields[j].name, name) == 0;
        }
        if (!known) {
            return mismatch(check, validator, value, "The object has an extra field '", name);
        }
    }
    return status;
}

/* Why the single members do not fit is nobody's interest: the union is named. */
static enum status check_union(struct check *check, const struct convex_validator *validator,
                               const struct convex_value *value) {
    struct check silent = {.tables = check->tables};
    for (size_t i = 0; i < validator->n_members; i++) {
        if (check_value(&silent, validator->members[i], value) == STATUS_OK) {
            return STATUS_OK;
        }
    }
    return mismatch(check, validator, value, "The value fits no member of the union.", NULL);
}

/* The kind of value that a validator takes; CONVEX_UNDEFINED: it looks for itself. */
static enum convex_kind kind_taken(const struct convex_validator *validator) {
    static const enum convex_kind kinds[] = {
        [CONVEX_V_NULL] = CONVEX_NULL,       [CONVEX_V_INT64] = CONVEX_INT64,
        [CONVEX_V_FLOAT64] = CONVEX_FLOAT64, [CONVEX_V_BOOLEAN] = CONVEX_BOOLEAN,
        [CONVEX_V_STRING] = CONVEX_STRING,   [CONVEX_V_BYTES] = CONVEX_BYTES,
        [CONVEX_V_ARRAY] = CONVEX_ARRAY,     [CONVEX_V_RECORD] = CONVEX_OBJECT,
        [CONVEX_V_OBJECT] = CONVEX_OBJECT,   [CONVEX_V_UNION] = CONVEX_UNDEFINED};
    return kinds[validator->kind];
}

static enum status check_value(struct check *check, const struct convex_validator *validator,
                               const struct convex_value *value) {
    enum convex_kind kind = kind_taken(validator);
    if (kind != CONVEX_UNDEFINED && value->kind != kind) {
        return mismatch(check, validator, value, "The value does not match the validator.", NULL);
    }
    switch (validator->kind) {
    case CONVEX_V_ID:
        return check_id(check, validator, value);
    case CONVEX_V_LITERAL:
        return convex_compare(validator->literal, value) == 0
                   ? STATUS_OK
                   : mismatch(check, validator, value, "The value does not match the validator.", NULL);
    case CONVEX_V_ARRAY:
        return check_array(check, validator, value);
    case CONVEX_V_RECORD:
        return check_record(check, validator, value);
    case CONVEX_V_OBJECT:
        return check_object(check, validator, value);
    case CONVEX_V_UNION:
        return check_union(check, validator, value);
    default:
        return STATUS_OK;
    }
}

enum status convex_validate(const struct convex_validator *validator, const struct convex_value *value,
                            const struct convex_validator_tables *tables, struct error *error) {
    assert(validator != NULL && value != NULL);
    struct check check = {.tables = tables, .error = error};
    enum status status = check_value(&check, validator, value);
    buffer_free(&check.path);
    return status;
}

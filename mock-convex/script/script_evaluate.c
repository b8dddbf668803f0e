#include "mock-convex/script/script_evaluate.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "mock-convex/script/script_operate.h"
#include "mock-convex/value/value_check.h"

static const struct convex_value undefined = {.kind = CONVEX_UNDEFINED};

void script_value_free(struct script_value *value) {
    convex_free(value->owned);
    *value = (struct script_value){0};
}

static struct script_value borrowed(const struct convex_value *value) {
    return (struct script_value){.value = value != NULL ? value : &undefined};
}

static struct script_value owned(struct convex_value *value) {
    return (struct script_value){.value = value, .owned = value};
}

struct convex_value *script_value_take(struct script_value *value) {
    struct convex_value *taken = value->owned != NULL ? value->owned : convex_copy(value->value);
    *value = (struct script_value){0};
    return taken;
}

bool script_is_true(const struct convex_value *value) {
    switch (value->kind) {
    case CONVEX_UNDEFINED:
    case CONVEX_NULL:
        return false;
    case CONVEX_BOOLEAN:
        return value->as.boolean;
    case CONVEX_INT64:
        return value->as.integer != 0;
    case CONVEX_FLOAT64:
        return !isnan(value->as.number) && value->as.number != 0;
    case CONVEX_STRING:
        return value->as.bytes.length > 0;
    default:
        return true;
    }
}

/* Bytes of memory, roughly. */
static size_t footprint(const struct convex_value *value) {
    size_t bytes = sizeof *value;
    if (value->kind == CONVEX_STRING || value->kind == CONVEX_BYTES) {
        bytes += value->as.bytes.length;
    }
    for (size_t i = 0; value->kind == CONVEX_ARRAY && i < value->as.array.count; i++) {
        bytes += footprint(value->as.array.items[i]);
    }
    for (size_t i = 0; value->kind == CONVEX_OBJECT && i < value->as.object.count; i++) {
        bytes += strlen(value->as.object.fields[i].name) + footprint(value->as.object.fields[i].value);
    }
    return bytes;
}

enum status script_charge(struct script_frame *frame, const struct convex_value *value, struct error *error) {
    frame->made += footprint(value);
    if (frame->made > SCRIPT_MADE_MAX) {
        return error_set(error, STATUS_LIMIT, "the function ran out of memory: it has made more than %zu MiB",
                         SCRIPT_MADE_MAX >> 20);
    }
    return STATUS_OK;
}

enum status script_check_depth(const struct convex_value *value, int levels, struct error *error) {
    enum status status = STATUS_OK;
    if (value->kind != CONVEX_ARRAY && value->kind != CONVEX_OBJECT) {
        return STATUS_OK;
    }
    if (levels == 0) {
        return error_set(error, STATUS_INVALID, "TooNestedError: more than %d levels", CONVEX_NESTING_MAX);
    }
    for (size_t i = 0; value->kind == CONVEX_ARRAY && status == STATUS_OK && i < value->as.array.count; i++) {
        status = script_check_depth(value->as.array.items[i], levels - 1, error);
    }
    for (size_t i = 0; value->kind == CONVEX_OBJECT && status == STATUS_OK && i < value->as.object.count;
         i++) {
        status = script_check_depth(value->as.object.fields[i].value, levels - 1, error);
    }
    return status;
}

/* --- parts of values --- */

/* UTF-16 units, as JavaScript counts. */
static double text_length(const struct convex_value *text) {
    size_t units = 0;
    for (size_t i = 0; i < text->as.bytes.length; i++) {
        unsigned char byte = (unsigned char)text->as.bytes.data[i];
        units += (byte & 0xC0) == 0x80 ? 0 : byte >= 0xF0 ? 2 : 1;
    }
    return (double)units;
}

/* A part of what `whole` is: a copy when the whole is a value of our own that is about to go. */
static struct script_value part_of(struct script_value *whole, const struct convex_value *part) {
    struct script_value result = borrowed(part);
    if (whole->owned != NULL && part != NULL) {
        result = owned(convex_copy(part));
    }
    return result;
}

static enum status member(struct script_value *whole, const char *name, struct script_value *out,
                          struct error *error) {
    const struct convex_value *value = whole->value;
    if (value->kind == CONVEX_UNDEFINED || value->kind == CONVEX_NULL) {
        return error_set(error, STATUS_INVALID, "TypeError: Cannot read properties of %s (reading '%.64s')",
                         script_kind_name(value), name);
    }
    if (value->kind == CONVEX_OBJECT) {
        *out = part_of(whole, convex_object_get(value, name));
    } else if (strcmp(name, "length") == 0 && value->kind == CONVEX_ARRAY) {
        *out = owned(convex_float64((double)value->as.array.count));
    } else if (strcmp(name, "length") == 0 && value->kind == CONVEX_STRING) {
        *out = owned(convex_float64(text_length(value)));
    } else {
        *out = borrowed(NULL);
    }
    return STATUS_OK;
}

static enum status item(struct script_value *whole, const struct convex_value *key, struct script_value *out,
                        struct error *error) {
    const struct convex_value *value = whole->value;
    if (key->kind == CONVEX_STRING) {
        return member(whole, key->as.bytes.data, out, error);
    }
    if (value->kind == CONVEX_ARRAY && key->kind == CONVEX_FLOAT64) {
        double at = key->as.number, count = (double)value->as.array.count;
        bool there = at >= 0 && at < count && (double)(size_t)at == at;
        *out = part_of(whole, there ? value->as.array.items[(size_t)at] : NULL);
        return STATUS_OK;
    }
    return error_set(error, STATUS_INVALID, "TypeError: %s has no part named by a %s",
                     script_kind_name(value), script_kind_name(key));
}

static bool is_nothing(const struct convex_value *value) {
    return value->kind == CONVEX_NULL || value->kind == CONVEX_UNDEFINED;
}

static enum status evaluate_part(struct script_frame *frame, const struct script_expression *expression,
                                 struct script_value *out, struct error *error) {
    struct script_value whole = {0}, key = {0};
    enum status status = script_evaluate(frame, expression->a, &whole, error);
    if (status == STATUS_OK && expression->optional && is_nothing(whole.value)) {
        *out = borrowed(NULL);
    } else if (status == STATUS_OK && expression->kind == SCRIPT_MEMBER) {
        status = member(&whole, expression->name, out, error);
    } else if (status == STATUS_OK) {
        status = script_evaluate(frame, expression->b, &key, error);
        if (status == STATUS_OK) {
            status = item(&whole, key.value, out, error);
        }
    }
    script_value_free(&key);
    script_value_free(&whole);
    return status;
}

/* --- what makes values --- */

static enum status add_fields(struct convex_value *object, const struct convex_value *from,
                              struct error *error) {
    if (is_nothing(from)) {
        return STATUS_OK;
    }
    if (from->kind != CONVEX_OBJECT) {
        return error_set(error, STATUS_INVALID, "TypeError: `...` of a %s, not of an object",
                         script_kind_name(from));
    }
    for (size_t i = 0; i < from->as.object.count; i++) {
        const struct convex_field *field = &from->as.object.fields[i];
        convex_object_set(object, field->name, convex_copy(field->value));
    }
    return STATUS_OK;
}

/* Undefined fields stay in: who takes the object over decides what they mean. */
static enum status evaluate_object(struct script_frame *frame, const struct script_expression *expression,
                                   struct script_value *out, struct error *error) {
    struct convex_value *object = convex_object();
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < expression->n_parts; i++) {
        struct script_value value = {0};
        const struct script_part *part = &expression->parts[i];
        status = script_evaluate(frame, part->value, &value, error);
        if (status == STATUS_OK && part->name != NULL) {
            convex_object_set(object, part->name, script_value_take(&value));
        } else if (status == STATUS_OK) {
            status = add_fields(object, value.value, error);
        }
        script_value_free(&value);
    }
    *out = owned(object);
    return status;
}

static enum status evaluate_array(struct script_frame *frame, const struct script_expression *expression,
                                  struct script_value *out, struct error *error) {
    struct convex_value *array = convex_array();
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < expression->n_parts; i++) {
        struct script_value value = {0};
        status = script_evaluate(frame, expression->parts[i].value, &value, error);
        if (status == STATUS_OK) {
            convex_array_append(array, script_value_take(&value));
        }
    }
    *out = owned(array);
    return status;
}

/* Deepness is bounded here, so that nothing that walks a value can run out of stack. */
static enum status evaluate_container(struct script_frame *frame, const struct script_expression *expression,
                                      struct script_value *out, struct error *error) {
    enum status status = expression->kind == SCRIPT_OBJECT ? evaluate_object(frame, expression, out, error)
                                                           : evaluate_array(frame, expression, out, error);
    if (status == STATUS_OK) {
        status = script_charge(frame, out->value, error);
    }
    if (status == STATUS_OK) {
        status = script_check_depth(out->value, CONVEX_NESTING_MAX, error);
    }
    if (status != STATUS_OK) {
        script_value_free(out);
    }
    return status;
}

static enum status evaluate_operation(struct script_frame *frame, const struct script_expression *expression,
                                      struct script_value *out, struct error *error) {
    struct script_value a = {0}, b = {0};
    struct convex_value *result = NULL;
    enum status status = script_evaluate(frame, expression->a, &a, error);
    if (status == STATUS_OK && expression->b != NULL) {
        status = script_evaluate(frame, expression->b, &b, error);
    }
    if (status == STATUS_OK && expression->operation == SCRIPT_NOT) {
        result = convex_boolean(!script_is_true(a.value));
    } else if (status == STATUS_OK) {
        status = script_operate(expression->operation, a.value, b.value, &result, error);
    }
    if (status == STATUS_OK) {
        status = script_charge(frame, result, error);
    }
    if (status == STATUS_OK) {
        *out = owned(result);
    } else {
        convex_free(result);
    }
    script_value_free(&a);
    script_value_free(&b);
    return status;
}

/* --- what chooses --- */

static bool first_decides(enum script_expression_kind kind, const struct convex_value *first) {
    return kind == SCRIPT_AND  ? !script_is_true(first)
           : kind == SCRIPT_OR ? script_is_true(first)
                               : !is_nothing(first);
}

static enum status evaluate_choice(struct script_frame *frame, const struct script_expression *expression,
                                   struct script_value *out, struct error *error) {
    struct script_value first = {0};
    enum status status = script_evaluate(frame, expression->a, &first, error);
    if (status != STATUS_OK) {
        return status;
    }
    if (expression->kind == SCRIPT_CONDITION) {
        bool condition = script_is_true(first.value);
        script_value_free(&first);
        return script_evaluate(frame, condition ? expression->b : expression->c, out, error);
    }
    if (first_decides(expression->kind, first.value)) {
        *out = first;
        return STATUS_OK;
    }
    script_value_free(&first);
    return script_evaluate(frame, expression->b, out, error);
}

enum status script_evaluate(struct script_frame *frame, const struct script_expression *expression,
                            struct script_value *out, struct error *error) {
    switch (expression->kind) {
    case SCRIPT_LITERAL:
        *out = borrowed(expression->literal);
        return STATUS_OK;
    case SCRIPT_VARIABLE:
        *out = borrowed(frame->slots[expression->slot].value);
        return STATUS_OK;
    case SCRIPT_MEMBER:
    case SCRIPT_ITEM:
        return evaluate_part(frame, expression, out, error);
    case SCRIPT_OPERATION:
        return evaluate_operation(frame, expression, out, error);
    case SCRIPT_NOW:
        *out = owned(convex_float64((double)convex_now_ms(frame->context)));
        return STATUS_OK;
    case SCRIPT_RANDOM: /* 53 bits, as JavaScript's */
        *out = owned(convex_float64((double)(convex_random(frame->context) >> 11) / 9007199254740992.0));
        return STATUS_OK;
    case SCRIPT_ARRAY:
    case SCRIPT_OBJECT:
        return evaluate_container(frame, expression, out, error);
    default:
        return evaluate_choice(frame, expression, out, error);
    }
}

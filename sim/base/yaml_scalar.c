#include "base/yaml_scalar.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static bool is_one_of(const char *text, const char *const *words) {
    for (; *words; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return false;
}

static const char *skip_digits(const char *at, const char *digits) {
    return at + strspn(at, digits);
}

static const char decimal_digits[] = "0123456789";

/* The base of an integer and where its digits start; 0: not an integer. */
static int integer_base(const char *text, const char **digits) {
    if (text[0] == '0' && (text[1] == 'o' || text[1] == 'x')) {
        *digits = text + 2;
        const char *set = text[1] == 'o' ? "01234567" : "0123456789abcdefABCDEF";
        const char *end = skip_digits(*digits, set);
        return *end == 0 && end > *digits ? (text[1] == 'o' ? 8 : 16) : 0;
    }
    *digits = text;
    const char *at = text + (*text == '-' || *text == '+');
    const char *end = skip_digits(at, decimal_digits);
    return *end == 0 && end > at ? 10 : 0;
}

/* [-+]? ( . [0-9]+ | [0-9]+ ( . [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static bool is_float(const char *text) {
    const char *at = text + (*text == '-' || *text == '+');
    const char *end = skip_digits(at, decimal_digits);
    size_t whole = (size_t)(end - at);
    if (*end == '.') {
        at = end + 1;
        end = skip_digits(at, decimal_digits);
        if (whole == 0 && end == at)
            return false;
    } else if (whole == 0) {
        return false;
    }
    if (*end == 'e' || *end == 'E') {
        at = end + 1 + (end[1] == '-' || end[1] == '+');
        end = skip_digits(at, decimal_digits);
        if (end == at)
            return false;
    }
    return *end == 0;
}

static json_t *resolve_integer(const char *text, const char *digits, int base, struct error *error) {
    errno = 0;
    long long value = strtoll(digits, NULL, base);
    if (errno == ERANGE) {
        error_set(error, STATUS_INVALID, "the integer %s does not fit in 64 bits", text);
        return NULL;
    }
    return json_integer(value);
}

static json_t *resolve_float(const char *text, struct error *error) {
    double value = strtod(text, NULL);
    if (!isfinite(value)) {
        error_set(error, STATUS_INVALID, "the number %s does not fit in a double", text);
        return NULL;
    }
    return json_real(value);
}

json_t *yaml_scalar_resolve(const char *text, size_t length, struct error *error) {
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    static const char *const beyond[] = {".inf",  ".Inf",  ".INF", "+.inf", "+.Inf", "+.INF", "-.inf",
                                         "-.Inf", "-.INF", ".nan", ".NaN",  ".NAN",  NULL};
    assert(text[length] == 0);
    if (strlen(text) != length) /* no plain scalar holds a 0 byte */
        return json_stringn(text, length);
    if (is_one_of(text, nulls))
        return json_null();
    if (is_one_of(text, trues))
        return json_true();
    if (is_one_of(text, falses))
        return json_false();
    const char *digits = NULL;
    int base = integer_base(text, &digits);
    if (base)
        return resolve_integer(text, digits, base, error);
    if (is_float(text))
        return resolve_float(text, error);
    if (is_one_of(text, beyond)) {
        error_set(error, STATUS_INVALID, "%s is not supported", text);
        return NULL;
    }
    return json_stringn(text, length);
}

json_t *yaml_scalar_tagged(const char *tag, const char *text, size_t length, struct error *error) {
    static const char prefix[] = "tag:yaml.org,2002:";
    const char *kind = strncmp(tag, prefix, strlen(prefix)) == 0 ? tag + strlen(prefix) : tag;
    if (strcmp(kind, "str") == 0 || strcmp(tag, "!") == 0)
        return json_stringn(text, length);
    bool number = strcmp(kind, "float") == 0;
    bool known = number || strcmp(kind, "int") == 0 || strcmp(kind, "bool") == 0 || strcmp(kind, "null") == 0;
    if (kind == tag || !known) {
        error_set(error, STATUS_INVALID, "the tag %s is not supported", tag);
        return NULL;
    }
    json_t *value = yaml_scalar_resolve(text, length, error);
    if (number && json_is_integer(value)) {
        json_t *real = json_real((double)json_integer_value(value));
        json_decref(value);
        value = real;
    }
    bool fits = !value || (number           ? json_is_real(value)
                           : kind[0] == 'i' ? json_is_integer(value)
                           : kind[0] == 'b' ? json_is_boolean(value)
                                            : json_is_null(value));
    if (!fits) {
        json_decref(value);
        value = NULL;
        error_set(error, STATUS_INVALID, "%s is not of the type that the tag %s says", text, tag);
    }
    return value;
}

/* The value of a variable as the type asked for. */
static json_t *convert_env(const char *name, const char *type, const char *value, struct error *error) {
    if (strcmp(type, "string") == 0)
        return json_string(value);
    bool number = strcmp(type, "number") == 0;
    if (!number && strcmp(type, "boolean") != 0) {
        error_set(error, STATUS_INVALID, "!env knows ::string, ::number and ::boolean, not ::%s", type);
        return NULL;
    }
    json_t *result = yaml_scalar_resolve(value, strlen(value), error);
    if (result && (number ? json_is_number(result) : json_is_boolean(result)))
        return result;
    json_decref(result);
    error_set(error, STATUS_INVALID, "the environment variable %s is not a %s", name, type);
    return NULL;
}

json_t *yaml_scalar_env(const char *text, const char *(*resolve_env)(const char *name), struct error *error) {
    if (!resolve_env) {
        error_set(error, STATUS_INVALID, "!env is not allowed here");
        return NULL;
    }
    const char *separator = strstr(text, "::");
    size_t length = separator ? (size_t)(separator - text) : strlen(text);
    char *name = memory_copy_bytes(text, length);
    const char *value = resolve_env(name);
    json_t *result = NULL;
    if (!value)
        error_set(error, STATUS_INVALID, "the environment variable %s is not set", name);
    else
        result = convert_env(name, separator ? separator + 2 : "string", value, error);
    free(name);
    return result;
}

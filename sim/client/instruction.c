#include "client/instruction.h"

#include <assert.h>
#include <string.h>

static size_t skip_spaces(struct span text, size_t position) {
    while (position < text.length && strchr(" \t\r\n", text.at[position]) != NULL && text.at[position] != 0)
        position++;
    return position;
}

/* Position behind the string that begins at `position`; text.length when it does not end. */
static size_t skip_string(struct span text, size_t position) {
    assert(text.at[position] == '"');
    for (position++; position < text.length; position++) {
        if (text.at[position] == '\\')
            position++;
        else if (text.at[position] == '"')
            return position + 1;
    }
    return text.length;
}

/* Position behind the value that begins at `position`. */
static size_t skip_value(struct span text, size_t position) {
    size_t depth = 0;

    while (position < text.length) {
        char byte = text.at[position];

        if (byte == '"') {
            position = skip_string(text, position);
            if (depth == 0)
                return position;
            continue;
        }
        if (byte == '{' || byte == '[') {
            depth++;
        } else if (byte == '}' || byte == ']') {
            if (depth == 0)
                return position; /* end of a number or word, and of what holds it */
            if (--depth == 0)
                return position + 1;
        } else if (byte == ',' && depth == 0) {
            return position;
        }
        position++;
    }
    return text.length;
}

/* Read `"key": value` at *position into `member` and move behind it. */
static bool read_member(struct span object, size_t *position, struct instruction *member) {
    size_t start = skip_spaces(object, *position);
    size_t end;

    if (start >= object.length || object.at[start] != '"')
        return false;
    end = skip_string(object, start);
    if (end < start + 2)
        return false;
    member->name = (struct span){object.at + start + 1, end - start - 2};
    start = skip_spaces(object, end);
    if (start >= object.length || object.at[start] != ':')
        return false;
    start = skip_spaces(object, start + 1);
    end = skip_value(object, start);
    member->value = (struct span){object.at + start, end - start};
    *position = skip_spaces(object, end);
    return true;
}

bool instruction_next(struct span *rest, struct instruction *instruction) {
    size_t position = skip_spaces(*rest, 0);

    if (position >= rest->length || (rest->at[position] != '[' && rest->at[position] != ','))
        return false;
    position = skip_spaces(*rest, position + 1);
    if (position >= rest->length || rest->at[position] != '{')
        return false;
    position++;
    if (!read_member(*rest, &position, instruction) || position >= rest->length || rest->at[position] != '}')
        return false;
    rest->at += position + 1;
    rest->length -= position + 1;
    return true;
}

bool instruction_is(const struct instruction *instruction, const char *name) {
    return span_is(instruction->name, name);
}

struct span span_member(struct span object, const char *key) {
    size_t position = skip_spaces(object, 0);
    struct instruction member;

    if (position >= object.length || object.at[position] != '{')
        return (struct span){0};
    do {
        position++; /* the brace or a comma */
        if (!read_member(object, &position, &member))
            return (struct span){0};
        if (span_is(member.name, key))
            return member.value;
    } while (position < object.length && object.at[position] == ',');
    return (struct span){0};
}

bool span_is(struct span span, const char *text) {
    return span.at != NULL && span.length == strlen(text) && memcmp(span.at, text, span.length) == 0;
}

bool span_contains(struct span span, const char *text) {
    return span.at != NULL && memmem(span.at, span.length, text, strlen(text)) != NULL;
}

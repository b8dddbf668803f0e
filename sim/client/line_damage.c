#include "client/line_damage.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* The place behind `part`; NULL: it is not there. */
static char *behind(char *line, size_t length, const char *part, size_t part_length) {
    for (size_t i = 0; i + part_length <= length; i++)
        if (memcmp(line + i, part, part_length) == 0)
            return line + i + part_length;
    return NULL;
}

/* Sums above 2^31 are doubles in BSON, the others int32: the first of those. */
static bool damage_binary(char *copy, size_t length) {
    static const char name[] = "\x10"
                               "checksum";
    char *at = behind(copy, length, name, sizeof name);
    if (at != NULL)
        *at = (char)(*at ^ 1);
    return at != NULL;
}

static bool damage_text(char *copy, size_t length) {
    static const char name[] = "\"checksum\":";
    char *at = behind(copy, length, name, sizeof name - 1);
    if (at == NULL || !isdigit((unsigned char)*at))
        return false;
    while (isdigit((unsigned char)at[1]))
        at++;
    *at = *at == '0' ? '1' : (char)(*at - 1);
    return true;
}

char *line_damage(const char *line, size_t length, bool binary) {
    static const char row[] = "object_id"; /* operations have one, and no other line */
    char *copy = memory_copy_bytes(line, length);
    if (behind(copy, length, row, sizeof row - 1) != NULL &&
        (binary ? damage_binary(copy, length) : damage_text(copy, length)))
        return copy;
    free(copy);
    return NULL;
}

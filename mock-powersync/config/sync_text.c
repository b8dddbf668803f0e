#include "mock-powersync/config/sync_text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* A position in the YAML text. */
struct place {
    const char *at;
    int line, column;
};

static bool continues_character(char byte) {
    return ((unsigned char)byte & 0xc0) == 0x80;
}

static void step(struct place *place) {
    if (!*place->at)
        return;
    if (*place->at++ == '\n') {
        place->line++;
        place->column = 1;
        return;
    }
    while (continues_character(*place->at))
        place->at++;
    place->column++;
}

static void step_by(struct place *place, size_t count) {
    while (count-- > 0)
        step(place);
}

static bool is_blank(char byte) {
    return byte == ' ' || byte == '\t' || byte == '\r';
}

static void skip_blanks(struct place *place, size_t most) {
    while (most-- > 0 && is_blank(*place->at))
        step(place);
}

static void find(struct place *place, const char *yaml, int line, int column) {
    *place = (struct place){yaml, 1, 1};
    while (*place->at && (place->line < line || (place->line == line && place->column < column)))
        step(place);
}

/* Behind anchors and tags. */
static void skip_properties(struct place *place) {
    while (*place->at == '&' || *place->at == '!') {
        step_by(place, strcspn(place->at, " \t\r\n"));
        step_by(place, strspn(place->at, " \t\r\n"));
    }
}

/* One character of a quoted text that is written as an escape. */
static void step_escape(struct place *place) {
    static const char kinds[] = "xuU";
    const char *kind = place->at[1] ? strchr(kinds, place->at[1]) : NULL;
    step_by(place, 2);
    if (kind)
        step_by(place, (size_t)2 << (kind - kinds));
}

/* Lines are folded: a blank of the value may be the end of one. */
static void step_folded(struct place *place, char quote, bool blank) {
    size_t blanks = strspn(place->at, " \t\r");
    if (quote == '"' && *place->at == '\\')
        step_escape(place);
    else if (blank && place->at[blanks] == '\n')
        step_by(place, strspn(place->at, " \t\r\n"));
    else
        step_by(place, quote == '\'' && place->at[0] == '\'' ? 2 : 1);
}

static void walk_flow(struct place *place, const char *sql, int offset) {
    char quote = *place->at == '"' || *place->at == '\'' ? *place->at : '\0';
    if (quote)
        step(place);
    for (int i = 0; i < offset && sql[i]; i++)
        if (!continues_character(sql[i]))
            step_folded(place, quote, sql[i] == ' ' || sql[i] == '\n');
}

static void walk_block(struct place *place, const char *sql, int offset) {
    bool folded = *place->at == '>';
    step_by(place, strcspn(place->at, "\n"));
    step(place);
    size_t indent = strspn(place->at, " ");
    skip_blanks(place, indent);
    for (int i = 0; i < offset && sql[i]; i++) {
        if (continues_character(sql[i]))
            continue;
        bool ends_line = sql[i] == '\n' || (folded && sql[i] == ' ' && *place->at == '\n');
        if (ends_line)
            step_by(place, strcspn(place->at, "\n"));
        step(place);
        if (ends_line)
            skip_blanks(place, indent);
    }
}

void sync_text_place(const struct sync_text *text, int offset, int *line, int *column) {
    struct place place;
    assert(text->yaml && offset >= 0);
    find(&place, text->yaml, text->line, text->column);
    skip_properties(&place);
    if (*place.at == '|' || *place.at == '>')
        walk_block(&place, text->sql, offset);
    else
        walk_flow(&place, text->sql, offset);
    *line = place.line;
    *column = place.column;
}

enum status sync_text_refuse(const struct sync_text *text, int offset, struct error *error,
                             const char *format, ...) {
    char reason[600];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    if (!text->yaml)
        return error_set(error, STATUS_INVALID, "%s (at character %d of the query)", reason, offset + 1);
    int line, column;
    sync_text_place(text, offset, &line, &column);
    return error_set_at(error, STATUS_INVALID, text->file, line, column, "%s", reason);
}

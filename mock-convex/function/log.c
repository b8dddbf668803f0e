#include "mock-convex/function/log.h"

#include <assert.h>
#include <string.h>

#include "mock-convex/value/utf8.h"

static void add_line(struct convex_log *log, const char *line) {
    buffer_append_text(&log->items, log->count > 0 ? "," : "");
    convex_utf8_append_json(&log->items, line);
    log->count++;
}

/* Is there room for one more line, the last one kept for the remark? False: the remark has been made. */
static bool has_room(struct convex_log *log) {
    if (log->count < CONVEX_LOG_LINES_MAX - 1) {
        return true;
    }
    if (log->count == CONVEX_LOG_LINES_MAX - 1) {
        add_line(log, "[ERROR] More than 256 lines were logged; the rest is left out.");
    }
    return false;
}

void convex_log_add(struct convex_log *log, const char *level, const char *text) {
    struct buffer line = {0};
    assert(level != NULL && text != NULL);
    if (!has_room(log)) {
        return;
    }
    buffer_printf(&line, "[%.16s] ", level);
    buffer_append(&line, text, strnlen(text, CONVEX_LOG_LINE_MAX - line.length));
    add_line(log, buffer_text(&line));
    buffer_free(&line);
}

void convex_log_take(struct convex_log *log, struct convex_log *from) {
    convex_log_free(log);
    *log = *from;
    *from = (struct convex_log){0};
}

void convex_log_append_json(struct buffer *out, const struct convex_log *log) {
    buffer_append_char(out, '[');
    if (log != NULL) {
        buffer_append(out, buffer_text(&log->items), log->items.length);
    }
    buffer_append_char(out, ']');
}

void convex_log_free(struct convex_log *log) {
    buffer_free(&log->items);
    log->count = 0;
}

#include "base/error.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static void fill(struct error *error, enum status status, const char *file, int line, int column,
                 const char *format, va_list arguments) {
    assert(status != STATUS_OK);
    error->status = status;
    (void)snprintf(error->file, sizeof error->file, "%s", file ? file : "");
    error->line = line;
    error->column = column;
    /* Through a second buffer, because an argument may be the old message. */
    char message[sizeof error->message];
    (void)vsnprintf(message, sizeof message, format, arguments);
    (void)snprintf(error->message, sizeof error->message, "%s", message);
    assert(strlen(error->message) < sizeof error->message);
}

enum status error_set(struct error *error, enum status status, const char *format, ...) {
    if (error) {
        va_list arguments;
        va_start(arguments, format);
        fill(error, status, "", 0, 0, format, arguments);
        va_end(arguments);
    }
    return status;
}

enum status error_set_at(struct error *error, enum status status, const char *file, int line, int column,
                         const char *format, ...) {
    if (error) {
        va_list arguments;
        va_start(arguments, format);
        fill(error, status, file, line, column, format, arguments);
        va_end(arguments);
    }
    return status;
}

void error_prefix(struct error *error, const char *format, ...) {
    if (!error)
        return;
    char words[sizeof error->message];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    char message[2 * sizeof error->message + 2];
    (void)snprintf(message, sizeof message, "%s: %s", words, error->message);
    size_t length = strlen(message) < sizeof error->message ? strlen(message) : sizeof error->message - 1;
    memcpy(error->message, message, length);
    error->message[length] = 0;
}

void error_format(const struct error *error, char *out, unsigned long size) {
    assert(error && out && size > 0);
    if (!error->file[0])
        (void)snprintf(out, size, "%s", error->message);
    else if (error->line == 0)
        (void)snprintf(out, size, "%s: %s", error->file, error->message);
    else if (error->column == 0)
        (void)snprintf(out, size, "%s:%d: %s", error->file, error->line, error->message);
    else
        (void)snprintf(out, size, "%s:%d:%d: %s", error->file, error->line, error->column, error->message);
}

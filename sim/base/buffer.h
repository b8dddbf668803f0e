/* A growing run of bytes, always terminated by a 0 that is not counted; and the text forms that the wire
 * needs. A zeroed struct buffer is empty. The buffer owns `data`. */
#ifndef SYNCLINE_BASE_BUFFER_H
#define SYNCLINE_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
    char *data; /* NULL while nothing was ever added */
    size_t length;
    size_t capacity;
};

/* Room for so many bytes more: what is appended next in pieces grows the buffer once. */
void buffer_reserve(struct buffer *buffer, size_t more);
void buffer_append(struct buffer *buffer, const void *bytes, size_t length);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_append_char(struct buffer *buffer, char byte);
void buffer_printf(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buffer_consume(struct buffer *buffer, size_t length); /* drop bytes from the front */
void buffer_clear(struct buffer *buffer);                  /* keep the memory */
void buffer_free(struct buffer *buffer);
const char *buffer_text(const struct buffer *buffer); /* never NULL */
char *buffer_take(struct buffer *buffer); /* the caller owns the text (never NULL); the buffer is empty */

/* A JSON string with quotes, escaped exactly as JavaScript's JSON.stringify does: only ", \ and control
 * characters (short forms for \b \f \n \r \t). `text` must be UTF-8. */
void buffer_append_json_string(struct buffer *buffer, const char *text, size_t length);
void buffer_append_json_text(struct buffer *buffer, const char *text); /* the same, up to the terminating 0 */

void buffer_append_integer(struct buffer *buffer, int64_t value);

/* The shortest decimal that reads back as the same double, in JavaScript's layout (1e+21, 1e-7, 0.000001,
 * 100), with
 * ".0" added when it would otherwise be all digits. NaN and infinities are the caller's business. -0 prints
 * "-0.0". */
void buffer_append_double(struct buffer *buffer, double value);

#endif

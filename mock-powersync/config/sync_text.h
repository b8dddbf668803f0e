/* SQL as it stands in a YAML file: what messages need to point at a place inside a query. */
#ifndef MOCK_POWERSYNC_SYNC_TEXT_H
#define MOCK_POWERSYNC_SYNC_TEXT_H

#include "base/error.h"

/* Borrows its texts. */
struct sync_text {
    const char *sql;
    const char *file;
    const char *yaml; /* the whole file; NULL: messages name the character of the query instead */
    int line, column; /* of the YAML value that `sql` is, from 1 */
};

/* The place of a byte of the query. Escapes, quotes and folded lines are taken into account; at worst the
 * place is a bit off. */
void sync_text_place(const struct sync_text *text, int offset, int *line, int *column);

/* STATUS_INVALID at a byte of the query, from 0. */
enum status sync_text_refuse(const struct sync_text *text, int offset, struct error *error,
                             const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif

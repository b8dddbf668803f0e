/* The text of a row as an app sees it: a JSON array of the column values of a statement's current row, from
 * column `first`. INTEGER prints digits, REAL as buffer_append_double, TEXT as a JSON string, NULL as null,
 * BLOB as
 * {"blob":"<base64>"}. Both the clients' views and the oracle use it, so that equal rows have equal text. */
#ifndef SYNCLINE_DISK_ROW_TEXT_H
#define SYNCLINE_DISK_ROW_TEXT_H

#include <sqlite3.h>

#include "base/buffer.h"

void row_text_append(struct buffer *out, sqlite3_stmt *statement, int first);

#endif

#include "disk/row_text.h"

#include <assert.h>

#include "base/digest.h"

static void append_value(struct buffer *out, sqlite3_stmt *statement, int column) {
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
        buffer_append_integer(out, sqlite3_column_int64(statement, column));
        break;
    case SQLITE_FLOAT: {
        double value = sqlite3_column_double(statement, column);
        if (value - value == 0)
            buffer_append_double(out, value);
        else /* SQLite stores infinities, but no NaN */
            buffer_append_text(out, value > 0 ? "1e999" : "-1e999");
        break;
    }
    case SQLITE_TEXT: {
        const char *text = (const char *)sqlite3_column_text(statement, column);
        buffer_append_json_string(out, text, (size_t)sqlite3_column_bytes(statement, column));
        break;
    }
    case SQLITE_BLOB: {
        const void *bytes = sqlite3_column_blob(statement, column);
        buffer_append_text(out, "{\"blob\":\"");
        base64_append(out, bytes, (size_t)sqlite3_column_bytes(statement, column));
        buffer_append_text(out, "\"}");
        break;
    }
    default:
        buffer_append_text(out, "null");
    }
}

void row_text_append(struct buffer *out, sqlite3_stmt *statement, int first) {
    int count = sqlite3_data_count(statement);
    assert(first >= 0 && first <= count);
    buffer_append_char(out, '[');
    for (int column = first; column < count; column++) {
        if (column > first)
            buffer_append_char(out, ',');
        append_value(out, statement, column);
    }
    buffer_append_char(out, ']');
}

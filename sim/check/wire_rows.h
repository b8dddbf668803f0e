/* The content of single operations of a sync stream: which fields they have, how their data is written, and
 * whether the checksum is that of the content. Operations that were found right once are remembered by a
 * hash, because one operation goes to many clients. */
#ifndef SYNCLINE_CHECK_WIRE_ROWS_H
#define SYNCLINE_CHECK_WIRE_ROWS_H

#include "base/digest.h"
#include "check/sync_line.h"

/* What the request asked for; see the facts on raw_data. */
enum wire_encoding {
    WIRE_ENCODING_UNKNOWN,
    WIRE_ENCODING_TEXT,    /* raw_data=true: row data is a JSON string */
    WIRE_ENCODING_EMBEDDED /* row data is an embedded object */
};

#define WIRE_ROWS_REMEMBERED 4096

struct wire_rows {
    struct buffer text; /* for one operation at a time */
    struct hash128 good[WIRE_ROWS_REMEMBERED];
};

void wire_rows_free(struct wire_rows *rows);

/* NULL when the operation has the right fields in the right form, else what it should be (static text). */
const char *wire_rows_form(struct wire_rows *rows, const struct sync_operation *operation,
                           enum wire_encoding encoding);

/* The checksum that the content of a PUT or REMOVE with the right form gives. */
uint32_t wire_rows_checksum(struct wire_rows *rows, const struct sync_operation *operation);

/* Both at once, remembering what is right: true when there is nothing to report. */
bool wire_rows_good(struct wire_rows *rows, const struct sync_operation *operation,
                    enum wire_encoding encoding);

#endif

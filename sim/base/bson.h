/* BSON as JavaScript's encoder writes it, and read back into JSON values. Own code instead of libbson:
 * documents go straight into a buffer, behind others, and the numbers follow JavaScript's rule (a whole
 * number within 32 bits is an int32, any other a double).
 */
#ifndef SYNCLINE_BASE_BSON_H
#define SYNCLINE_BASE_BSON_H

#include <jansson.h>

#include "base/buffer.h"
#include "base/error.h"

enum { BSON_WRITER_DEPTH = 16 };

/* Writes one document at the end of `out`, which must not change otherwise meanwhile. Keys are given by the
 * caller; inside an array they are left out (NULL) and counted. */
struct bson_writer {
    struct buffer *out;
    size_t depth; /* open documents and arrays */
    struct {
        size_t start; /* offset of its length in `out` */
        bool is_array;
        unsigned elements;
    } open[BSON_WRITER_DEPTH];
};

void bson_begin(struct bson_writer *writer, struct buffer *out); /* the document itself */
void bson_document(struct bson_writer *writer, const char *key);
void bson_array(struct bson_writer *writer, const char *key);
void bson_end(struct bson_writer *writer); /* of the innermost one; the last ends the document */
void bson_text(struct bson_writer *writer, const char *key, const char *text, size_t length); /* UTF-8 */
void bson_number(struct bson_writer *writer, const char *key, int64_t value); /* within +-2^53 */
void bson_boolean(struct bson_writer *writer, const char *key, bool value);
void bson_null(struct bson_writer *writer, const char *key);

/* The length that a document claims by its first 4 bytes; 0: fewer are there, or it cannot be right. */
size_t bson_length(const void *bytes, size_t length);

/* One whole document of exactly `length` bytes as a JSON object: documents, arrays, texts, numbers, booleans
 * and null; fields of the type "undefined" are left out. Anything else, wrong lengths, texts that are not
 * UTF-8 and nesting above 64 are refused (STATUS_INVALID, *value NULL). The caller owns the value. */
enum status bson_parse(const void *bytes, size_t length, json_t **value, struct error *error);

/* The same document as JSON text, at the end of `out`. False: it is refused, and `out` holds a part. Whether
 * texts are UTF-8 and names unique is not looked at: that is for whoever reads the JSON. */
bool bson_append_json(const void *bytes, size_t length, struct buffer *out);

#endif

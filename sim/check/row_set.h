/* Sets of rows by hash: the sum of the hashes of its rows, so that a change costs one subtraction and one
 * addition, and two views are equal when their sums are. A row is its table, its id and its text
 * (disk/row_text.h). */
#ifndef SYNCLINE_CHECK_ROW_SET_H
#define SYNCLINE_CHECK_ROW_SET_H

#include "base/digest.h"

/* The key of a row in a struct map: table, 0, id. `scratch` is overwritten and holds the key. */
void row_set_key(struct buffer *scratch, const char *table, const char *id);
/* The hash of one row; of no row (text NULL) it is zero, the neutral element. `scratch` is overwritten. */
struct hash128 row_set_hash(struct buffer *scratch, const char *table, const char *id, const char *text);

#endif

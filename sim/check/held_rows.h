/* The rows of one bucket on one device, for the property `isolation`: a set of interned keys that iterates in
 * an order that depends on the operations alone. A zeroed struct is empty; removing moves the last row into
 * the gap. */
#ifndef SYNCLINE_CHECK_HELD_ROWS_H
#define SYNCLINE_CHECK_HELD_ROWS_H

#include <stdbool.h>

#include "base/intern.h"

struct held_row {
    const char *key; /* type, 0, id, 0, subkey; interned */
    bool judged;
};

struct held_rows {
    struct held_row *rows;
    size_t count, capacity;
    uint32_t *slots; /* open addressing: index + 1; 0: free */
    size_t n_slots;
};

/* False: it was there already. */
bool held_rows_add(struct held_rows *rows, const char *key);
void held_rows_remove(struct held_rows *rows, const char *key);
void held_rows_clear(struct held_rows *rows);

#endif

/* Texts stored once each: two equal texts have the same address. They live until all are freed. For what
 * repeats a lot, such as the rows that thousands of devices show. A zeroed struct is empty. */
#ifndef SYNCLINE_BASE_INTERN_H
#define SYNCLINE_BASE_INTERN_H

#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

struct intern {
    struct arena arena;
    const char **slots; /* open addressing; NULL: free */
    size_t n_slots, count;
};

/* The bytes may hold 0; they are terminated by 0 all the same, and aligned for pointers. */
const char *intern_bytes(struct intern *intern, const void *bytes, size_t length);
const char *intern_text(struct intern *intern, const char *text); /* NULL stays NULL */
/* Of a text that is interned: of its content, so equal in every run. */
uint32_t intern_hash(const char *interned);
void intern_free(struct intern *intern);

#endif

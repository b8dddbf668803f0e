/* Documents in the order of their keys in one index: blocks of sorted entries, so that adding one costs a
 * binary search and a short move, whatever their number. Keys are borrowed texts that need not end with 0 and
 * must stay where they are. A zeroed struct is empty. */
#ifndef SYNCLINE_CHECK_KEY_ORDER_H
#define SYNCLINE_CHECK_KEY_ORDER_H

#include <stdbool.h>
#include <stddef.h>

struct key_text {
    const char *text; /* NULL: no key */
    size_t length;
};

/* Byte order, a prefix before what it begins. */
int key_text_compare(struct key_text a, struct key_text b);

struct key_entry {
    struct key_text key;
    void *item;
};

struct key_block;

struct key_order {
    struct key_block **blocks; /* in order, none empty */
    size_t n_blocks;
    size_t capacity;
};

/* A place between entries. Changing the order makes it void. */
struct key_place {
    size_t block;
    size_t entry;
};

void key_order_free(struct key_order *order);
void key_order_add(struct key_order *order, struct key_text key, void *item); /* keys are unique */
void key_order_remove(struct key_order *order, struct key_text key);          /* nothing when not there */
struct key_place key_order_seek(const struct key_order *order, struct key_text low);
/* The entry at the place, which moves behind it; NULL at the end. */
const struct key_entry *key_order_next(const struct key_order *order, struct key_place *place);

#endif

/* What was told last of the rows of one table, to tell real changes from others: the hash of a text for the
 * hash of an id, 64 bits each, so that a row costs about 24 bytes. Two of a million ids share a hash once in
 * 30 million runs. A zeroed struct is empty. */
#ifndef SYNCLINE_CLIENT_SHOWN_ROWS_H
#define SYNCLINE_CLIENT_SHOWN_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shown_row {
    uint64_t id; /* 0: a free slot */
    uint64_t text;
};

struct shown_rows {
    struct shown_row *slots; /* open addressing */
    size_t n_slots, count;
};

/* The text is what is shown now. False when it is the same as before. */
bool shown_rows_put(struct shown_rows *rows, const char *id, size_t id_length, const char *text,
                    size_t length);
bool shown_rows_remove(struct shown_rows *rows, const char *id, size_t id_length); /* false: none was there */
void shown_rows_free(struct shown_rows *rows);

#endif

/* The rows of a client's view, for its model: a set by table and id that iterates in order of insertion.
 * Thousands of devices have one, so a row costs about 45 bytes. Rows never leave; one that is not shown has
 * no text. Texts are borrowed. A zeroed struct is empty. */
#ifndef SYNCLINE_CHECK_VIEW_ROWS_H
#define SYNCLINE_CHECK_VIEW_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct view_row {
    const char *table;
    const char *id;
    const char *text;     /* NULL: not shown */
    uint32_t hash;        /* of table and id */
    uint32_t writer;      /* index + 1 of the last own transaction that wrote it; 0: none */
    uint32_t expectation; /* index + 1 in the model's expectations; 0: none */
    int8_t priority;      /* of its table */
    bool local;           /* of a local-only table: not in the model's set */
    bool listed;          /* by the record that is being read (restart) */
};

struct view_rows {
    struct view_row *rows;
    size_t count, capacity;
    uint32_t *slots; /* open addressing: index + 1; 0: free */
    size_t n_slots;
};

const struct view_row *view_rows_find(const struct view_rows *rows, const char *table, const char *id);
/* The index of the row, made when it is new. Rows may move. */
size_t view_rows_open(struct view_rows *rows, const char *table, const char *id, bool *is_new);
void view_rows_free(struct view_rows *rows);

#endif

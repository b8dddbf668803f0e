/* Plain tables: columns as wide as their widest cell, two spaces between. Width counts code points. */
#ifndef SYNCLINE_RUNNER_TEXT_TABLE_H
#define SYNCLINE_RUNNER_TEXT_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

#define TEXT_TABLE_COLUMNS_MAX 12

struct text_table {
    char **cells; /* owned, row after row */
    size_t n_cells, capacity;
    size_t n_columns;
    bool right[TEXT_TABLE_COLUMNS_MAX]; /* numbers stand right */
};

/* `alignment`: one letter a column, 'l' or 'r'. */
void text_table_init(struct text_table *table, const char *alignment);
void text_table_add(struct text_table *table, const char *text);               /* the next cell; copied */
void text_table_add_count(struct text_table *table, unsigned long long count); /* with thousands separators */
/* Appends the table and frees it. All rows must be full. */
void text_table_finish(struct text_table *table, struct buffer *out);

#endif

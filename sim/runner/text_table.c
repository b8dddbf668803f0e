#include "runner/text_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "runner/progress.h"

void text_table_init(struct text_table *table, const char *alignment) {
    *table = (struct text_table){.n_columns = strlen(alignment)};
    assert(table->n_columns > 0 && table->n_columns <= TEXT_TABLE_COLUMNS_MAX);
    for (size_t i = 0; i < table->n_columns; i++)
        table->right[i] = alignment[i] == 'r';
}

void text_table_add(struct text_table *table, const char *text) {
    assert(text != NULL && table->n_columns > 0);
    MEMORY_RESERVE(table->cells, table->capacity, table->n_cells + 1);
    table->cells[table->n_cells++] = memory_copy_text(text);
}

void text_table_add_count(struct text_table *table, unsigned long long count) {
    struct buffer text = {0};
    progress_append_count(&text, count);
    text_table_add(table, buffer_text(&text));
    buffer_free(&text);
}

static size_t text_width(const char *text) {
    size_t width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void append_spaces(struct buffer *out, size_t count) {
    while (count-- > 0)
        buffer_append_char(out, ' ');
}

static void append_cell(const struct text_table *table, size_t index, size_t width, struct buffer *out) {
    const char *text = table->cells[index];
    size_t column = index % table->n_columns, gap = width - text_width(text);
    bool last = column + 1 == table->n_columns;
    assert(width >= text_width(text));
    if (column > 0)
        append_spaces(out, 2);
    if (table->right[column])
        append_spaces(out, gap);
    buffer_append_text(out, text);
    if (last)
        buffer_append_char(out, '\n');
    else if (!table->right[column])
        append_spaces(out, gap);
}

void text_table_finish(struct text_table *table, struct buffer *out) {
    size_t widths[TEXT_TABLE_COLUMNS_MAX] = {0};
    assert(table->n_cells % table->n_columns == 0);
    for (size_t i = 0; i < table->n_cells; i++) {
        size_t width = text_width(table->cells[i]), column = i % table->n_columns;
        widths[column] = width > widths[column] ? width : widths[column];
    }
    for (size_t i = 0; i < table->n_cells; i++)
        append_cell(table, i, widths[i % table->n_columns], out);
    for (size_t i = 0; i < table->n_cells; i++)
        free(table->cells[i]);
    free(table->cells);
    *table = (struct text_table){0};
}

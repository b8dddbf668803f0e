#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "scenario/inventory.h"
#include "scenario/scenario.h"

static const char *short_name(const char *file, const char *folder) {
    const size_t length = strlen(folder);
    if (strncmp(file, folder, length) != 0)
        return file;
    file += length;
    return *file == '/' ? file + 1 : file;
}

static bool covers(const struct scenario *scenario, const char *id) {
    const char *named = inventory_row_of_name(scenario->name);
    if (named != NULL && strcmp(named, id) == 0)
        return true;
    for (size_t c = 0; c < scenario->n_covers; c++)
        if (strcmp(scenario->covers[c], id) == 0)
            return true;
    return false;
}

/* What `scenario` covers, added to the texts by row. */
static void add_scenario(struct buffer *by_row, const struct scenario *scenario, const char *name) {
    const struct inventory_row *rows = inventory_rows();
    for (size_t i = 0; rows[i].id != NULL; i++)
        if (covers(scenario, rows[i].id))
            buffer_printf(&by_row[i], "%s`%s`", by_row[i].length > 0 ? ", " : "", name);
}

static void write_table(struct buffer *out, struct buffer *by_row, bool covered) {
    const struct inventory_row *rows = inventory_rows();
    buffer_printf(out, "| row | statement | %s |\n|---|---|---|\n", covered ? "scenarios" : "why not");
    for (size_t i = 0; rows[i].id != NULL; i++)
        if ((by_row[i].length > 0) == covered)
            buffer_printf(out, "| %s | %s | %s |\n", rows[i].id, rows[i].statement,
                          covered           ? buffer_text(&by_row[i])
                          : rows[i].missing ? rows[i].missing
                                            : "no scenario yet");
}

static void write_page(struct buffer *out, struct buffer *by_row, size_t n_rows) {
    size_t covered = 0;
    for (size_t i = 0; i < n_rows; i++)
        covered += by_row[i].length > 0;
    buffer_printf(
        out,
        "# What scenarios cover\n\n"
        "Written by `./dev coverage` from the `covers` of the scenarios; do not edit it. %zu of %zu "
        "statements about clients\nand uploads are covered.\n\n",
        covered, n_rows);
    write_table(out, by_row, true);
    buffer_printf(out, "\n## Not covered\n\n");
    write_table(out, by_row, false);
}

enum status inventory_coverage(char *const *files, size_t count, const char *folder, struct buffer *out,
                               struct error *error) {
    size_t n_rows = 0;
    while (inventory_rows()[n_rows].id != NULL)
        n_rows++;
    struct buffer *by_row = memory_allocate_array(n_rows, sizeof *by_row);
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        struct scenario *scenario = NULL;
        status = scenario_load(files[i], &scenario, error);
        if (status != STATUS_OK)
            break;
        add_scenario(by_row, scenario, short_name(files[i], folder));
        scenario_free(scenario);
    }
    if (status == STATUS_OK)
        write_page(out, by_row, n_rows);
    for (size_t i = 0; i < n_rows; i++)
        buffer_free(&by_row[i]);
    free(by_row);
    return status;
}

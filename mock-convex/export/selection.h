/* The `selection` of an export request: which components, tables and columns its caller wants.
 *
 *   {"_other": C, "<component path>": "excluded" | {"_other": C, "<table>": "excluded" |
 *     {"_other": C, "<column>": C}}}          C is "included" or "excluded", or "incl" or "excl"
 *
 * `_other` stands for all that is not named. A selection is kept as the JSON that it came as; its owner is
 * whoever decoded the request. */
#ifndef MOCK_CONVEX_SELECTION_H
#define MOCK_CONVEX_SELECTION_H

#include <jansson.h>
#include <stdbool.h>

/* Does it have the form above? One that has not counts as absent on the older endpoints. */
bool convex_selection_is_formed(const json_t *selection);
/* For a formed one: names that can exist, and `_id` of no table excluded by name. */
bool convex_selection_is_valid(const json_t *selection);
/* Is the table selected? `*columns` is for convex_selection_has_column and borrowed from the selection.
 * `selection` NULL: everything is. */
bool convex_selection_has_table(const json_t *selection, const char *component, const char *table,
                                const json_t **columns);
/* `columns` NULL: all. `_id` always belongs. */
bool convex_selection_has_column(const json_t *columns, const char *column);

#endif

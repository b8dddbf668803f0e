/* What the founding documents say of clients and uploads, one short phrase a statement, so that scenarios can
 * name what they cover (`covers: [S000-12]`). Ids are those of the project's inventory: the document's number
 * and the row's. Rows about provisioning, PostgreSQL, Docker and the like are not among them: there is
 * nothing of the kind here. */
#ifndef SYNCLINE_SCENARIO_INVENTORY_H
#define SYNCLINE_SCENARIO_INVENTORY_H

#include "base/buffer.h"
#include "base/error.h"

struct inventory_row {
    const char *id;        /* "S000-12" */
    const char *statement; /* own words */
    const char *missing;   /* why no scenario can cover it yet; NULL: one could */
};

const struct inventory_row *inventory_rows(void); /* ends with a row without id */

/* The row that a scenario is named after ("s003-184-sync-endpoint" is named after S003-184); NULL: none. */
const char *inventory_row_of_name(const char *scenario_name);

/* Markdown: which of these scenario files cover which rows, and which rows nobody covers, with the reason.
 * `folder` is left out of the files' names. */
enum status inventory_coverage(char *const *files, size_t count, const char *folder, struct buffer *out,
                               struct error *error);

#endif

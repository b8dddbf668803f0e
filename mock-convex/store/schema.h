/* Schemas: what documents a table takes, and what set of tables and functions can be deployed. Facts as in
 * docs/mock-convex.md. Nothing here owns anything. */
#ifndef MOCK_CONVEX_SCHEMA_H
#define MOCK_CONVEX_SCHEMA_H

#include "mock-convex/function.h"
#include "mock-convex/store/store.h"
#include "mock-convex/validator.h"

/* Does this document, its system fields left aside, fit? `validator` NULL: it does. STATUS_INVALID: the
 * message names table, document, path, value and what was expected. */
enum status convex_schema_check(const struct convex_validator *validator, const char *table,
                                const struct convex_value *document,
                                const struct convex_validator_tables *tables, struct error *error);
/* STATUS_INVALID: names that cannot be, or something is declared twice, or an index has no fields. */
enum status convex_schema_check_tables(const struct convex_table *tables, size_t count, struct error *error);
enum status convex_schema_check_functions(const struct convex_function *functions, size_t count,
                                          struct error *error);
/* Do all documents of the store fit the tables of the same names? STATUS_INVALID: as convex_schema_check. */
enum status convex_schema_check_store(const struct convex_store *store, const struct convex_table *tables,
                                      size_t count, struct error *error);

#endif

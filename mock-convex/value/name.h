/* Names that a deployment accepts: object fields, tables, function paths. Only checks; nothing allocates but
 * convex_path_canonical. */
#ifndef MOCK_CONVEX_NAME_H
#define MOCK_CONVEX_NAME_H

#include <stdbool.h>
#include <stddef.h>

#define CONVEX_FIELD_NAME_MAX 1024
#define CONVEX_TABLE_NAME_MAX 64

/* A key inside a value: 1..1024 printable ASCII characters (32..126), not beginning with '$'. */
bool convex_name_is_field(const char *name);
/* [A-Za-z_][A-Za-z0-9_]*, at most 64 characters, not only underscores. Names with a leading '_' are system
 * tables. */
bool convex_name_is_table(const char *name);
/* "" (the root component), or table-like names joined by '/'. */
bool convex_name_is_component(const char *path);
/* "dir/mod.js:fn" -> "dir/mod:fn"; without a colon the export is "default". NULL: cannot be parsed. The
 * caller frees. */
char *convex_path_canonical(const char *path);

#endif

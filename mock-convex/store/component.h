/* Components: parts of an app with tables and functions of their own, named by a path ("" is the root, then
 * "shop", "shop/cart").
 *
 * What belongs to a component has a full name: "shop//pets" is the table pets of shop, "shop/cart//lines:add"
 * a function of shop/cart. In the root, the full name is the name itself. No table, module or component name
 * holds "//", so full names are never ambiguous, and no caller from outside can write one where a function's
 * path is expected. */
#ifndef MOCK_CONVEX_COMPONENT_H
#define MOCK_CONVEX_COMPONENT_H

#include <stdbool.h>
#include <stddef.h>

/* The full name of what `component` (NULL: the root) calls `name`. `name` may be full itself: then its path
 * goes on from the component's, "cart//lines:add" in shop is "shop/cart//lines:add". The caller frees. */
char *convex_component_name(const char *component, const char *name);
/* Is that the root? NULL and "" are. */
static inline bool convex_component_is_root(const char *component) {
    return component == NULL || component[0] == 0;
}

#endif

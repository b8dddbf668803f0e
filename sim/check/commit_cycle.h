/* Cycles in the dependency graph of commits: pairs of commits each of which must come before the other. Only
 * a window of commits is looked at; the caller has found that no edge leads back over its ends. Linear in the
 * edges of the window: Tarjan's strongly connected components, then a breadth-first search in each. */
#ifndef SYNCLINE_CHECK_COMMIT_CYCLE_H
#define SYNCLINE_CHECK_COMMIT_CYCLE_H

#include "check/commit_order.h"

/* A cycle, shortest found first: edges[i].to == edges[i + 1].from, the last leads to the first. Borrowed for
 * the duration of the call. */
typedef void commit_cycle_function(void *context, const struct commit_edge *edges, size_t count);

/* The commits low..high. `back` are all edges that lead back within the window, as commit_order_judge found
 * them. `found` is called for one cycle of each component that has any; on_cycle[i] tells whether
 * back->items[i] lies inside such a component. */
void commit_cycle_find(const struct commit_log *log, size_t low, size_t high, const struct commit_edges *back,
                       bool *on_cycle, commit_cycle_function *found, void *context);

#endif

#include "check/commit_cycle.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { NOBODY = SIZE_MAX };

struct graph {
    const struct commit_log *log;
    size_t low, count; /* node i is commit low + i */
    const struct commit_edges *back;
    struct commit_edges edges; /* sorted by where they come from */
    size_t *first;             /* of each node; first[count] is their number */
    size_t *component;
};

/* --- edges --- */

static bool is_inside(const struct graph *graph, const struct commit_edge *edge) {
    const size_t high = graph->low + graph->count;
    return edge->from >= graph->low && edge->to >= graph->low && edge->from < high && edge->to < high;
}

static void add(struct graph *graph, struct commit_edge edge) {
    if (edge.from == edge.to || !is_inside(graph, &edge))
        return;
    MEMORY_RESERVE(graph->edges.items, graph->edges.capacity, graph->edges.count + 1);
    graph->edges.items[graph->edges.count++] = edge;
}

static void add_read(struct graph *graph, size_t reader, const struct note_row *row) {
    const struct logged_document *document =
        commit_log_document((struct commit_log *)(uintptr_t)graph->log, row->table, row->id);
    if (document == NULL)
        return;
    const int64_t ts = row->values != NULL ? strtoll(row->values, NULL, 10) : 0;
    const size_t version = commit_order_version(document, ts);
    if (version > 0)
        add(graph, (struct commit_edge){.from = document->versions[version - 1].commit,
                                        .to = reader,
                                        .kind = EDGE_WRITE_READ,
                                        .document = document});
    if (version < document->n_versions && (version > 0 || ts == 0))
        add(graph, (struct commit_edge){.from = reader,
                                        .to = document->versions[version].commit,
                                        .kind = EDGE_READ_WRITE,
                                        .document = document});
}

static bool was_missed(const struct graph *graph, size_t reader, size_t writer) {
    for (size_t i = 0; i < graph->back->count; i++) {
        if (graph->back->items[i].from == reader && graph->back->items[i].to == writer)
            return true;
    }
    return false;
}

/* Writes into the range: those after the snapshot came after the reader, those before it came before. */
static void add_range(struct graph *graph, size_t reader, const struct logged_range *range) {
    const struct logged_commit *commits = graph->log->commits;
    for (size_t writer = graph->low; writer < graph->low + graph->count; writer++) {
        const struct logged_commit *commit = &commits[writer];
        const bool later = commit->ts > commits[reader].snapshot;
        for (size_t i = 0; i < commit->n_writes && writer != reader; i++) {
            if (!logged_write_touches(&commit->writes[i], range))
                continue;
            if (later)
                add(graph, (struct commit_edge){reader, writer, EDGE_READ_WRITE, commit->writes[i].document,
                                                range->index, false});
            else if (!was_missed(graph, reader, writer))
                add(graph, (struct commit_edge){writer, reader, EDGE_WRITE_READ, commit->writes[i].document,
                                                range->index, false});
            break;
        }
    }
}

static void add_reads(struct graph *graph, size_t reader) {
    const struct history_record *reads = graph->log->commits[reader].reads;
    for (size_t i = 0; reads != NULL && i < reads->note.n_rows; i++) {
        const struct note_row *row = &reads->note.rows[i];
        struct logged_range range;
        if (strcmp(row->operation, "READ") == 0)
            add_read(graph, reader, row);
        else if (strcmp(row->operation, "RANGE") == 0 && logged_range_parse(row, &range))
            add_range(graph, reader, &range);
    }
}

static void add_writes(struct graph *graph, size_t writer) {
    const struct logged_commit *commit = &graph->log->commits[writer];
    for (size_t i = 0; i < commit->n_writes; i++) {
        const struct logged_write *write = &commit->writes[i];
        if (write->version > 0)
            add(graph, (struct commit_edge){.from = write->document->versions[write->version - 1].commit,
                                            .to = writer,
                                            .kind = EDGE_WRITE_WRITE,
                                            .document = write->document});
    }
}

/* By node, in the order in which they were found. */
static void sort_edges(struct graph *graph) {
    const size_t n_edges = graph->edges.count;
    struct commit_edge *sorted = memory_allocate_array(n_edges + 1, sizeof *sorted);
    graph->first = memory_allocate_array(graph->count + 2, sizeof *graph->first);
    for (size_t i = 0; i < n_edges; i++)
        graph->first[graph->edges.items[i].from - graph->low + 2]++;
    for (size_t i = 2; i < graph->count + 2; i++)
        graph->first[i] += graph->first[i - 1];
    for (size_t i = 0; i < n_edges; i++)
        sorted[graph->first[graph->edges.items[i].from - graph->low + 1]++] = graph->edges.items[i];
    free(graph->edges.items);
    graph->edges.items = sorted;
    assert(graph->first[graph->count] == n_edges);
}

/* --- components: Tarjan, without recursion --- */

struct tarjan {
    size_t *order, *lowest; /* 0: not visited */
    size_t *stack, *path;   /* of open nodes; of nodes being visited */
    size_t *next;           /* edge to look at, for each node */
    size_t n_stack, n_path, visited, components;
};

static void visit(struct tarjan *tarjan, const struct graph *graph, size_t node) {
    tarjan->order[node] = tarjan->lowest[node] = ++tarjan->visited;
    tarjan->next[node] = graph->first[node];
    tarjan->stack[tarjan->n_stack++] = node;
    tarjan->path[tarjan->n_path++] = node;
}

static void close_component(struct tarjan *tarjan, struct graph *graph, size_t root) {
    size_t node;
    do {
        node = tarjan->stack[--tarjan->n_stack];
        graph->component[node] = tarjan->components;
    } while (node != root);
    tarjan->components++;
}

static void walk_from(struct tarjan *tarjan, struct graph *graph, size_t start) {
    visit(tarjan, graph, start);
    while (tarjan->n_path > 0) {
        const size_t node = tarjan->path[tarjan->n_path - 1];
        if (tarjan->next[node] < graph->first[node + 1]) {
            const size_t to = graph->edges.items[tarjan->next[node]++].to - graph->low;
            if (tarjan->order[to] == 0)
                visit(tarjan, graph, to);
            else if (graph->component[to] == NOBODY && tarjan->order[to] < tarjan->lowest[node])
                tarjan->lowest[node] = tarjan->order[to];
            continue;
        }
        if (tarjan->lowest[node] == tarjan->order[node])
            close_component(tarjan, graph, node);
        if (--tarjan->n_path > 0) {
            const size_t parent = tarjan->path[tarjan->n_path - 1];
            if (tarjan->lowest[node] < tarjan->lowest[parent])
                tarjan->lowest[parent] = tarjan->lowest[node];
        }
    }
}

static size_t find_components(struct graph *graph) {
    const size_t n = graph->count;
    size_t *block = memory_allocate_array(5 * n, sizeof *block);
    struct tarjan tarjan = {.order = block,
                            .lowest = block + n,
                            .stack = block + 2 * n,
                            .path = block + 3 * n,
                            .next = block + 4 * n};
    graph->component = memory_allocate_array(n, sizeof *graph->component);
    for (size_t i = 0; i < n; i++)
        graph->component[i] = NOBODY;
    for (size_t i = 0; i < n; i++) {
        if (tarjan.order[i] == 0)
            walk_from(&tarjan, graph, i);
    }
    free(block);
    return tarjan.components;
}

/* --- the shortest way around --- */

/* The edges of the shortest path between two nodes of one component, in `path`; their number. */
static size_t shortest_path(const struct graph *graph, size_t from, size_t to, struct commit_edge *path) {
    size_t *queue = memory_allocate_array(graph->count, sizeof *queue), head = 0, tail = 0;
    size_t *reached = memory_allocate_array(graph->count, sizeof *reached); /* by edge + 1 */
    queue[tail++] = from;
    while (head < tail && reached[to] == 0) {
        const size_t node = queue[head++];
        for (size_t i = graph->first[node]; i < graph->first[node + 1]; i++) {
            const size_t next = graph->edges.items[i].to - graph->low;
            if (reached[next] == 0 && next != from && graph->component[next] == graph->component[from]) {
                reached[next] = i + 1;
                queue[tail++] = next;
            }
        }
    }
    size_t length = 0;
    for (size_t node = to; node != from; length++)
        node = graph->edges.items[reached[node] - 1].from - graph->low;
    size_t at = length;
    for (size_t node = to; node != from;) {
        path[--at] = graph->edges.items[reached[node] - 1];
        node = path[at].from - graph->low;
    }
    free(queue);
    free(reached);
    return length;
}

/* The shortest cycle through an edge of the component that leads back. */
static void report_component(const struct graph *graph, size_t component, commit_cycle_function *found,
                             void *context) {
    struct commit_edge *path = memory_allocate_array(graph->count + 1, sizeof *path);
    struct commit_edge *best = memory_allocate_array(graph->count + 1, sizeof *best);
    size_t shortest = SIZE_MAX, tried = 0;
    for (size_t i = 0; i < graph->back->count && tried < 64 && shortest > 2; i++) {
        const struct commit_edge *edge = &graph->back->items[i];
        if (!is_inside(graph, edge))
            continue;
        const size_t from = edge->from - graph->low, to = edge->to - graph->low;
        if (graph->component[from] != component || graph->component[to] != component)
            continue;
        tried++;
        path[0] = *edge;
        const size_t length = 1 + shortest_path(graph, to, from, path + 1);
        if (length < shortest) {
            shortest = length;
            memcpy(best, path, length * sizeof *best);
        }
    }
    if (shortest != SIZE_MAX)
        found(context, best, shortest);
    free(path);
    free(best);
}

void commit_cycle_find(const struct commit_log *log, size_t low, size_t high, const struct commit_edges *back,
                       bool *on_cycle, commit_cycle_function *found, void *context) {
    struct graph graph = {.log = log, .low = low, .count = high - low + 1, .back = back};
    assert(low <= high && high < log->n_commits);
    for (size_t i = 0; i < back->count; i++)
        add(&graph, back->items[i]);
    for (size_t i = low; i <= high; i++) {
        add_reads(&graph, i);
        add_writes(&graph, i);
    }
    sort_edges(&graph);
    const size_t components = find_components(&graph);
    bool *reported = memory_allocate_array(components, sizeof *reported);
    for (size_t i = 0; i < back->count; i++) {
        on_cycle[i] = false;
        if (!is_inside(&graph, &back->items[i]))
            continue;
        const size_t component = graph.component[back->items[i].from - low];
        on_cycle[i] = component == graph.component[back->items[i].to - low];
        if (on_cycle[i] && !reported[component]) {
            reported[component] = true;
            report_component(&graph, component, found, context);
        }
    }
    free(reported);
    free(graph.edges.items);
    free(graph.first);
    free(graph.component);
}

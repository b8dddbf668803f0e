#include "mock-powersync/config/sync_source.h"

#include <assert.h>
#include <string.h>

struct sync_source *sync_source_target(struct sync_source *source) {
    return source->attachment == ATTACHED_TO_TABLE ? source->table : source;
}

/* Can the function be evaluated with rows of the table? It is from now on if it was free. */
static bool attaches(struct sync_source *function, struct sync_source *table) {
    if (!function->is_function)
        return false;
    if (function->attachment == ATTACHED_NOT && !table->is_function) {
        function->attachment = ATTACHED_TO_TABLE;
        function->table = table;
        return true;
    }
    return function->attachment == ATTACHED_TO_TABLE && function->table == table;
}

static bool is_compatible(struct sync_source *a, struct sync_source *b) {
    return a == b || (a->is_function ? attaches(a, b) : attaches(b, a));
}

void sync_expression_visit(const struct sync_expression *expression,
                           void (*visit)(void *context, const struct sync_expression *leaf), void *context) {
    if (expression->kind == EXPRESSION_COLUMN || expression->kind == EXPRESSION_REQUEST)
        visit(context, expression);
    for (size_t i = 0; i < expression->n_arguments; i++)
        if (expression->arguments[i])
            sync_expression_visit(expression->arguments[i], visit, context);
}

struct collector {
    struct sync_dependency found;
    const struct sync_expression *culprit;
};

static void collect(void *context, const struct sync_expression *leaf) {
    struct collector *collector = context;
    struct sync_dependency *found = &collector->found;
    if (collector->culprit)
        return;
    bool fits = leaf->kind == EXPRESSION_COLUMN
                    ? !found->request && (!found->source || is_compatible(found->source, leaf->source))
                    : !found->source;
    if (!fits)
        collector->culprit = leaf;
    else if (leaf->kind == EXPRESSION_COLUMN)
        found->source = leaf->source;
    else
        found->request = true;
}

bool sync_dependency_of(struct sync_expression *const *expressions, size_t count,
                        struct sync_dependency *dependency, const struct sync_expression **culprit) {
    struct collector collector = {0};
    for (size_t i = 0; i < count; i++)
        sync_expression_visit(expressions[i], collect, &collector);
    *dependency = collector.found;
    if (culprit)
        *culprit = collector.culprit;
    return !collector.culprit;
}

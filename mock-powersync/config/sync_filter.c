#include "mock-powersync/config/sync_filter.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { ALTERNATIVES_MOST = 100, PARTS_MOST = 1000 };

/* A condition by its AND, OR and NOT; what is none of them is a leaf. */
enum logic_kind { LOGIC_AND, LOGIC_OR, LOGIC_NOT, LOGIC_LEAF };

struct logic {
    enum logic_kind kind;
    struct logic **parts;
    size_t count;
    struct sync_expression *expression; /* of a leaf */
};

struct maker {
    const struct sync_query *query;
    struct arena *arena;
    struct arena scratch; /* for the logic */
    struct error *error;
};

static struct logic *make_logic(struct maker *maker, enum logic_kind kind, size_t most) {
    struct logic *logic = arena_allocate(&maker->scratch, sizeof *logic);
    logic->kind = kind;
    logic->parts = arena_allocate(&maker->scratch, (most + 1) * sizeof *logic->parts);
    return logic;
}

static struct logic *from_expression(struct maker *maker, struct sync_expression *expression) {
    enum logic_kind kind = expression->kind == EXPRESSION_AND   ? LOGIC_AND
                           : expression->kind == EXPRESSION_OR  ? LOGIC_OR
                           : expression->kind == EXPRESSION_NOT ? LOGIC_NOT
                                                                : LOGIC_LEAF;
    struct logic *logic = make_logic(maker, kind, expression->n_arguments);
    logic->expression = expression;
    if (kind == LOGIC_LEAF)
        return logic;
    for (size_t i = 0; i < expression->n_arguments; i++)
        logic->parts[logic->count++] = from_expression(maker, expression->arguments[i]);
    return logic;
}

static struct logic *normalize(struct maker *maker, struct logic *logic);

static struct logic *negated(struct maker *maker, struct logic *logic) {
    struct logic *made = make_logic(maker, LOGIC_NOT, 1);
    made->parts[made->count++] = logic;
    return made;
}

/* NOT goes down to the leaves. As in the real service what stands behind two of them is taken as it is. */
static struct logic *normalize_not(struct maker *maker, struct logic *inner) {
    if (inner->kind == LOGIC_NOT)
        return inner->parts[0];
    if (inner->kind == LOGIC_LEAF) {
        struct logic *leaf = make_logic(maker, LOGIC_LEAF, 0);
        leaf->expression = sync_expression_create(maker->arena, EXPRESSION_NOT, inner->expression->sql,
                                                  inner->expression->offset, 1);
        sync_expression_set(leaf->expression, 0, inner->expression);
        return leaf;
    }
    struct logic *other = make_logic(maker, inner->kind == LOGIC_AND ? LOGIC_OR : LOGIC_AND, inner->count);
    for (size_t i = 0; i < inner->count; i++) {
        struct logic *part = normalize(maker, negated(maker, inner->parts[i]));
        if (!part)
            return NULL;
        other->parts[other->count++] = part;
    }
    return normalize(maker, other);
}

static void *refuse(struct maker *maker, const char *reason) {
    sync_text_refuse(maker->query->text, maker->query->offset, maker->error, "%s", reason);
    return NULL;
}

/* Parts of one kind are taken up into their parent's. */
static bool flatten(struct maker *maker, struct logic *into, const struct logic *part, enum logic_kind kind) {
    if (into->count + part->count + 1 > PARTS_MOST)
        return refuse(maker, "the condition is too long");
    if (part->kind != kind) {
        into->parts[into->count++] = (struct logic *)(uintptr_t)part;
        return true;
    }
    for (size_t i = 0; i < part->count; i++)
        into->parts[into->count++] = part->parts[i];
    return true;
}

static struct logic *normalize_or(struct maker *maker, const struct logic *logic) {
    struct logic *all = make_logic(maker, LOGIC_OR, PARTS_MOST);
    for (size_t i = 0; i < logic->count; i++) {
        struct logic *part = normalize(maker, logic->parts[i]);
        if (!part || !flatten(maker, all, part, LOGIC_OR))
            return NULL;
    }
    return all;
}

/* An AND of one alternative of each OR, and of the rest. */
static struct logic *combine(struct maker *maker, const struct logic *alternatives, const size_t *chosen,
                             const struct logic *rest) {
    struct logic *all = make_logic(maker, LOGIC_AND, alternatives->count + rest->count);
    for (size_t i = 0; i < alternatives->count; i++)
        all->parts[all->count++] = alternatives->parts[i]->parts[chosen[i]];
    for (size_t i = 0; i < rest->count; i++)
        all->parts[all->count++] = rest->parts[i];
    return normalize(maker, all);
}

static struct logic *multiply(struct maker *maker, const struct logic *alternatives, const struct logic *rest,
                              size_t total) {
    struct logic *product = make_logic(maker, LOGIC_OR, total);
    size_t *chosen = memory_allocate_array(alternatives->count + 1, sizeof *chosen);
    for (size_t i = 0; i < total; i++) {
        struct logic *all = combine(maker, alternatives, chosen, rest);
        if (!all) {
            product = NULL;
            break;
        }
        product->parts[product->count++] = all;
        for (size_t j = alternatives->count; j-- > 0;) { /* the last goes the fastest */
            if (++chosen[j] < alternatives->parts[j]->count)
                break;
            chosen[j] = 0;
        }
    }
    free(chosen);
    return product;
}

static struct logic *normalize_and(struct maker *maker, const struct logic *logic) {
    struct logic *rest = make_logic(maker, LOGIC_AND, PARTS_MOST);
    struct logic *alternatives = make_logic(maker, LOGIC_AND, logic->count);
    size_t total = 1;
    for (size_t i = 0; i < logic->count; i++) {
        struct logic *part = normalize(maker, logic->parts[i]);
        if (!part)
            return NULL;
        if (part->kind == LOGIC_OR) {
            alternatives->parts[alternatives->count++] = part;
            total *= part->count;
        } else if (!flatten(maker, rest, part, LOGIC_AND)) {
            return NULL;
        }
        if (total > ALTERNATIVES_MOST)
            return refuse(maker, "the condition has more than 100 alternatives");
    }
    return alternatives->count == 0 ? rest : multiply(maker, alternatives, rest, total);
}

static struct logic *normalize(struct maker *maker, struct logic *logic) {
    switch (logic->kind) {
    case LOGIC_NOT:
        return normalize_not(maker, logic->parts[0]);
    case LOGIC_AND:
        return normalize_and(maker, logic);
    case LOGIC_OR:
        return normalize_or(maker, logic);
    case LOGIC_LEAF:
        break;
    }
    return logic;
}

/* Terms */

static bool make_side(struct maker *maker, struct sync_side *side, struct sync_expression *expression) {
    const struct sync_expression *culprit;
    side->expression = expression;
    if (sync_dependency_of(&expression, 1, &side->dependency, &culprit))
        return true;
    sync_query_refuse_mixture(culprit, maker->error);
    return false;
}

static bool make_term(struct maker *maker, struct sync_term *term, struct sync_expression *expression) {
    *term = (struct sync_term){0};
    bool equality = expression->kind == EXPRESSION_CALL && strcmp(expression->operation->name, "=") == 0;
    if (!equality)
        return make_side(maker, &term->left, expression);
    return make_side(maker, &term->left, expression->arguments[0]) &&
           make_side(maker, &term->right, expression->arguments[1]);
}

static struct sync_side compose(struct maker *maker, enum sync_expression_kind kind, struct sync_side left,
                                struct sync_side right) {
    struct sync_side side;
    side.expression =
        sync_expression_create(maker->arena, kind, left.expression->sql, left.expression->offset, 2);
    sync_expression_set(side.expression, 0, left.expression);
    sync_expression_set(side.expression, 1, right.expression);
    if (kind == EXPRESSION_CALL)
        side.expression->operation = sync_operation_find("=");
    bool good = sync_dependency_of(&side.expression, 1, &side.dependency, NULL);
    assert(good);
    (void)good;
    return side;
}

/* An equality whose sides depend on the same is a condition like any other. */
static struct sync_term simplify(struct maker *maker, struct sync_term term) {
    struct sync_dependency dependency;
    struct sync_expression *both[] = {term.left.expression, term.right.expression};
    if (!term.right.expression || !sync_dependency_of(both, 2, &dependency, NULL))
        return term;
    return (struct sync_term){.left = compose(maker, EXPRESSION_CALL, term.left, term.right)};
}

/* Conditions that depend on the same become one, joined by `kind`. Equalities first, then what depends on no
 * source, then source by source. */
static void merge(struct maker *maker, enum sync_expression_kind kind, struct sync_variant *variant) {
    struct sync_term *merged = arena_allocate(maker->arena, (variant->count + 1) * sizeof *merged);
    struct sync_term *single = memory_allocate_array(variant->count + 1, sizeof *single);
    struct sync_term free_term = {0};
    size_t n_merged = 0, n_single = 0;
    for (size_t i = 0; i < variant->count; i++) {
        struct sync_term term = simplify(maker, variant->terms[i]);
        struct sync_source *source = term.left.dependency.source;
        if (term.right.expression) {
            merged[n_merged++] = variant->terms[i];
            continue;
        }
        size_t j = 0;
        while (source && j < n_single && single[j].left.dependency.source != source)
            j++;
        struct sync_term *into = source ? &single[j] : &free_term;
        n_single += source && j == n_single;
        into->left = into->left.expression ? compose(maker, kind, into->left, term.left) : term.left;
        into->left.dependency.source = source;
    }
    if (free_term.left.expression)
        merged[n_merged++] = free_term;
    if (n_single > 0)
        memcpy(merged + n_merged, single, n_single * sizeof *single);
    free(single);
    *variant = (struct sync_variant){merged, n_merged + n_single};
}

static bool make_variant(struct maker *maker, struct sync_variant *variant, const struct logic *logic) {
    const struct logic *const *parts =
        logic->kind == LOGIC_AND ? (const struct logic *const *)logic->parts : &logic;
    variant->count = logic->kind == LOGIC_AND ? logic->count : 1;
    variant->terms = arena_allocate(maker->arena, (variant->count + 1) * sizeof *variant->terms);
    for (size_t i = 0; i < variant->count; i++) {
        if (parts[i]->kind != LOGIC_LEAF)
            return refuse(maker, "this use of NOT NOT with OR or AND is not supported");
        if (!make_term(maker, &variant->terms[i], parts[i]->expression))
            return false;
    }
    return true;
}

/* Variants of a single condition are joined by OR; those that are left stand behind the others. */
static void merge_variants(struct maker *maker, struct sync_variant *variants, size_t *count) {
    struct sync_variant alone = {arena_allocate(maker->arena, (*count + 1) * sizeof *alone.terms), 0};
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++) {
        merge(maker, EXPRESSION_AND, &variants[i]);
        if (variants[i].count == 1)
            alone.terms[alone.count++] = variants[i].terms[0];
        else
            variants[kept++] = variants[i];
    }
    merge(maker, EXPRESSION_OR, &alone);
    for (size_t i = 0; i < alone.count; i++)
        variants[kept++] = (struct sync_variant){&alone.terms[i], 1};
    *count = kept;
}

static enum status make_variants(struct maker *maker, struct sync_variant **variants, size_t *count) {
    struct logic *logic = make_logic(maker, LOGIC_AND, maker->query->n_conditions);
    for (size_t i = 0; i < maker->query->n_conditions; i++)
        logic->parts[logic->count++] = from_expression(maker, maker->query->conditions[i]);
    logic = normalize(maker, logic);
    if (!logic)
        return STATUS_INVALID;
    bool is_or = logic->kind == LOGIC_OR;
    *count = is_or ? logic->count : 1;
    *variants = arena_allocate(maker->arena, (*count + 1) * sizeof **variants);
    for (size_t i = 0; i < *count; i++)
        if (!make_variant(maker, &(*variants)[i], is_or ? logic->parts[i] : logic))
            return STATUS_INVALID;
    merge_variants(maker, *variants, count);
    assert(*count > 0);
    return STATUS_OK;
}

enum status sync_filter_make(const struct sync_query *query, struct arena *arena,
                             struct sync_variant **variants, size_t *count, struct error *error) {
    struct maker maker = {.query = query, .arena = arena, .error = error};
    enum status status = make_variants(&maker, variants, count);
    arena_free(&maker.scratch);
    return status;
}

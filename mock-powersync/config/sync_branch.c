#include "mock-powersync/config/sync_branch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mock-powersync/config/sync_parser.h"

enum { TERMS_MOST = 100, ATOMS_MOST = 200 };

/* An AND of conditions. */
struct term {
    struct sync_expression **atoms;
    size_t count;
};

/* An OR of terms: the clause in disjunctive normal form. Everything lives in the arena. */
struct terms {
    struct term *terms;
    size_t count;
};

struct maker {
    struct arena *arena;
    struct error *error;
};

bool sync_expression_has_membership(const struct sync_expression *expression) {
    if (!expression)
        return false;
    if (expression->kind == EXPRESSION_IN || expression->kind == EXPRESSION_OVERLAP)
        return true;
    for (size_t i = 0; i < expression->n_arguments; i++)
        if (sync_expression_has_membership(expression->arguments[i]))
            return true;
    return false;
}

static bool reads_both(const struct sync_expression *expression) {
    return expression->sides == (SIDE_ROW | SIDE_REQUEST);
}

/* Equal, or each equal: the two sides may be a row's and a request's. */
static bool is_link(const struct sync_expression *expression) {
    bool linking = expression->kind == EXPRESSION_IN || expression->kind == EXPRESSION_OVERLAP ||
                   (expression->kind == EXPRESSION_CALL && strcmp(expression->operation->name, "=") == 0);
    return linking && !reads_both(expression->arguments[0]) && !reads_both(expression->arguments[1]);
}

static enum status refuse(struct maker *maker, const struct sync_expression *expression, const char *reason) {
    return sync_parser_refuse(maker->error, expression->offset, "%s", reason);
}

static struct sync_expression *wrap(struct maker *maker, enum sync_expression_kind kind,
                                    struct sync_expression *left, struct sync_expression *right) {
    struct sync_expression *expression =
        sync_expression_create(maker->arena, kind, left->offset, right ? 2 : 1);
    sync_expression_set(expression, 0, left);
    if (right)
        sync_expression_set(expression, 1, right);
    return expression;
}

static struct terms one_atom(struct maker *maker, struct sync_expression *atom) {
    struct terms terms = {arena_allocate(maker->arena, sizeof *terms.terms), 1};
    terms.terms->atoms = arena_allocate(maker->arena, sizeof *terms.terms->atoms);
    terms.terms->atoms[0] = atom;
    terms.terms->count = 1;
    return terms;
}

static enum status make_atom(struct maker *maker, struct sync_expression *expression, bool negated,
                             struct terms *terms) {
    static const char *const both = "row data and request data can only be compared with =, IN or &&";
    bool membership = expression->kind == EXPRESSION_IN || expression->kind == EXPRESSION_OVERLAP;
    for (size_t i = 0; i < expression->n_arguments; i++)
        if (sync_expression_has_membership(expression->arguments[i]))
            return refuse(maker, expression,
                          "IN with a JSON array and && are conditions of their own, not values");
    if (reads_both(expression) && (negated || !is_link(expression)))
        return refuse(maker, expression, both);
    if (negated && expression->kind == EXPRESSION_OVERLAP)
        return refuse(maker, expression, "NOT of && is not supported");
    if (expression->kind == EXPRESSION_OVERLAP && !reads_both(expression))
        return refuse(maker, expression, "&& is supported between a row's and a request's array");
    if (membership && expression->arguments[0]->sides == SIDE_REQUEST &&
        expression->arguments[1]->sides == SIDE_REQUEST && !negated)
        return refuse(maker, expression, "IN between two values of the request is not supported");
    if (negated && expression->kind == EXPRESSION_IN) {
        struct sync_expression *contains =
            wrap(maker, EXPRESSION_CALL, expression->arguments[0], expression->arguments[1]);
        contains->operation = sync_operation_find("json contains");
        expression = contains;
    }
    *terms = one_atom(maker, negated ? wrap(maker, EXPRESSION_NOT, expression, NULL) : expression);
    return STATUS_OK;
}

static enum status make_terms(struct maker *maker, struct sync_expression *expression, bool negated,
                              struct terms *terms);

/* Every term of one with every term of the other. */
static struct terms multiply(struct maker *maker, struct terms left, struct terms right) {
    struct terms product = {
        arena_allocate(maker->arena, (left.count * right.count + 1) * sizeof *product.terms), 0};
    for (size_t i = 0; i < left.count; i++) {
        for (size_t j = 0; j < right.count; j++) {
            const struct term *a = &left.terms[i], *b = &right.terms[j];
            struct term *both = &product.terms[product.count++];
            both->atoms = arena_allocate(maker->arena, (a->count + b->count) * sizeof *both->atoms);
            memcpy(both->atoms, a->atoms, a->count * sizeof *a->atoms);
            memcpy(both->atoms + a->count, b->atoms, b->count * sizeof *b->atoms);
            both->count = a->count + b->count;
        }
    }
    return product;
}

static struct terms append(struct maker *maker, struct terms left, struct terms right) {
    struct terms all = {arena_allocate(maker->arena, (left.count + right.count) * sizeof *all.terms),
                        left.count + right.count};
    memcpy(all.terms, left.terms, left.count * sizeof *left.terms);
    memcpy(all.terms + left.count, right.terms, right.count * sizeof *right.terms);
    return all;
}

static enum status make_logic(struct maker *maker, struct sync_expression *expression, bool negated,
                              struct terms *terms) {
    bool product = (expression->kind == EXPRESSION_AND) != negated;
    for (size_t i = 0; i < expression->n_arguments; i++) {
        struct terms more;
        enum status status = make_terms(maker, expression->arguments[i], negated, &more);
        if (status)
            return status;
        size_t count = i == 0 ? more.count : product ? terms->count * more.count : terms->count + more.count;
        if (count > TERMS_MOST)
            return refuse(maker, expression, "the condition has more than 100 alternatives");
        *terms = i == 0 ? more : product ? multiply(maker, *terms, more) : append(maker, *terms, more);
    }
    return STATUS_OK;
}

static enum status make_terms(struct maker *maker, struct sync_expression *expression, bool negated,
                              struct terms *terms) {
    if (expression->kind == EXPRESSION_NOT)
        return make_terms(maker, expression->arguments[0], !negated, terms);
    bool logic = expression->kind == EXPRESSION_AND || expression->kind == EXPRESSION_OR;
    if (logic)
        return make_logic(maker, expression, negated, terms);
    return make_atom(maker, expression, negated, terms);
}

static bool is_filter(const struct term *term, bool row) {
    for (size_t i = 0; i < term->count; i++)
        if ((term->atoms[i]->sides == SIDE_ROW) != row || reads_both(term->atoms[i]) ||
            sync_expression_has_membership(term->atoms[i]))
            return false;
    return true;
}

static struct sync_expression *all_of(struct maker *maker, const struct term *term) {
    struct sync_expression *all = term->atoms[0];
    for (size_t i = 1; i < term->count; i++)
        all = wrap(maker, EXPRESSION_AND, all, term->atoms[i]);
    return all;
}

/* Terms of the row alone become one, and so do those of the request alone; a constant counts to the request.
 */
static void merge_filters(struct maker *maker, struct terms *terms, bool row) {
    struct sync_expression *any = NULL;
    size_t kept = 0;
    for (size_t i = 0; i < terms->count; i++) {
        if (!is_filter(&terms->terms[i], row)) {
            terms->terms[kept++] = terms->terms[i];
            continue;
        }
        struct sync_expression *all = all_of(maker, &terms->terms[i]);
        any = any ? wrap(maker, EXPRESSION_OR, any, all) : all;
    }
    if (any)
        terms->terms[kept++] = *one_atom(maker, any).terms;
    terms->count = kept;
}

static bool is_of_row(const struct term *term) {
    for (size_t i = 0; i < term->count; i++)
        if (term->atoms[i]->sides != SIDE_ROW)
            return false;
    return true;
}

/* As in the real service: what has nothing to do with requests comes last. */
static void sort_terms(struct maker *maker, struct terms *terms) {
    struct term *sorted = arena_allocate(maker->arena, terms->count * sizeof *sorted);
    size_t count = 0;
    for (int last = 0; last < 2; last++)
        for (size_t i = 0; i < terms->count; i++)
            if (is_of_row(&terms->terms[i]) == (last == 1))
                sorted[count++] = terms->terms[i];
    terms->terms = sorted;
}

/* Branches */

static void add_filter(struct sync_condition *condition, const struct sync_expression *atom,
                       struct arena *arena, size_t most) {
    if (!condition->filters)
        condition->filters = arena_allocate(arena, most * sizeof *condition->filters);
    condition->filters[condition->n_filters++] = atom;
}

static void add_membership(struct sync_condition *condition, const struct sync_expression *atom,
                           struct arena *arena, size_t most) {
    if (!condition->memberships)
        condition->memberships = arena_allocate(arena, most * sizeof *condition->memberships);
    condition->memberships[condition->n_memberships++] =
        (struct sync_membership){atom->arguments[0], atom->arguments[1]};
}

static char *printed(const struct sync_expression *expression) {
    struct buffer text = {0};
    sync_expression_print(&text, expression);
    return buffer_take(&text);
}

static bool is_same(const struct sync_expression *left, const struct sync_expression *right) {
    char *a = printed(left), *b = printed(right);
    bool same = strcmp(a, b) == 0;
    free(a);
    free(b);
    return same;
}

/* A value of the row that is compared with several of the request is one parameter. */
static void add_link(struct sync_branch *branch, const struct sync_expression *atom, struct arena *arena,
                     size_t most) {
    size_t row = atom->arguments[0]->sides == SIDE_ROW ? 0 : 1;
    bool each[2] = {atom->kind == EXPRESSION_OVERLAP, atom->kind != EXPRESSION_CALL};
    struct sync_operand row_side = {atom->arguments[row], each[row]};
    struct sync_operand request_side = {atom->arguments[1 - row], each[1 - row]};
    size_t i = 0;
    while (i < branch->n_parameters && (row_side.each != branch->row_parameters[i].each ||
                                        !is_same(branch->row_parameters[i].expression, row_side.expression)))
        i++;
    if (!branch->row_parameters) {
        branch->row_parameters = arena_allocate(arena, most * sizeof *branch->row_parameters);
        branch->requests->parameters = arena_allocate(arena, most * sizeof *branch->requests->parameters);
    }
    struct sync_request_parameter *parameter = &branch->requests->parameters[i];
    if (i == branch->n_parameters) {
        branch->row_parameters[i] = row_side;
        parameter->sources = arena_allocate(arena, most * sizeof *parameter->sources);
        branch->n_parameters++;
    }
    parameter->sources[parameter->n_sources++] = request_side;
}

static void append_operand(struct buffer *out, const struct sync_operand *operand) {
    buffer_append_text(out, operand->each ? "*" : "=");
    sync_expression_print(out, operand->expression);
}

static char *parameter_key(const struct sync_branch *branch, size_t i, bool by_row) {
    struct buffer text = {0};
    if (by_row)
        append_operand(&text, &branch->row_parameters[i]);
    for (size_t k = 0; k < branch->n_requests; k++)
        for (size_t j = 0; j < branch->requests[k].parameters[i].n_sources; j++)
            append_operand(&text, &branch->requests[k].parameters[i].sources[j]);
    append_operand(&text, &branch->row_parameters[i]);
    return buffer_take(&text);
}

static void swap_parameters(struct sync_branch *branch, size_t i, size_t j) {
    struct sync_operand row = branch->row_parameters[i];
    branch->row_parameters[i] = branch->row_parameters[j];
    branch->row_parameters[j] = row;
    for (size_t k = 0; k < branch->n_requests; k++) {
        struct sync_request_parameter *parameters = branch->requests[k].parameters;
        struct sync_request_parameter request = parameters[i];
        parameters[i] = parameters[j];
        parameters[j] = request;
    }
}

/* In an order that does not depend on how the query is written: of their rows, to find branches whose rows
 * are the same; then of their requests, to find families. */
static void sort_parameters(struct sync_branch *branch, bool by_row) {
    for (size_t i = 1; i < branch->n_parameters; i++) {
        for (size_t j = i; j > 0; j--) {
            char *before = parameter_key(branch, j - 1, by_row), *after = parameter_key(branch, j, by_row);
            bool sorted = strcmp(before, after) <= 0;
            free(before);
            free(after);
            if (sorted)
                break;
            swap_parameters(branch, j - 1, j);
        }
    }
}

static void append_condition(struct buffer *out, const struct sync_condition *condition) {
    for (size_t i = 0; i < condition->n_filters; i++)
        sync_expression_print(out, condition->filters[i]);
    for (size_t i = 0; i < condition->n_memberships; i++) {
        buffer_append_char(out, '@');
        sync_expression_print(out, condition->memberships[i].value);
        sync_expression_print(out, condition->memberships[i].list);
    }
}

static char *request_key(const struct sync_branch *branch, const struct sync_request_side *request,
                         struct arena *arena) {
    struct buffer key = {0};
    append_condition(&key, &request->condition);
    for (size_t i = 0; i < branch->n_parameters; i++) {
        buffer_append_char(&key, ';');
        for (size_t j = 0; j < request->parameters[i].n_sources; j++)
            append_operand(&key, &request->parameters[i].sources[j]);
    }
    char *copy = arena_copy_bytes(arena, buffer_text(&key), key.length);
    buffer_free(&key);
    return copy;
}

static void make_keys(struct sync_branch *branch, struct arena *arena) {
    struct buffer row = {0};
    append_condition(&row, &branch->row);
    for (size_t i = 0; i < branch->n_parameters; i++) {
        buffer_append_char(&row, ';');
        append_operand(&row, &branch->row_parameters[i]);
    }
    branch->requests->key = request_key(branch, branch->requests, arena);
    branch->row_key = arena_copy_bytes(arena, buffer_text(&row), row.length);
    buffer_free(&row);
}

static bool has_request(const struct sync_branch *branch, const char *key) {
    for (size_t i = 0; i < branch->n_requests; i++)
        if (strcmp(branch->requests[i].key, key) == 0)
            return true;
    return false;
}

/* Branches whose rows are the same become one, with all their requests. */
static void merge_branches(struct sync_query *query) {
    size_t kept = 0;
    for (size_t i = 0; i < query->n_branches; i++) {
        size_t same = 0;
        while (same < kept && strcmp(query->branches[same].row_key, query->branches[i].row_key) != 0)
            same++;
        if (same == kept) {
            query->branches[kept++] = query->branches[i];
            continue;
        }
        struct sync_branch *branch = &query->branches[same];
        if (has_request(branch, query->branches[i].requests->key))
            continue;
        struct sync_request_side *requests =
            arena_allocate(&query->arena, (branch->n_requests + 1) * sizeof *requests);
        memcpy(requests, branch->requests, branch->n_requests * sizeof *requests);
        requests[branch->n_requests++] = query->branches[i].requests[0];
        branch->requests = requests;
    }
    query->n_branches = kept;
}

/* The keys of all requests, sorted. */
static void make_family_key(struct sync_branch *branch, struct arena *arena) {
    sort_parameters(branch, false);
    for (size_t i = 0; i < branch->n_requests; i++)
        branch->requests[i].key = request_key(branch, &branch->requests[i], arena);
    const char **keys = arena_allocate(arena, branch->n_requests * sizeof *keys);
    struct buffer text = {0};
    for (size_t i = 0; i < branch->n_requests; i++) {
        size_t at = i;
        for (; at > 0 && strcmp(branch->requests[i].key, keys[at - 1]) < 0; at--)
            keys[at] = keys[at - 1];
        keys[at] = branch->requests[i].key;
    }
    for (size_t i = 0; i < branch->n_requests; i++) {
        buffer_append_text(&text, keys[i]);
        buffer_append_char(&text, '\n');
    }
    branch->key = arena_copy_bytes(arena, buffer_text(&text), text.length);
    buffer_free(&text);
}

/* The JSON array of a side that a condition goes through; NULL: none. */
static const struct sync_expression *list_of(const struct sync_expression *atom, unsigned side) {
    for (size_t i = 0; i < 2; i++) {
        bool each = atom->kind == EXPRESSION_OVERLAP || (atom->kind == EXPRESSION_IN && i == 1);
        if (each &&
            (atom->arguments[i]->sides == side || (side == SIDE_REQUEST && !atom->arguments[i]->sides)))
            return atom->arguments[i];
    }
    return NULL;
}

/* The real service goes through an array once, however often it is named: each condition is about the same
 * item. We go through it for each condition, so only && and IN of one row array with several of the request,
 * where both are the same, are taken. */
static bool shares_list(const struct term *term, unsigned side, const struct sync_expression **place) {
    for (size_t i = 0; i < term->count; i++) {
        const struct sync_expression *list = list_of(term->atoms[i], side);
        for (size_t j = 0; list && j < i; j++) {
            const struct sync_expression *other = list_of(term->atoms[j], side);
            bool one_parameter = side == SIDE_ROW && reads_both(term->atoms[i]) && reads_both(term->atoms[j]);
            if (other && !one_parameter && is_same(list, other)) {
                *place = list;
                return true;
            }
        }
    }
    return false;
}

/* A row's value with several of the request, one of them an array: how often the real service counts the
 * common values is not known here. */
static bool intersects_lists(const struct term *term, const struct sync_expression **place) {
    for (size_t i = 0; i < term->count; i++) {
        const struct sync_expression *atom = term->atoms[i];
        size_t row = reads_both(atom) && atom->arguments[0]->sides != SIDE_ROW;
        for (size_t j = 0; j < term->count && reads_both(atom); j++) {
            const struct sync_expression *other = term->atoms[j];
            size_t other_row = reads_both(other) && other->arguments[0]->sides != SIDE_ROW;
            if (i != j && reads_both(other) && list_of(other, SIDE_REQUEST) &&
                is_same(atom->arguments[row], other->arguments[other_row])) {
                *place = other;
                return true;
            }
        }
    }
    return false;
}

/* One value of the row that must equal several of the request: simple cases only. */
static bool compares_twice(const struct term *term, bool alone, const struct sync_expression **place) {
    size_t times = 0;
    for (size_t i = 0; i < term->count; i++) {
        const struct sync_expression *atom = term->atoms[i];
        size_t row = reads_both(atom) && atom->arguments[0]->sides != SIDE_ROW;
        for (size_t j = 0; reads_both(atom) && j < i; j++) {
            const struct sync_expression *other = term->atoms[j];
            size_t other_row = reads_both(other) && other->arguments[0]->sides != SIDE_ROW;
            bool same = reads_both(other) && is_same(atom->arguments[row], other->arguments[other_row]);
            if (same && ++times > 1)
                alone = false; /* three of them */
            if (same && (!alone || is_same(atom->arguments[1 - row], other->arguments[1 - other_row]))) {
                *place = atom;
                return true;
            }
        }
    }
    return false;
}

static void make_branch(struct sync_branch *branch, const struct term *term, struct arena *arena) {
    branch->requests = arena_allocate(arena, sizeof *branch->requests);
    branch->n_requests = 1;
    for (size_t i = 0; i < term->count; i++) {
        const struct sync_expression *atom = term->atoms[i];
        bool row = (atom->sides & SIDE_ROW) != 0;
        if (reads_both(atom))
            add_link(branch, atom, arena, term->count);
        else if (atom->kind == EXPRESSION_IN)
            add_membership(row ? &branch->row : &branch->requests->condition, atom, arena, term->count);
        else
            add_filter(row ? &branch->row : &branch->requests->condition, atom, arena, term->count);
    }
    sort_parameters(branch, true);
}

enum status sync_branches_make(struct sync_query *query, struct sync_expression *where, struct error *error) {
    struct maker maker = {&query->arena, error};
    struct term none = {NULL, 0};
    struct terms terms = {&none, 1};
    if (where) {
        enum status status = make_terms(&maker, where, false, &terms);
        if (status)
            return status;
        merge_filters(&maker, &terms, false);
        merge_filters(&maker, &terms, true);
        sort_terms(&maker, &terms);
    }
    query->branches = arena_allocate(&query->arena, terms.count * sizeof *query->branches);
    query->n_branches = terms.count;
    for (size_t i = 0; i < terms.count; i++) {
        if (terms.terms[i].count > ATOMS_MOST)
            return error_set(error, STATUS_INVALID, "the condition is too long");
        const struct sync_expression *place;
        if (intersects_lists(&terms.terms[i], &place) || shares_list(&terms.terms[i], SIDE_ROW, &place) ||
            shares_list(&terms.terms[i], SIDE_REQUEST, &place))
            return refuse(&maker, place, "one array in several conditions of an AND is not supported");
        if (compares_twice(&terms.terms[i], terms.count == 1, &place))
            return refuse(&maker, place, "comparing one value twice with the request is not supported here");
        make_branch(&query->branches[i], &terms.terms[i], &query->arena);
        make_keys(&query->branches[i], &query->arena);
    }
    merge_branches(query);
    for (size_t i = 0; i < query->n_branches; i++)
        make_family_key(&query->branches[i], &query->arena);
    return STATUS_OK;
}

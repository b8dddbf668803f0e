#include "check/view_difference.h"

#include <assert.h>
#include <string.h>

#include "check/local_row.h"
#include "check/row_set.h"

struct walk {
    const struct view_model *model;
    const struct client_schema *schema;
    size_t version;
    size_t count; /* rows that differ */
    struct buffer key;
    struct buffer text[2]; /* a row with queued writes on top, before and after one of them */
};

static bool same_text(const char *a, const char *b) {
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static const char *shown_text(struct walk *walk, const char *table, const char *id) {
    assert(walk->model != NULL);
    return view_model_text(walk->model, table, id);
}

static bool writes_row(const struct note_row *operation, const char *table, const char *id) {
    return strcmp(operation->table, table) == 0 && strcmp(operation->id, id) == 0;
}

/* `text` with the queued local transactions on top that the version does not contain. */
static const char *with_queued_writes(struct walk *walk, const char *table, const char *id,
                                      const char *text) {
    const struct view_model *model = walk->model;
    const struct client_table *client_table = local_row_table(walk->schema, table);
    assert(walk->version < model->user->n_versions);
    const size_t commit = model->user->versions[walk->version].commit;
    int turn = 0;
    for (size_t i = model->first_open; client_table != NULL && i < model->n_transactions; i++) {
        const struct local_transaction *transaction = &model->transactions[i];
        const struct note *note = &transaction->record->note;
        if (transaction->state != TRANSACTION_QUEUED ||
            (transaction->commit != 0 && transaction->commit <= commit))
            continue;
        for (size_t j = 0; j < note->n_rows; j++) {
            if (!writes_row(&note->rows[j], table, id))
                continue;
            struct buffer *out = &walk->text[turn];
            turn = 1 - turn;
            buffer_clear(out);
            text = local_row_apply(out, client_table, text, &note->rows[j]) ? buffer_text(out) : NULL;
        }
    }
    return text;
}

static const char *expected_text(struct walk *walk, const char *table, const char *id, const char *text) {
    if (walk->model->first_open == walk->model->n_transactions)
        return text;
    return with_queued_writes(walk, table, id, text);
}

static void compare_row(struct walk *walk, struct oracle_row *row) {
    assert(walk->count >= (size_t)row->differs);
    walk->count -= row->differs;
    row->differs = !same_text(expected_text(walk, row->table, row->id, row->mark),
                              shown_text(walk, row->table, row->id));
    walk->count += row->differs;
}

/* A row that the user never had at any commit. */
static bool is_foreign(struct walk *walk, const struct view_row *row) {
    row_set_key(&walk->key, row->table, row->id);
    return row->text != NULL &&
           map_get_bytes(&walk->model->user->rows, walk->key.data, walk->key.length) == NULL &&
           !same_text(expected_text(walk, row->table, row->id, NULL), row->text);
}

static void walk_start(struct walk *walk) {
    const struct oracle_user *user = walk->model->user;
    const struct map_entry *entry;
    walk->version = user->n_versions - 1;
    walk->count = 0;
    for (size_t i = 0; (entry = map_next(&user->rows, &i)) != NULL;) {
        struct oracle_row *row = entry->value;
        row->mark = row->text;
        row->differs = false;
        compare_row(walk, row);
    }
    for (size_t i = 0; i < walk->model->rows.count; i++)
        walk->count += is_foreign(walk, &walk->model->rows.rows[i]);
}

static void walk_back(struct walk *walk) {
    assert(walk->version > 0);
    const struct oracle_version *version = &walk->model->user->versions[walk->version--];
    for (size_t i = 0; i < version->n_changes; i++) {
        struct oracle_row *row = version->changes[i].row;
        row->mark = version->changes[i].before;
        compare_row(walk, row);
    }
}

/* How many rows that differ here are, on the client, as they are on one side of the version's change. */
static size_t explained(struct walk *walk, const struct oracle_version *version, bool after) {
    size_t count = 0;
    for (size_t i = 0; i < version->n_changes; i++) {
        const struct oracle_change *change = &version->changes[i];
        const char *side = after ? change->after : change->before;
        count +=
            change->row->differs && same_text(side, shown_text(walk, change->row->table, change->row->id));
    }
    return count;
}

/* Is all that differs here a part of one commit: rows of this version that are missing, or of the next that
 * are early? */
static void look_for_part(struct walk *walk, struct view_difference *found) {
    const struct oracle_user *user = walk->model->user;
    const struct oracle_version *here = &user->versions[walk->version];
    if (walk->count == 0)
        return;
    if (walk->count < here->n_changes && explained(walk, here, false) == walk->count) {
        found->part_version = walk->version;
        found->part_shown = here->n_changes - walk->count;
        assert(found->part_version > 0); /* version 0 has no changes */
    } else if (walk->version + 1 < user->n_versions && walk->count < here[1].n_changes &&
               explained(walk, here + 1, true) == walk->count) {
        found->part_version = walk->version + 1;
        found->part_shown = walk->count;
    }
}

/* Equal is best, then a part of one commit, which explains every row that differs, then fewer rows. The walk
 * goes back in time: of equal versions the older one forbids least later, of others the newer one is more
 * likely meant. */
static bool is_better(const struct view_difference *candidate, const struct view_difference *best) {
    const bool part = candidate->part_version != 0;
    const bool best_part = best->part_version != 0;
    if (candidate->count == 0 || best->count == 0)
        return candidate->count == 0;
    return part == best_part ? candidate->count < best->count : part;
}

static void show_row(struct walk *walk, struct view_difference *best, const char *table, const char *id,
                     const char *text) {
    best->table = table;
    best->row = id;
    best->seen = shown_text(walk, table, id);
    best->expected = text; /* of the version; the caller keeps no text of a row with queued writes on top */
}

static void find_missing_part(struct walk *walk, struct view_difference *best) {
    const struct oracle_version *version = &walk->model->user->versions[best->part_version];
    for (size_t i = 0; i < version->n_changes; i++) {
        const struct oracle_change *change = &version->changes[i];
        if (same_text(change->after, shown_text(walk, change->row->table, change->row->id)))
            continue;
        show_row(walk, best, change->row->table, change->row->id, change->after);
        return;
    }
}

static void find_differing_row(struct walk *walk, struct view_difference *best) {
    const struct map_entry *entry;
    walk_start(walk);
    while (walk->version > best->version)
        walk_back(walk);
    assert(walk->count == best->count);
    for (size_t i = 0; (entry = map_next(&walk->model->user->rows, &i)) != NULL;) {
        const struct oracle_row *row = entry->value;
        if (row->differs) {
            show_row(walk, best, row->table, row->id, row->mark);
            return;
        }
    }
    for (size_t i = 0; i < walk->model->rows.count; i++) {
        const struct view_row *row = &walk->model->rows.rows[i];
        if (is_foreign(walk, row)) {
            show_row(walk, best, row->table, row->id, NULL);
            return;
        }
    }
}

void view_difference_find(const struct view_model *model, const struct client_schema *schema,
                          size_t not_before, struct view_difference *best) {
    const struct oracle_user *user = model->user;
    struct walk walk = {.model = model, .schema = schema};
    *best = (struct view_difference){.count = SIZE_MAX};
    walk_start(&walk);
    for (;;) {
        struct view_difference here = {.version = walk.version, .count = walk.count};
        look_for_part(&walk, &here);
        if (is_better(&here, best))
            *best = here;
        if (walk.version == 0 || user->versions[walk.version].commit <= not_before)
            break;
        walk_back(&walk);
    }
    assert(best->count != SIZE_MAX);
    if (best->part_version != 0)
        find_missing_part(&walk, best);
    else if (best->count > 0)
        find_differing_row(&walk, best);
    assert(best->count == 0 || best->table != NULL);
    buffer_free(&walk.key);
    buffer_free(&walk.text[0]);
    buffer_free(&walk.text[1]);
}

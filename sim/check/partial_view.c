#include "check/partial_view.h"

#include <assert.h>
#include <string.h>

#include "check/row_set.h"

struct search {
    const struct view_model *model;
    const struct history_record *record;
    int priority;
};

static bool same_text(const char *a, const char *b) {
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool is_of_record(const struct search *search, const struct oracle_row *row) {
    const struct note *note = &search->record->note;
    for (size_t i = 0; i < note->n_rows; i++) {
        if (strcmp(note->rows[i].id, row->id) == 0 && strcmp(note->rows[i].table, row->table) == 0)
            return true;
    }
    return false;
}

static const char *shown(struct search *search, const struct oracle_row *row) {
    return view_model_text(search->model, row->table, row->id);
}

/* The rows' marks are their texts at the commit in question. */
static bool explains(struct search *search) {
    const struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&search->model->user->rows, &i)) != NULL;) {
        const struct oracle_row *row = entry->value;
        if (row->priority > search->priority)
            continue;
        const char *seen = shown(search, row);
        if (!same_text(row->mark, seen) && (row->mark != NULL || is_of_record(search, row)))
            return false;
    }
    return true;
}

/* Rows that no commit ever gave are in the view's set, and not in this one. */
static bool is_all_known(struct search *search) {
    struct hash128 set = {0, 0};
    struct buffer scratch = {0};
    const struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&search->model->user->rows, &i)) != NULL;) {
        const struct oracle_row *row = entry->value;
        if (row->priority <= search->priority)
            set = hash128_add(set, row_set_hash(&scratch, row->table, row->id, shown(search, row)));
    }
    buffer_free(&scratch);
    return hash128_equal(set, search->model->urgent[search->priority]);
}

static void mark_newest(const struct oracle_user *user) {
    const struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&user->rows, &i)) != NULL;) {
        struct oracle_row *row = entry->value;
        row->mark = row->text;
    }
}

bool partial_view_find(const struct oracle *oracle, const struct view_model *model,
                       const struct history_record *record, size_t not_before, size_t *commit) {
    const struct oracle_user *user = model->user;
    struct search search = {.model = model, .record = record, .priority = (int)record->note.transaction};
    bool found = false;
    assert(search.priority >= 0 && search.priority < ORACLE_URGENT && not_before <= oracle_newest(oracle));
    (void)oracle;
    if (is_all_known(&search)) {
        const size_t oldest = oracle_user_version(user, not_before);
        mark_newest(user);
        for (size_t i = user->n_versions; i-- > oldest;) {
            const struct oracle_version *version = &user->versions[i];
            if (explains(&search)) {
                *commit = version->commit < not_before ? not_before : version->commit;
                found = true;
            }
            for (size_t j = 0; j < version->n_changes; j++)
                version->changes[j].row->mark = version->changes[j].before;
        }
    }
    return found;
}

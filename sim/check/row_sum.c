#include "check/row_sum.h"

#include <stdlib.h>

#include "base/memory.h"

struct state {
    struct checker *checker;
    const struct row_sum *sum;
    struct viewers viewers;
    int64_t whole; /* what it must be */
    bool known;
};

struct tally {
    int64_t sum;
    size_t rows;
    int64_t reported; /* the difference that was reported last; 0: none */
};

static void change(void *self, struct viewer *viewer, struct viewer_row *row,
                   const struct viewer_values *values) {
    const struct state *state = self;
    struct tally *tally = viewer->tally;
    const int64_t weight = row->text != NULL ? state->sum->weigh(row, values) : 0;
    tally->sum += weight - row->kept;
    tally->rows += (size_t)(row->text != NULL) - (size_t)row->was;
    row->kept = weight;
}

static void judge(struct state *state, const struct viewer *viewer, const struct history_record *record) {
    struct tally *tally = viewer->tally;
    const int64_t difference = tally->sum - state->whole;
    if (difference == tally->reported)
        return;
    tally->reported = difference;
    if (difference == 0)
        return;
    viewers_report(state->checker, state->sum->property, viewer, NULL, record,
                   memory_format("%lld", (long long)state->whole),
                   memory_format("%lld", (long long)tally->sum),
                   memory_format("For %s %s is %lld, and it must always be %lld.", viewer->name,
                                 state->sum->what, (long long)tally->sum, (long long)state->whole));
}

void row_sum_record(void *self, const struct history_record *record) {
    struct state *state = self;
    const struct viewer *viewer = viewers_record(&state->viewers, record);
    if (viewer == NULL)
        return;
    const struct tally *tally = viewer->tally;
    if (!state->known && viewer->is_deployment) {
        state->whole = tally->sum;
        state->known = true;
    }
    if (state->known && tally->rows > 0)
        judge(state, viewer, record);
}

void *row_sum_create(struct checker *checker, const struct row_sum *sum) {
    struct state *state = memory_allocate(sizeof *state);
    state->checker = checker;
    state->sum = sum;
    state->viewers = (struct viewers){
        .self = state, .wants = sum->wants, .change = change, .tally_size = sizeof(struct tally)};
    viewers_begin(&state->viewers, checker);
    return state;
}

void row_sum_destroy(void *self) {
    struct state *state = self;
    viewers_free(&state->viewers);
    free(state);
}

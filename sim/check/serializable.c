/* serializable: committed mutations have a serial order that agrees with what they read, and the order of
 * their commit timestamps is one. Commits without edges that lead back (check/commit_order.h) need nothing
 * more; a run of commits that such edges span is searched for cycles when nothing more can join it. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "check/commit_cycle.h"
#include "check/properties.h"

enum { WINDOW_MOST = 1024 }; /* commits searched at once; cycles across a longer window may stay unnamed */

struct serializable {
    struct checker *checker;
    struct commit_log log;
    const struct history_record *reads; /* the NOTE_READS that waits for its commit */
    struct commit_edges back;           /* those of the window */
    size_t low, high;                   /* the window, while `back` is not empty */
};

static const char *path_of(const struct logged_commit *commit) {
    return commit->record->note.text != NULL ? commit->record->note.text : "a transaction";
}

/* Commits go by letters in explanations, in the order of their naming. */
struct letters {
    size_t commits[26];
    size_t count;
};

static char letter_of(struct letters *letters, size_t commit) {
    size_t i = 0;
    while (i < letters->count && letters->commits[i] != commit)
        i++;
    if (i == letters->count && i < 26)
        letters->commits[letters->count++] = commit;
    return i < 26 ? (char)('A' + (int)i) : '*';
}

static void append_edge(struct buffer *out, struct letters *letters, const struct commit_edge *edge) {
    const struct logged_document *document = edge->document;
    const char from = letter_of(letters, edge->from), to = letter_of(letters, edge->to);
    buffer_printf(out, "%c before %c: ", from, to);
    if (edge->index != NULL && edge->kind == EDGE_READ_WRITE)
        buffer_printf(out, "%c searched %s without %c's write to %s", from, edge->index, to, document->id);
    else if (edge->index != NULL)
        buffer_printf(out, "%c searched %s after %c's write to %s", to, edge->index, from, document->id);
    else if (edge->kind == EDGE_READ_WRITE)
        buffer_printf(out, "%c read %s without %c's write", from, document->id, to);
    else if (edge->kind == EDGE_WRITE_READ)
        buffer_printf(out, "%c read %s as %c wrote it", to, document->id, from);
    else
        buffer_printf(out, "%c overwrote %s as %c wrote it", to, document->id, from);
}

static void append_letters(struct buffer *out, const struct commit_log *log, const struct letters *letters) {
    for (size_t i = 0; i < letters->count; i++) {
        const struct logged_commit *commit = &log->commits[letters->commits[i]];
        buffer_printf(out, "\n  %c: %s, committed at %" PRId64, (char)('A' + (int)i), path_of(commit),
                      commit->ts);
    }
}

/* Takes the texts. */
static void report(const struct serializable *self, const struct commit_edge *edge, char *seen,
                   char *explanation) {
    const struct logged_commit *from = &self->log.commits[edge->from], *to = &self->log.commits[edge->to];
    const struct violation violation = {
        .property = property_serializable.name,
        .client = from->record->node,
        .table = edge->document->table,
        .row = edge->document->id,
        .expected = memory_copy_text("commits as if one after the other, in the order of their timestamps"),
        .seen = seen,
        .first_record = to->record->number,
        .second_record = from->record->number,
        .time = from->record->time,
        .explanation = explanation};
    checker_report(self->checker, &violation);
}

static void report_cycle(void *context, const struct commit_edge *edges, size_t count) {
    const struct serializable *self = context;
    struct letters letters = {0};
    struct buffer text = {0};
    buffer_append_text(&text, "No serial order explains these commits:");
    for (size_t i = 0; i < count && i < 8; i++) {
        buffer_append_text(&text, "\n  ");
        append_edge(&text, &letters, &edges[i]);
    }
    if (count > 8)
        buffer_printf(&text, "\n  and %zu more on the way back to A", count - 8);
    append_letters(&text, &self->log, &letters);
    report(self, &edges[0], memory_format("a cycle of %zu commits", count), buffer_take(&text));
}

/* Some other order would do, but timestamps promise theirs. */
static void report_order(const struct serializable *self, const struct commit_edge *edge) {
    struct letters letters = {0};
    struct buffer text = {0};
    append_edge(&text, &letters, edge);
    buffer_append_text(&text,
                       edge->stale ? ", which was there in its snapshot." : ", which came in between.");
    buffer_append_text(&text, " Another order would explain these commits, that of timestamps does not.");
    append_letters(&text, &self->log, &letters);
    report(self, edge, memory_copy_text("reads that were not true at the commit"), buffer_take(&text));
}

static void close_window(struct serializable *self) {
    if (self->back.count == 0)
        return;
    bool *on_cycle = memory_allocate_array(self->back.count, sizeof *on_cycle);
    commit_cycle_find(&self->log, self->low, self->high, &self->back, on_cycle, report_cycle, self);
    for (size_t i = 0; i < self->back.count; i++) {
        const struct commit_edge *edge = &self->back.items[i];
        if (!on_cycle[i] && (i == 0 || self->back.items[i - 1].from != edge->from))
            report_order(self, edge);
    }
    free(on_cycle);
    self->back.count = 0;
}

static void report_future(const struct serializable *self, const struct history_record *commit,
                          const struct note_row *row) {
    const struct violation violation = {
        .property = property_serializable.name,
        .client = commit->node,
        .table = row->table,
        .row = row->id,
        .expected = memory_format("versions up to the snapshot at %" PRId64, self->reads->note.timestamp),
        .seen = memory_format("the version of %s", row->values),
        .first_record = self->reads->number,
        .second_record = commit->number,
        .time = commit->time,
        .explanation = memory_format("%s read a version that no commit before its snapshot has made.",
                                     commit->note.text != NULL ? commit->note.text : "A transaction")};
    checker_report(self->checker, &violation);
}

/* Edges of the newest commit are the last ones of `back`, from `first` on. */
static void extend_window(struct serializable *self, size_t first) {
    const size_t number = self->log.n_commits; /* not added yet */
    size_t low = number;
    for (size_t i = first; i < self->back.count; i++)
        low = self->back.items[i].to < low ? self->back.items[i].to : low;
    if (first > 0 && (low > self->high || number - self->low >= WINDOW_MOST)) {
        struct commit_edges fresh = {.count = self->back.count - first};
        fresh.items = memory_allocate_array(fresh.count, sizeof *fresh.items);
        memcpy(fresh.items, self->back.items + first, fresh.count * sizeof *fresh.items);
        fresh.capacity = fresh.count;
        self->back.count = first;
        close_window(self);
        free(self->back.items);
        self->back = fresh;
        first = 0;
    }
    self->low = first == 0 || low < self->low ? low : self->low;
    self->low = number - self->low > WINDOW_MOST ? number - WINDOW_MOST : self->low;
    self->high = number;
}

static void judge(struct serializable *self, const struct history_record *commit) {
    const struct note_row *future = NULL;
    const size_t first = self->back.count;
    commit_order_judge(&self->log, self->reads, commit, &self->back, &future);
    if (future != NULL)
        report_future(self, commit, future);
    if (self->back.count > first)
        extend_window(self, first);
}

static void record(void *context, const struct history_record *record) {
    struct serializable *self = context;
    if (record->note.kind == NOTE_READS) {
        self->reads = record;
    } else if (record->note.kind == NOTE_COMMIT) {
        if (self->reads != NULL)
            judge(self, record);
        commit_log_add(&self->log, self->reads, record);
        self->reads = NULL;
    } else if (record->note.kind == NOTE_TABLE) {
        commit_log_end_table(&self->log, record);
    }
}

static void finish(void *context) {
    close_window(context);
}

static void *create(struct checker *checker) {
    struct serializable *self = memory_allocate(sizeof *self);
    self->checker = checker;
    return self;
}

static void destroy(void *context) {
    struct serializable *self = context;
    commit_log_free(&self->log);
    free(self->back.items);
    free(self);
}

const struct property property_serializable = {
    .name = "serializable",
    .promise = "committed mutations read as if they had run one after the other, in the order of their "
               "commit timestamps",
    .create = create,
    .record = record,
    .finish = finish,
    .destroy = destroy,
};

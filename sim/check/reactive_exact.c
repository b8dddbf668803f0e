/* reactive-exact: what a client of the WebSocket protocol shows after a transition is what its queries give
 * at the transition's timestamp, all of them at the same one; timestamps never go back; and once the world
 * has healed the last transition shows the newest values. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "check/properties.h"

enum { CACHE_MOST = 1024, COMMITS_BACK = 64 };

struct commit {
    int64_t ts;
    uint64_t record;
};

struct reactive_exact {
    struct checker *checker;
    struct map clients; /* node -> const struct history_record: its newest transition */
    struct map
        cache; /* call and timestamp -> result: 'v' or 'e' before the text, "?" when it cannot be told */
    struct commit *commits;
    size_t n_commits, capacity;
    const struct history_record **waiting; /* transitions that came while the deployment was down */
    size_t n_waiting, waiting_capacity;
};

/* --- evaluation --- */

static char *evaluate(const struct check_settings *settings, const struct note_row *row, const char *user,
                      int64_t ts, bool *down) {
    char *text = NULL, *result;
    bool failed = false;
    struct error error;
    const enum status status =
        settings->evaluate(settings->evaluate_context, row->table, row->id, user, ts, &failed, &text, &error);
    *down = status == STATUS_MISSING;
    result = status != STATUS_OK ? memory_copy_text("?") : memory_format("%c%s", failed ? 'e' : 'v', text);
    free(text);
    return result;
}

/* Borrowed until the next call. NULL: the deployment is down. */
static const char *evaluate_cached(struct reactive_exact *self, const struct note_row *row, const char *user,
                                   int64_t ts) {
    const struct check_settings *settings = checker_settings(self->checker);
    char *key = memory_format("%" PRId64 " %s %s %s", ts, row->table, user != NULL ? user : "", row->id);
    char *result = map_get(&self->cache, key);
    bool down = false;
    if (result == NULL) {
        if (self->cache.count >= CACHE_MOST)
            map_clear(&self->cache, free);
        result = evaluate(settings, row, user, ts, &down);
        if (down) {
            free(result);
            result = NULL;
        } else {
            map_set(&self->cache, key, result);
        }
    }
    free(key);
    return result;
}

/* The text of an error without "[Request ID: ..] ", which is another each time. */
static const char *without_request(const char *text) {
    const char *end = strncmp(text, "[Request ID: ", 13) == 0 ? strstr(text, "] ") : NULL;
    return end != NULL ? end + 2 : text;
}

static bool same_json(const char *a, const char *b) {
    json_t *left = json_parse(a, strlen(a), NULL), *right = json_parse(b, strlen(b), NULL);
    const bool same = left != NULL && right != NULL && json_equal(left, right);
    json_decref(left);
    json_decref(right);
    return same;
}

/* Clients may print a value in a way of their own. */
static bool agrees(const struct note_row *row, const char *result) {
    const char kind = strcmp(row->operation, "ERROR") == 0 ? 'e' : 'v';
    const char *seen = row->values != NULL ? row->values : "";
    if (result[0] == '?')
        return true;
    if (result[0] != kind)
        return false;
    return kind == 'e' ? strcmp(without_request(seen), result + 1) == 0
                       : strcmp(seen, result + 1) == 0 || same_json(seen, result + 1);
}

/* --- reports --- */

/* The number of commits at or before `ts`. */
static size_t commits_until(const struct reactive_exact *self, int64_t ts) {
    size_t count = self->n_commits;
    while (count > 0 && self->commits[count - 1].ts > ts)
        count--;
    return count;
}

/* Which commit the result belongs to, if it is an older one's. */
static char *explain(struct reactive_exact *self, const struct history_record *record,
                     const struct note_row *row, int64_t ts, const char *moment) {
    const size_t until = commits_until(self, ts);
    for (size_t back = 1; back <= COMMITS_BACK && back < until; back++) {
        const int64_t older = self->commits[until - 1 - back].ts;
        const char *result = evaluate_cached(self, row, record->note.text, older);
        if (result != NULL && result[0] != '?' && agrees(row, result))
            return memory_format("%s %s shows the result as of %" PRId64 ", %zu commit%s too old.", moment,
                                 record->node, older, back, back == 1 ? "" : "s");
    }
    return memory_format("%s %s shows a result that is not that of its query%s.", moment, record->node,
                         until > 1 ? ", nor of one of the commits before" : "");
}

static void report(struct reactive_exact *self, const struct history_record *record,
                   const struct note_row *row, int64_t ts, const char *result, const char *moment) {
    char *expected = memory_copy_text(result + 1);
    const size_t until = commits_until(self, ts);
    const struct violation violation = {.property = property_reactive_exact.name,
                                        .client = record->node,
                                        .table = row->table,
                                        .row = row->id,
                                        .expected = expected,
                                        .seen = memory_copy_text(row->values != NULL ? row->values : ""),
                                        .first_record = until > 0 ? self->commits[until - 1].record : 0,
                                        .second_record = record->number,
                                        .time = record->time,
                                        .explanation = explain(self, record, row, ts, moment)};
    checker_report(self->checker, &violation);
}

static void report_going_back(struct reactive_exact *self, const struct history_record *before,
                              const struct history_record *record) {
    const struct violation violation = {
        .property = property_reactive_exact.name,
        .client = record->node,
        .expected = memory_format("%" PRId64 " or later", before->note.timestamp),
        .seen = memory_format("%" PRId64, record->note.timestamp),
        .first_record = before->number,
        .second_record = record->number,
        .time = record->time,
        .explanation = memory_format("The timestamp of %s went back.", record->node)};
    checker_report(self->checker, &violation);
}

/* --- judging --- */

/* False: the deployment is down. */
static bool judge(struct reactive_exact *self, const struct history_record *record, int64_t ts,
                  const char *moment) {
    for (size_t i = 0; i < record->note.n_rows; i++) {
        const struct note_row *row = &record->note.rows[i];
        const char *result = evaluate_cached(self, row, record->note.text, ts);
        if (result == NULL)
            return false;
        if (!agrees(row, result))
            report(self, record, row, ts, result, moment);
    }
    return true;
}

static void judge_waiting(struct reactive_exact *self) {
    size_t done = 0;
    while (done < self->n_waiting) {
        const struct history_record *record = self->waiting[done];
        if (!judge(self, record, record->note.timestamp, "After a transition"))
            break;
        done++;
    }
    if (done == 0)
        return;
    self->n_waiting -= done;
    memmove(self->waiting, self->waiting + done, self->n_waiting * sizeof(const struct history_record *));
}

static void take_transition(struct reactive_exact *self, const struct history_record *record) {
    const struct history_record *before = map_set(&self->clients, record->node, (void *)(uintptr_t)record);
    if (before != NULL && before->note.timestamp > record->note.timestamp)
        report_going_back(self, before, record);
    if (checker_settings(self->checker)->evaluate == NULL)
        return;
    MEMORY_RESERVE(self->waiting, self->waiting_capacity, self->n_waiting + 1);
    self->waiting[self->n_waiting++] = record;
    judge_waiting(self);
}

static void record(void *context, const struct history_record *record) {
    struct reactive_exact *self = context;
    if (record->note.kind == NOTE_COMMIT) {
        MEMORY_RESERVE(self->commits, self->capacity, self->n_commits + 1);
        self->commits[self->n_commits++] = (struct commit){record->note.timestamp, record->number};
    } else if (record->note.kind == NOTE_TRANSITION) {
        take_transition(self, record);
    }
}

static void finish(void *context) {
    struct reactive_exact *self = context;
    const struct map_entry *entry;
    if (checker_settings(self->checker)->evaluate == NULL)
        return;
    judge_waiting(self);
    for (size_t i = 0; self->n_commits > 0 && (entry = map_next(&self->clients, &i)) != NULL;) {
        const struct history_record *last = entry->value;
        const int64_t newest = self->commits[self->n_commits - 1].ts;
        if (last->note.timestamp < newest)
            judge(self, last, newest, "At the end");
    }
}

static void *create(struct checker *checker) {
    struct reactive_exact *self = memory_allocate(sizeof *self);
    self->checker = checker;
    return self;
}

static void destroy(void *context) {
    struct reactive_exact *self = context;
    map_free(&self->clients, NULL);
    map_free(&self->cache, free);
    free(self->commits);
    free(self->waiting);
    free(self);
}

const struct property property_reactive_exact = {
    .name = "reactive-exact",
    .promise = "each WebSocket transition shows what all subscribed queries give at its timestamp, which "
               "never goes back",
    .create = create,
    .record = record,
    .finish = finish,
    .destroy = destroy,
};

#include "runner/summary.h"

#include <assert.h>

#include "kernel/time.h"
#include "runner/catalogue.h"
#include "runner/progress.h"
#include "runner/text_table.h"

const char *summary_verdict(const struct summary *summary) {
    if (run_tally_bad(summary->tally) || summary->worker_ended_badly)
        return "failed";
    return summary->interrupted ? "interrupted" : "passed";
}

static void append_verdict(struct buffer *out, const struct scenario_tally *tally) {
    assert(tally->outcomes[OUTCOME_FAILED] <= tally->seeds);
    if (tally->seeds == 0)
        buffer_append_text(out, "not run");
    else if (tally->outcomes[OUTCOME_FAILED] > 0)
        buffer_append_text(out, "FAILED");
    else if (scenario_tally_silent(tally))
        buffer_append_text(out, "FAILED: nothing found where it must fail");
    else if (tally->outcomes[OUTCOME_SILENT] > 0)
        buffer_printf(out, "ok, fails as expected in %llu of %llu seeds",
                      (unsigned long long)tally->outcomes[OUTCOME_EXPECTED],
                      (unsigned long long)tally->seeds);
    else
        buffer_append_text(out, tally->expects ? "ok, fails as expected" : "ok");
}

static void append_scenarios(struct buffer *out, const struct run_tally *tally) {
    static const char *const heads[] = {"scenario", "seeds",  "passed",       "failed",
                                        "commits",  "judged", "faults fired", "verdict"};
    struct text_table table;
    text_table_init(&table, "lrrrrrrl");
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        text_table_add(&table, heads[i]);
    for (size_t i = 0; i < tally->n_scenarios; i++) {
        const struct scenario_tally *one = &tally->scenarios[i];
        struct buffer verdict = {0};
        append_verdict(&verdict, one);
        text_table_add(&table, one->name);
        text_table_add_count(&table, one->seeds);
        text_table_add_count(&table, one->seeds - one->outcomes[OUTCOME_FAILED]);
        text_table_add_count(&table, one->outcomes[OUTCOME_FAILED]);
        text_table_add_count(&table, one->commits);
        text_table_add_count(&table, one->judged);
        text_table_add_count(&table, one->faults_fired);
        text_table_add(&table, buffer_text(&verdict));
        buffer_free(&verdict);
    }
    text_table_finish(&table, out);
}

static void append_name(struct buffer *out, const char *title, bool *first, const char *name) {
    buffer_printf(out, "%s%s", *first ? title : ", ", name);
    *first = false;
}

/* Names of the catalogue that the run did not reach. */
static void append_missing(struct buffer *out, const char *title, const char *const *names,
                           const struct count_table *counts) {
    bool first = true;
    for (; *names != NULL; names++)
        if (count_table_get(counts, *names) == 0)
            append_name(out, title, &first, *names);
    if (!first)
        buffer_append_char(out, '\n');
}

/* Faults that the plans allowed and that never took effect. */
static void append_never_fired(struct buffer *out, const struct count_table *faults) {
    struct map_entry *entry;
    bool first = true;
    for (size_t i = 0; (entry = map_next(&faults->counts, &i)) != NULL;)
        if (*(const uint64_t *)entry->value == 0)
            append_name(out, "faults that never fired: ", &first, entry->key);
    if (!first)
        buffer_append_char(out, '\n');
}

static void append_figures(struct buffer *out, const struct summary *summary) {
    const struct run_tally *tally = summary->tally;
    progress_append_count(out, tally->seeds);
    buffer_append_text(out, " seeds in ");
    if (summary->wall_time < TIME_MINUTE)
        buffer_printf(out, "%lld.%lld s", (long long)(summary->wall_time / TIME_SECOND),
                      (long long)(summary->wall_time % TIME_SECOND / (100 * TIME_MILLISECOND)));
    else
        progress_append_length(out, summary->wall_time);
    buffer_append_text(out, ": ");
    progress_append_rate(out, tally->seeds, summary->wall_time);
    buffer_append_text(out, " seeds/s, ");
    progress_append_rate(out, (uint64_t)(tally->virtual_time / TIME_SECOND), summary->wall_time);
    buffer_append_text(out, " simulated s per s, ");
    progress_append_length(out, tally->virtual_time);
    buffer_append_text(out, " simulated\n");
}

static void append_canaries(struct buffer *out, const struct run_tally *tally) {
    bool any = false;
    for (size_t i = 0; i < tally->n_scenarios; i++) {
        const struct scenario_tally *one = &tally->scenarios[i];
        any = any || one->canary;
        if (one->canary && scenario_tally_bad(one))
            buffer_printf(
                out,
                "The canary %s must fail with the violation that it expects, and it did not. The checks "
                "cannot be trusted: green results of this run mean nothing.\n",
                one->name);
    }
    if (!any)
        buffer_append_text(out, "No canary ran with this suite: nothing shows that the checks can fail.\n");
}

void summary_append(struct buffer *out, const struct summary *summary) {
    const struct run_tally *tally = summary->tally;
    assert(summary->wall_time >= 0 && tally->failed <= tally->seeds);
    append_scenarios(out, tally);
    buffer_append_char(out, '\n');
    append_missing(out, "marks never reached: ", catalogue_marks(), &tally->marks);
    append_missing(out, "fault points that never fired: ", catalogue_fault_points(), &tally->fault_points);
    append_never_fired(out, &tally->faults);
    append_figures(out, summary);
    append_canaries(out, tally);
    if (summary->worker_ended_badly)
        buffer_append_text(out, "A worker process did not end well after its last seed; see above.\n");
    if (summary->interrupted)
        buffer_append_text(out, "The run was interrupted; these are the seeds that had finished.\n");
    buffer_printf(out, "report: %s\n", summary->folder);
}

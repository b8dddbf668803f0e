/* `tabs:` in scenarios: what goes with it, what plans make of it, and what becomes of what tabs write. */
#include "cmocka_all.h"

#include <string.h>

#include "client/core_library.h"
#include "scenario/plan.h"
#include "scenario/stage.h"

static const struct refusal {
    const char *text;
    int line;
    const char *message;
} refusals[] = {
    {"tabs: 0\n", 1, "`tabs`"},
    {"tabs: 9\n", 1, "`tabs`"},
    {"tabs: 2\nengine: model\n", 1, "the engine `model` has no database that several tabs could open"},
    {"tabs: 2\nengine: both\n", 1, "the engine `both` has no database"},
    {"shared-worker: true\n", 1, "a shared worker syncs for several tabs"},
    {"tabs: 2\nwrite-checkpoints: requests\n", 2, "only the tab that streams can number write checkpoints"},
    {"tabs: 2\nfaults:\n  clear: {every: 5s, lasts: 1s}\n", 3, "`clear` is for apps with one process"},
    {"tabs: 2\nfaults:\n  switch-user: {every: 5s, lasts: 1s}\n", 3, "`switch-user` is for apps"},
    {"tabs: 2\nfaults:\n  disk-full: {every: 5s, lasts: 1s}\n", 3, "`disk-full` is for apps"},
    {"tabs: 2\nfaults:\n  disk-error: {every: 5s, lasts: 1s}\n", 3, "`disk-error` is for apps"},
    {"tabs: 2\nfaults:\n  disk-read-only: {every: 5s, lasts: 1s}\n", 3, "`disk-read-only` is for apps"},
    {"tabs: 2\nsteps:\n  - {at: 1s, clear: alice-1, lasts: 1s}\n", 3, "`clear` is for apps"},
    {"faults:\n  close-tab: {every: 5s, lasts: 1s}\n", 2, "`close-tab` needs an app with tabs"},
    {"steps:\n  - {at: 1s, freeze-tab: alice-1, lasts: 1s}\n", 2, "`freeze-tab` needs an app with tabs"},
    {"tabs: 2\nsteps:\n  - {at: 1s, close-tab: alice-1, tab: 3, lasts: 1s}\n", 3, "a device has 2 tabs"},
    {"tabs: 2\nsteps:\n  - {at: 1s, sleep: alice-1, tab: 1, lasts: 1s}\n", 3, "`tab` is for close-tab"},
    {"tabs: 2\nsteps:\n  - {at: 1s, close-tab: alice-3, lasts: 1s}\n", 3, "there is no client `alice-3`"},
    {"steps:\n  - {at: 1s, crash: powersync, nth: 1, lasts: 1s}\n", 2, "`nth` is for power-loss"},
};

static void test_refusals(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *wanted = &refusals[i];
        struct scenario *scenario = NULL;
        struct error error = {0};
        enum status status = scenario_parse(wanted->text, strlen(wanted->text), "x.yaml", &scenario, &error);
        if (status != STATUS_INVALID)
            fail_msg("not refused (status %d):\n%s", (int)status, wanted->text);
        if (!strstr(error.message, wanted->message))
            fail_msg("%s\nis refused with `%s`\nand not with  `%s`", wanted->text, error.message,
                     wanted->message);
        assert_int_equal(error.line, wanted->line);
    }
}

static struct scenario *parse(const char *text) {
    struct scenario *scenario = NULL;
    struct error error = {0};
    if (scenario_parse(text, strlen(text), "x.yaml", &scenario, &error) != STATUS_OK)
        fail_msg("refused at %d:%d: %s\n%s", error.line, error.column, error.message, text);
    return scenario;
}

static struct plan *make(const struct scenario *scenario, uint64_t seed) {
    struct plan *plan = NULL;
    struct error error = {0};
    if (plan_make(scenario, seed, &plan, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return plan;
}

/* Every tab is struck, and a plan that is written down says the same. */
static void test_plans(void **state) {
    (void)state;
    struct scenario *scenario = parse("tabs: 3\nshared-worker: true\nswarm: false\nfaults:\n"
                                      "  close-tab: {every: 2s, lasts: [1s, 2s]}\n"
                                      "  freeze-tab: {every: 2s, lasts: [1s, 2s]}\n");
    struct plan *plan = make(scenario, 1);
    bool struck[2][4] = {{false}};
    for (size_t i = 0; i < plan->n_steps; i++) {
        const struct scenario_step *step = &plan->steps[i];
        if (step->kind == STEP_WRITE)
            continue;
        assert_in_range(step->tab, 1, 3);
        assert_int_equal(step->id[strlen("alice-1.") - (step->id[0] == 'b' ? 2 : 0)],
                         step->kind == STEP_CLOSE_TAB ? 'b' : 'i');
        struck[step->kind == STEP_CLOSE_TAB][step->tab] = true;
    }
    for (size_t tab = 1; tab <= 3; tab++)
        assert_true(struck[0][tab] && struck[1][tab]);
    struct buffer text = {0};
    plan_write(plan, scenario, &text);
    struct scenario *pinned = parse(buffer_text(&text));
    struct plan *again = make(pinned, pinned->seed);
    assert_int_equal(pinned->tabs, 3);
    assert_true(pinned->shared_worker);
    assert_int_equal(again->n_steps, plan->n_steps);
    for (size_t i = 0; i < plan->n_steps; i++) {
        assert_string_equal(again->steps[i].id, plan->steps[i].id);
        assert_int_equal(again->steps[i].kind, plan->steps[i].kind);
        assert_int_equal(again->steps[i].tab, plan->steps[i].tab);
    }
    buffer_free(&text);
    plan_free(plan);
    plan_free(again);
    scenario_free(scenario);
    scenario_free(pinned);
}

/* The narration of a run that must pass. The caller frees it. */
static char *run(const char *text) {
    struct scenario *scenario = parse(text);
    struct plan *plan = make(scenario, 1);
    struct core_library *core = NULL;
    struct stage_result result;
    struct error error = {0};
    assert_int_equal(core_library_open(NULL, &core, &error), STATUS_OK);
    const struct stage_options options = {.core = core, .narrate = true};
    if (stage_run(scenario, plan, &options, &result, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    if (result.n_violations > 0)
        fail_msg("%s: %s\n%s", result.violations[0].property, result.violations[0].explanation,
                 buffer_text(&result.narration));
    char *narration = buffer_take(&result.narration);
    stage_result_free(&result);
    core_library_close(core);
    plan_free(plan);
    scenario_free(scenario);
    return narration;
}

static size_t count(const char *text, const char *words) {
    size_t found = 0;
    for (const char *at = text; (at = strstr(at, words)); at++)
        found++;
    return found;
}

#define STORY "users: [alice]\ntabs: 2\nseed: 1\nrun: {for: 20s}\nfault-points: false\nrandom-knobs: false\n"

/* Tab 2 writes and is closed before its upload has an answer: tab 1 uploads what it had committed. */
static void test_a_closed_tabs_write_arrives(void **state) {
    (void)state;
    char *story = run(STORY "steps:\n"
                            "  - {at: 5s, write: alice-1, action: add-todos, rows: 2, choice: 1}\n"
                            "  - {at: 5010ms, close-tab: alice-1, tab: 2, lasts: 12s}\n");
    assert_int_equal(count(story, "alice-1 uploads transaction 1"), 2);
    assert_int_equal(count(story, "alice-1 completes transaction 1, accepted"), 1);
    assert_int_equal(count(story, "alice-1 crashes"), 0); /* the app goes on */
    free(story);
}

/* The tab that streams is closed: the other one takes over at once, not after the retry delay. */
static void test_another_takes_over(void **state) {
    (void)state;
    char *story = run(STORY "steps:\n  - {at: 5s, close-tab: alice-1, tab: 1, lasts: 12s}\n");
    assert_non_null(strstr(story, "5.000 s] alice-1 is disconnected: the tab is closed"));
    assert_non_null(strstr(story, "5.000 s] alice-1 is connecting"));
    free(story);
}

/* Both are closed: that is a crash; the first that is opened finds what was written. */
static void test_the_last_tab_is_the_app(void **state) {
    (void)state;
    char *story = run(STORY "steps:\n"
                            "  - {at: 5s, write: alice-1, action: add-todos, rows: 2, choice: 1}\n"
                            "  - {at: 5010ms, close-tab: alice-1, tab: 1, lasts: 9s}\n"
                            "  - {at: 5020ms, close-tab: alice-1, tab: 2, lasts: 5s}\n"
                            "  - {at: 7s, write: alice-1, action: add-todos, rows: 2, choice: 1}\n");
    assert_int_equal(count(story, "alice-1 crashes"), 1);
    assert_int_equal(count(story, "alice-1 restarts"), 1);
    assert_int_equal(count(story, "is left out: the app is not running"), 1);
    assert_int_equal(count(story, "a tab opens beside others"), 1);
    assert_int_equal(count(story, "alice-1 completes transaction 1, accepted"), 1);
    free(story);
}

/* A shared worker goes with the last tab, and comes with the next. */
static void test_a_worker_needs_a_tab(void **state) {
    (void)state;
    char *story = run(STORY "shared-worker: true\nsteps:\n"
                            "  - {at: 5s, close-tab: alice-1, tab: 1, lasts: 9s}\n"
                            "  - {at: 6s, close-tab: alice-1, tab: 2, lasts: 5s}\n");
    assert_int_equal(count(story, "alice-1 is connecting"), 2);
    assert_int_equal(count(story, "alice-1 crashes"), 1);
    assert_non_null(strstr(story, "6.000 s] alice-1 crashes"));
    assert_non_null(strstr(story, "11.000 s] alice-1 restarts"));
    free(story);
}

/* While a frozen tab has the lock nobody streams; a shared worker does not care. */
static void test_a_frozen_tab_keeps_the_stream(void **state) {
    (void)state;
    static const char steps[] = "steps:\n"
                                "  - {at: 5s, freeze-tab: alice-1, tab: 1, lasts: 10s}\n"
                                "  - {at: 6s, write: alice-1, action: add-todos, rows: 2, choice: 1}\n";
    char *text = memory_format("%s%s", STORY, steps);
    char *story = run(text);
    const char *upload = strstr(story, "alice-1 completes transaction 1"),
               *thaw = strstr(story, "step s1 is over"),
               *shown = strstr(upload, "alice-1 applies checkpoint");
    assert_true(upload < thaw && thaw < shown);
    free(text);
    free(story);
    text = memory_format("%sshared-worker: true\n%s", STORY, steps);
    story = run(text);
    upload = strstr(story, "alice-1 completes transaction 1");
    thaw = strstr(story, "step s1 is over");
    shown = strstr(upload, "alice-1 applies checkpoint");
    assert_true(upload < shown && shown < thaw);
    free(text);
    free(story);
}

/* The app ends just before the nth write of its disk: before the last of a commit the write is not there,
 * and after it it is, with its queue entries. */
static void test_ends_at_a_write(void **state) {
    (void)state;
    size_t saved = 0, lost = 0;
    for (int nth = 1; nth <= 24; nth += 1) {
        char *text = memory_format("users: [alice]\nseed: 1\nrun: {for: 8s}\nfault-points: false\n"
                                   "random-knobs: false\nsteps:\n"
                                   "  - {at: 4999ms, crash: alice-1, nth: %d, lasts: 2s}\n"
                                   "  - {at: 5s, write: alice-1, action: add-todos, rows: 2, choice: 1}\n",
                                   nth);
        char *story = run(text);
        const bool there = strstr(story, "alice-1 completes transaction 1, accepted") != NULL;
        saved += there;
        lost += !there;
        if (saved > 0)
            assert_true(there); /* what more is written takes nothing back */
        free(story);
        free(text);
    }
    assert_true(saved > 0 && lost > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_plans),
        cmocka_unit_test(test_a_closed_tabs_write_arrives),
        cmocka_unit_test(test_another_takes_over),
        cmocka_unit_test(test_the_last_tab_is_the_app),
        cmocka_unit_test(test_a_worker_needs_a_tab),
        cmocka_unit_test(test_a_frozen_tab_keeps_the_stream),
        cmocka_unit_test(test_ends_at_a_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

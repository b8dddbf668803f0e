/* Whole worlds: everything linked together, from the YAML to the verdict. Needs the client core from npm. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "client/core_library.h"
#include "scenario/stage.h"

static struct core_library *core;

static int open_core(void **state) {
    (void)state;
    struct error error = {0};
    if (core_library_open(NULL, &core, &error) != STATUS_OK)
        fprintf(stderr, "%s\n", error.message);
    return core ? 0 : -1;
}

static int close_core(void **state) {
    (void)state;
    core_library_close(core);
    return 0;
}

static struct scenario *load(const char *name) {
    char path[300];
    snprintf(path, sizeof path, "%s/scenarios/%s", SYNCLINE_SOURCE_DIR, name);
    struct scenario *scenario = NULL;
    struct error error = {0};
    if (scenario_load(path, &scenario, &error) != STATUS_OK)
        fail_msg("%s:%d:%d: %s", path, error.line, error.column, error.message);
    return scenario;
}

static void run_options(const struct scenario *scenario, uint64_t seed, const struct stage_options *options,
                        struct stage_result *result) {
    struct plan *plan = NULL;
    struct error error = {0};
    assert_int_equal(plan_make(scenario, seed, &plan, &error), STATUS_OK);
    if (stage_run(scenario, plan, options, result, &error) != STATUS_OK)
        fail_msg("seed %llu: %s", (unsigned long long)seed, error.message);
    plan_free(plan);
}

static void run(const struct scenario *scenario, uint64_t seed, struct stage_result *result) {
    const struct stage_options options = {.core = core};
    run_options(scenario, seed, &options, result);
}

static void assert_passed(const struct stage_result *result, uint64_t seed) {
    if (!result->passed)
        fail_msg("seed %llu: %s: %s", (unsigned long long)seed, result->violations[0].property,
                 result->violations[0].explanation);
    assert_true(result->as_expected);
    assert_int_equal(result->n_violations, 0);
    assert_string_equal(result->steps_text, "");
}

static uint64_t count_of(const struct stage_count *counts, size_t n, const char *name) {
    for (size_t i = 0; i < n; i++)
        if (!strcmp(counts[i].name, name))
            return counts[i].count;
    return UINT64_MAX;
}

static void test_quiet(void **state) {
    (void)state;
    struct scenario *scenario = load("smoke/quiet.yaml");
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct stage_result result;
        run_options(scenario, seed, &(struct stage_options){.core = core, .freshness = true}, &result);
        assert_passed(&result, seed);
        assert_true(result.local_writes > 10);
        assert_true(result.commits > result.local_writes); /* markers and seed data too */
        assert_true(result.applied >= 4 && result.judged >= result.applied);
        assert_true(result.convex_requests >= 30); /* a poll each second */
        assert_true(result.exchanges > result.convex_requests);
        assert_true(result.virtual_time >= scenario->duration);
        assert_true(result.virtual_time < scenario->duration + scenario->settle_within);
        assert_true(result.n_delays > 0);
        for (size_t i = 0; i < result.n_delays; i++)
            assert_true(result.delays[i] > 0 && result.delays[i] < 30000000000);
        assert_int_equal(result.n_faults, 0);
        stage_result_free(&result);
    }
    scenario_free(scenario);
}

static void test_same_run_twice(void **state) {
    (void)state;
    struct scenario *scenario = load("smoke/todo.yaml");
    struct stage_result one, two, other, flipped;
    run(scenario, 3, &one);
    run(scenario, 3, &two);
    run(scenario, 4, &other);
    assert_true(hash128_equal(one.trace_hash, two.trace_hash));
    assert_int_equal(one.trace_length, two.trace_length);
    assert_int_equal(one.events, two.events);
    assert_false(hash128_equal(one.trace_hash, other.trace_hash));
    const struct stage_options options = {.core = core, .flip_bit = 100};
    run_options(scenario, 3, &options, &flipped);
    assert_false(hash128_equal(one.trace_hash, flipped.trace_hash));
    stage_result_free(&one);
    stage_result_free(&two);
    stage_result_free(&other);
    stage_result_free(&flipped);
    scenario_free(scenario);
}

/* What a failure is reported as runs exactly as what failed. */
static void test_pinned_plan_runs_the_same(void **state) {
    (void)state;
    struct scenario *scenario = load("smoke/todo.yaml");
    for (uint64_t seed = 7; seed <= 8; seed++) {
        struct plan *plan = NULL;
        struct error error = {0};
        assert_int_equal(plan_make(scenario, seed, &plan, &error), STATUS_OK);
        struct buffer text = {0};
        plan_write(plan, scenario, &text);
        struct scenario *pinned = NULL;
        assert_int_equal(scenario_parse(buffer_text(&text), text.length, "pinned.yaml", &pinned, &error),
                         STATUS_OK);
        struct stage_result one, two;
        run(scenario, seed, &one);
        run(pinned, pinned->seed, &two);
        assert_true(hash128_equal(one.trace_hash, two.trace_hash));
        stage_result_free(&one);
        stage_result_free(&two);
        buffer_free(&text);
        plan_free(plan);
        scenario_free(pinned);
    }
    scenario_free(scenario);
}

/* Allowed faults are listed, also those that did not happen; each of them happens in some seed. */
static void test_faults_are_counted(void **state) {
    (void)state;
    struct scenario *scenario = load("smoke/todo.yaml");
    uint64_t sums[16] = {0};
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct stage_result result;
        run(scenario, seed, &result);
        assert_int_equal(result.n_faults, scenario->n_faults);
        for (size_t i = 0; i < scenario->n_faults; i++) {
            assert_string_equal(result.faults[i].name, scenario->faults[i].name);
            sums[i] += result.faults[i].count;
        }
        stage_result_free(&result);
    }
    for (size_t i = 0; i < scenario->n_faults; i++)
        if (sums[i] == 0)
            fail_msg("%s never happened in 8 seeds", scenario->faults[i].name);
    scenario_free(scenario);
}

/* Rules at the servers' doors strike, are counted under their names, and are written into a pinned plan. */
static void test_server_faults(void **state) {
    static const char *const names[] = {"convex: lose-response at POST /api/mutation",
                                        "convex: answer at POST /api/mutation",
                                        "convex: truncate at GET /api/document_deltas",
                                        "convex: answer at GET /api/document_deltas",
                                        "powersync: delay-response at GET /write-checkpoint2.json",
                                        "powersync: reset at POST /sync/stream"};
    enum { N = sizeof names / sizeof *names };
    uint64_t sums[N] = {0};
    struct scenario *scenario = load("smoke/server-faults.yaml");
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct stage_result result, again;
        run(scenario, seed, &result);
        assert_passed(&result, seed);
        assert_int_equal(result.n_faults, N);
        for (size_t i = 0; i < N; i++)
            sums[i] += count_of(result.faults, result.n_faults, names[i]);
        struct plan *plan = NULL;
        struct buffer text = {0};
        struct scenario *pinned = NULL;
        assert_int_equal(plan_make(scenario, seed, &plan, NULL), STATUS_OK);
        plan_write(plan, scenario, &text);
        assert_int_equal(scenario_parse(buffer_text(&text), text.length, "pinned.yaml", &pinned, NULL),
                         STATUS_OK);
        run(pinned, seed, &again);
        assert_true(hash128_equal(result.trace_hash, again.trace_hash));
        buffer_free(&text);
        plan_free(plan);
        scenario_free(pinned);
        stage_result_free(&again);
        stage_result_free(&result);
    }
    for (size_t i = 0; i < N; i++)
        if (sums[i] == 0 || sums[i] > 1000)
            fail_msg("%s: %llu times", names[i], (unsigned long long)sums[i]);
    scenario_free(scenario);
}

static void check_mutant(const char *file, const char *property) {
    struct scenario *scenario = load(file);
    bool found = false;
    for (uint64_t seed = 1; seed <= 2; seed++) {
        struct stage_result result;
        run(scenario, seed, &result);
        assert_false(result.passed);
        if (!result.as_expected)
            fail_msg("%s, seed %llu: %s", file, (unsigned long long)seed, result.violations[0].property);
        for (size_t i = 0; i < result.n_violations; i++)
            found = found || !strcmp(result.violations[i].property, property);
        assert_true(strlen(result.steps_text) > 0);
        stage_result_free(&result);
    }
    assert_true(found);
    scenario->n_mutants = 0;
    for (uint64_t seed = 1; seed <= 2; seed++) {
        struct stage_result result;
        run(scenario, seed, &result);
        if (!result.passed)
            fail_msg("%s without its mutant, seed %llu: %s", file, (unsigned long long)seed,
                     result.violations[0].explanation);
        assert_false(result.as_expected); /* the scenario expects a violation */
        stage_result_free(&result);
    }
    scenario_free(scenario);
}

static void test_mutants(void **state) {
    (void)state;
    check_mutant("mutants/split-transaction.yaml", "atomic-visibility");
    check_mutant("mutants/ack-before-mapping.yaml", "convergence");
    check_mutant("mutants/gate-open.yaml", "read-your-writes");
    check_mutant("smoke/canary.yaml", "prefix-consistency");
}

static struct scenario *parse(const char *text) {
    struct scenario *scenario = NULL;
    struct error error = {0};
    if (scenario_parse(text, strlen(text), "x.yaml", &scenario, &error) != STATUS_OK)
        fail_msg("refused at %d:%d: %s", error.line, error.column, error.message);
    return scenario;
}

/* Overlapping crashes, disconnects and cuts of one client, and all of them open when the world heals. */
static void test_overlapping_faults(void **state) {
    (void)state;
    struct scenario *scenario =
        parse("run: {for: 30s}\nfault-points: false\nrandom-knobs: false\n"
              "steps:\n"
              "  - {at: 1s, write: alice-1, action: add-list, rows: 3}\n"
              "  - {at: 2s, crash: alice-1, lasts: 3s}\n"
              "  - {at: 3s, crash: alice-1, lasts: 4s}\n"
              "  - {at: 4s, disconnect: alice-1, lasts: 1s}\n"
              "  - {id: left-out, at: 4.5s, write: alice-1, action: add-list, rows: 3}\n"
              "  - {at: 4.6s, disconnect: alice-1, lasts: 5s}\n"
              "  - {at: 8s, write: alice-1, action: add-list, rows: 2}\n"
              "  - {at: 8s, offline: bob-1, lasts: 4s}\n"
              "  - {at: 9s, offline: bob-1, lasts: 60s}\n"
              "  - {at: 10s, crash: powersync, lasts: 0s}\n"
              "  - {at: 11s, write: bob-1, action: add-list, rows: 1}\n"
              "  - {at: 12s, crash: convex, lasts: 0s}\n"
              "  - {at: 26s, crash: convex, lasts: 3s}\n"
              "  - {at: 27s, crash: convex, lasts: 10s}\n"
              "  - {at: 27s, crash: powersync, lasts: 10s}\n"
              "  - {at: 28s, crash: powersync, lasts: 10s}\n"
              "  - {at: 28s, crash: bob-1, lasts: 10s}\n"
              "  - {at: 28.5s, disconnect: bob-1, lasts: 10s}\n"
              "  - {at: 29s, disconnect: alice-1, lasts: 10s}\n"
              "  - {at: 29.5s, write: alice-1, action: share-list, choice: 1}\n");
    const struct stage_options options = {.core = core, .narrate = true};
    struct stage_result result;
    run_options(scenario, 1, &options, &result);
    assert_passed(&result, 1);
    assert_int_equal(result.local_writes, 4);
    assert_non_null(strstr(buffer_text(&result.narration), "left-out is left out: the app is not running"));
    assert_int_equal(count_of(result.faults, result.n_faults, "client-crash"), 3);
    assert_int_equal(count_of(result.faults, result.n_faults, "service-crash"), 3);
    assert_int_equal(count_of(result.faults, result.n_faults, "deployment-crash"), 3);
    assert_int_equal(count_of(result.faults, result.n_faults, "disconnect"), 4);
    assert_int_equal(count_of(result.faults, result.n_faults, "offline"), 2);
    stage_result_free(&result);
    scenario_free(scenario);
}

/* A bound that cannot be kept: the world would need to poll once more. */
static void test_not_settled(void **state) {
    (void)state;
    struct scenario *scenario =
        parse("users: [alice]\ndevices: 2\nrun: {for: 5s, settle-within: 1s}\n"
              "service: {polling-interval: 20s}\nfault-points: false\nrandom-knobs: false\n"
              "steps: [{at: 4s, write: alice-1, action: add-list, rows: 2}]\n");
    struct stage_result result;
    run(scenario, 1, &result);
    assert_false(result.passed);
    assert_string_equal(result.violations[0].property, "convergence");
    bool waits = false;
    for (size_t i = 0; i < result.n_violations; i++)
        waits = waits ||
                (!strcmp(result.violations[i].client, "alice-1") &&
                 !strcmp(result.violations[i].seen, "waits for the write checkpoint of its last upload"));
    assert_true(waits);
    assert_int_equal(result.virtual_time, 6000000000);
    stage_result_free(&result);
    scenario_free(scenario);
}

static void test_too_many_events(void **state) {
    (void)state;
    struct scenario *scenario = parse("run: {for: 10min, max-events: 1000}\n");
    struct stage_result result;
    run(scenario, 1, &result);
    assert_false(result.passed);
    assert_string_equal(result.violations[0].property, "liveness");
    assert_non_null(strstr(result.violations[0].explanation, "more than 1000 events"));
    stage_result_free(&result);
    scenario_free(scenario);
}

struct ticks {
    int64_t last;
    int count;
};

static void tick(void *context, int64_t now, uint64_t events) {
    struct ticks *ticks = context;
    assert_true(now >= ticks->last && events > 0);
    ticks->last = now;
    ticks->count++;
}

/* Watching changes nothing. */
static void test_progress(void **state) {
    (void)state;
    struct scenario *scenario = load("smoke/quiet.yaml");
    struct ticks ticks = {0, 0};
    const struct stage_options options = {.core = core, .progress = tick, .progress_context = &ticks};
    struct stage_result watched, plain;
    run_options(scenario, 2, &options, &watched);
    run(scenario, 2, &plain);
    assert_in_range(ticks.count, 30, 50);
    assert_true(hash128_equal(watched.trace_hash, plain.trace_hash));
    stage_result_free(&watched);
    stage_result_free(&plain);
    scenario_free(scenario);
}

/* --- disks --- */

struct kept {
    int count;
    int64_t lists;
};

static void keep(void *context, const char *client, const void *bytes, size_t length) {
    struct kept *kept = context;
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;
    unsigned char *copy = sqlite3_malloc64(length);
    assert_non_null(strchr(client, '-'));
    memcpy(copy, bytes, length);
    assert_int_equal(sqlite3_open(":memory:", &database), SQLITE_OK);
    assert_int_equal(sqlite3_deserialize(database, "main", copy, (sqlite3_int64)length, (sqlite3_int64)length,
                                         SQLITE_DESERIALIZE_FREEONCLOSE),
                     SQLITE_OK);
    const char *sql =
        "SELECT count(*), (SELECT integrity_check = 'ok' FROM pragma_integrity_check) FROM lists";
    assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(statement, 1), 1);
    kept->lists += sqlite3_column_int64(statement, 0);
    kept->count++;
    sqlite3_finalize(statement);
    sqlite3_close(database);
}

/* Any SQLite opens what is kept, of a database in memory as of one on a disk. */
static void test_databases_are_kept(void **state) {
    (void)state;
    static const char *const names[] = {"smoke/quiet.yaml", "seeds/disks.yaml"};
    for (size_t i = 0; i < 2; i++) {
        struct scenario *scenario = load(names[i]);
        struct stage_result result;
        struct kept kept = {0};
        run_options(scenario, 1,
                    &(struct stage_options){.core = core, .keep_database = keep, .keep_context = &kept},
                    &result);
        assert_passed(&result, 1);
        assert_int_equal(kept.count, (int)scenario->n_users * (int)scenario->devices_per_user);
        assert_true(kept.lists >= kept.count); /* everybody has a list at least */
        stage_result_free(&result);
        scenario_free(scenario);
    }
}

/* Every fault of disks strikes, and the world comes out the same twice. */
static void test_disks_fail(void **state) {
    (void)state;
    static const char *const faults[] = {"power-loss", "disk-full", "disk-error", "disk-read-only"};
    struct scenario *scenario = load("seeds/disks.yaml");
    uint64_t fired[4] = {0};
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct stage_result result, again;
        run(scenario, seed, &result);
        run(scenario, seed, &again);
        assert_passed(&result, seed);
        assert_true(hash128_equal(result.trace_hash, again.trace_hash));
        for (size_t i = 0; i < 4; i++)
            fired[i] += count_of(result.faults, result.n_faults, faults[i]);
        stage_result_free(&result);
        stage_result_free(&again);
    }
    for (size_t i = 0; i < 4; i++)
        assert_true(fired[i] > 0);
    scenario_free(scenario);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quiet),
        cmocka_unit_test(test_databases_are_kept),
        cmocka_unit_test(test_disks_fail),
        cmocka_unit_test(test_same_run_twice),
        cmocka_unit_test(test_pinned_plan_runs_the_same),
        cmocka_unit_test(test_faults_are_counted),
        cmocka_unit_test(test_server_faults),
        cmocka_unit_test(test_mutants),
        cmocka_unit_test(test_overlapping_faults),
        cmocka_unit_test(test_not_settled),
        cmocka_unit_test(test_too_many_events),
        cmocka_unit_test(test_progress),
    };
    return cmocka_run_group_tests(tests, open_core, close_core);
}

/* What the scenario language takes and refuses, with the exact place of each refusal. Lines and columns are
 * counted by hand in the texts below. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reader/units.h"
#include "scenario/plan.h"
#include "scenario/scenario.h"

static struct scenario *parse(const char *text) {
    struct scenario *scenario = NULL;
    struct error error = {0};
    if (scenario_parse(text, strlen(text), "dir/x.yaml", &scenario, &error) != STATUS_OK)
        fail_msg("refused at %d:%d: %s\n%s", error.line, error.column, error.message, text);
    return scenario;
}

struct refusal {
    const char *text;
    int line, column;
    const char *message; /* must be a part of it */
};

static const struct refusal refusals[] = {
    /* keys */
    {"service:\n  pollingInterval: 1s\n", 2, 3,
     "unknown key `pollingInterval` in `service`; did you mean "
     "`polling-interval`? Expected one of: polling-interval, keepalive"},
    {"descripton: x\n", 1, 1, "did you mean `description`?"},
    {"covers: [S000-999]\n", 1, 10, "unknown row of the inventory `S000-999`"},
    {"colour: red\n", 1, 1, "unknown key `colour`; expected one of: name, description, app, "},
    {"run: {for: 1min, until: 2min}\n", 1, 18, "unknown key `until` in `run`"},
    {"run: {for: 1min}\nrun: {for: 2min}\n", 2, 1, "run"},
    /* the whole */
    {"- 1\n", 1, 1, "a scenario must be a mapping of keys to values, this is a list"},
    {"", 1, 1, "a scenario must be a mapping"},
    /* durations */
    {"run: {for: 120}\n", 1, 12, "`for` is a duration and needs a unit: 250ms, 1.5s, 2min, 1h"},
    {"run: {for: 2 minutes}\n", 1, 12, "this is `2 minutes`"},
    {"run: {for: -2s}\n", 1, 12, "this is `-2s`"},
    {"run: {for: 0s}\n", 1, 12, "`for` must be from 1ms to 720h, this is 0s"},
    {"run: {for: [1s, 2s]}\n", 1, 12, "this is a list"},
    {"network: {latency: [60ms, 5ms]}\n", 1, 20, "from the smaller to the larger"},
    {"network: {latency: [5ms]}\n", 1, 20, "one value or a range of two"},
    {"network: {latency: [5ms, 60]}\n", 1, 26, "needs a unit"},
    {"network: {latency: 0.1ns}\n", 1, 20, "this is `0.1ns`"},
    /* counts, texts, booleans */
    {"devices: 0\n", 1, 10, "`devices` must be from 1 to 10000, this is 0"},
    {"devices: many\n", 1, 10, "`devices` must be a whole number, this is a text"},
    {"devices: 2.5\n", 1, 10, "this is a number with decimals"},
    {"workload: {rows: [0, 5]}\n", 1, 19, "`rows` must be from 1 to 20, this is 0"},
    {"workload: {rows: 21}\n", 1, 18, "this is 21"},
    {"description: 5\n", 1, 14, "`description` must be a text"},
    {"app: todo\nswarm: maybe\n", 2, 8, "`swarm` must be true or false, this is a text"},
    {"run: true\n", 1, 1, "`run` must be a mapping of keys to values, this is true or false"},
    {"faults:\n", 1, 1, "`faults` must be a mapping of faults, this is nothing"},
    /* names */
    {"app: toodo\n", 1, 6, "unknown app `toodo`; did you mean `todo`?"},
    {"engine: cor\n", 1, 9, "unknown engine `cor`; did you mean `core`?"},
    {"mutants: [gate-open, split-transactions]\n", 1, 22, "did you mean `split-transaction`?"},
    {"properties: [convergance]\n", 1, 14, "unknown property `convergance`; did you mean `convergence`?"},
    {"properties: everything\n", 1, 13, "`all` or a list of names"},
    {"expect: fail\n", 1, 9, "`expect` must be `pass` or {violates: [property]}"},
    {"expect: {violates: []}\n", 1, 20, "at least one property"},
    {"expect: {violates: [order]}\n", 1, 21, "unknown property `order`"},
    {"canary: true\n", 1, 1, "a canary must fail"},
    {"users: [alice, Bob]\n", 1, 16, "`Bob` is no user name"},
    {"users: [alice, alice]\n", 1, 16, "`alice` is in this list twice"},
    {"users: []\n", 1, 8, "nobody takes part"},
    {"users: [powersync]\n", 1, 9, "`powersync` is a process of the service"},
    {"tokens: {wrong: 3}\n", 1, 17, "`wrong` must be a rate such as 20%"},
    {"tokens: {keys: public}\n", 1, 16, "`keys` must be shared, published or listed"},
    {"tokens: {keys: published, wrong: 5%}\n", 1, 27, "wrong tokens are made with the secret only"},
    {"upload: {path: signed-in-mutation}\n", 1, 10, "the deployment knows tokens by key pairs only"},
    {"faults: {rotate-keys: {every: 5s, lasts: 1s}}\n", 1, 10, "tokens: {keys: published}"},
    {"service: {storage: disk}\n", 1, 20, "`storage` must be memory or file"},
    {"service: {storage: file, split: true}\n", 1, 11, "belongs to one process"},
    {"service: {processes: 5}\n", 1, 22, "4"},
    {"faults: {compact: {every: 1s, lasts: 1s}}\n", 1, 31, "unknown key `lasts`"},
    {"steps: [{at: 1s, crash: replicator, lasts: 1s}]\n", 1, 25, "there is no client `replicator`"},
    {"steps: [{at: 1s, redeploy: convex}]\n", 1, 28, "only `powersync` does that"},
    {"steps: [{at: 1s, compact: powersync, lasts: 1s}]\n", 1, 38, "takes no time"},
    {"steps: [{at: 1s, drop-table: powersync, table: lists}]\n", 1, 30, "only `convex` has tables"},
    {"steps: [{at: 1s, drop-table: convex}]\n", 1, 9, "needs `table`: which one is deleted"},
    {"steps: [{at: 1s, sleep: alice-1, table: lists, lasts: 1s}]\n", 1, 34, "`table` is for `drop-table`"},
    {"faults: {drop-table: {every: 1s, lasts: 1s}}\n", 1, 34, "unknown key `lasts`"},
    {"requests: {}\n", 1, 11, "`requests` must be a list"},
    {"requests: [{of: mallory}]\n", 1, 17, "no user and no device `mallory`"},
    {"requests: [{subscribe: [{parameters: {}}]}]\n", 1, 25, "needs `stream`"},
    {"requests: [{parameters: 1}]\n", 1, 25, "`parameters` must be a mapping"},
    {"users: 101\ndevices: 100\n", 2, 10, "at most 10000 clients"},
    {"workload: {writers: [alice-2]}\n", 1, 22,
     "there is no client `alice-2`; clients are `alice-1` to `bob-1`"},
    {"workload: {actions: {edit: 0}}\n", 1, 21, "at least one action"},
    {"workload: {actions: {edits: 1}}\n", 1, 22, "unknown key `edits` in `actions`; did you mean `edit`?"},
    {"knobs: {convex.delta-page-rows: x}\n", 1, 33, "must be a whole number"},
    {"seed: -1\n", 1, 7, "`seed` must be from 0"},
    {"seed: \"12x\"\n", 1, 7, "`seed` must be a whole number"},
    {"server-faults: 1\n", 1, 16, "must be a list of rules, or a mapping"},
    {"server-faults: {convex: [{at: \"GET /\", do: rest}]}\n", 1, 44, "did you mean `reset`?"},
    {"server-faults: {broker: []}\n", 1, 17, "unknown key `broker` in `server-faults`"},
    /* faults */
    {"faults:\n  partitions: {every: 1s, lasts: 1s}\n", 2, 3,
     "unknown fault `partitions`; did you mean `partition`?"},
    {"faults:\n  offline: {every: 40s}\n", 2, 12, "`offline` needs `lasts`: {every: 40s, lasts: [1s, 15s]}"},
    {"faults:\n  offline: 40s\n", 2, 12, "`offline` must be a mapping"},
    {"faults: {reset: 2}\n", 1, 17, "`reset` must be a rate such as 1%"},
    {"faults: {reset: 101%}\n", 1, 17, "at most 100%"},
    {"faults: {reset: 0.00001%}\n", 1, 17, "rate"},
    {"faults: {reset: {rate: 1%, lasts: 1s}}\n", 1, 28,
     "unknown key `lasts` in `reset`; expected one of: rate"},
    {"faults: {stall: 1%}\n", 1, 17, "`stall` must be a mapping"},
    {"faults: {stall: {rate: 1%}}\n", 1, 17, "`stall` needs `lasts`"},
    {"faults: {split-chunks: 1%}\n", 1, 24, "`split-chunks` must be true or false"},
    {"faults: {offline: {every: 1s, lasts: 1s}}\nsteps: []\n", 1, 10,
     "with `steps`, `offline` is written as steps"},
    {"faults: {backend-crash: {every: 1s, lasts: 1s}}\n", 1, 10, "there is no backend"},
    {"steps: [{at: 1s, crash: backend, lasts: 1s}]\n", 1, 25, "there is no client `backend`"},
    {"steps:\n  - {at: 1s, partition: [alice-1, backend], lasts: 1s}\n", 2, 35, "there is no node `backend`"},
    /* steps */
    {"steps: {}\n", 1, 8, "`steps` must be a list, this is a mapping"},
    {"steps:\n  - {at: 1s, switch-user: alice-1, lasts: 1s}\n", 2, 5, "a step needs `to`: who signs in"},
    {"steps:\n  - {at: 1s, switch-user: alice-1, to: eve, lasts: 1s}\n", 2, 40, "there is no user `eve`"},
    {"steps:\n  - {at: 1s, sleep: alice-1, to: bob, lasts: 1s}\n", 2, 30, "`to` is for `switch-user`"},
    {"steps:\n  - {at: 1s, wrong-clock: alice-1, lasts: 1s}\n", 2, 5, "needs `ahead` or `behind`"},
    {"steps:\n  - {at: 1s, wrong-clock: convex, ahead: 1h, lasts: 1s}\n", 2, 27, "clock is always right"},
    {"steps:\n  - {at: 1s, sleep: alice-1, ahead: 1h, lasts: 1s}\n", 2, 30, "`ahead` is for `wrong-clock`"},
    {"steps:\n  - {at: 1s, sleep: alice-1, soft: true, lasts: 1s}\n", 2, 30, "`soft` is for `clear`"},
    {"reactive: [{}]\nsteps:\n  - {at: 1s, clear: web-1, lasts: 1s}\n", 3, 21, "`clear` is for devices"},
    {"old-app: [alice-1]\n", 1, 10, "the app todo has one version only"},
    {"app: profile\nold-app: [eve-1]\n", 2, 11, "there is no client `eve-1`"},
    {"app: profile\nreactive: [{}]\nold-app: [web-1]\n", 3, 10, "it has no schema"},
    {"faults: {update-app: {every: 1s, lasts: 1s}}\n", 1, 10, "the app todo has one version only"},
    {"steps:\n  - {at: 1s, update-app: alice-1, lasts: 1s}\n", 2, 26, "the app todo has one version only"},
    {"clear-local: 1\n", 1, 14, "`clear-local` must be true or false"},
    {"steps:\n  - {at: 1s, lose-storage: convex, lasts: 1s}\n", 2, 28, "only `powersync` has one"},
    {"steps:\n  - {at: 1s, vanish: convex, lasts: 1s}\n", 2, 22, "only a process of the service vanishes"},
    {"credentials: none\n", 1, 14, "must be token or config-then-token"},
    {"clear-at: never\n", 1, 11, "must be sign-out or sign-in"},
    {"faults: {retire: {every: 1s, lasts: 1s}}\n", 1, 10, "nobody tells devices of another process"},
    {"steps:\n  - {at: 1s, retire: powersync, lasts: 1s}\n", 2, 22,
     "only a process that answers devices goes"},
    {"tokens: {keys: secret}\n", 1, 16, "`keys` must be shared, published or listed"},
    {"steps:\n  - {at: 1s, wrong-audience: powersync, lasts: 1s}\n", 2, 30, "only `issuer` makes tokens"},
    {"write-checkpoints: new\n", 1, 20, "must be legacy, requests, custom or custom-as-meant"},
    {"upload: {keys: new}\n", 1, 16, "`keys` must be numbers or own"},
    {"upload: {keys: own, path: upload-endpoint}\n", 1, 9, "keys of one's own need the path convex-mutation"},
    {"write-checkpoints: custom\nupload: {path: upload-endpoint}\n", 1, 20,
     "need the upload path convex-mutation"},
    {"workload: {reacts: often}\n", 1, 20, "`reacts` must be a rate"},
    {"steps:\n  - {at: 1s}\n", 2, 5, "a step needs one of: write, call, subscribe, offline, partition"},
    {"steps:\n  - {at: 1s, write: alice-1, offline: bob-1}\n", 2, 30,
     "a step does one thing: `write` or `offline`"},
    {"steps:\n  - {write: alice-1, action: edit}\n", 2, 5, "a step needs `at`"},
    {"steps:\n  - {at: 1s, write: alice-1}\n", 2, 5, "a step needs `action`"},
    {"steps:\n  - {at: 1s, write: alice-1, action: sing}\n", 2, 38,
     "unknown action `sing`; expected one of: add-list"},
    {"steps:\n  - {at: 1s, write: carol-1, action: edit}\n", 2, 21, "there is no client `carol-1`"},
    {"steps:\n  - {at: 1s, write: alice-1, action: edit, lasts: 1s}\n", 2, 44, "`lasts` is for faults"},
    {"steps:\n  - {at: 1s, offline: alice-1}\n", 2, 5, "a step needs `lasts`"},
    {"steps:\n  - {at: 1s, offline: alice-1, lasts: 1s, rows: 2}\n", 2, 43, "`rows` is for writes"},
    {"steps:\n  - {at: 1s, offline: powersync, lasts: 1s}\n", 2, 23, "there is no client `powersync`"},
    {"steps:\n  - {at: 1s, partition: [alice-1], lasts: 1s}\n", 2, 25, "must name two nodes"},
    {"steps:\n  - {at: 1s, partition: [alice-1, moon], lasts: 1s}\n", 2, 35, "there is no node `moon`"},
    {"run: {for: 10s}\nsteps:\n  - {at: 10s, write: alice-1, action: edit}\n", 3, 10,
     "before the end of the run"},
    {"steps:\n  - {id: a, at: 1s, crash: bob-1, lasts: 1s}\n  - {id: a, at: 2s, crash: bob-1, lasts: 1s}\n",
     3, 5, "two steps with the id `a`"},
};

static void test_refusals(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *wanted = &refusals[i];
        struct scenario *scenario = NULL;
        struct error error = {0};
        enum status status =
            scenario_parse(wanted->text, strlen(wanted->text), "dir/x.yaml", &scenario, &error);
        if (status != STATUS_INVALID)
            fail_msg("not refused (status %d):\n%s", (int)status, wanted->text);
        assert_null(scenario);
        if (!strstr(error.message, wanted->message))
            fail_msg("%s\nis refused with `%s`\nand not with  `%s`", wanted->text, error.message,
                     wanted->message);
        if (error.line != wanted->line || error.column != wanted->column)
            fail_msg("%s\nis refused at %d:%d and not at %d:%d", wanted->text, error.line, error.column,
                     wanted->line, wanted->column);
        assert_string_equal(error.file, "dir/x.yaml");
    }
}

static void test_defaults(void **state) {
    (void)state;
    struct scenario *scenario = parse("description: nothing else\n");
    assert_string_equal(scenario->name, "x");
    assert_string_equal(scenario->app->name, "todo");
    assert_string_equal(scenario->sync_config, scenario->app->sync_config);
    assert_int_equal(scenario->n_users, 2);
    assert_int_equal(scenario->duration, 60000000000);
    assert_int_equal(scenario->n_faults, 0);
    assert_true(scenario->swarm && scenario->fault_points && scenario->random_knobs && !scenario->canary);
    assert_null(scenario->properties);
    assert_null(scenario->steps);
    assert_false(scenario->has_seed);
    scenario_free(scenario);
}

static void test_everything(void **state) {
    (void)state;
    struct scenario *scenario = parse("name: all\n"
                                      "seed: 7\n"
                                      "users: [ann, zoe]\n"
                                      "devices: 3\n"
                                      "seed-data: {lists: 2, todos: 5}\n"
                                      "run: {for: 2min, settle-within: 40s, max-events: 5000}\n"
                                      "workload: {between-writes: [2s, 10s], rows: 4, writers: [zoe-3], "
                                      "actions: {edit: 3, delete: 1}}\n"
                                      "network: {latency: [5ms, 60ms], jitter: 20ms, give-up: 10s}\n"
                                      "service: {polling-interval: 100ms, keepalive: 15s}\n"
                                      "tokens: {lifetime: 90s}\n"
                                      "faults:\n"
                                      "  stall: {rate: 2500 per million, lasts: [1s, 2s]}\n"
                                      "  reset: 0.25%\n"
                                      "  split-chunks: true\n"
                                      "  refuse: {rate: 1%}\n"
                                      "  lose-response: false\n"
                                      "  offline: {every: 1.5min, lasts: 250us}\n"
                                      "swarm: false\n"
                                      "fault-points: false\n"
                                      "random-knobs: false\n"
                                      "knobs: {convex.delta-page-rows: 3}\n"
                                      "mutants: [phantom-row]\n"
                                      "properties: [convergence, atomic-visibility]\n"
                                      "expect: {violates: [convergence]}\n"
                                      "canary: true\n");
    assert_string_equal(scenario->name, "all");
    assert_true(scenario->has_seed && scenario->seed == 7);
    assert_string_equal(scenario->users[1], "zoe");
    assert_int_equal(scenario->devices_per_user, 3);
    assert_int_equal(scenario->lists_per_user, 2);
    assert_int_equal(scenario->todos_per_list, 5);
    assert_int_equal(scenario->duration, 120000000000);
    assert_int_equal(scenario->settle_within, 40000000000);
    assert_int_equal(scenario->max_events, 5000);
    assert_int_equal(scenario->between_writes.low, 2000000000);
    assert_int_equal(scenario->between_writes.high, 10000000000);
    assert_int_equal(scenario->rows_per_write.low, 4);
    assert_int_equal(scenario->rows_per_write.high, 4);
    assert_int_equal(scenario->n_writers, 1);
    for (size_t i = 0; scenario->app->actions[i].name; i++) {
        const char *kind = scenario->app->actions[i].name;
        int64_t weight = !strcmp(kind, "edit") ? 3 : !strcmp(kind, "delete");
        assert_int_equal(scenario->action_weights[i], weight);
    }
    assert_int_equal(scenario->latency.high, 60000000);
    assert_int_equal(scenario->jitter.low, 20000000);
    assert_int_equal(scenario->give_up, 10000000000);
    assert_int_equal(scenario->polling_interval, 100000000);
    assert_int_equal(scenario->keepalive_interval, 15000000000);
    assert_int_equal(scenario->token_lifetime, 90000000000);
    /* in the language's own order, whatever the file's */
    static const char *const names[] = {"offline", "refuse", "reset", "stall", "split-chunks"};
    static const int64_t rates[] = {90000000000, 10000, 2500, 2500, 1};
    assert_int_equal(scenario->n_faults, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(scenario->faults[i].name, names[i]);
        assert_int_equal(scenario->faults[i].rate, rates[i]);
    }
    assert_int_equal(scenario->faults[0].lasts.high, 250000);
    assert_int_equal(scenario->faults[3].lasts.low, 1000000000);
    assert_false(scenario->swarm || scenario->fault_points || scenario->random_knobs);
    assert_string_equal(scenario->knobs[0].name, "convex.delta-page-rows");
    assert_int_equal(scenario->knobs[0].value, 3);
    assert_string_equal(scenario->mutants[0], "phantom-row");
    assert_int_equal(scenario->n_properties, 2);
    assert_string_equal(scenario->expect_violates[0], "convergence");
    assert_true(scenario->canary);
    scenario_free(scenario);
}

static void test_numbered_users(void **state) {
    (void)state;
    struct scenario *scenario = parse("users: 12\n");
    assert_int_equal(scenario->n_users, 12);
    assert_string_equal(scenario->users[0], "alice");
    assert_string_equal(scenario->users[11], "user12");
    scenario_free(scenario);
}

static void test_steps(void **state) {
    (void)state;
    struct scenario *scenario =
        parse("steps:\n"
              "  - {at: 3s, one-way-partition: [powersync, bob-1], lasts: 2s}\n"
              "  - {id: first, at: 1.25s, write: alice-1, action: add-todos, rows: 3, choice: 99}\n"
              "  - {at: 3s, crash: powersync, lasts: 0s}\n");
    assert_int_equal(scenario->n_steps, 3);
    const struct scenario_step *step = scenario->steps; /* by time */
    assert_string_equal(step[0].id, "first");
    assert_int_equal(step[0].kind, STEP_WRITE);
    assert_int_equal(step[0].at, 1250000000);
    assert_string_equal(step[0].client, "alice-1");
    assert_string_equal(step[0].action.kind, "add-todos");
    assert_string_equal(step[0].action.step, "first");
    assert_int_equal(step[0].action.rows, 3);
    assert_int_equal(step[0].action.choice, 99);
    assert_string_equal(step[1].id, "s1");
    assert_int_equal(step[1].kind, STEP_PARTITION);
    assert_true(step[1].one_way);
    assert_string_equal(step[1].from, "powersync");
    assert_string_equal(step[1].to, "bob-1");
    assert_int_equal(step[2].kind, STEP_CRASH);
    assert_string_equal(step[2].client, "powersync");
    scenario_free(scenario);
}

static void test_units(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t ns;
    } durations[] = {{"0s", 0},
                     {"1ns", 1},
                     {"999ns", 999},
                     {"1.5us", 1500},
                     {"250ms", 250000000},
                     {"1.034s", 1034000000},
                     {"61s", 61000000000},
                     {"2min", 120000000000},
                     {"1h", 3600000000000},
                     {"87600h", 315360000000000000}};
    struct buffer out = {0};
    for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
        int64_t ns = -1;
        assert_true(units_read_duration(durations[i].text, &ns));
        assert_int_equal(ns, durations[i].ns);
        buffer_clear(&out);
        units_print_duration(&out, ns);
        assert_string_equal(buffer_text(&out), durations[i].text);
    }
    int64_t value;
    assert_true(units_read_duration("0.5min", &value) && value == 30000000000);
    static const char *const wrong[] = {
        "",       "s",   "1",  "1.s",  ".5s", "1..5s",           "0.5ns", "1.0000000001s", "99999999999h",
        "87601h", "1 s", "1S", "1e3s", "+1s", "1.23456789012min"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (units_read_duration(wrong[i], &value))
            fail_msg("`%s` is taken as %lld ns", wrong[i], (long long)value);
    for (int64_t rate = 0; rate <= 1000000; rate += 997) {
        buffer_clear(&out);
        units_print_rate(&out, rate);
        assert_true(units_read_rate(buffer_text(&out), &value));
        assert_int_equal(value, rate);
    }
    assert_true(units_read_rate("12.5%", &value) && value == 125000);
    assert_false(units_read_rate("1000001 per million", &value));
    assert_false(units_read_rate("1", &value));
    buffer_free(&out);
}

static void test_find(void **state) {
    (void)state;
    char **files;
    size_t count;
    struct error error = {0};
    assert_int_equal(scenario_find(SYNCLINE_SOURCE_DIR "/scenarios", &files, &count, &error), STATUS_OK);
    assert_true(count >= 4);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            assert_true(strcmp(files[i - 1], files[i]) < 0);
        struct scenario *scenario = NULL;
        if (scenario_load(files[i], &scenario, &error) != STATUS_OK)
            fail_msg("%s:%d:%d: %s", files[i], error.line, error.column, error.message);
        assert_true(scenario->description[0] != '\0');
        scenario_free(scenario);
    }
    for (size_t i = 0; i < count; i++)
        free(files[i]);
    free(files);
    assert_int_equal(scenario_find("/nowhere/at/all", &files, &count, &error), STATUS_NOT_FOUND);
}

static const char *page_read(const char *path) {
    static char text[200000];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    const size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    assert_true(length > 0 && length < sizeof text - 1);
    text[length] = 0;
    return text;
}

/* The reference names every key of the language. */
static void test_reference(void **state) {
    (void)state;
    const char *text = page_read(SYNCLINE_SOURCE_DIR "/docs/scenarios.md");
    for (size_t a = 0; app_all()[a]; a++) {
        const struct app_action_kind *kind = app_all()[a]->actions;
        for (; kind->name; kind++)
            if (!strstr(text, kind->name))
                fail_msg("docs/scenarios.md says nothing of the action %s", kind->name);
    }
    const struct scenario_name *tables[] = {scenario_faults(), scenario_engines()};
    for (size_t t = 0; t < 2; t++)
        for (const struct scenario_name *name = tables[t]; name->name; name++)
            if (!strstr(text, name->name))
                fail_msg("docs/scenarios.md says nothing of %s", name->name);
    struct scenario *scenario = NULL;
    struct error error = {0};
    assert_int_equal(scenario_parse("colour: 1", 9, "x", &scenario, &error), STATUS_INVALID);
    char *names = strstr(error.message, "expected one of: ") + strlen("expected one of: ");
    for (char *name = strtok(names, ", "); name; name = strtok(NULL, ", ")) {
        char quoted[80];
        snprintf(quoted, sizeof quoted, "`%s`", name);
        if (!strstr(text, quoted))
            fail_msg("docs/scenarios.md says nothing of the key %s", quoted);
    }
}

/* Each mutant has a line of its own, in the program's words. */
static void test_mutants_page(void **state) {
    (void)state;
    const char *text = page_read(SYNCLINE_SOURCE_DIR "/docs/mutants.md");
    size_t lines = 0, names = 0;
    for (const struct scenario_name *name = scenario_mutants(); name->name; name++) {
        char line[300];
        snprintf(line, sizeof line, "\n| `%s` | %s | ", name->name, name->summary);
        if (!strstr(text, line))
            fail_msg("docs/mutants.md lacks the line%s", line);
        names++;
    }
    for (const char *at = text; (at = strstr(at, "\n| `")); at++)
        lines++;
    assert_int_equal(lines, names);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),    cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_everything),  cmocka_unit_test(test_numbered_users),
        cmocka_unit_test(test_steps),       cmocka_unit_test(test_units),
        cmocka_unit_test(test_find),        cmocka_unit_test(test_reference),
        cmocka_unit_test(test_mutants_page)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What a seed makes of a scenario: always the same, and each choice on its own. */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "scenario/plan.h"

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

/* One line a step of this client, or (NULL) all steps. */
static char *steps_of(const struct plan *plan, const char *client) {
    struct buffer out = {0};
    for (size_t i = 0; i < plan->n_steps; i++) {
        const struct scenario_step *step = &plan->steps[i];
        const char *who = step->client ? step->client : step->from;
        if (client && strcmp(who, client) != 0 && (!step->to || strcmp(step->to, client) != 0))
            continue;
        plan_describe_step(step, &out);
        buffer_printf(&out, " choice %llu lasts %lld\n", (unsigned long long)step->action.choice,
                      (long long)step->lasts);
    }
    return buffer_take(&out);
}

static const char busy[] = "users: [alice, bob]\n"
                           "devices: 2\n"
                           "run: {for: 3min}\n"
                           "workload: {between-writes: [2s, 8s], rows: [1, 20]}\n"
                           "faults:\n"
                           "  partition: {every: 20s, lasts: [1s, 5s]}\n"
                           "  one-way-partition: {every: 20s, lasts: [1s, 5s]}\n"
                           "  offline: {every: 20s, lasts: [1s, 5s]}\n"
                           "  disconnect: {every: 20s, lasts: [1s, 5s]}\n"
                           "  client-crash: {every: 20s, lasts: [1s, 5s]}\n"
                           "  service-crash: {every: 20s, lasts: [1s, 5s]}\n"
                           "  refuse: 1%\n"
                           "  reset: 2%\n"
                           "  lose-response: 3%\n"
                           "  stall: {rate: 4%, lasts: [1s, 9s]}\n"
                           "  split-chunks: true\n";

static void assert_same_plan(const struct plan *a, const struct plan *b) {
    assert_int_equal(a->n_steps, b->n_steps);
    assert_int_equal(a->seed, b->seed);
    assert_int_equal(a->refuse, b->refuse);
    assert_int_equal(a->reset, b->reset);
    assert_int_equal(a->lose_response, b->lose_response);
    assert_int_equal(a->stall, b->stall);
    assert_int_equal(a->stall ? a->stall_time : 0, b->stall ? b->stall_time : 0);
    assert_int_equal(a->split_chunks, b->split_chunks);
    assert_int_equal(a->fault_points, b->fault_points);
    assert_int_equal(a->random_knobs, b->random_knobs);
    assert_int_equal(a->latency, b->latency);
    assert_int_equal(a->jitter, b->jitter);
    for (size_t i = 0; i < a->n_steps; i++) {
        const struct scenario_step *x = &a->steps[i], *y = &b->steps[i];
        assert_string_equal(x->id, y->id);
        assert_int_equal(x->kind, y->kind);
        assert_int_equal(x->at, y->at);
        assert_int_equal(x->lasts, y->lasts);
        assert_int_equal(x->one_way, y->one_way);
        assert_string_equal(x->client ? x->client : "", y->client ? y->client : "");
        assert_string_equal(x->from ? x->from : "", y->from ? y->from : "");
        assert_string_equal(x->to ? x->to : "", y->to ? y->to : "");
        assert_string_equal(x->action.kind ? x->action.kind : "", y->action.kind ? y->action.kind : "");
        assert_string_equal(x->action.step ? x->action.step : "", y->action.step ? y->action.step : "");
        assert_int_equal(x->action.rows, y->action.rows);
        assert_int_equal(x->action.choice, y->action.choice);
    }
}

static void test_same_seed_same_plan(void **state) {
    (void)state;
    struct scenario *scenario = parse(busy);
    struct plan *one = make(scenario, 5), *two = make(scenario, 5), *other = make(scenario, 6);
    assert_same_plan(one, two);
    char *a = steps_of(one, NULL), *b = steps_of(other, NULL);
    assert_string_not_equal(a, b);
    free(a);
    free(b);
    plan_free(one);
    plan_free(two);
    plan_free(other);
    scenario_free(scenario);
}

static void test_order_and_bounds(void **state) {
    (void)state;
    struct scenario *scenario = parse(busy);
    size_t writes = 0, faults = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct plan *plan = make(scenario, seed);
        for (size_t i = 0; i < plan->n_steps; i++) {
            const struct scenario_step *step = &plan->steps[i];
            assert_true(i == 0 || plan->steps[i - 1].at < step->at ||
                        (plan->steps[i - 1].at == step->at && strcmp(plan->steps[i - 1].id, step->id) < 0));
            assert_true(step->at > 0 && step->at < scenario->duration);
            if (step->kind == STEP_WRITE)
                assert_true(step->action.rows >= 1 && step->action.rows <= 20);
            else
                assert_true(step->lasts >= 1000000000 && step->lasts <= 5000000000);
            writes += step->kind == STEP_WRITE;
            faults += step->kind != STEP_WRITE;
        }
        assert_true(plan->latency >= scenario->latency.low && plan->latency <= scenario->latency.high);
        int64_t link = plan_link_latency(plan, scenario, "alice-1", "powersync");
        assert_true(link >= scenario->latency.low && link <= plan->latency);
        assert_int_equal(link, plan_link_latency(plan, scenario, "powersync", "alice-1"));
        assert_true(plan->refuse <= 10000 && plan->reset <= 20000 && plan->lose_response <= 30000);
        plan_free(plan);
    }
    /* 20 seeds * 4 clients * 180 s * mean of 1/m for m in 2 s..8 s (ln 4 / 6) = 3,327 */
    assert_in_range(writes, 2800, 3900);
    assert_true(faults > 100);
    scenario_free(scenario);
}

static void test_swarm(void **state) {
    (void)state;
    struct scenario *scenario = parse(busy);
    int on = 0;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct plan *plan = make(scenario, seed);
        on += plan->reset > 0;
        plan_free(plan);
    }
    assert_in_range(on, 150, 250); /* 200 +- 5 standard deviations of 10 */
    scenario_free(scenario);
    char text[sizeof busy + 20];
    snprintf(text, sizeof text, "%sswarm: false\n", busy);
    scenario = parse(text);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct plan *plan = make(scenario, seed);
        assert_true(plan->refuse == 10000 && plan->reset == 20000 && plan->lose_response == 30000);
        assert_true(plan->stall == 40000 && plan->split_chunks);
        assert_true(plan->stall_time >= 1000000000 && plan->stall_time <= 9000000000);
        plan_free(plan);
    }
    scenario_free(scenario);
}

/* Another client changes nothing for those that were there. */
static void test_adding_a_client(void **state) {
    (void)state;
    struct scenario *few = parse(busy);
    char text[sizeof busy + 20];
    snprintf(text, sizeof text, "%s", busy);
    memcpy(strstr(text, "devices: 2"), "devices: 3", strlen("devices: 3"));
    struct scenario *many = parse(text);
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct plan *a = make(few, seed), *b = make(many, seed);
        assert_true(b->n_steps > a->n_steps);
        static const char *const clients[] = {"alice-1", "alice-2", "bob-1", "bob-2"};
        for (size_t i = 0; i < 4; i++) {
            char *x = steps_of(a, clients[i]), *y = steps_of(b, clients[i]);
            assert_true(*x != '\0');
            assert_string_equal(x, y);
            free(x);
            free(y);
        }
        assert_int_equal(a->reset, b->reset);
        plan_free(a);
        plan_free(b);
    }
    scenario_free(few);
    scenario_free(many);
}

static char *writes_of(const struct plan *plan) {
    struct buffer out = {0};
    for (size_t i = 0; i < plan->n_steps; i++)
        if (plan->steps[i].kind == STEP_WRITE) {
            plan_describe_step(&plan->steps[i], &out);
            buffer_printf(&out, " %llu\n", (unsigned long long)plan->steps[i].action.choice);
        }
    return buffer_take(&out);
}

/* Another fault moves no write and no other fault. */
static void test_adding_a_fault(void **state) {
    (void)state;
    struct scenario *none = parse("devices: 2\nrun: {for: 3min}\n");
    struct scenario *one =
        parse("devices: 2\nrun: {for: 3min}\nswarm: false\nfaults: {offline: {every: 20s, lasts: 1s}}\n");
    struct scenario *two =
        parse("devices: 2\nrun: {for: 3min}\nswarm: false\n"
              "faults: {partition: {every: 9s, lasts: 1s}, offline: {every: 20s, lasts: 1s}, reset: 9%}\n");
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct plan *plans[] = {make(none, seed), make(one, seed), make(two, seed)};
        char *writes[3];
        for (size_t i = 0; i < 3; i++)
            writes[i] = writes_of(plans[i]);
        assert_true(*writes[0] != '\0');
        assert_string_equal(writes[0], writes[1]);
        assert_string_equal(writes[0], writes[2]);
        size_t offline[3] = {0};
        int64_t sum[3] = {0};
        for (size_t i = 0; i < 3; i++) {
            for (size_t s = 0; s < plans[i]->n_steps; s++)
                if (plans[i]->steps[s].kind == STEP_OFFLINE) {
                    offline[i]++;
                    sum[i] += plans[i]->steps[s].at;
                }
            free(writes[i]);
            plan_free(plans[i]);
        }
        assert_true(offline[1] > 0 && offline[1] == offline[2] && sum[1] == sum[2]);
    }
    scenario_free(none);
    scenario_free(one);
    scenario_free(two);
}

static void check_round_trip(const char *text, uint64_t seed) {
    struct scenario *scenario = parse(text);
    struct plan *plan = make(scenario, seed);
    struct buffer written = {0};
    plan_write(plan, scenario, &written);
    struct scenario *pinned = parse(buffer_text(&written));
    assert_true(pinned->has_seed);
    assert_true(pinned->seed == seed);
    struct plan *again = make(pinned, pinned->seed);
    assert_same_plan(plan, again);
    assert_int_equal(plan_link_latency(plan, scenario, "alice-1", "convex"),
                     plan_link_latency(again, pinned, "alice-1", "convex"));
    /* What the plan does not carry must survive in the text. */
    struct buffer rewritten = {0};
    plan_write(again, pinned, &rewritten);
    assert_string_equal(buffer_text(&written), buffer_text(&rewritten));
    assert_string_equal(scenario->description, pinned->description);
    assert_string_equal(scenario->sync_config, pinned->sync_config);
    assert_int_equal(scenario->duration, pinned->duration);
    assert_int_equal(scenario->settle_within, pinned->settle_within);
    assert_int_equal(scenario->polling_interval, pinned->polling_interval);
    assert_int_equal(scenario->keepalive_interval, pinned->keepalive_interval);
    assert_int_equal(scenario->token_lifetime, pinned->token_lifetime);
    assert_int_equal(scenario->give_up, pinned->give_up);
    assert_int_equal(scenario->devices_per_user, pinned->devices_per_user);
    assert_int_equal(scenario->lists_per_user, pinned->lists_per_user);
    assert_int_equal(scenario->todos_per_list, pinned->todos_per_list);
    assert_int_equal(scenario->n_mutants, pinned->n_mutants);
    assert_int_equal(scenario->n_knobs, pinned->n_knobs);
    assert_int_equal(scenario->n_drives, pinned->n_drives);
    assert_int_equal(scenario->n_properties, pinned->n_properties);
    assert_int_equal(scenario->n_expect_violates, pinned->n_expect_violates);
    assert_int_equal(scenario->canary, pinned->canary);
    assert_int_equal(scenario->max_events, pinned->max_events);
    buffer_free(&written);
    buffer_free(&rewritten);
    plan_free(plan);
    plan_free(again);
    scenario_free(scenario);
    scenario_free(pinned);
}

static void test_round_trip(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++)
        check_round_trip(busy, seed);
    check_round_trip(busy, UINT64_MAX); /* too large for a YAML integer */
    check_round_trip(
        "description: \"a: #b \\\"c\\\" \\u00e9\\n\"\n"
        "users: [n, y, o]\n"
        "network: {latency: 20ms, jitter: [0ms, 123456ns], give-up: 7s}\n"
        "service: {polling-interval: 50ms, keepalive: 3s}\n"
        "tokens: {lifetime: 90s}\n"
        "sync-config: |\n  config: {edition: 3}\n  streams: {}\n"
        "knobs: {convex.delta-page-rows: 3, \"odd name\": -1}\n"
        "drive: [{point: service.before-mapping, nth: [2, 4], delay: 1.5s}, {point: x.y, error: true}]\n"
        "mutants: [gate-open]\n"
        "properties: [convergence]\n"
        "fault-points: false\n"
        "expect: {violates: [convergence]}\n"
        "canary: true\n"
        "steps:\n  - {at: 1.0000001s, crash: powersync, lasts: 3ns}\n",
        77);
    check_round_trip("steps: []\n", 1);
    check_round_trip("service: {processes: 2, split: true, strict-expiry: true, notification-delay: 20ms, "
                     "job-lock: 2s}\n"
                     "requests: [{of: bob, parameters: {b: 1, a: x}, subscribe: [{stream: s, parameters: {n: "
                     "1.5}}]}]\n"
                     "steps: [{at: 1s, redeploy: powersync}, {at: 2s, compact: powersync}, {at: 3s, crash: "
                     "replicator-2, lasts: 1s}]\n",
                     3);
    check_round_trip(
        "write-checkpoints: requests\nworkload: {reacts: 2.5%}\n"
        "steps: [{at: 1s, switch-user: alice-1, to: bob, lasts: 1s}, {at: 2s, sleep: bob-1, lasts: 1h}, "
        "{at: 3s, wrong-clock: powersync, behind: 3h, lasts: 2s}, {at: 4s, wrong-clock: bob-1, "
        "ahead: 1ns, lasts: 2s}, {at: 5s, clear: bob-1, soft: true, lasts: 0s}, "
        "{at: 6s, session-expires: alice-1, lasts: 5s}]\n",
        5);
    for (uint64_t seed = 1; seed <= 5; seed++)
        check_round_trip(
            "swarm: false\nfaults:\n  sleep: {every: 9s, lasts: [1s, 5s]}\n"
            "  wrong-clock: {every: 9s, lasts: [1s, 5s]}\n  clear: {every: 9s, lasts: [0s, 5s]}\n"
            "  switch-user: {every: 9s, lasts: 1s}\n  session-expires: {every: 9s, lasts: 1s}\n",
            seed);
    for (uint64_t seed = 1; seed <= 5; seed++)
        check_round_trip(
            "upload: {path: upload-endpoint}\nfaults:\n  backend-crash: {every: 9s, lasts: 1s}\n"
            "  partition: {every: 9s, lasts: 1s}\n"
            "server-faults: {backend: [{at: \"PUT /\", do: reset}], issuer: [{at: \"GET /\", do: "
            "reset}]}\n",
            seed);
    check_round_trip("tokens: {lifetime: 90s, keys: published}\nsteps: [{at: 1s, rotate-keys: issuer, lasts: "
                     "1s}, {at: 2s, captive-portal: bob-1, lasts: 1s}, {at: 3s, wrong-audience: issuer, "
                     "lasts: 1s}]\n",
                     6);
    check_round_trip("credentials: config-then-token\nclear-at: sign-in\nservice: {processes: 2}\n"
                     "steps: [{at: 1s, retire: powersync-2, lasts: 3s}]\n",
                     8);
    check_round_trip("service: {storage: file}\nfaults: {redeploy: {every: 5s}, compact: {every: 1s}}\n", 4);
}

static void test_too_large(void **state) {
    (void)state;
    struct scenario *scenario = parse("run: {for: 720h}\nworkload: {between-writes: 1ms}\n");
    struct plan *plan = NULL;
    struct error error = {0};
    assert_int_equal(plan_make(scenario, 1, &plan, &error), STATUS_LIMIT);
    assert_null(plan);
    scenario_free(scenario);
}

static void test_describe(void **state) {
    (void)state;
    struct scenario *scenario =
        parse("steps:\n"
              "  - {id: a, at: 12.034s, write: alice-1, action: add-todos, rows: 3}\n"
              "  - {id: b, at: 13s, one-way-partition: [convex, powersync], lasts: 1.5s}\n"
              "  - {id: c, at: 14s, crash: powersync, lasts: 2s}\n");
    struct buffer out = {0};
    for (size_t i = 0; i < 3; i++) {
        plan_describe_step(&scenario->steps[i], &out);
        buffer_append_char(&out, '\n');
    }
    assert_string_equal(buffer_text(&out), "a (12.034 s): alice-1 add-todos, 3 rows\n"
                                           "b (13.000 s): no way from convex to powersync, for 1.5s\n"
                                           "c (14.000 s): powersync crashes, for 2s\n");
    buffer_free(&out);
    scenario_free(scenario);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_seed_same_plan),
                                       cmocka_unit_test(test_order_and_bounds),
                                       cmocka_unit_test(test_swarm),
                                       cmocka_unit_test(test_adding_a_client),
                                       cmocka_unit_test(test_adding_a_fault),
                                       cmocka_unit_test(test_round_trip),
                                       cmocka_unit_test(test_too_large),
                                       cmocka_unit_test(test_describe)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

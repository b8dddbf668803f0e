/* Crash and restart on one storage: what was committed is there, what was half done is not. */
#include "sync_script.h"

#define SESSION "3f0c0000-1111-4222-8333-444455556666"
#define CONNECT                                                                                              \
    "{\"type\":\"Connect\",\"sessionId\":\"" SESSION "\",\"connectionCount\":0,\"lastCloseReason\":null}"

/* Three pets and a job for a fourth, all or nothing; the answer is how many there were before. */
static enum status litter(struct convex_context *context, const struct convex_value *args,
                          struct convex_value **result, struct error *error) {
    char id[40];
    struct convex_value *none = convex_object();
    (void)args;
    enum status status = convex_run_query(context, "pets:count", none, result, error);
    for (int i = 0; i < 3 && status == STATUS_OK; i++) {
        status = convex_insert(context, "pets", pet_make("litter", "x"), id, error);
    }
    if (status == STATUS_OK) {
        status = convex_schedule(context, 20 * TIME_MILLISECOND, "pets:add", none, id, error);
    }
    convex_free(none);
    return status;
}

static enum status nap(struct convex_context *context, const struct convex_value *args,
                       struct convex_value **result, struct error *error) {
    struct convex_value *id = NULL;
    (void)result;
    enum status status = convex_run_mutation(context, "pets:add", args, &id, error);
    convex_free(id);
    return status == STATUS_OK ? convex_sleep(context, TIME_SECOND, error) : status;
}

static enum status plan(struct convex_context *context, const struct convex_value *args,
                        struct convex_value **result, struct error *error) {
    char id[40];
    struct convex_value *none = convex_object();
    (void)result;
    enum status status =
        convex_schedule(context, TIME_SECOND, convex_object_text(args, "path"), none, id, error);
    convex_free(none);
    return status;
}

static enum status states(struct convex_context *context, const struct convex_value *args,
                          struct convex_value **result, struct error *error) {
    const struct convex_value **documents;
    size_t count;
    (void)args;
    enum status status = convex_find(context, "_scheduled_functions", "by_creation_time", NULL, 0, SIZE_MAX,
                                     &documents, &count, error);
    *result = convex_array();
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        convex_array_append(*result, convex_copy(convex_object_get(documents[i], "state")));
    }
    free(documents);
    return status;
}

static const struct convex_function crash_functions[] = {
    {.path = "pets:add", .kind = CONVEX_MUTATION, .run = pets_add},
    {.path = "pets:count", .kind = CONVEX_QUERY, .run = pets_count},
    {.path = "pets:litter", .kind = CONVEX_MUTATION, .run = litter},
    {.path = "jobs:plan", .kind = CONVEX_MUTATION, .run = plan},
    {.path = "jobs:nap", .kind = CONVEX_ACTION, .run = nap},
    {.path = "jobs:states", .kind = CONVEX_QUERY, .run = states}};

struct house {
    struct fixture *fixture;
    struct convex_storage *storage;
};

static void deploy(struct house *house) {
    struct convex_deployment_options options = fixture_options();
    options.functions = crash_functions;
    options.n_functions = LENGTH_OF(crash_functions);
    options.storage = house->storage;
    options.mutation_time_low = 2 * TIME_MILLISECOND;
    options.mutation_time_high = 15 * TIME_MILLISECOND;
    fixture_deploy(house->fixture, &options);
}

static void open_house(struct house *house) {
    house->fixture = fixture_world();
    net_set_latency(house->fixture->net, NULL, NULL, TIME_MILLISECOND, 4 * TIME_MILLISECOND);
    house->storage = convex_storage_create();
    deploy(house);
}

static void crash(struct house *house) {
    net_crash_node(house->fixture->net, "convex");
    convex_deployment_destroy(house->fixture->deployment);
    house->fixture->deployment = NULL;
}

static void close_house(struct house *house) {
    convex_deployment_destroy(house->fixture->deployment);
    house->fixture->deployment = NULL;
    convex_storage_destroy(house->storage);
    fixture_free(house->fixture);
}

static struct convex_value *run(struct house *house, const char *path, struct convex_value *args) {
    struct convex_value *result = NULL;
    struct error error = {0};
    if (convex_deployment_run(house->fixture->deployment, path, args, &result, &error) != STATUS_OK) {
        fail_msg("%s: %s", path, error.message);
    }
    convex_free(args);
    return result;
}

static size_t count_pets(struct house *house) {
    struct convex_value *value = run(house, "pets:count", convex_object());
    size_t count = (size_t)value->as.number;
    convex_free(value);
    return count;
}

static void plan_job(struct house *house, const char *path) {
    struct convex_value *args = convex_object();
    convex_object_set(args, "path", convex_string(path));
    convex_free(run(house, "jobs:plan", args));
}

static void expect_states(struct house *house, const char *expected) {
    struct convex_value *value = run(house, "jobs:states", convex_object());
    struct buffer text = {0};
    convex_append_json(&text, value, CONVEX_FORMAT_JSON);
    assert_string_equal(buffer_text(&text), expected);
    buffer_free(&text);
    convex_free(value);
}

static void test_restart(void **state) {
    (void)state;
    struct house house;
    struct answer answer;
    open_house(&house);
    mutate(house.fixture, "pets:add", "{}");
    plan_job(&house, "pets:add");
    int64_t latest = convex_deployment_latest(house.fixture->deployment);
    json_t *before = get_json(house.fixture, "/api/list_snapshot");
    send_mutation(house.fixture, &answer, "pets:add", "{}");
    fixture_run(house.fixture, 6 * TIME_MILLISECOND); /* it runs */
    crash(&house);
    fixture_run(house.fixture, 2 * TIME_SECOND); /* the job's time passes */
    assert_int_equal(answer.status, -1);
    world_set_clock(house.fixture->world, "convex", -TIME_HOUR, 0);
    deploy(&house);
    assert_int_equal(convex_deployment_latest(house.fixture->deployment), latest);
    json_t *after = get_json(house.fixture, "/api/list_snapshot");
    assert_true(json_equal(json_object_get(before, "values"), json_object_get(after, "values")));
    json_decref(before);
    json_decref(after);
    assert_int_equal(count_pets(&house), 1);
    mutate(house.fixture, "pets:add", "{}");
    assert_int_equal(convex_deployment_latest(house.fixture->deployment), latest + 1); /* never back */
    world_set_clock(house.fixture->world, "convex", 0, 0);
    crash(&house);
    deploy(&house);
    fixture_run(house.fixture, 100 * TIME_MILLISECOND);
    assert_int_equal(count_pets(&house), 3); /* the job ran when the clock was right again */
    expect_states(&house, "[{\"kind\":\"success\"}]");
    close_house(&house);
}

/* An action that was running is over, and is not begun again. */
static void test_action(void **state) {
    (void)state;
    struct house house;
    open_house(&house);
    plan_job(&house, "jobs:nap");
    fixture_run(house.fixture, 1500 * TIME_MILLISECOND); /* it sleeps */
    expect_states(&house, "[{\"kind\":\"inProgress\"}]");
    crash(&house);
    deploy(&house);
    expect_states(&house,
                  "[{\"error\":\"the deployment restarted while the action ran\",\"kind\":\"failed\"}]");
    fixture_run(house.fixture, 5 * TIME_SECOND);
    assert_int_equal(count_pets(&house), 1); /* what its mutation had committed stays */
    close_house(&house);
}

/* --- a mutation over WebSockets, and a crash at every moment at which something happens --- */

#define LITTER "{\"type\":\"Mutation\",\"requestId\":%d,\"udfPath\":\"pets:litter\",\"args\":[{}]}"
#define N_MUTATIONS 8

struct caller {
    struct house *house;
    struct script script;
    bool closed;                      /* the socket; it opens another */
    const char *answers[N_MUTATIONS]; /* what was heard first */
};

static void remember(struct script *script, const char *text, size_t length) {
    struct caller *caller = script->context;
    json_t *json = json_parse(text, length, NULL);
    const char *type = json_text(json, "type");
    if (type != NULL && strcmp(type, "MutationResponse") == 0) {
        size_t request = (size_t)json_integer_value(json_object_get(json, "requestId"));
        assert_true(request < N_MUTATIONS);
        if (caller->answers[request] == NULL) {
            caller->answers[request] = memory_copy_text(text);
        } else { /* the same again: result and timestamp */
            assert_string_equal(caller->answers[request], text);
        }
    }
    json_decref(json);
}

/* Open a socket, and send everything again from the first. */
static void say_all(struct caller *caller) {
    struct fixture *fixture = caller->house->fixture;
    script_connect(&caller->script, fixture, fixture->client, "/api/1.48.0/sync");
    for (int i = 0; i < 400 && !caller->script.open && caller->script.closed == 0; i++) {
        fixture_run(fixture, 50 * TIME_MICROSECOND);
    }
    if (!caller->script.open) {
        return;
    }
    script_say(&caller->script, fixture->client, CONNECT);
    for (int i = 0; i < N_MUTATIONS; i++) {
        char text[128];
        snprintf(text, sizeof text, LITTER, i);
        script_say(&caller->script, fixture->client, text);
    }
}

/* Run until the n-th moment (of 50 microseconds) with events. False: nothing happened any more for long. */
static bool run_moments(struct fixture *fixture, size_t n) {
    size_t quiet = 0;
    while (n > 0 && quiet < 4000) {
        uint64_t before = world_events(fixture->world);
        fixture_run(fixture, 50 * TIME_MICROSECOND);
        bool happened = world_events(fixture->world) > before;
        n -= happened;
        quiet = happened ? 0 : quiet + 1;
    }
    return n == 0;
}

/* All or nothing, once each, in order; and the jobs once each. */
static void judge(struct caller *caller) {
    struct house *house = caller->house;
    assert_int_equal(count_pets(house), N_MUTATIONS * 4);
    struct buffer states = {0};
    for (size_t i = 0; i < N_MUTATIONS; i++) {
        buffer_append_text(&states, i == 0 ? "[{\"kind\":\"success\"}" : ",{\"kind\":\"success\"}");
    }
    buffer_append_char(&states, ']');
    expect_states(house, buffer_text(&states));
    buffer_free(&states);
    double previous = -1;
    for (size_t i = 0; i < N_MUTATIONS; i++) {
        json_t *json = json_parse(caller->answers[i], strlen(caller->answers[i]), NULL);
        double before = json_number_value(json_object_get(json, "result"));
        assert_true(json_is_true(json_object_get(json, "success")));
        assert_true(before > previous); /* each saw the litters before its own */
        previous = before;
        json_decref(json);
    }
}

static bool crash_at(size_t n) {
    struct house house;
    open_house(&house);
    struct caller caller = {.house = &house, .script = {.hear = remember, .context = &caller}};
    say_all(&caller);
    bool reached = run_moments(house.fixture, n);
    crash(&house);
    fixture_run(house.fixture, 100 * TIME_MILLISECOND); /* the client sees it */
    assert_int_equal(caller.script.closed, WEBSOCKET_ABNORMAL);
    deploy(&house);
    size_t pets = count_pets(&house); /* litters of three, and single ones by jobs that ran */
    struct convex_value *jobs = run(&house, "jobs:states", convex_object());
    size_t ran = 0;
    for (size_t i = 0; i < jobs->as.array.count; i++) {
        ran += strcmp(convex_object_text(jobs->as.array.items[i], "kind"), "success") == 0;
    }
    assert_int_equal(pets, 3 * jobs->as.array.count + ran);
    convex_free(jobs);
    say_all(&caller);
    fixture_run(house.fixture, 10 * TIME_SECOND);
    judge(&caller);
    for (size_t i = 0; i < N_MUTATIONS; i++) {
        free((void *)(uintptr_t)caller.answers[i]);
    }
    script_free(&caller.script);
    close_house(&house);
    return reached;
}

static void test_every_moment(void **state) {
    (void)state;
    size_t n = 0;
    while (crash_at(n)) {
        n++;
    }
    assert_true(n >= 30); /* messages, mutations, jobs and answers, each at a moment of its own */
}

/* --- the fault point after the commit --- */

static void test_lost_answer(void **state) {
    (void)state;
    struct house house;
    struct answer answer;
    open_house(&house);
    world_drive_fault_point(house.fixture->world, "convex.after-commit", 1,
                            (struct fault_point){FAULT_ERROR, 0});
    world_drive_fault_point(house.fixture->world, "convex.after-commit", 2,
                            (struct fault_point){FAULT_DELAY, TIME_SECOND});
    send_mutation(house.fixture, &answer, "pets:add", "{}");
    wait_for(house.fixture, &answer);
    assert_int_equal(answer.status, -1);
    assert_int_equal(count_pets(&house), 1); /* and yet it is there */
    int64_t before = world_now(house.fixture->world);
    send_mutation(house.fixture, &answer, "pets:add", "{}");
    fixture_run(house.fixture, 30 * TIME_MILLISECOND);
    assert_int_equal(count_pets(&house), 2);
    assert_int_equal(answer.status, 0);
    wait_for(house.fixture, &answer);
    assert_int_equal(answer.status, 200);
    assert_true(answer.at - before >= TIME_SECOND);
    buffer_free(&answer.body);
    close_house(&house);
}

/* Over WebSockets the client asks again and is answered from storage. */
static void test_lost_answer_on_socket(void **state) {
    (void)state;
    struct house house;
    open_house(&house);
    world_drive_fault_point(house.fixture->world, "convex.after-commit", 1,
                            (struct fault_point){FAULT_ERROR, 0});
    struct caller caller = {.house = &house, .script = {.hear = remember, .context = &caller}};
    say_all(&caller);
    fixture_run(house.fixture, 100 * TIME_MILLISECOND);
    assert_int_equal(caller.script.closed, 1011);
    assert_null(caller.answers[0]);
    say_all(&caller);
    fixture_run(house.fixture, TIME_SECOND);
    judge(&caller);
    for (size_t i = 0; i < N_MUTATIONS; i++) {
        free((void *)(uintptr_t)caller.answers[i]);
    }
    script_free(&caller.script);
    close_house(&house);
}

static void keep_commit(void *context, int64_t now, const char *node, const struct note *note) {
    (void)now;
    (void)node;
    if (note->kind == NOTE_COMMIT || note->kind == NOTE_CALL_RAN) {
        buffer_append_char(context, note->kind == NOTE_COMMIT ? 'c' : 'r');
    }
}

/* What ran is told at the commit, also when the deployment ends before it has answered. */
static void test_noted_before_the_answer(void **state) {
    (void)state;
    struct house house;
    struct buffer notes = {0};
    open_house(&house);
    world_observe(house.fixture->world, &(struct world_observer){.note = keep_commit, .context = &notes});
    world_drive_fault_point(house.fixture->world, "convex.after-commit", 1,
                            (struct fault_point){FAULT_DELAY, TIME_MINUTE});
    struct caller caller = {.house = &house, .script = {.hear = remember, .context = &caller}};
    say_all(&caller);
    fixture_run(house.fixture, TIME_SECOND);
    assert_null(caller.answers[0]);
    assert_int_equal(strncmp(buffer_text(&notes), "cr", 2), 0); /* jobs may commit after that */
    buffer_free(&notes);
    script_free(&caller.script);
    close_house(&house);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_restart),
                                       cmocka_unit_test(test_action),
                                       cmocka_unit_test(test_every_moment),
                                       cmocka_unit_test(test_lost_answer),
                                       cmocka_unit_test(test_lost_answer_on_socket),
                                       cmocka_unit_test(test_noted_before_the_answer)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

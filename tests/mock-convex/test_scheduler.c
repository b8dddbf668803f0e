/* Scheduled functions: when they run, how often, what their rows say; and that rows of system tables stay
 * inside the deployment. */
#include "sync_script.h"

/* {"path", "delay" (ms), "count"?, "args"?}: schedules that; the id of the last job is the result. */
static enum status plan(struct convex_context *context, const struct convex_value *args,
                        struct convex_value **result, struct error *error) {
    const struct convex_value *count = convex_object_get(args, "count"),
                              *inner = convex_object_get(args, "args");
    int64_t delay = (int64_t)convex_object_get(args, "delay")->as.number * TIME_MILLISECOND;
    struct convex_value *none = convex_object();
    enum status status = STATUS_OK;
    char id[40] = "";
    for (int i = 0; status == STATUS_OK && i < (count != NULL ? (int)count->as.number : 1); i++) {
        status = convex_schedule(context, delay, convex_object_text(args, "path"),
                                 inner != NULL ? inner : none, id, error);
    }
    convex_free(none);
    *result = convex_string(id);
    return status;
}

static enum status plan_and_throw(struct convex_context *context, const struct convex_value *args,
                                  struct convex_value **result, struct error *error) {
    enum status status = plan(context, args, result, error);
    return status == STATUS_OK ? error_set(error, STATUS_INVALID, "thought better of it") : status;
}

static enum status cancel(struct convex_context *context, const struct convex_value *args,
                          struct convex_value **result, struct error *error) {
    (void)result;
    return convex_cancel(context, convex_object_text(args, "id"), error);
}

/* The rows of all jobs, without ids and creation times. */
static enum status list(struct convex_context *context, const struct convex_value *args,
                        struct convex_value **result, struct error *error) {
    const struct convex_value **documents;
    size_t count;
    (void)args;
    enum status status = convex_find(context, "_scheduled_functions", "by_creation_time", NULL, 0, SIZE_MAX,
                                     &documents, &count, error);
    *result = convex_array();
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        struct convex_value *row = convex_copy(documents[i]);
        convex_object_remove(row, "_id");
        convex_object_remove(row, "_creationTime");
        convex_array_append(*result, row);
    }
    free(documents);
    return status;
}

static enum status forge(struct convex_context *context, const struct convex_value *args,
                         struct convex_value **result, struct error *error) {
    char id[40];
    (void)args;
    (void)result;
    return convex_insert(context, "_scheduled_functions", convex_object(), id, error);
}

static enum status nap(struct convex_context *context, const struct convex_value *args,
                       struct convex_value **result, struct error *error) {
    (void)args;
    (void)result;
    return convex_sleep(context, TIME_SECOND, error);
}

/* An error text that is longer than errors are, of characters of two bytes: the cut falls inside one, with or
 * without the letter before them. */
static enum status moan(struct convex_context *context, const struct convex_value *args,
                        struct convex_value **result, struct error *error) {
    struct buffer text = {0};
    (void)context;
    (void)result;
    buffer_append_text(&text, convex_object_get(args, "odd") != NULL ? "x" : "");
    for (size_t i = 0; i < sizeof error->message; i++) {
        buffer_append_text(&text, "\xc3\xa9");
    }
    enum status status = error_set(error, STATUS_INVALID, "%s", buffer_text(&text));
    buffer_free(&text);
    return status;
}

static enum status moan_oddly(struct convex_context *context, const struct convex_value *args,
                              struct convex_value **result, struct error *error) {
    struct convex_value *odd = convex_object();
    (void)args;
    convex_object_set(odd, "odd", convex_null());
    enum status status = moan(context, odd, result, error);
    convex_free(odd);
    return status;
}

static const struct convex_function job_functions[] = {
    {.path = "jobs:moan", .kind = CONVEX_MUTATION, .run = moan},
    {.path = "jobs:moanOddly", .kind = CONVEX_MUTATION, .run = moan_oddly},
    {.path = "jobs:plan", .kind = CONVEX_MUTATION, .run = plan},
    {.path = "jobs:planLater", .kind = CONVEX_ACTION, .run = plan},
    {.path = "jobs:sneak", .kind = CONVEX_QUERY, .run = plan},
    {.path = "jobs:planAndThrow", .kind = CONVEX_MUTATION, .run = plan_and_throw},
    {.path = "jobs:cancel", .kind = CONVEX_MUTATION, .run = cancel},
    {.path = "jobs:list", .kind = CONVEX_QUERY, .run = list},
    {.path = "jobs:forge", .kind = CONVEX_MUTATION, .run = forge},
    {.path = "jobs:nap", .kind = CONVEX_ACTION, .run = nap}};

struct functions {
    struct convex_function list[LENGTH_OF(pet_functions) + LENGTH_OF(job_functions)];
};

static struct fixture *make(struct functions *functions, int64_t page_rows) {
    struct fixture *fixture = fixture_world();
    struct convex_deployment_options options = fixture_options();
    memcpy(functions->list, pet_functions, sizeof pet_functions);
    memcpy(functions->list + LENGTH_OF(pet_functions), job_functions, sizeof job_functions);
    options.functions = functions->list;
    options.n_functions = LENGTH_OF(functions->list);
    if (page_rows > 0) {
        world_pin_knob(fixture->world, "convex.delta-page-rows", page_rows);
    }
    fixture_deploy(fixture, &options);
    return fixture;
}

/* Run a function as the deployment itself would. The caller frees the result. */
static struct convex_value *run(struct fixture *fixture, const char *path, const char *args) {
    struct convex_value *value = NULL, *result = NULL;
    struct error error = {0};
    json_t *json = json_parse(args, strlen(args), &error);
    assert_int_equal(convex_from_json(json, &value, &error), STATUS_OK);
    json_decref(json);
    if (convex_deployment_run(fixture->deployment, path, value, &result, &error) != STATUS_OK) {
        fail_msg("%s: %s", path, error.message);
    }
    convex_free(value);
    return result;
}

static void expect_jobs(struct fixture *fixture, const char *expected) {
    struct convex_value *jobs = run(fixture, "jobs:list", "{}");
    struct buffer text = {0};
    convex_append_json(&text, jobs, CONVEX_FORMAT_JSON);
    assert_string_equal(buffer_text(&text), expected);
    buffer_free(&text);
    convex_free(jobs);
}

static double count_pets(struct fixture *fixture) {
    struct convex_value *value = run(fixture, "pets:count", "{}");
    double count = value->as.number;
    convex_free(value);
    return count;
}

/* The world's clock starts at 2026-01-01, 1767225600000 ms. */
#define JOB(name, due, rest) "{\"args\":[{}]," rest "\"name\":\"" name "\",\"scheduledTime\":" due
#define PENDING(name, due) JOB(name, due, "") ",\"state\":{\"kind\":\"pending\"}}"
#define ENDED(name, due, done, state) JOB(name, due, "\"completedTime\":" done ",") ",\"state\":{" state "}}"

static void test_mutation(void **state) {
    (void)state;
    struct functions functions;
    struct fixture *fixture = make(&functions, 0);
    convex_free(run(fixture, "jobs:plan", "{\"path\":\"pets:add\",\"delay\":1000}"));
    assert_int_equal(fixture->commits, 0); /* nothing of it is a user's document */
    expect_jobs(fixture, "[" PENDING("pets:add", "1767225601000.0") "]");
    fixture_run(fixture, 1004 * TIME_MILLISECOND);
    assert_int_equal(fixture->commits, 0);
    fixture_run(fixture, TIME_MILLISECOND); /* a mutation takes 5 ms */
    assert_int_equal(fixture->commits, 1);
    fixture_run(fixture, 10 * TIME_SECOND);
    assert_int_equal(fixture->commits, 1); /* once */
    /* the row ended in the transaction of the pet; its clock is the start of the attempt */
    expect_jobs(fixture,
                "[" ENDED("pets:add", "1767225601000.0", "1767225601000.0", "\"kind\":\"success\"") "]");
    fixture_free(fixture);
}

static void test_states(void **state) {
    (void)state;
    struct functions functions;
    struct fixture *fixture = make(&functions, 0);
    char args[128];
    struct convex_value *id = run(fixture, "jobs:plan", "{\"path\":\"pets:add\",\"delay\":500}");
    snprintf(args, sizeof args, "{\"id\":\"%s\"}", id->as.bytes.data);
    convex_free(id);
    convex_free(run(fixture, "jobs:cancel", args));
    fixture_run(fixture, TIME_MILLISECOND); /* so that creation times order them */
    convex_free(run(fixture, "jobs:plan", "{\"path\":\"pets:throw\",\"delay\":499}"));
    fixture_run(fixture, TIME_MILLISECOND);
    convex_free(run(fixture, "jobs:planLater", "{\"path\":\"jobs:nap\",\"delay\":498}"));
    fixture_run(fixture, 499 * TIME_MILLISECOND);
    convex_free(run(fixture, "jobs:cancel", args)); /* changes nothing any more */
    fixture_run(fixture, 499 * TIME_MILLISECOND);
    expect_jobs(
        fixture,
        "[" ENDED("pets:add", "1767225600500.0", "1767225600000.0", "\"kind\":\"canceled\"") "," ENDED(
            "pets:throw", "1767225600500.0", "1767225600505.0",
            "\"error\":\"pets are not allowed here\",\"kind\":\"failed\"") "," JOB("jobs:nap",
                                                                                   "1767225600500.0",
                                                                                   "") ",\"state\":{"
                                                                                       "\"kind\":"
                                                                                       "\"inProgress\"}"
                                                                                       "}]");
    fixture_run(fixture, TIME_SECOND);
    struct convex_value *jobs = run(fixture, "jobs:list", "{}");
    const struct convex_value *last = jobs->as.array.items[2];
    assert_string_equal(convex_object_text(convex_object_get(last, "state"), "kind"), "success");
    assert_true(convex_object_get(last, "completedTime")->as.number == 1767225601500.0);
    convex_free(jobs);
    assert_int_equal(fixture->commits, 0);
    fixture_free(fixture);
}

/* Canceled while its mutation runs: a conflict, after which there is nothing to do. */
static void test_cancel_late(void **state) {
    (void)state;
    struct functions functions;
    struct fixture *fixture = make(&functions, 0);
    char args[128];
    struct convex_value *id = run(fixture, "jobs:plan", "{\"path\":\"pets:add\",\"delay\":100}");
    snprintf(args, sizeof args, "{\"id\":\"%s\"}", id->as.bytes.data);
    convex_free(id);
    fixture_run(fixture, 102 * TIME_MILLISECOND); /* begun, not yet committed */
    convex_free(run(fixture, "jobs:cancel", args));
    fixture_run(fixture, 5 * TIME_SECOND);
    assert_true(count_pets(fixture) == 0);
    expect_jobs(fixture,
                "[" ENDED("pets:add", "1767225600100.0", "1767225600102.0", "\"kind\":\"canceled\"") "]");
    fixture_free(fixture);
}

/* A system error is not the job's fault. */
static void test_retry(void **state) {
    (void)state;
    struct functions functions;
    struct fixture *fixture = make(&functions, 0);
    world_drive_fault_point(fixture->world, "convex.before-commit", 1, (struct fault_point){FAULT_ERROR, 0});
    world_drive_fault_point(fixture->world, "convex.after-commit", 1, (struct fault_point){FAULT_ERROR, 0});
    convex_free(run(fixture, "jobs:plan", "{\"path\":\"pets:add\",\"delay\":100}"));
    fixture_run(fixture, 110 * TIME_MILLISECOND);
    assert_true(count_pets(fixture) == 0);
    fixture_run(fixture, 5 * TIME_SECOND);
    assert_true(count_pets(fixture) == 1);
    fixture_free(fixture);
}

static const struct {
    const char *path, *args, *reason;
} refusals[] = {{"jobs:sneak", "{\"path\":\"pets:add\",\"delay\":0}", "a query cannot schedule"},
                {"jobs:plan", "{\"path\":\"pets:none\",\"delay\":0}", "Could not find"},
                {"jobs:plan", "{\"path\":\"pets:count\",\"delay\":0}", "neither a mutation nor an action"},
                {"jobs:plan", "{\"path\":\"pets:add\",\"delay\":-1}", "not back"},
                {"jobs:plan", "{\"path\":\"pets:add\",\"delay\":157680000001}", "five years"},
                {"jobs:plan", "{\"path\":\"pets:add\",\"delay\":0,\"count\":1001}", "more than 1000"},
                {"jobs:planAndThrow", "{\"path\":\"pets:add\",\"delay\":0}", "thought better"},
                {"jobs:cancel", "{\"id\":\"x\"}", "there is no scheduled function"},
                {"jobs:forge", "{}", "belongs to the system"}};

static void test_refusals(void **state) {
    (void)state;
    struct functions functions;
    struct fixture *fixture = make(&functions, 0);
    for (size_t i = 0; i < LENGTH_OF(refusals); i++) {
        struct convex_value *args = NULL;
        struct error error = {0};
        json_t *json = json_parse(refusals[i].args, strlen(refusals[i].args), NULL);
        assert_int_equal(convex_from_json(json, &args, NULL), STATUS_OK);
        assert_int_not_equal(convex_deployment_run(fixture->deployment, refusals[i].path, args, NULL, &error),
                             STATUS_OK);
        if (strstr(error.message, refusals[i].reason) == NULL) {
            fail_msg("%s: %s", refusals[i].args, error.message);
        }
        convex_free(args);
        json_decref(json);
    }
    fixture_run(fixture, TIME_SECOND);
    expect_jobs(fixture, "[]");
    assert_true(count_pets(fixture) == 0);
    /* 1000 are enough */
    convex_free(run(fixture, "jobs:plan", "{\"path\":\"pets:add\",\"delay\":0,\"count\":1000}"));
    fixture_run(fixture, 10 * TIME_SECOND);
    assert_true(count_pets(fixture) == 1000);
    fixture_free(fixture);
}

/* --- nobody sees system rows --- */

static void expect_body(struct fixture *fixture, const char *target, const char *expected) {
    struct answer answer;
    send_request(fixture, &answer, "GET", target, AUTHORIZED, NULL, NULL, 0);
    wait_for(fixture, &answer);
    assert_string_equal(buffer_text(&answer.body), expected);
    buffer_free(&answer.body);
}

static void test_export(void **state) {
    (void)state;
    struct functions functions;
    struct fixture *fixture = make(&functions, 3);
    char target[128];
    int64_t begin = convex_deployment_latest(fixture->deployment);
    convex_free(run(fixture, "jobs:plan", "{\"path\":\"jobs:nap\",\"delay\":60000,\"count\":4}"));
    int64_t planned = convex_deployment_latest(fixture->deployment);
    assert_true(planned > begin);
    convex_free(run(fixture, "pets:add", "{}"));
    /* four rows of the log that count and are not shown: an empty page that has more */
    snprintf(target, sizeof target, "/api/document_deltas?cursor=%lld", (long long)begin);
    json_t *page = get_json(fixture, target);
    assert_int_equal(json_array_size(json_object_get(page, "values")), 0);
    assert_true(json_is_true(json_object_get(page, "hasMore")));
    assert_int_equal(json_integer_value(json_object_get(page, "cursor")), planned);
    json_decref(page);
    snprintf(target, sizeof target, "/api/document_deltas?cursor=%lld", (long long)planned);
    page = get_json(fixture, target);
    assert_int_equal(json_array_size(json_object_get(page, "values")), 1);
    json_decref(page);
    page = get_json(fixture, "/api/json_schemas");
    assert_int_equal(json_object_size(page), 3); /* pets, empty, powersync_checkpoints */
    json_decref(page);
    expect_body(fixture, "/api/get_table_column_names",
                "{\"byComponent\":{\"\":[{\"name\":\"empty\",\"columns\":[\"_creationTime\",\"_id\"]},{"
                "\"name\":\"pets\",\"columns\":["
                "\"_creationTime\",\"_id\",\"count\",\"name\",\"uuid\"]},{\"name\":\"powersync_checkpoints\","
                "\"columns\":[\"_creationTime\",\"_id\"]}]}}");
    page = get_json(fixture, "/api/list_snapshot?tableName=_scheduled_functions");
    assert_int_equal(json_array_size(json_object_get(page, "values")), 0);
    json_decref(page);
    struct error error = {0};
    assert_int_equal(convex_deployment_drop_table(fixture->deployment, "_scheduled_functions", &error),
                     STATUS_NOT_FOUND);
    fixture_free(fixture);
}

/* What runs before does not move the ids of users' tables and documents. */
static int count_jobs(struct fixture *fixture, const char *state) {
    struct convex_value *jobs = run(fixture, "jobs:list", "{}");
    int count = 0;
    for (size_t i = 0; i < jobs->as.array.count; i++) {
        const struct convex_value *of = convex_object_get(jobs->as.array.items[i], "state");
        count += strcmp(convex_object_text(of, "kind"), state) == 0;
    }
    convex_free(jobs);
    return count;
}

/* Jobs that have ended go after a week, others stay, and the rows of users are not touched. */
static void test_old_jobs_go(void **state) {
    (void)state;
    struct functions functions;
    struct fixture *fixture = make(&functions, 0);
    convex_free(run(fixture, "jobs:plan", "{\"path\":\"pets:add\",\"delay\":100}"));
    convex_free(run(fixture, "jobs:plan", "{\"path\":\"pets:add\",\"delay\":2592000000}"));
    fixture_run(fixture, 6 * TIME_DAY);
    assert_int_equal(count_jobs(fixture, "success"), 1);
    fixture_run(fixture, 3 * TIME_DAY);
    assert_int_equal(count_jobs(fixture, "success"), 0);
    assert_int_equal(count_jobs(fixture, "pending"), 1);
    fixture_run(fixture, 22 * TIME_DAY);
    assert_int_equal(count_jobs(fixture, "success"), 1);
    assert_true(count_pets(fixture) == 2);
    fixture_run(fixture, 9 * TIME_DAY);
    assert_int_equal(count_jobs(fixture, "success"), 0);
    assert_int_equal(fixture->commits, 2);
    fixture_free(fixture);
}

static void test_64_at_once(void **state) {
    (void)state;
    struct functions functions;
    struct fixture *fixture = make(&functions, 0);
    convex_free(run(fixture, "jobs:plan", "{\"path\":\"jobs:nap\",\"delay\":0,\"count\":70}"));
    fixture_run(fixture, 500 * TIME_MILLISECOND);
    assert_int_equal(count_jobs(fixture, "inProgress"), 64);
    assert_int_equal(count_jobs(fixture, "pending"), 6);
    fixture_run(fixture, TIME_SECOND);
    assert_int_equal(count_jobs(fixture, "success"), 64);
    assert_int_equal(count_jobs(fixture, "inProgress"), 6);
    fixture_run(fixture, TIME_SECOND);
    assert_int_equal(count_jobs(fixture, "success"), 70);
    fixture_free(fixture);
}

static void test_cut_error(void **state) {
    (void)state;
    struct functions functions;
    struct fixture *fixture = make(&functions, 0);
    convex_free(run(fixture, "jobs:plan", "{\"path\":\"jobs:moan\",\"delay\":0}"));
    convex_free(run(fixture, "jobs:plan", "{\"path\":\"jobs:moanOddly\",\"delay\":0}"));
    fixture_run(fixture, TIME_SECOND);
    struct convex_value *jobs = run(fixture, "jobs:list", "{}");
    struct buffer text = {0};
    convex_append_json(&text, jobs, CONVEX_FORMAT_JSON);
    json_t *json = json_parse(buffer_text(&text), text.length, NULL); /* refuses what is not UTF-8 */
    assert_int_equal(json_array_size(json), 2);
    for (size_t i = 0; i < 2; i++) {
        const char *error = json_text(json_object_get(json_array_get(json, i), "state"), "error");
        assert_true(strlen(error) > 200);
    }
    json_decref(json);
    buffer_free(&text);
    convex_free(jobs);
    fixture_free(fixture);
}

static void test_ids(void **state) {
    (void)state;
    struct functions functions;
    char ids[2][40];
    for (size_t i = 0; i < 2; i++) {
        struct fixture *fixture = make(&functions, 0);
        if (i == 1) {
            convex_free(run(fixture, "jobs:plan", "{\"path\":\"jobs:nap\",\"delay\":60000,\"count\":4}"));
        }
        struct convex_value *id = run(fixture, "pets:add", "{}");
        struct convex_id parts;
        strcpy(ids[i], id->as.bytes.data);
        assert_int_equal(convex_id_decode(ids[i], &parts), STATUS_OK);
        assert_int_equal(parts.table, 10001); /* the first table that was declared */
        convex_free(id);
        fixture_free(fixture);
    }
    assert_string_equal(ids[0], ids[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_mutation),    cmocka_unit_test(test_states),
                                       cmocka_unit_test(test_cancel_late), cmocka_unit_test(test_retry),
                                       cmocka_unit_test(test_refusals),    cmocka_unit_test(test_export),
                                       cmocka_unit_test(test_ids),         cmocka_unit_test(test_old_jobs_go),
                                       cmocka_unit_test(test_64_at_once),  cmocka_unit_test(test_cut_error)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

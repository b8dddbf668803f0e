/* The switch `conflicts` of the deployment, and its door: a mutation whose answer is lost, called again. */
#include "fault/fault_world.h"

#include "app/app.h"

struct deployed {
    struct fault_world w;
    struct convex_deployment *deployment;
    int commits;
};

static void count_commit(void *context, int64_t now, const char *node, const struct note *note) {
    (void)now;
    (void)node;
    ((struct deployed *)context)->commits += note->kind == NOTE_COMMIT;
}

static void deploy(struct deployed *d, const char *rules) {
    const struct app *app = app_find("todo");
    open_world(&d->w, rules, 1);
    d->commits = 0;
    world_observe(d->w.world, &(struct world_observer){.note = count_commit, .context = d});
    const struct convex_deployment_options options = {.deploy_key = "prod:a-b-1|0123456789abcdef",
                                                      .tables = app->tables,
                                                      .n_tables = app->n_tables,
                                                      .functions = app->functions,
                                                      .n_functions = app->n_functions,
                                                      .mutation_time_low = TIME_MILLISECOND,
                                                      .mutation_time_high = TIME_MILLISECOND,
                                                      .conflicts = (int)d->w.file.conflicts};
    d->deployment = convex_deployment_create(d->w.door, &options);
}

static void call(struct deployed *d) {
    static const struct http_client_events events = {client_head, client_body, client_end, client_failed};
    static const struct http_header header = {"content-type", "application/json"};
    static const char body[] =
        "{\"path\":\"powersync_checkpoints:createCheckpoint\",\"args\":{},\"format\":\"json\"}";
    host_http_send(d->w.client,
                   &(struct http_request){.authority = "convex",
                                          .method = "POST",
                                          .target = "/api/mutation",
                                          .headers = &header,
                                          .n_headers = 1,
                                          .body = body,
                                          .body_length = sizeof body - 1},
                   &events, &d->w);
    run_for(&d->w, 30000);
}

static void finish(struct deployed *d, const char *says, int commits) {
    if (!strstr(buffer_text(&d->w.log), says))
        fail_msg("%s", buffer_text(&d->w.log));
    assert_int_equal(d->commits, commits);
    convex_deployment_destroy(d->deployment);
    close_world(&d->w);
}

static void test_conflicts(void **state) {
    struct deployed d;
    (void)state;
    deploy(&d, "deployment: {conflicts: 4}");
    call(&d);
    finish(&d, "\"status\":\"success\"", 1);
    deploy(&d, "deployment: {conflicts: 5}"); /* the first attempt and four more */
    call(&d);
    finish(&d, "{\"code\":\"OptimisticConcurrencyControlFailure\"", 0);
}

/* HTTP mutations carry nothing by which a repeated call could be known. */
static void test_lost_answer(void **state) {
    struct deployed d;
    (void)state;
    deploy(&d, "- {at: \"POST /api/mutation\", nth: 1, do: lose-response}");
    call(&d);
    assert_non_null(strstr(buffer_text(&d.w.log), "client reset"));
    assert_int_equal(d.commits, 1);
    call(&d);
    finish(&d, "\"status\":\"success\"", 2);
    deploy(&d, "- {at: \"POST /api/mutation\", nth: 1, do: reset}");
    call(&d);
    assert_int_equal(d.commits, 0);
    call(&d);
    finish(&d, "\"status\":\"success\"", 1);
    deploy(&d, "- {at: \"POST /api/mutation\", do: duplicate}");
    call(&d);
    finish(&d, "\"status\":\"success\"", 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_conflicts), cmocka_unit_test(test_lost_answer)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

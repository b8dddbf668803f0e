/* Tokens of the issuer, whose keys a PowerSync service fetches: rotation, an issuer that is away, and
 * requests that end while they wait for keys. */
#include "mock-powersync/unit.h"

#include "app/issuer.h"
#include "mock-powersync/fixture.h"

static const char *const yaml = "config: {edition: 3}\n"
                                "streams:\n"
                                "  own:\n"
                                "    auto_subscribe: true\n"
                                "    query: SELECT *, uuid AS id FROM lists WHERE owner = auth.user_id()\n";

#define SOON (200 * TIME_MILLISECOND)

struct setting {
    struct fixture *fixture;
    struct host *issuer_host;
    struct app_issuer *issuer;
};

static int set_up(void **state) {
    static const char *const uris[] = {"http://issuer/.well-known/jwks.json"};
    struct setting *setting = memory_allocate(sizeof *setting);
    setting->fixture = fixture_create();
    setting->issuer_host = net_node(setting->fixture->net, "issuer");
    setting->issuer =
        app_issuer_create(setting->issuer_host, "shared", "secret", "another", 300 * TIME_SECOND);
    setting->fixture->service = fixture_start_on(
        setting->fixture->service_host,
        (struct powersync_options){.sync_config = yaml, .auth = {.jwks_uris = uris, .n_jwks_uris = 1}});
    run_for(setting->fixture, TIME_SECOND);
    *state = setting;
    return 0;
}

static int tear_down(void **state) {
    struct setting *setting = *state;
    app_issuer_destroy(setting->issuer);
    fixture_destroy(setting->fixture);
    free(setting);
    return 0;
}

/* An Authorization header of alice; the caller frees it. */
static char *token_of(struct setting *setting) {
    setting->fixture->server = "issuer";
    struct client *client = client_send(setting->fixture, "alice-1", "GET",
                                        "/token?user=alice&audience=powersync", NULL, NULL, NULL);
    run_for(setting->fixture, SOON);
    json_t *answer = json_parse(buffer_text(&client->body), client->body.length, NULL);
    char *header = memory_format("Bearer %s", json_text(answer, "token"));
    json_decref(answer);
    client_close(client);
    setting->fixture->server = "powersync";
    return header;
}

static struct client *open_with(struct setting *setting, const char *header) {
    return client_send(setting->fixture, "alice-1", "POST", "/sync/stream", header, "application/json", "{}");
}

static void assert_status(struct setting *setting, const char *header, int status) {
    struct client *client = open_with(setting, header);
    run_for(setting->fixture, SOON);
    if (client->status != status)
        fail_msg("%d wanted, got %d %s", status, client->status, buffer_text(&client->body));
    client_close(client);
}

static void accepted(void **state) {
    struct setting *setting = *state;
    char *header = token_of(setting);
    struct client *client = open_with(setting, header);
    run_for(setting->fixture, SOON);
    assert_kinds(client, "checkpoint checkpoint_complete");
    client_close(client);
    free(header);
}

/* A new key is unknown at first; the next attempt knows it. The old one is good while it is published. */
static void rotated(void **state) {
    struct setting *setting = *state;
    char *old = token_of(setting);
    assert_status(setting, old, 200);
    app_issuer_rotate(setting->issuer, 0);
    run_for(setting->fixture, TIME_SECOND); /* it does not fetch again at once */
    char *new = token_of(setting);
    assert_status(setting, new, 401);
    assert_status(setting, new, 200);
    assert_status(setting, old, 401); /* its key is gone */
    free(old);
    free(new);
}

static void wrong_keys(void **state) {
    struct setting *setting = *state;
    app_issuer_publish(setting->issuer, APP_ISSUER_WRONG_KEYS);
    char *header = token_of(setting);
    assert_status(setting, header, 401);
    free(header);
}

/* Requests may end in all ways while they wait for keys. */
static void ended_while_waiting(void **state) {
    struct setting *setting = *state;
    struct net *net = setting->fixture->net;
    char *header = token_of(setting);
    net_cut(net, "powersync", "issuer");
    struct client *leaves = open_with(setting, header), *stays = open_with(setting, header);
    run_for(setting->fixture, TIME_SECOND);
    assert_int_equal(leaves->status, 0);
    client_close(leaves);
    run_for(setting->fixture, 2500 * TIME_MILLISECOND);
    assert_int_equal(stays->status, 401); /* 3 s were over */
    assert_non_null(strstr(buffer_text(&stays->body), "PSYNC_S2204"));
    client_close(stays);
    stays = open_with(setting, header);
    struct client *request =
        client_send(setting->fixture, "alice-1", "GET", "/write-checkpoint2.json", header, NULL, NULL);
    run_for(setting->fixture, TIME_SECOND);
    assert_int_equal(stays->status, 0);
    net_crash_node(net, "powersync");
    powersync_service_crash(setting->fixture->service);
    run_for(setting->fixture, SOON);
    assert_true(stays->failed && request->failed);
    client_close(stays);
    client_close(request);
    net_heal_all(net);
    powersync_service_restart(setting->fixture->service);
    run_for(setting->fixture, TIME_SECOND);
    assert_status(setting, header, 200);
    free(header);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {TEST(accepted), TEST(rotated), TEST(wrong_keys),
                                       TEST(ended_while_waiting)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

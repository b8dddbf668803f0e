/* service.yaml: what each key means, and what is refused where. */
#include "mock-powersync/unit.h"

#include <stdlib.h>
#include <string.h>

#include "mock-powersync/service_config.h"

static const char *variable(const char *name) {
    if (strcmp(name, "URL") == 0)
        return "https://happy-animal-123.convex.cloud/";
    if (strcmp(name, "KEY") == 0)
        return "prod:happy|secret";
    return strcmp(name, "POLL") == 0 ? "250" : NULL;
}

static enum status read_file(const char *path, char **text, struct error *error) {
    if (strcmp(path, "etc/sync.yaml") != 0)
        return error_set_at(error, STATUS_NOT_FOUND, path, 0, 0, "No such file or directory");
    *text = memory_copy_text("streams of the file");
    return STATUS_OK;
}

static const struct service_config_world world = {variable, read_file};

static enum status parse(struct service_config *config, const char *text, struct error *error) {
    return service_config_parse(config, text, "etc/service.yaml", &world, error);
}

#define CONNECTION                                                                                           \
    "replication: {connections: [{type: convex, deployment_url: 'http://c:1', deploy_key: k}]}\n"

static void everything(void **state) {
    (void)state;
    static const char text[] = "replication:\n"
                               "  connections:\n"
                               "    - type: convex\n"
                               "      id: 1\n"
                               "      tag: default\n"
                               "      deployment_url: !env URL\n"
                               "      deploy_key: !env KEY\n"
                               "      polling_interval_ms: !env POLL::number\n"
                               "      request_timeout_ms: 1500.5\n"
                               "      reject_ip_ranges: [local]\n"
                               "storage: {type: sqlite, path: data/buckets.db}\n"
                               "port: 8080\n"
                               "sync_config: {path: sync.yaml, exit_on_error: true}\n"
                               "client_auth:\n"
                               "  audience: [powersync, other]\n"
                               "  jwks_uri: http://127.0.0.1:3220/.well-known/jwks.json\n"
                               "  jwks: {keys: [{kty: oct, alg: HS256, kid: k1, k: c2VjcmV0}]}\n"
                               "  block_local_jwks: true\n"
                               "  supabase: true\n"
                               "  supabase_jwt_secret: s3\n"
                               "api:\n"
                               "  tokens: [admin-token]\n"
                               "  parameters:\n"
                               "    max_concurrent_connections: 7\n"
                               "    max_data_fetch_concurrency: 3\n"
                               "    max_buckets_per_connection: 50\n"
                               "    max_parameter_query_results: 60\n"
                               "    checkpoint_request_retention_minutes: 2\n"
                               "    bucket_count_cache_ttl_minutes: 60\n"
                               "telemetry: {prometheus_port: 9090, disable_telemetry_sharing: true}\n"
                               "migrations: {disable_auto_migration: true}\n"
                               "system: {logging: {level: info}}\n"
                               "healthcheck: {probes: {use_http: true}}\n"
                               "metadata: {a: b}\n"
                               "parameters: {x: 1}\n";
    struct service_config config;
    struct error error = {0};
    if (parse(&config, text, &error) != STATUS_OK)
        fail_msg("%d:%d: %s", error.line, error.column, error.message);
    const struct powersync_options *options = &config.options;
    assert_string_equal(options->source.type, "convex");
    assert_string_equal(options->source.deployment, "https://happy-animal-123.convex.cloud");
    assert_string_equal(options->source.deploy_key, "prod:happy|secret");
    assert_int_equal(options->source.polling_interval, 250 * TIME_MILLISECOND);
    assert_int_equal(options->source.request_timeout, 1500500 * TIME_MICROSECOND);
    assert_string_equal(config.storage_path, "etc/data/buckets.db");
    assert_int_equal(config.port, 8080);
    assert_string_equal(options->sync_config, "streams of the file");
    assert_string_equal(options->sync_config_file, "etc/sync.yaml");
    assert_true(options->sync_config_is_managed);
    assert_int_equal(options->auth.n_audiences, 2);
    assert_string_equal(options->auth.audiences[1], "other");
    assert_int_equal(options->auth.n_jwks_uris, 1);
    assert_string_equal(options->auth.jwks_uris[0], "http://127.0.0.1:3220/.well-known/jwks.json");
    assert_string_equal(options->auth.jwks,
                        "{\"keys\":[{\"kty\":\"oct\",\"alg\":\"HS256\",\"kid\":\"k1\",\"k\":\"c2VjcmV0\"}]}");
    assert_true(options->auth.block_local && options->auth.supabase);
    assert_string_equal(options->auth.supabase_jwt_secret, "s3");
    assert_int_equal(options->n_api_tokens, 1);
    assert_string_equal(options->api_tokens[0], "admin-token");
    assert_int_equal(options->limits.max_concurrent_connections, 7);
    assert_int_equal(options->limits.max_data_fetches, 3);
    assert_int_equal(options->limits.max_buckets, 50);
    assert_int_equal(options->limits.max_parameter_results, 60);
    assert_int_equal(options->limits.checkpoint_request_retention, 120 * TIME_SECOND);
    assert_int_equal(config.prometheus_port, 9090);
    assert_int_equal(config.n_notes, 3); /* tag, reject_ip_ranges, healthcheck */
    assert_string_equal(config.notes[1],
                        "etc/service.yaml:10:7: reject_ip_ranges: addresses are not checked");
    service_config_free(&config);
}

static void the_least(void **state) {
    (void)state;
    struct service_config config;
    assert_int_equal(parse(&config, CONNECTION "sync_rules: {content: 'streams: {}'}\n", NULL), STATUS_OK);
    assert_null(config.storage_path);
    assert_string_equal(config.options.sync_config, "streams: {}");
    assert_string_equal(config.options.sync_config_file, "etc/service.yaml, content");
    assert_int_equal(config.n_notes, 0);
    service_config_free(&config);
    /* Without a sync config one is deployed later. */
    assert_int_equal(parse(&config, CONNECTION, NULL), STATUS_OK);
    assert_null(config.options.sync_config);
    assert_false(config.options.sync_config_is_managed);
    service_config_free(&config);
    assert_int_equal(
        parse(&config, "replication: {connections: [{type: convex, deployment_url: convex}]}", NULL),
        STATUS_OK);
    assert_null(config.options.source.deploy_key);
    service_config_free(&config);
}

static void other_storage_is_memory(void **state) {
    (void)state;
    struct service_config config;
    assert_int_equal(parse(&config, CONNECTION "storage: {type: mongodb, uri: 'mongodb://m'}\n", NULL),
                     STATUS_OK);
    assert_null(config.storage_path);
    assert_int_equal(config.n_notes, 1);
    assert_non_null(strstr(config.notes[0], "etc/service.yaml:2:11: type: there is no such storage"));
    service_config_free(&config);
}

struct refusal {
    const char *text;
    int line, column;
    const char *words;
};

#define ENTRY(entry) "replication: {connections: [{" entry "}]}"

static const struct refusal refusals[] = {
    {"[]", 1, 1, "a mapping"},
    {"port: 8080", 1, 1, "replication.connections is missing"},
    {CONNECTION "prot: 8080", 2, 1, "prot: unknown key"},
    {CONNECTION "port: 0", 2, 1, "1 to 65535"},
    {CONNECTION "port: 70000", 2, 1, "1 to 65535"},
    {CONNECTION "port: '80'", 2, 1, "1 to 65535"},
    {CONNECTION "api: {parameters: {max_buckets: 1}}", 2, 20, "unknown key"},
    {CONNECTION "api: {parameters: {max_buckets_per_connection: 0}}", 2, 20, "above 0"},
    {CONNECTION "api: {parameters: {max_buckets_per_connection: 1.5}}", 2, 20, "whole number"},
    {CONNECTION "api: {tokens: [1]}", 2, 7, "a list of texts"},
    {CONNECTION "api: []", 2, 1, "a mapping"},
    {CONNECTION "client_auth: {jwks: {}}", 2, 15, "a key set"},
    {CONNECTION "client_auth: {jwks_uri: file.json}", 2, 15, "PSYNC_S2201"},
    {CONNECTION "client_auth: {supabase: 1}", 2, 15, "true or false"},
    {CONNECTION "client_auth: {supabase_jwt_secret: 1}", 2, 15, "a text"},
    {CONNECTION "sync_config: {}", 2, 1, "either `path` or `content`"},
    {CONNECTION "sync_config: {path: sync.yaml, content: x}", 2, 1, "either `path` or `content`"},
    {CONNECTION "sync_config: {content: x}\nsync_rules: {content: x}", 3, 1, "only one of them"},
    {CONNECTION "storage: {type: oracle}", 2, 11, "memory, sqlite"},
    {CONNECTION "storage: {type: sqlite}", 2, 11, "`path` goes with sqlite"},
    {CONNECTION "storage: {type: memory, path: x}", 2, 11, "`path` goes with sqlite"},
    {CONNECTION "storage: {path: x}", 2, 11, "type: sqlite"},
    {"replication: {connections: []}", 1, 15, "exactly one"},
    {"replication: {connections: [{type: convex}, {type: convex}]}", 1, 15, "exactly one"},
    {ENTRY("deployment_url: 'http://a'"), 1, 15, "no type"},
    {ENTRY("type: postgresql"), 1, 30, "only source is convex"},
    {ENTRY("type: convex, deploy_key: k"), 1, 15, "no deployment_url"},
    {ENTRY("type: convex, deployment_url: 'http://a'"), 1, 15, "no deploy_key"},
    {ENTRY("type: convex, deployment_url: 'http://a', deploy_key: ''"), 1, 72, "PSYNC_S1108"},
    {ENTRY("type: convex, deployment_url: 'ftp://a', deploy_key: k"), 1, 44, "PSYNC_S1109"},
    {ENTRY("type: convex, deployment_url: 'http://', deploy_key: k"), 1, 44, "PSYNC_S1106"},
    {ENTRY("type: convex, deployment_url: 'http://:80', deploy_key: k"), 1, 44, "PSYNC_S1106"},
    {ENTRY("type: convex, deployment_url: 'http:a', deploy_key: k"), 1, 44, "PSYNC_S1106"},
    {ENTRY("type: convex, deployment_url: 'http://a/x', deploy_key: k"), 1, 44, "only a host and a port"},
    {ENTRY("type: convex, deployment_url: 'http://u@a', deploy_key: k"), 1, 44, "only a host and a port"},
    {ENTRY("type: convex, polling_interval_ms: 0"), 1, 44, "PSYNC_S1109"},
    {ENTRY("type: convex, polling_interval_ms: -1"), 1, 44, "PSYNC_S1109"},
    {ENTRY("type: convex, request_timeout_ms: .inf"), 1, 44, ""},
    {ENTRY("type: convex, request_timeout_ms: 1e300"), 1, 44, "PSYNC_S1109"},
    {ENTRY("type: convex, deploy_key: !env NO_SUCH"), 1, 56, "NO_SUCH"},
};

static void refused_with_place(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *refusal = &refusals[i];
        struct service_config config;
        struct error error = {0};
        if (parse(&config, refusal->text, &error) != STATUS_INVALID)
            fail_msg("taken: %s", refusal->text);
        if (!strstr(error.message, refusal->words) || error.line != refusal->line ||
            (refusal->words[0] && error.column != refusal->column))
            fail_msg("%s: %d:%d: %s", refusal->text, error.line, error.column, error.message);
        assert_string_equal(error.file, "etc/service.yaml");
    }
}

static void a_missing_file(void **state) {
    (void)state;
    struct service_config config;
    struct error error = {0};
    assert_int_equal(parse(&config, CONNECTION "sync_config: {path: /none.yaml}", &error), STATUS_NOT_FOUND);
    assert_string_equal(error.file, "/none.yaml");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything), cmocka_unit_test(the_least), cmocka_unit_test(other_storage_is_memory),
        cmocka_unit_test(refused_with_place), cmocka_unit_test(a_missing_file)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

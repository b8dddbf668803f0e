/* Fuzz target: service.yaml. The input is the file; three environment variables are set, two files can be
 * read.
 *
 * Checked for any input: nothing crashes; a refusal has a reason and names the file; reading takes less than
 * a second. What is taken has numbers in their ranges and texts where there must be some, and a service
 * starts with it and answers, or says why not. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conversation.h"
#include "mock-powersync/service_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *variable(const char *name) {
    if (strcmp(name, "URL") == 0)
        return "https://happy-animal-123.convex.cloud/";
    if (strcmp(name, "KEY") == 0)
        return "prod:happy|secret";
    return strcmp(name, "NUMBER") == 0 ? "250" : NULL;
}

static enum status read_file(const char *path, char **text, struct error *error) {
    if (strcmp(path, "etc/sync.yaml") == 0)
        *text = memory_copy_text("config: {edition: 3}\nstreams: {a: {query: SELECT * FROM lists}}\n");
    else if (strcmp(path, "etc/wrong.yaml") == 0)
        *text = memory_copy_text("streams: [\n");
    else
        return error_set_at(error, STATUS_NOT_FOUND, path, 0, 0, "No such file or directory");
    return STATUS_OK;
}

static const struct service_config_world surroundings = {variable, read_file};

static enum status parse(struct service_config *config, const char *text, struct error *error) {
    clock_t start = clock();
    enum status status = service_config_parse(config, text, "etc/service.yaml", &surroundings, error);
    assert(clock() - start < CLOCKS_PER_SEC);
    (void)start;
    return status;
}

static bool is_port(int64_t port) {
    return port >= 0 && port <= 65535;
}

static void check_options(const struct service_config *config) {
    const struct powersync_options *options = &config->options;
    assert(is_port(config->port) && is_port(config->prometheus_port));
    assert(options->source.deployment && *options->source.deployment);
    assert(options->source.polling_interval >= 0 && options->source.request_timeout >= 0);
    for (size_t i = 0; i < options->n_api_tokens; i++)
        assert(options->api_tokens[i]);
    for (size_t i = 0; i < options->auth.n_audiences; i++)
        assert(options->auth.audiences[i]);
    for (size_t i = 0; i < options->auth.n_jwks_uris; i++)
        assert(options->auth.jwks_uris[i]);
    for (size_t i = 0; i < config->n_notes; i++)
        assert(*config->notes[i] && !strchr(config->notes[i], '\n'));
    (void)options;
}

static void check_answers(struct world *world, struct host *client) {
    char question[] = "GET /probes/liveness\n\n";
    struct conversation_record record = {.client = client, .faulty = true};
    bool sent = conversation_start(&record, question);
    conversation_run(world, 10 * TIME_SECOND);
    assert(sent && record.answered && record.status == 200);
    (void)sent;
    conversation_free(&record);
}

/* In a world without a source. */
static void start(const struct service_config *config) {
    const struct world_settings settings = {.seed = 1, .max_events = 20000};
    const struct net_settings links = {.latency = TIME_MILLISECOND};
    struct error error = {0};
    struct powersync_service *service;
    struct world *world = world_create(&settings);
    struct net *net = net_create(world, &links);
    struct host *client = net_node(net, "client");
    if (powersync_service_create(net_node(net, "convex"), &config->options, &service, &error) == STATUS_OK) {
        check_answers(world, client);
        powersync_service_destroy(service);
    } else {
        assert(error.message[0]);
    }
    net_destroy(net);
    world_destroy(world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = memory_copy_bytes(data, size);
    struct service_config config = {0};
    struct error error = {0};
    if (parse(&config, text, &error) == STATUS_OK) {
        check_options(&config);
        start(&config);
        service_config_free(&config);
    } else {
        assert(error.message[0] && error.file[0]);
    }
    free(text);
    return 0;
}

/* The deployment that the npm clients of tests/interop talk to: a counter, messages, functions that throw, an
 * action, and who is signed in, on a port of its own. Usage: interop_server [ISSUER JWKS-URL]. Prints its
 * URL; ends with SIGTERM. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "live/live.h"
#include "mock-convex/deployment.h"

static const char deploy_key[] = "dev:interop-1|0123456789abcdef";

static enum status find_counter(struct convex_context *context, const struct convex_value *args,
                                const struct convex_value **document, struct error *error) {
    const struct convex_value *key = convex_object_get(args, "name");
    const struct convex_value **found;
    size_t count = 0;
    *document = NULL;
    if (!key)
        return error_set(error, STATUS_INVALID, "a counter has a name");
    enum status status = convex_find(context, "counters", "by_name", &key, 1, 1, &found, &count, error);
    if (status != STATUS_OK)
        return status;
    *document = count > 0 ? found[0] : NULL;
    free(found);
    return STATUS_OK;
}

static double value_of(const struct convex_value *document) {
    const struct convex_value *value = document ? convex_object_get(document, "value") : NULL;
    return value && value->kind == CONVEX_FLOAT64 ? value->as.number : 0;
}

static enum status counter_get(struct convex_context *context, const struct convex_value *args,
                               struct convex_value **result, struct error *error) {
    const struct convex_value *document;
    enum status status = find_counter(context, args, &document, error);
    if (status == STATUS_OK)
        *result = convex_float64(value_of(document));
    return status;
}

static enum status counter_add(struct convex_context *context, const struct convex_value *args,
                               struct convex_value **result, struct error *error) {
    const struct convex_value *document;
    char id[64];
    enum status status = find_counter(context, args, &document, error);
    if (status != STATUS_OK)
        return status;
    double value = value_of(document) + 1;
    struct convex_value *fields = convex_object();
    convex_object_set(fields, "value", convex_float64(value));
    if (document) {
        snprintf(id, sizeof id, "%s", convex_object_text(document, "_id"));
        status = convex_patch(context, "counters", id, fields, error);
        convex_free(fields);
    } else {
        convex_object_set(fields, "name", convex_copy(convex_object_get(args, "name")));
        status = convex_insert(context, "counters", fields, id, error);
    }
    *result = convex_float64(value);
    return status;
}

static enum status messages_send(struct convex_context *context, const struct convex_value *args,
                                 struct convex_value **result, struct error *error) {
    char id[64];
    enum status status = convex_insert(context, "messages", convex_copy(args), id, error);
    *result = convex_string(id);
    return status;
}

static enum status messages_list(struct convex_context *context, const struct convex_value *args,
                                 struct convex_value **result, struct error *error) {
    const struct convex_value *key = convex_object_get(args, "channel"), **found;
    size_t count;
    if (!key)
        return error_set(error, STATUS_INVALID, "which channel?");
    enum status status = convex_find(context, "messages", "by_channel", &key, 1, 1000, &found, &count, error);
    if (status != STATUS_OK)
        return status;
    *result = convex_array();
    for (size_t i = 0; i < count; i++)
        convex_array_append(*result, convex_copy(convex_object_get(found[i], "text")));
    free(found);
    return STATUS_OK;
}

/* Throws {data}, or fails without data. */
static enum status errors_throw(struct convex_context *context, const struct convex_value *args,
                                struct convex_value **result, struct error *error) {
    const struct convex_value *data = convex_object_get(args, "data");
    (void)result;
    if (!data)
        return error_set(error, STATUS_INVALID, "nothing but a message");
    return convex_throw(context, convex_copy(data), error);
}

/* Adds twice, and says what the counter has then. */
static enum status actions_add_twice(struct convex_context *context, const struct convex_value *args,
                                     struct convex_value **result, struct error *error) {
    enum status status = STATUS_OK;
    for (int i = 0; i < 2 && status == STATUS_OK; i++) {
        struct convex_value *value = NULL;
        status = convex_run_mutation(context, "counter:add", args, &value, error);
        convex_free(value);
    }
    if (status == STATUS_OK)
        status = convex_run_query(context, "counter:get", args, result, error);
    return status;
}

static enum status users_me(struct convex_context *context, const struct convex_value *args,
                            struct convex_value **result, struct error *error) {
    const struct convex_value *user = convex_user(context);
    (void)args;
    (void)error;
    *result = user ? convex_copy(convex_object_get(user, "subject")) : NULL;
    return STATUS_OK;
}

static const struct convex_index by_name[] = {{"by_name", {"name"}, 1}};
static const struct convex_index by_channel[] = {{"by_channel", {"channel"}, 1}};
static const struct convex_table tables[] = {{.name = "counters", .indexes = by_name, .n_indexes = 1},
                                             {.name = "messages", .indexes = by_channel, .n_indexes = 1}};
static const struct convex_function functions[] = {
    {.path = "counter:get", .kind = CONVEX_QUERY, .run = counter_get},
    {.path = "counter:add", .kind = CONVEX_MUTATION, .run = counter_add},
    {.path = "messages:send", .kind = CONVEX_MUTATION, .run = messages_send},
    {.path = "messages:list", .kind = CONVEX_QUERY, .run = messages_list},
    {.path = "errors:query", .kind = CONVEX_QUERY, .run = errors_throw},
    {.path = "errors:mutation", .kind = CONVEX_MUTATION, .run = errors_throw},
    {.path = "errors:action", .kind = CONVEX_ACTION, .run = errors_throw},
    {.path = "actions:addTwice", .kind = CONVEX_ACTION, .run = actions_add_twice},
    {.path = "users:me", .kind = CONVEX_QUERY, .run = users_me}};

int main(int argc, char **argv) {
    const struct convex_auth_provider provider = {.issuer = argc == 3 ? argv[1] : NULL,
                                                  .application = "interop",
                                                  .jwks = argc == 3 ? argv[2] : NULL,
                                                  .algorithm = "RS256"};
    struct live *live = live_create(&(struct live_settings){.seed = 1});
    struct host *host = live_node(live, "convex");
    struct error error = {0};
    const struct convex_deployment_options options = {.deploy_key = deploy_key,
                                                      .tables = tables,
                                                      .n_tables = sizeof tables / sizeof *tables,
                                                      .functions = functions,
                                                      .n_functions = sizeof functions / sizeof *functions,
                                                      .providers = &provider,
                                                      .n_providers = argc == 3,
                                                      .mutation_time_low = 5 * TIME_MILLISECOND,
                                                      .mutation_time_high = 15 * TIME_MILLISECOND};
    struct convex_deployment *deployment = convex_deployment_create(host, &options);
    if (live_serve(live, host, "127.0.0.1:0", &error) != STATUS_OK) {
        fprintf(stderr, "interop_server: %s\n", error.message);
        return 3;
    }
    live_stop_on_signals(live);
    printf("http://%s\n", live_address(live, host));
    fflush(stdout);
    live_run(live);
    convex_deployment_destroy(deployment);
    live_destroy(live);
    return 0;
}

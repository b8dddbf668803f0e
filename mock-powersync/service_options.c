#include "mock-powersync/service_options.h"

#include <assert.h>
#include <string.h>

#include "mock-powersync/replication/convex_module.h"

#define MINUTE (60 * TIME_SECOND)

static const char *copy_text(struct arena *arena, const char *text) {
    return text ? arena_copy_text(arena, text) : NULL;
}

static const char *const *copy_texts(struct arena *arena, const char *const *texts, size_t count) {
    const char **copies = arena_allocate(arena, (count + 1) * sizeof *copies);
    for (size_t i = 0; i < count; i++)
        copies[i] = arena_copy_text(arena, texts[i]);
    return copies;
}

static void complete_time(int64_t *value, int64_t usual) {
    if (*value == 0)
        *value = usual;
}

static void complete_count(size_t *value, size_t usual) {
    if (*value == 0)
        *value = usual;
}

static void complete_source(struct powersync_source_options *source, struct arena *arena) {
    source->type = copy_text(arena, source->type ? source->type : "convex");
    source->deployment = copy_text(arena, source->deployment);
    source->deploy_key = copy_text(arena, source->deploy_key);
    complete_time(&source->polling_interval, TIME_SECOND);
    complete_time(&source->request_timeout, 60 * TIME_SECOND);
}

static void complete_auth(struct powersync_auth_options *auth, struct arena *arena) {
    auth->jwks = copy_text(arena, auth->jwks);
    auth->jwks_uris = copy_texts(arena, auth->jwks_uris, auth->n_jwks_uris);
    auth->audiences = copy_texts(arena, auth->audiences, auth->n_audiences);
    auth->supabase_jwt_secret = copy_text(arena, auth->supabase_jwt_secret);
}

struct powersync_options service_options_complete(const struct powersync_options *options,
                                                  struct arena *arena) {
    struct powersync_options own = *options;
    own.sync_config = NULL;
    own.sync_config_file = NULL;
    complete_source(&own.source, arena);
    complete_auth(&own.auth, arena);
    own.write_checkpoint_table = copy_text(arena, own.write_checkpoint_table);
    own.api_tokens = copy_texts(arena, own.api_tokens, own.n_api_tokens);
    complete_count(&own.limits.max_concurrent_connections, 200);
    complete_count(&own.limits.max_data_fetches, 10);
    complete_count(&own.limits.max_buckets, 1000);
    complete_count(&own.limits.max_parameter_results, 1000);
    complete_time(&own.limits.checkpoint_request_retention, 60 * MINUTE);
    complete_time(&own.keepalive_interval, 20 * TIME_SECOND);
    return own;
}

const struct source_module *service_source_module(const char *type) {
    static const struct source_module *const modules[] = {&convex_module};
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++)
        if (strcmp(modules[i]->type, type) == 0)
            return modules[i];
    return NULL;
}

struct source_settings service_source_settings(const struct powersync_options *options) {
    return (struct source_settings){.address = options->source.deployment,
                                    .key = options->source.deploy_key,
                                    .polling_interval = options->source.polling_interval,
                                    .request_timeout = options->source.request_timeout,
                                    .strict_expiry = options->strict_expiry};
}

enum status service_options_check(const struct powersync_options *options, struct error *error) {
    const struct source_module *module = service_source_module(options->source.type);
    const struct source_settings settings = service_source_settings(options);
    if (!module)
        return error_set(error, STATUS_INVALID, "no module for a source of type \"%s\"",
                         options->source.type);
    if (options->keepalive_interval < 0 || options->notification_delay < 0 || options->job_lock < 0 ||
        options->limits.checkpoint_request_retention < 0)
        return error_set(error, STATUS_INVALID, "times of a service cannot be negative");
    return module->settings_check(&settings, error);
}

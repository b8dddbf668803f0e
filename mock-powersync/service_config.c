#include "mock-powersync/service_config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/yaml.h"

#define FIELD(name) offsetof(struct service_config, name)
#define NO_FIELD SIZE_MAX

enum { texts_most = 100 };

struct reading {
    struct service_config *config;
    struct yaml_document document;
    const struct service_config_world *world;
    struct error *error;
};

/* A value and the key it hangs at: true, false and null have no place of their own. */
struct place {
    const json_t *holder; /* a mapping */
    const char *key;
    const json_t *value;
};

enum key_kind {
    KEY_SECTION, /* a mapping: `keys` are its own */
    KEY_TEXT,    /* const char * */
    KEY_BOOLEAN, /* bool */
    KEY_COUNT,   /* size_t: a whole number from `low` to `high` */
    KEY_PORT,    /* int64_t, 1..65535 */
    KEY_TIME,    /* int64_t ns: a number above 0, of `unit` ns each */
    KEY_SPECIAL, /* read by `take` */
    KEY_IGNORED  /* anything; `note` says why it has no effect, NULL: nothing to say */
};

struct key {
    const char *name;
    enum key_kind kind;
    size_t field;
    const struct key *keys; /* ends with name NULL */
    int64_t unit;           /* KEY_TIME; KEY_COUNT: the greatest value */
    enum status (*take)(struct reading *reading, struct place place);
    const char *note;
};

static enum status refuse(struct reading *reading, struct place place, const char *words) {
    assert(place.holder && place.key);
    return yaml_error_key(&reading->document, place.holder, place.key, reading->error, "%s: %s", place.key,
                          words);
}

static void add_note(struct reading *reading, struct place place, const char *words) {
    struct service_config *config = reading->config;
    int line, column;
    yaml_key_place(&reading->document, place.holder, place.key, &line, &column);
    const char **grown = arena_allocate(&config->arena, (config->n_notes + 1) * sizeof *config->notes);
    if (config->n_notes > 0)
        memcpy(grown, config->notes, config->n_notes * sizeof *grown);
    grown[config->n_notes++] = arena_format(&config->arena, "%s:%d:%d: %s: %s", reading->document.file, line,
                                            column, place.key, words);
    config->notes = grown;
}

/* --- plain values --- */

static void *target_of(struct reading *reading, const struct key *key) {
    assert(key->field != NO_FIELD);
    return (char *)reading->config + key->field;
}

static enum status take_text(struct reading *reading, const struct key *key, struct place place) {
    if (!json_is_string(place.value))
        return refuse(reading, place, "a text is expected");
    *(const char **)target_of(reading, key) =
        arena_copy_text(&reading->config->arena, json_string_value(place.value));
    return STATUS_OK;
}

static enum status take_boolean(struct reading *reading, const struct key *key, struct place place) {
    if (!json_is_boolean(place.value))
        return refuse(reading, place, "true or false is expected");
    *(bool *)target_of(reading, key) = json_is_true(place.value);
    return STATUS_OK;
}

static bool whole_number(const json_t *value, int64_t low, int64_t high) {
    return json_is_integer(value) && json_integer_value(value) >= low && json_integer_value(value) <= high;
}

static enum status take_count(struct reading *reading, const struct key *key, struct place place) {
    if (!whole_number(place.value, 1, key->unit))
        return refuse(reading, place, "a whole number above 0 is expected, and not a huge one");
    *(size_t *)target_of(reading, key) = (size_t)json_integer_value(place.value);
    return STATUS_OK;
}

static enum status take_port(struct reading *reading, const struct key *key, struct place place) {
    if (!whole_number(place.value, 1, 65535))
        return refuse(reading, place, "a port from 1 to 65535 is expected");
    *(int64_t *)target_of(reading, key) = json_integer_value(place.value);
    return STATUS_OK;
}

/* At least 1 ns and at most 100 years, so that no sum of times overflows. */
static enum status take_time(struct reading *reading, const struct key *key, struct place place) {
    double most = 100.0 * 365 * 86400 * (double)TIME_SECOND;
    double ns = json_is_number(place.value) ? json_number_value(place.value) * (double)key->unit : 0;
    if (!(ns >= 1 && ns <= most))
        return refuse(reading, place, "a finite number above 0 is expected (PSYNC_S1109)");
    *(int64_t *)target_of(reading, key) = (int64_t)ns;
    return STATUS_OK;
}

/* One text or a list of them. */
static enum status take_texts(struct reading *reading, struct place place, const char *const **texts,
                              size_t *count) {
    struct arena *arena = &reading->config->arena;
    const size_t n = json_is_array(place.value) ? json_array_size(place.value) : 1;
    if (n > texts_most)
        return refuse(reading, place, "these are too many");
    const char **copies = arena_allocate(arena, (n + 1) * sizeof *copies);
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_is_array(place.value) ? json_array_get(place.value, i) : place.value;
        if (!json_is_string(item))
            return refuse(reading, place, "a text or a list of texts is expected");
        copies[i] = arena_copy_text(arena, json_string_value(item));
    }
    *texts = copies;
    *count = n;
    return STATUS_OK;
}

/* --- replication --- */

/* http or https, a host, perhaps a port; slashes at the end are dropped. "convex" is the deployment beside.
 */
static enum status take_deployment_url(struct reading *reading, struct place place) {
    const char *url = json_string_value(place.value);
    if (!url)
        return refuse(reading, place, "a text is expected");
    char *copy = arena_copy_text(&reading->config->arena, url);
    reading->config->options.source.deployment = copy;
    if (strcmp(copy, "convex") == 0)
        return STATUS_OK;
    for (size_t length = strlen(copy); length > 0 && copy[length - 1] == '/';)
        copy[--length] = '\0';
    const size_t scheme = strncasecmp(copy, "http:", 5) == 0    ? 5
                          : strncasecmp(copy, "https:", 6) == 0 ? 6
                                                                : 0;
    if (scheme == 0)
        return refuse(reading, place, "a URL with http:// or https:// is expected (PSYNC_S1109)");
    const char *host = copy + scheme + strspn(copy + scheme, "/");
    if (host != copy + scheme + 2 || *host == '\0' || *host == ':')
        return refuse(reading, place, "the URL names no host (PSYNC_S1106)");
    if (host[strcspn(host, "/?#@ \t\r\n")])
        return refuse(reading, place, "only a host and a port may stand in the URL (PSYNC_S1109)");
    return STATUS_OK;
}

static enum status take_deploy_key(struct reading *reading, struct place place) {
    const char *key = json_string_value(place.value);
    if (!key || !*key)
        return refuse(reading, place, "a deploy key is expected (PSYNC_S1108)");
    reading->config->options.source.deploy_key = arena_copy_text(&reading->config->arena, key);
    return STATUS_OK;
}

static enum status take_source_type(struct reading *reading, struct place place) {
    const char *type = json_string_value(place.value);
    if (!type || strcmp(type, "convex") != 0)
        return refuse(reading, place, "the only source is convex");
    reading->config->options.source.type = "convex";
    return STATUS_OK;
}

static const struct key connection_keys[] = {
    {.name = "type", .kind = KEY_SPECIAL, .take = take_source_type},
    {.name = "deployment_url", .kind = KEY_SPECIAL, .take = take_deployment_url},
    {.name = "deploy_key", .kind = KEY_SPECIAL, .take = take_deploy_key},
    {.name = "polling_interval_ms",
     .kind = KEY_TIME,
     .field = FIELD(options.source.polling_interval),
     .unit = TIME_MILLISECOND},
    {.name = "request_timeout_ms",
     .kind = KEY_TIME,
     .field = FIELD(options.source.request_timeout),
     .unit = TIME_MILLISECOND},
    {.name = "reject_ip_ranges", .kind = KEY_IGNORED, .note = "addresses are not checked"},
    {.name = "id", .kind = KEY_IGNORED},
    {.name = "tag", .kind = KEY_IGNORED, .note = "the tag is always default"},
    {.name = "debug_api", .kind = KEY_IGNORED},
    {0}};

static enum status read_mapping(struct reading *reading, struct place place, const struct key *keys);

static enum status take_connections(struct reading *reading, struct place place) {
    const json_t *connection = json_array_get(place.value, 0);
    if (json_array_size(place.value) != 1 || !json_is_object(connection))
        return refuse(reading, place, "a list of exactly one connection is expected");
    struct powersync_source_options *source = &reading->config->options.source;
    enum status status =
        read_mapping(reading, (struct place){place.holder, place.key, connection}, connection_keys);
    if (status != STATUS_OK)
        return status;
    if (!source->type)
        return refuse(reading, place, "the connection has no type");
    if (!source->deployment)
        return refuse(reading, place, "the connection has no deployment_url");
    if (!source->deploy_key && strcmp(source->deployment, "convex") != 0)
        return refuse(reading, place, "the connection has no deploy_key");
    return STATUS_OK;
}

/* --- storage --- */

static enum status take_storage_type(struct reading *reading, struct place place) {
    static const char *const types[] = {"memory", "sqlite", "mongodb", "postgresql", NULL};
    const char *type = json_string_value(place.value);
    size_t i = 0;
    while (type && types[i] && strcmp(types[i], type) != 0)
        i++;
    if (!type || !types[i])
        return refuse(reading, place, "memory, sqlite, mongodb or postgresql is expected");
    if (i >= 2)
        add_note(reading, place,
                 "there is no such storage here, all is kept in memory; `sqlite` with a "
                 "`path` keeps it in a file");
    const bool has_path = json_object_get(place.holder, "path") != NULL;
    if (has_path != (i == 1))
        return refuse(reading, place, "`path` goes with sqlite, and only with it");
    return STATUS_OK;
}

/* --- the sync config --- */

static char *beside(struct reading *reading, const char *path) {
    const char *slash = strrchr(reading->document.file, '/');
    if (path[0] == '/' || !slash)
        return arena_copy_text(&reading->config->arena, path);
    return arena_format(&reading->config->arena, "%.*s%s", (int)(slash + 1 - reading->document.file),
                        reading->document.file, path);
}

static enum status take_storage_path(struct reading *reading, struct place place) {
    const char *path = json_string_value(place.value);
    if (!path || !*path)
        return refuse(reading, place, "a file is expected");
    if (!json_object_get(place.holder, "type"))
        return refuse(reading, place, "`path` goes with `type: sqlite`");
    reading->config->storage_path = beside(reading, path);
    return STATUS_OK;
}

static enum status take_sync_path(struct reading *reading, struct place place) {
    struct powersync_options *options = &reading->config->options;
    if (!json_is_string(place.value))
        return refuse(reading, place, "a file is expected");
    options->sync_config_file = beside(reading, json_string_value(place.value));
    char *text = NULL;
    enum status status = reading->world->read(options->sync_config_file, &text, reading->error);
    if (status == STATUS_OK)
        options->sync_config = arena_copy_text(&reading->config->arena, text);
    free(text);
    return status;
}

static enum status take_sync_content(struct reading *reading, struct place place) {
    struct powersync_options *options = &reading->config->options;
    if (!json_is_string(place.value))
        return refuse(reading, place, "a text is expected");
    options->sync_config = arena_copy_text(&reading->config->arena, json_string_value(place.value));
    options->sync_config_file =
        arena_format(&reading->config->arena, "%s, %s", reading->document.file, place.key);
    return STATUS_OK;
}

static const struct key sync_keys[] = {{.name = "path", .kind = KEY_SPECIAL, .take = take_sync_path},
                                       {.name = "content", .kind = KEY_SPECIAL, .take = take_sync_content},
                                       {.name = "exit_on_error", .kind = KEY_IGNORED},
                                       {0}};

static enum status take_sync_config(struct reading *reading, struct place place) {
    if (reading->config->options.sync_config_is_managed)
        return refuse(reading, place, "sync_config and sync_rules are the same: only one of them");
    reading->config->options.sync_config_is_managed = true;
    enum status status = read_mapping(reading, place, sync_keys);
    if (status == STATUS_OK &&
        !json_object_get(place.value, "path") == !json_object_get(place.value, "content"))
        status = refuse(reading, place, "either `path` or `content` is expected");
    return status;
}

/* --- client auth --- */

static enum status take_audience(struct reading *reading, struct place place) {
    struct powersync_auth_options *auth = &reading->config->options.auth;
    return take_texts(reading, place, &auth->audiences, &auth->n_audiences);
}

static enum status take_jwks_uri(struct reading *reading, struct place place) {
    struct powersync_auth_options *auth = &reading->config->options.auth;
    enum status status = take_texts(reading, place, &auth->jwks_uris, &auth->n_jwks_uris);
    for (size_t i = 0; status == STATUS_OK && i < auth->n_jwks_uris; i++)
        if (strncasecmp(auth->jwks_uris[i], "http://", 7) != 0 &&
            strncasecmp(auth->jwks_uris[i], "https://", 8) != 0)
            status = refuse(reading, place, "a URL with http:// or https:// is expected (PSYNC_S2201)");
    return status;
}

static enum status take_jwks(struct reading *reading, struct place place) {
    const json_t *keys = json_object_get(place.value, "keys");
    if (!json_is_array(keys))
        return refuse(reading, place, "a key set is expected: {keys: [...]}");
    char *text = json_dumps(place.value, JSON_COMPACT);
    reading->config->options.auth.jwks = arena_copy_text(&reading->config->arena, text);
    free(text);
    return STATUS_OK;
}

static enum status take_tokens(struct reading *reading, struct place place) {
    struct powersync_options *options = &reading->config->options;
    return take_texts(reading, place, &options->api_tokens, &options->n_api_tokens);
}

/* --- the whole file --- */

static const struct key replication_keys[] = {
    {.name = "connections", .kind = KEY_SPECIAL, .take = take_connections}, {0}};

static const struct key storage_keys[] = {{.name = "type", .kind = KEY_SPECIAL, .take = take_storage_type},
                                          {.name = "path", .kind = KEY_SPECIAL, .take = take_storage_path},
                                          {.name = "uri", .kind = KEY_IGNORED},
                                          {.name = "database", .kind = KEY_IGNORED},
                                          {.name = "username", .kind = KEY_IGNORED},
                                          {.name = "password", .kind = KEY_IGNORED},
                                          {.name = "default_storage_version", .kind = KEY_IGNORED},
                                          {.name = "parameters", .kind = KEY_IGNORED},
                                          {.name = "sslmode", .kind = KEY_IGNORED},
                                          {.name = "max_pool_size", .kind = KEY_IGNORED},
                                          {0}};

static const struct key client_auth_keys[] = {
    {.name = "audience", .kind = KEY_SPECIAL, .take = take_audience},
    {.name = "jwks_uri", .kind = KEY_SPECIAL, .take = take_jwks_uri},
    {.name = "jwks", .kind = KEY_SPECIAL, .take = take_jwks},
    {.name = "block_local_jwks", .kind = KEY_BOOLEAN, .field = FIELD(options.auth.block_local)},
    {.name = "jwks_reject_ip_ranges", .kind = KEY_IGNORED, .note = "addresses are not checked"},
    {.name = "supabase", .kind = KEY_BOOLEAN, .field = FIELD(options.auth.supabase)},
    {.name = "supabase_jwt_secret", .kind = KEY_TEXT, .field = FIELD(options.auth.supabase_jwt_secret)},
    {0}};

static const struct key limit_keys[] = {{.name = "max_concurrent_connections",
                                         .kind = KEY_COUNT,
                                         .field = FIELD(options.limits.max_concurrent_connections),
                                         .unit = 1000000},
                                        {.name = "max_data_fetch_concurrency",
                                         .kind = KEY_COUNT,
                                         .field = FIELD(options.limits.max_data_fetches),
                                         .unit = 1000000},
                                        {.name = "max_buckets_per_connection",
                                         .kind = KEY_COUNT,
                                         .field = FIELD(options.limits.max_buckets),
                                         .unit = 1000000},
                                        {.name = "max_parameter_query_results",
                                         .kind = KEY_COUNT,
                                         .field = FIELD(options.limits.max_parameter_results),
                                         .unit = 1000000},
                                        {.name = "checkpoint_request_retention_minutes",
                                         .kind = KEY_TIME,
                                         .field = FIELD(options.limits.checkpoint_request_retention),
                                         .unit = 60 * TIME_SECOND},
                                        {.name = "bucket_count_cache_ttl_minutes", .kind = KEY_IGNORED},
                                        {0}};

static const struct key api_keys[] = {{.name = "tokens", .kind = KEY_SPECIAL, .take = take_tokens},
                                      {.name = "parameters", .kind = KEY_SECTION, .keys = limit_keys},
                                      {0}};

static const struct key telemetry_keys[] = {
    {.name = "prometheus_port", .kind = KEY_PORT, .field = FIELD(prometheus_port)},
    {.name = "disable_telemetry_sharing", .kind = KEY_IGNORED},
    {.name = "internal_service_endpoint", .kind = KEY_IGNORED},
    {0}};

static const struct key file_keys[] = {
    {.name = "replication", .kind = KEY_SECTION, .keys = replication_keys},
    {.name = "storage", .kind = KEY_SECTION, .keys = storage_keys},
    {.name = "port", .kind = KEY_PORT, .field = FIELD(port)},
    {.name = "sync_config", .kind = KEY_SPECIAL, .take = take_sync_config},
    {.name = "sync_rules", .kind = KEY_SPECIAL, .take = take_sync_config},
    {.name = "client_auth", .kind = KEY_SECTION, .keys = client_auth_keys},
    {.name = "api", .kind = KEY_SECTION, .keys = api_keys},
    {.name = "telemetry", .kind = KEY_SECTION, .keys = telemetry_keys},
    {.name = "migrations", .kind = KEY_IGNORED},
    {.name = "metadata", .kind = KEY_IGNORED},
    {.name = "parameters", .kind = KEY_IGNORED},
    {.name = "system", .kind = KEY_IGNORED},
    {.name = "healthcheck", .kind = KEY_IGNORED, .note = "the probes are routes of the service's port"},
    {0}};

static enum status take(struct reading *reading, const struct key *key, struct place place) {
    switch (key->kind) {
    case KEY_SECTION:
        return read_mapping(reading, place, key->keys);
    case KEY_TEXT:
        return take_text(reading, key, place);
    case KEY_BOOLEAN:
        return take_boolean(reading, key, place);
    case KEY_COUNT:
        return take_count(reading, key, place);
    case KEY_PORT:
        return take_port(reading, key, place);
    case KEY_TIME:
        return take_time(reading, key, place);
    case KEY_SPECIAL:
        return key->take(reading, place);
    case KEY_IGNORED:
        break;
    }
    if (key->note)
        add_note(reading, place, key->note);
    return STATUS_OK;
}

static enum status read_mapping(struct reading *reading, struct place place, const struct key *keys) {
    if (!json_is_object(place.value))
        return refuse(reading, place, "a mapping is expected");
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)place.value, name, value) {
        const struct key *key = keys;
        while (key->name && strcmp(key->name, name) != 0)
            key++;
        struct place inner = {place.value, name, value};
        enum status status = key->name ? take(reading, key, inner) : refuse(reading, inner, "unknown key");
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status read_file(struct reading *reading) {
    const json_t *root = reading->document.root;
    struct yaml_document *document = &reading->document;
    if (!json_is_object(root))
        return yaml_error(document, root, reading->error, "a mapping is expected");
    enum status status = read_mapping(reading, (struct place){root, "", root}, file_keys);
    if (status != STATUS_OK)
        return status;
    if (!reading->config->options.source.type)
        return yaml_error(document, root, reading->error, "replication.connections is missing");
    return STATUS_OK;
}

enum status service_config_parse(struct service_config *config, const char *text, const char *file,
                                 const struct service_config_world *world, struct error *error) {
    assert(config && text && file && world && world->read);
    *config = (struct service_config){0};
    struct reading reading = {.config = config, .world = world, .error = error};
    enum status status = yaml_parse(&reading.document, text, strlen(text), file, world->variable, error);
    if (status != STATUS_OK)
        return status;
    status = read_file(&reading);
    yaml_release(&reading.document);
    if (status != STATUS_OK)
        service_config_free(config);
    return status;
}

void service_config_free(struct service_config *config) {
    arena_free(&config->arena);
    *config = (struct service_config){0};
}

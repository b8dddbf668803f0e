/* `requests:`, what clients ask the service for: parameters of the connection, and streams with parameters.
 */
#include <assert.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "scenario/language.h"

#define REQUEST(member) offsetof(struct scenario_request, member)
#define SUBSCRIPTION(member) offsetof(struct client_subscription, member)

enum { REQUESTS_MOST = 10000, SUBSCRIPTIONS_MOST = 100 };

static enum status keep_object(struct reader *reader, struct reader_value value, const char **text) {
    struct buffer json = {0};
    if (!json_is_object(value.value))
        return reader_refuse(reader, value, "`parameters` must be a mapping, this is %s",
                             reader_type(value.value));
    json_append_sorted(&json, value.value);
    *text = arena_copy_text(reader->arena, buffer_text(&json));
    buffer_free(&json);
    return STATUS_OK;
}

static enum status read_parameters(struct reader *reader, struct reader_value value, void *target) {
    return keep_object(reader, value, &((struct scenario_request *)target)->parameters);
}

static enum status read_stream_parameters(struct reader *reader, struct reader_value value, void *target) {
    return keep_object(reader, value, &((struct client_subscription *)target)->parameters);
}

static enum status read_priority(struct reader *reader, struct reader_value value, void *target) {
    struct client_subscription *subscription = target;
    int64_t priority = 0;
    enum status status = reader_count(reader, value, 0, 3, &priority);
    subscription->overrides = true;
    subscription->priority = (int)priority;
    return status;
}

static const struct field subscription_fields[] = {
    {.key = "stream", .kind = FIELD_TEXT, .offset = SUBSCRIPTION(stream)},
    {.key = "parameters", .kind = FIELD_SPECIAL, .read = read_stream_parameters},
    {.key = "priority", .kind = FIELD_SPECIAL, .read = read_priority},
    {.key = NULL}};

static enum status read_streams(struct reader *reader, struct reader_value value, size_t most,
                                const struct client_subscription **streams, size_t *n_streams) {
    const size_t count = json_array_size(value.value);
    if (!json_is_array(value.value) || count > most)
        return reader_refuse(reader, value, "`%s` must be a list of at most %zu streams", value.key, most);
    struct client_subscription *list = arena_allocate(reader->arena, (count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++) {
        struct reader_value item = reader_item(value.value, i);
        enum status status = reader_mapping(reader, item, "", subscription_fields, &list[i]);
        if (status == STATUS_OK && !list[i].stream)
            status = reader_refuse(reader, item, "this needs `stream`: the name of a stream");
        if (status != STATUS_OK)
            return status;
    }
    *streams = list;
    *n_streams = count;
    return STATUS_OK;
}

static enum status read_subscriptions(struct reader *reader, struct reader_value value, void *target) {
    struct scenario_request *request = target;
    return read_streams(reader, value, SUBSCRIPTIONS_MOST, &request->subscriptions,
                        &request->n_subscriptions);
}

static const struct field request_fields[] = {
    {.key = "of", .kind = FIELD_TEXT, .offset = REQUEST(name)},
    {.key = "parameters", .kind = FIELD_SPECIAL, .read = read_parameters},
    {.key = "subscribe", .kind = FIELD_SPECIAL, .read = read_subscriptions},
    {.key = NULL}};

static bool is_user(const struct scenario *scenario, const char *name) {
    for (size_t i = 0; i < scenario->n_users; i++)
        if (!strcmp(scenario->users[i], name))
            return true;
    return false;
}

enum status scenario_read_requests(struct reader *reader, struct reader_value value, void *target) {
    struct scenario *scenario = target;
    const size_t count = json_array_size(value.value);
    if (!json_is_array(value.value) || count > REQUESTS_MOST)
        return reader_refuse(reader, value, "`requests` must be a list of at most %d mappings",
                             REQUESTS_MOST);
    struct scenario_request *requests = arena_allocate(reader->arena, (count + 1) * sizeof *requests);
    for (size_t i = 0; i < count; i++) {
        struct reader_value item = reader_item(value.value, i);
        requests[i] = (struct scenario_request){.parameters = "{}"};
        enum status status = reader_mapping(reader, item, "", request_fields, &requests[i]);
        if (status == STATUS_OK && requests[i].name && !is_user(scenario, requests[i].name) &&
            !scenario_has_device(scenario, requests[i].name))
            status = reader_refuse(reader, reader_member(item.value, "of"),
                                   "there is no user and no device `%.60s`", requests[i].name);
        if (status != STATUS_OK)
            return status;
    }
    struct buffer text = {0};
    json_append_sorted(&text, value.value);
    scenario->requests = requests;
    scenario->n_requests = count;
    scenario->requests_text = arena_copy_text(reader->arena, buffer_text(&text));
    buffer_free(&text);
    return STATUS_OK;
}

static enum status read_pages(struct reader *reader, struct reader_value value, void *target) {
    struct scenario_browse *browse = target;
    return read_streams(reader, value, SCENARIO_PAGES_MOST, &browse->pages, &browse->n_pages);
}

#define BROWSE(member) offsetof(struct scenario_browse, member)

enum status scenario_read_browse(struct reader *reader, struct reader_value value, void *target) {
    static const struct field fields[] = {{.key = "every",
                                           .kind = FIELD_DURATION_RANGE,
                                           .offset = BROWSE(every),
                                           .low = TIME_MILLISECOND,
                                           .high = TIME_DAY},
                                          {.key = "stays",
                                           .kind = FIELD_DURATION_RANGE,
                                           .offset = BROWSE(stays),
                                           .low = TIME_MILLISECOND,
                                           .high = TIME_DAY},
                                          {.key = "ttl",
                                           .kind = FIELD_DURATION_RANGE,
                                           .offset = BROWSE(ttl),
                                           .low = TIME_SECOND,
                                           .high = 30 * TIME_DAY},
                                          {.key = "pages", .kind = FIELD_SPECIAL, .read = read_pages},
                                          {.key = NULL}};
    struct scenario *scenario = target;
    scenario->browse = (struct scenario_browse){.every = {5 * TIME_SECOND, 20 * TIME_SECOND},
                                                .stays = {2 * TIME_SECOND, 20 * TIME_SECOND},
                                                .ttl = {5 * TIME_SECOND, 60 * TIME_SECOND}};
    enum status status = reader_mapping(reader, value, "", fields, &scenario->browse);
    if (status != STATUS_OK)
        return status;
    if (scenario->browse.n_pages == 0)
        return reader_refuse(reader, value, "`browse` needs `pages`: the streams that people open");
    struct buffer text = {0};
    json_append_sorted(&text, value.value);
    scenario->browse_text = arena_copy_text(reader->arena, buffer_text(&text));
    buffer_free(&text);
    return STATUS_OK;
}

const struct scenario_request *scenario_request_of(const struct scenario *scenario, const char *user,
                                                   const char *client) {
    for (size_t i = 0; i < scenario->n_requests; i++) {
        const char *name = scenario->requests[i].name;
        if (!name || !strcmp(name, user) || !strcmp(name, client))
            return &scenario->requests[i];
    }
    return NULL;
}

/* The three ways to ask for a write checkpoint. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "mock-powersync/http/checkpoint_batcher.h"
#include "mock-powersync/http/legacy_checkpoint.h"
#include "mock-powersync/http/route.h"
#include "mock-powersync/service_internal.h"

struct checkpoint_request {
    struct route_call *call;
    bool supplied;
    struct checkpoint_wait wait;
};

static bool validate_client(const json_t *parameters, struct http_error *error) {
    const json_t *client_id = json_object_get(parameters, "client_id");
    return !client_id || json_is_string(client_id) || route_invalid(error, "/client_id must be string");
}

/* 1 .. 9223372036854775807 as a decimal text or a JSON number that JavaScript holds exactly; 0: something
 * else. */
static int64_t supplied_id(const json_t *value) {
    if (json_is_integer(value)) {
        int64_t id = json_integer_value(value);
        return id >= 1 && id <= INT64_C(9007199254740991) ? id : 0;
    }
    const char *text = json_string_value(value);
    size_t digits = text ? strspn(text, "0123456789") : 0;
    if (digits == 0 || digits > 19 || text[digits] != '\0')
        return 0;
    unsigned long long id = strtoull(text, NULL, 10);
    return id >= 1 && id <= INT64_MAX ? (int64_t)id : 0;
}

static bool validate_request(const json_t *parameters, struct http_error *error) {
    if (!json_text(parameters, "client_id"))
        return route_invalid(error, "/client_id must be string");
    return supplied_id(json_object_get(parameters, "checkpoint_request_id")) > 0 ||
           route_invalid(error, "/checkpoint_request_id must be an integer from 1 to 9223372036854775807");
}

static void stop(void *work) {
    struct checkpoint_request *request = work;
    checkpoint_wait_forget(&request->wait);
    free(request);
}

static void on_done(void *context, int64_t id, const struct http_error *error) {
    struct checkpoint_request *request = context;
    struct route_call *call = request->call;
    struct buffer json = {0};
    buffer_printf(&json, "{\"%s\":\"%" PRId64 "\"}",
                  request->supplied ? "checkpoint_request_id" : "write_checkpoint", id);
    free(request);
    if (error)
        route_call_refuse(call, error);
    else
        route_call_answer_data(call, &json);
    buffer_free(&json);
}

static void add_request(struct route_call *call, const struct auth_user *user, int64_t supplied) {
    struct checkpoint_request *request = memory_allocate(sizeof *request);
    const char *client = json_text(call->parameters, "client_id");
    char *key = call->service->options.write_checkpoint_table != NULL
                    ? write_checkpoint_hidden_key(user->id_text, client)
                    : write_checkpoint_key(user->id_text, client);
    *request = (struct checkpoint_request){.call = call, .supplied = supplied > 0};
    request->wait = (struct checkpoint_wait){.done = on_done, .context = request};
    route_call_work(call, request, stop);
    checkpoint_batcher_add(call->service->batcher, key, supplied, &request->wait);
    free(key);
}

static void handle_generated(struct route_call *call, const struct auth_user *user) {
    add_request(call, user, 0);
}

static void handle_supplied(struct route_call *call, const struct auth_user *user) {
    add_request(call, user, supplied_id(json_object_get(call->parameters, "checkpoint_request_id")));
}

static void handle_legacy(struct route_call *call, const struct auth_user *user) {
    (void)user;
    legacy_checkpoint_start(call);
}

const struct route checkpoint_routes[] = {
    {"GET", "/write-checkpoint2.json", GROUP_CHECKPOINT, ACCESS_USER, false, validate_client,
     handle_generated},
    {"POST", "/sync/checkpoint-request", GROUP_CHECKPOINT, ACCESS_USER, false, validate_request,
     handle_supplied},
    {"GET", "/write-checkpoint.json", GROUP_CHECKPOINT, ACCESS_USER, false, validate_client, handle_legacy},
};

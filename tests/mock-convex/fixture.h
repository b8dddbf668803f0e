/* A world with a Convex deployment "convex" and one client node "client", for the tests of this folder: a
 * small app (pets), a way to send requests and wait for their answers, and a record of what the deployment
 * noted. */
#ifndef TESTS_MOCK_CONVEX_FIXTURE_H
#define TESTS_MOCK_CONVEX_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "mock-convex/deployment.h"
#include "mock-convex/value/document_id.h"
#include "net/net.h"
#include "tokens.h"

#define DEPLOY_KEY "prod:syncline-1|0123456789abcdef"
#define AUTHORIZED "Convex " DEPLOY_KEY
#define LENGTH_OF(array) (sizeof(array) / sizeof(array)[0])

struct answer {
    int status; /* 0: none yet, -1: failed */
    struct buffer body;
    char content_type[64];
    int64_t at; /* virtual time of its end */
    struct fixture *fixture;
};

struct fixture {
    struct world *world;
    struct net *net;
    struct host *convex;
    struct host *client;
    struct convex_deployment *deployment;
    struct buffer notes; /* one line a commit: "timestamp path table=values ...", values "-" when deleted */
    size_t commits;
};

/* --- the app --- */

static inline struct convex_value *pet_make(const char *uuid, const char *name) {
    struct convex_value *pet = convex_object();
    convex_object_set(pet, "uuid", convex_string(uuid));
    convex_object_set(pet, "name", convex_string(name));
    convex_object_set(pet, "count", convex_float64(0));
    return pet;
}

/* The id of the pet with this uuid; "" when there is none. */
static inline enum status pet_find(struct convex_context *context, const struct convex_value *args,
                                   char id[40], double *number, struct error *error) {
    const struct convex_value *uuid = convex_object_get(args, "uuid");
    const struct convex_value **documents;
    size_t count;
    id[0] = 0;
    if (uuid == NULL) {
        return error_set(error, STATUS_INVALID, "uuid is missing");
    }
    enum status status = convex_find(context, "pets", "by_uuid", &uuid, 1, 1, &documents, &count, error);
    if (status == STATUS_OK && count == 1) {
        strcpy(id, convex_object_text(documents[0], "_id"));
        *number = convex_object_get(documents[0], "count")->as.number;
    }
    free(documents);
    return status;
}

static inline enum status pets_add(struct convex_context *context, const struct convex_value *args,
                                   struct convex_value **result, struct error *error) {
    char id[40], name[32];
    const char *uuid = convex_object_text(args, "uuid");
    const struct convex_value *count = convex_object_get(args, "count");
    size_t n = count != NULL ? (size_t)count->as.number : 1;
    for (size_t i = 0; i < n; i++) {
        snprintf(name, sizeof name, "pet %zu", i);
        enum status status =
            convex_insert(context, "pets", pet_make(uuid != NULL ? uuid : name, name), id, error);
        if (status != STATUS_OK) {
            return status;
        }
    }
    *result = convex_string(id);
    return STATUS_OK;
}

static inline enum status pets_rename(struct convex_context *context, const struct convex_value *args,
                                      struct convex_value **result, struct error *error) {
    char id[40];
    double number;
    (void)result;
    enum status status = pet_find(context, args, id, &number, error);
    if (status == STATUS_OK && id[0] != 0) {
        struct convex_value *patch = convex_object();
        convex_object_set(patch, "name", convex_copy(convex_object_get(args, "name")));
        status = convex_patch(context, "pets", id, patch, error);
        convex_free(patch);
    }
    return status;
}

static inline enum status pets_increment(struct convex_context *context, const struct convex_value *args,
                                         struct convex_value **result, struct error *error) {
    char id[40];
    double number = 0;
    enum status status = pet_find(context, args, id, &number, error);
    if (status == STATUS_OK && id[0] != 0) {
        struct convex_value *patch = convex_object();
        convex_object_set(patch, "count", convex_float64(number + 1));
        status = convex_patch(context, "pets", id, patch, error);
        convex_free(patch);
        *result = convex_float64(number + 1);
    }
    return status;
}

static inline enum status pets_remove(struct convex_context *context, const struct convex_value *args,
                                      struct convex_value **result, struct error *error) {
    char id[40];
    double number;
    (void)result;
    enum status status = pet_find(context, args, id, &number, error);
    return status == STATUS_OK && id[0] != 0 ? convex_delete(context, "pets", id, error) : status;
}

static inline enum status pets_blink(struct convex_context *context, const struct convex_value *args,
                                     struct convex_value **result, struct error *error) {
    char id[40];
    (void)args;
    (void)result;
    enum status status = convex_insert(context, "pets", pet_make("blink", "gone"), id, error);
    return status == STATUS_OK ? convex_delete(context, "pets", id, error) : status;
}

static inline enum status pets_throw(struct convex_context *context, const struct convex_value *args,
                                     struct convex_value **result, struct error *error) {
    char id[40];
    (void)args;
    (void)result;
    convex_insert(context, "pets", pet_make("thrown", "never"), id, NULL);
    return error_set(error, STATUS_INVALID, "pets are not allowed here");
}

/* Goes on when a limit is hit, as a function that catches every error would. */
static inline enum status pets_stubborn(struct convex_context *context, const struct convex_value *args,
                                        struct convex_value **result, struct error *error) {
    char id[40];
    (void)args;
    (void)result;
    (void)error;
    for (size_t i = 0; i <= 16000; i++) {
        convex_insert(context, "pets", pet_make("x", "x"), id, NULL);
    }
    return STATUS_OK;
}

static inline enum status pets_echo(struct convex_context *context, const struct convex_value *args,
                                    struct convex_value **result, struct error *error) {
    (void)context;
    (void)error;
    *result = convex_copy(args);
    return STATUS_OK;
}

static inline enum status pets_count(struct convex_context *context, const struct convex_value *args,
                                     struct convex_value **result, struct error *error) {
    const struct convex_value **documents;
    size_t count;
    (void)args;
    enum status status =
        convex_find(context, "pets", "by_creation_time", NULL, 0, SIZE_MAX, &documents, &count, error);
    if (status == STATUS_OK) {
        *result = convex_float64((double)count);
    }
    free(documents);
    return status;
}

static const struct convex_index pet_indexes[] = {
    {.name = "by_uuid", .fields = {"uuid"}, .n_fields = 1},
    {.name = "by_name", .fields = {"name", "count"}, .n_fields = 2}};
static const struct convex_table pet_tables[] = {{.name = "pets", .indexes = pet_indexes, .n_indexes = 2},
                                                 {.name = "empty"}};
static const struct convex_function pet_functions[] = {
    {.path = "pets:add", .kind = CONVEX_MUTATION, .run = pets_add},
    {.path = "pets:rename", .kind = CONVEX_MUTATION, .run = pets_rename},
    {.path = "pets:increment", .kind = CONVEX_MUTATION, .run = pets_increment},
    {.path = "pets:remove", .kind = CONVEX_MUTATION, .run = pets_remove},
    {.path = "pets:blink", .kind = CONVEX_MUTATION, .run = pets_blink},
    {.path = "pets:throw", .kind = CONVEX_MUTATION, .run = pets_throw},
    {.path = "pets:stubborn", .kind = CONVEX_MUTATION, .run = pets_stubborn},
    {.path = "pets:echo", .kind = CONVEX_MUTATION, .run = pets_echo},
    {.path = "pets:count", .kind = CONVEX_QUERY, .run = pets_count}};

/* Whose tokens count: keys without any network. */
static const struct convex_auth_provider fixture_providers[] = {
    {.issuer = "https://issuer.test", .application = "app", .jwks = FIXTURE_JWKS, .algorithm = "RS256"}};

/* --- the world --- */

static inline void fixture_note(void *context, int64_t now, const char *node, const struct note *note) {
    struct fixture *fixture = context;
    (void)now;
    (void)node;
    if (note->kind != NOTE_COMMIT) {
        return;
    }
    fixture->commits++;
    buffer_printf(&fixture->notes, "%lld %s", (long long)note->timestamp, note->text);
    for (size_t i = 0; i < note->n_rows; i++) {
        buffer_printf(&fixture->notes, " %s=%s", note->rows[i].table,
                      note->rows[i].values != NULL ? note->rows[i].values : "-");
    }
    buffer_append_char(&fixture->notes, '\n');
}

static inline struct convex_deployment_options fixture_options(void) {
    return (struct convex_deployment_options){.deploy_key = DEPLOY_KEY,
                                              .tables = pet_tables,
                                              .n_tables = LENGTH_OF(pet_tables),
                                              .functions = pet_functions,
                                              .n_functions = LENGTH_OF(pet_functions),
                                              .providers = fixture_providers,
                                              .n_providers = LENGTH_OF(fixture_providers),
                                              .mutation_time_low = 5 * TIME_MILLISECOND,
                                              .mutation_time_high = 5 * TIME_MILLISECOND,
                                              .read_time = 2 * TIME_MILLISECOND};
}

/* Two calls: the world first, so that a test can pin knobs; then the deployment. */
static inline struct fixture *fixture_world(void) {
    struct fixture *fixture = memory_allocate(sizeof *fixture);
    struct world_settings settings = {.seed = 7, .max_events = 10000000};
    struct net_settings links = {.latency = TIME_MILLISECOND, .give_up = 30 * TIME_SECOND};
    struct world_observer observer = {.note = fixture_note, .context = fixture};
    fixture->world = world_create(&settings);
    world_observe(fixture->world, &observer);
    fixture->net = net_create(fixture->world, &links);
    fixture->convex = net_node(fixture->net, "convex");
    fixture->client = net_node(fixture->net, "client");
    return fixture;
}

static inline void fixture_deploy(struct fixture *fixture, const struct convex_deployment_options *options) {
    fixture->deployment = convex_deployment_create(fixture->convex, options);
}

static inline struct fixture *fixture_make(void) {
    struct fixture *fixture = fixture_world();
    struct convex_deployment_options options = fixture_options();
    fixture_deploy(fixture, &options);
    return fixture;
}

static inline void fixture_free(struct fixture *fixture) {
    convex_deployment_destroy(fixture->deployment);
    net_destroy(fixture->net);
    world_destroy(fixture->world);
    buffer_free(&fixture->notes);
    free(fixture);
}

static inline void fixture_run(struct fixture *fixture, int64_t duration) {
    struct error error = {0};
    if (world_run(fixture->world, world_now(fixture->world) + duration, &error) != STATUS_OK) {
        fail_msg("%s", error.message);
    }
}

/* --- requests --- */

static inline void answer_head(void *context, uint64_t exchange, const struct http_response *response) {
    struct answer *answer = context;
    (void)exchange;
    answer->status = response->status;
    for (size_t i = 0; i < response->n_headers; i++) {
        if (strcmp(response->headers[i].name, "content-type") == 0) {
            snprintf(answer->content_type, sizeof answer->content_type, "%s", response->headers[i].value);
        }
    }
}

static inline void answer_body(void *context, uint64_t exchange, const void *bytes, size_t length) {
    struct answer *answer = context;
    (void)exchange;
    buffer_append(&answer->body, bytes, length);
}

static inline void answer_end(void *context, uint64_t exchange) {
    struct answer *answer = context;
    (void)exchange;
    answer->at = world_now(answer->fixture->world);
}

static inline void answer_failed(void *context, uint64_t exchange, enum http_failure failure) {
    struct answer *answer = context;
    (void)exchange;
    (void)failure;
    answer->status = -1;
    answer->at = world_now(answer->fixture->world);
}

/* Start a request. `authorization` and `type` may be NULL (no header). */
static inline uint64_t send_request(struct fixture *fixture, struct answer *answer, const char *method,
                                    const char *target, const char *authorization, const char *type,
                                    const void *body, size_t length) {
    static const struct http_client_events events = {answer_head, answer_body, answer_end, answer_failed};
    struct http_header headers[2];
    size_t n_headers = 0;
    if (authorization != NULL) {
        headers[n_headers++] = (struct http_header){"Authorization", authorization};
    }
    if (type != NULL) {
        headers[n_headers++] = (struct http_header){"Content-Type", type};
    }
    struct http_request request = {.authority = "convex",
                                   .method = method,
                                   .target = target,
                                   .headers = headers,
                                   .n_headers = n_headers,
                                   .body = body,
                                   .body_length = length};
    memset(answer, 0, sizeof *answer);
    answer->fixture = fixture;
    return host_http_send(fixture->client, &request, &events, answer);
}

static inline void wait_for(struct fixture *fixture, struct answer *answer) {
    for (int i = 0; i < 10000 && answer->at == 0; i++) {
        fixture_run(fixture, TIME_MILLISECOND);
    }
    assert_true(answer->at != 0);
}

/* An authorized GET of an answer with status 200; the caller frees the JSON. */
static inline json_t *get_json(struct fixture *fixture, const char *target) {
    struct answer answer;
    struct error error = {0};
    send_request(fixture, &answer, "GET", target, AUTHORIZED, NULL, NULL, 0);
    wait_for(fixture, &answer);
    if (answer.status != 200) {
        fail_msg("%s: %d %s", target, answer.status, buffer_text(&answer.body));
    }
    json_t *json = json_parse(buffer_text(&answer.body), answer.body.length, &error);
    assert_non_null(json);
    buffer_free(&answer.body);
    return json;
}

static inline void send_mutation(struct fixture *fixture, struct answer *answer, const char *path,
                                 const char *args) {
    struct buffer body = {0};
    buffer_printf(&body, "{\"path\":\"%s\",\"args\":%s,\"format\":\"json\"}", path, args);
    send_request(fixture, answer, "POST", "/api/mutation", NULL, "application/json", body.data, body.length);
    buffer_free(&body);
}

/* Run a mutation over HTTP and expect this answer body. */
static inline void mutate(struct fixture *fixture, const char *path, const char *args) {
    struct answer answer;
    send_mutation(fixture, &answer, path, args);
    wait_for(fixture, &answer);
    if (answer.status != 200 || strstr(buffer_text(&answer.body), "\"status\":\"success\"") == NULL) {
        fail_msg("%s: %d %s", path, answer.status, buffer_text(&answer.body));
    }
    buffer_free(&answer.body);
}

/* The code of an error envelope, or "" when the body is none. `code` has at least 64 bytes. */
static inline void error_code(const struct buffer *body, char *code) {
    json_t *json = json_parse(buffer_text(body), body->length, NULL);
    const char *text = json_is_object(json) ? json_text(json, "code") : NULL;
    snprintf(code, 64, "%s", text != NULL ? text : "");
    if (text != NULL) { /* exactly two keys */
        assert_int_equal(json_object_size(json), 2);
        assert_non_null(json_text(json, "message"));
    }
    json_decref(json);
}

/* One row of a table of requests and what they must be answered. */
struct expectation {
    const char *what;
    const char *method;
    const char *target;
    const char *authorization;
    const char *type;
    const char *body; /* up to its terminating 0 */
    int status;
    const char *code; /* of the error envelope; "" when there must be none */
};

static inline void check_expectations(struct fixture *fixture, const struct expectation *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct answer answer;
        char code[64];
        send_request(fixture, &answer, rows[i].method, rows[i].target, rows[i].authorization, rows[i].type,
                     rows[i].body, rows[i].body != NULL ? strlen(rows[i].body) : 0);
        wait_for(fixture, &answer);
        error_code(&answer.body, code);
        if (answer.status != rows[i].status || strcmp(code, rows[i].code) != 0) {
            fail_msg("%s: %s %s gave %d %s, expected %d %s\n%s", rows[i].what, rows[i].method, rows[i].target,
                     answer.status, code, rows[i].status, rows[i].code, buffer_text(&answer.body));
        }
        buffer_free(&answer.body);
    }
}

#endif

#include "app/upload_server.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "app/map_row.h"
#include "app/upload_parse.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/percent.h"
#include "client/http_call.h"

struct upload_server {
    struct host *host;
    char *deployment, *authorization;
    struct app_issuer *issuer; /* borrowed */
    const char *(*service)(void *context);
    void *service_context;
    struct job *jobs; /* under way */
};

/* One request of a client. It goes on when the client has gone. */
struct job {
    struct upload_server *server;
    struct job *next, **link;
    uint64_t exchange;
    bool endpoint; /* PUT /api/powersync/upload; else POST /api/sync */
    char *user;
    struct upload_body body;
    size_t index;         /* the transaction under way */
    size_t operation;     /* mutant server-commits-rows: the operation under way */
    json_t *known;        /* mutant check-then-insert: what the look-up has found; NULL: not looked yet */
    struct buffer missed; /* of the transaction under way: rows that were not there to be changed, as JSON */
    struct buffer results, missing;
    struct http_call call;
};

static bool mutant(const struct upload_server *server, const char *name) {
    return host_mutant(server->host, name);
}

/* --- answers --- */

static void respond(struct upload_server *server, uint64_t exchange, int status, const char *body) {
    static const struct http_header json_header = {"content-type", "application/json"};
    const struct http_response response = {.status = status, .headers = &json_header, .n_headers = 1};
    host_http_respond(server->host, exchange, &response);
    host_http_write(server->host, exchange, body, strlen(body));
    host_http_end(server->host, exchange);
}

static void respond_error(struct upload_server *server, uint64_t exchange, int status, const char *message) {
    struct buffer body = {0};
    buffer_append_text(&body, "{\"error\":");
    buffer_append_json_text(&body, message);
    buffer_append_char(&body, '}');
    respond(server, exchange, status, buffer_text(&body));
    buffer_free(&body);
}

static void free_job(struct job *job) {
    *job->link = job->next;
    if (job->next)
        job->next->link = job->link;
    http_call_cancel(&job->call);
    upload_body_free(&job->body);
    json_decref(job->known);
    buffer_free(&job->missed);
    buffer_free(&job->results);
    buffer_free(&job->missing);
    free(job->user);
    free(job);
}

static void finish(struct job *job) {
    struct buffer body = {0};
    buffer_append_text(&body, job->endpoint ? "{\"results\":[" : "{\"rejected\":[");
    buffer_append(&body, job->results.data, job->results.length);
    buffer_append_char(&body, ']');
    if (job->missing.length > 0)
        buffer_printf(&body, ",\"missed\":[%s]", buffer_text(&job->missing));
    buffer_append_char(&body, '}');
    respond(job->server, job->exchange, 200, buffer_text(&body));
    buffer_free(&body);
    free_job(job);
}

static void fail(struct job *job, int status, const char *message) {
    respond_error(job->server, job->exchange, status, message);
    free_job(job);
}

/* The rows of an accepted transaction that were not there any more. */
static void append_missed(struct job *job, struct buffer *out, const char *number) {
    if (job->missed.length == 0)
        return;
    if (job->endpoint)
        buffer_printf(out, ",\"missed\":[%s]", buffer_text(&job->missed));
    else
        buffer_printf(out, "%s{\"tx_id\":\"%s\",\"rows\":[%s]}", out->length > 0 ? "," : "", number,
                      buffer_text(&job->missed));
}

static void append_result(struct job *job, const char *error) {
    const struct uploaded *transaction = &job->body.transactions[job->index];
    if (!job->endpoint && !error) {
        append_missed(job, &job->missing, transaction->number);
        return;
    }
    buffer_printf(&job->results, "%s{\"%s\":\"%s\"", job->results.length > 0 ? "," : "",
                  job->endpoint ? "op_id" : "tx_id", transaction->number);
    if (error) {
        buffer_append_text(&job->results, ",\"error\":");
        buffer_append_json_text(&job->results, error);
    } else {
        append_missed(job, &job->results, transaction->number);
    }
    buffer_append_char(&job->results, '}');
}

static void do_next(struct job *job);

/* The transaction under way is over: `error` says why it was refused, NULL: it was not. Mutant
 * refuse-whole-batch: the rest of the batch is not looked at, and everything counts as refused. */
static void end_transaction(struct job *job, const char *error) {
    if (error && mutant(job->server, "refuse-whole-batch")) {
        fail(job, 422, error);
        return;
    }
    append_result(job, error);
    buffer_clear(&job->missed);
    job->index++;
    job->operation = 0;
    json_decref(job->known);
    job->known = NULL;
    do_next(job);
}

/* --- mapping --- */

static struct app_mapping_rules rules_of(const struct job *job) {
    return (struct app_mapping_rules){
        .user = job->user,
        .owner_from_client = mutant(job->server, "owner-from-client") || mutant(job->server, "null-owner"),
        .camel_only = mutant(job->server, "camel-only"),
        .camel_first = mutant(job->server, "camel-first"),
        .seconds_as_milliseconds = mutant(job->server, "seconds-as-milliseconds"),
        .guess_units = mutant(job->server, "guess-units"),
        .boolean_as_number = mutant(job->server, "boolean-as-number"),
        .null_is_false = mutant(job->server, "null-is-false"),
        .truthy_text = mutant(job->server, "truthy-text"),
        .times_as_sent = mutant(job->server, "times-as-sent")};
}

/* Mutant null-owner: the owner stays null, which the database refuses, and the handler throws. */
static enum status check_owner(const struct job *job, const struct app *app, const char *table,
                               const struct convex_value *fields, struct error *error) {
    const char *column = mapping_column(&app->mapping, table, COLUMN_OWNER);
    struct buffer field = {0};
    if (!column || !mutant(job->server, "null-owner"))
        return STATUS_OK;
    mapping_append_field(&field, &app->mapping, column);
    const struct convex_value *owner = convex_object_get(fields, buffer_text(&field));
    buffer_free(&field);
    return owner && owner->kind == CONVEX_NULL
               ? error_set(error, STATUS_CONFLICT, "null in %s.%s, which is NOT NULL", table, column)
               : STATUS_OK;
}

/* The fields of an operation as encoded JSON. */
static enum status append_fields(struct buffer *out, const struct job *job, const json_t *operation,
                                 struct error *error) {
    const struct app_mapping_rules rules = rules_of(job);
    const struct app *app = NULL;
    const struct client_table *table = app_find_table(json_text(operation, "table"), &app);
    const json_t *data = json_object_get(operation, "data");
    struct convex_value *columns = NULL, *fields = NULL;
    if (!table)
        return error_set(error, STATUS_INVALID, "no table %s", json_text(operation, "table"));
    enum status status = data ? convex_from_json(data, &columns, error) : STATUS_OK;
    if (status == STATUS_OK)
        status = app_map_row(app, table, columns, !strcmp(json_text(operation, "op"), "PUT"), &rules, &fields,
                             error);
    if (status == STATUS_OK)
        status = check_owner(job, app, table->name, fields, error);
    if (status == STATUS_OK)
        convex_append_json(out, fields, CONVEX_FORMAT_ENCODED);
    convex_free(columns);
    convex_free(fields);
    return status;
}

static void append_member(struct buffer *out, const char *key, const char *text) {
    buffer_append_json_text(out, key);
    buffer_append_char(out, ':');
    buffer_append_json_text(out, text);
    buffer_append_char(out, ',');
}

static enum status append_operation(struct buffer *out, const struct job *job, const json_t *operation,
                                    struct error *error) {
    enum status status = STATUS_OK;
    buffer_append_char(out, '{');
    append_member(out, "op", json_text(operation, "op"));
    append_member(out, "table", json_text(operation, "table"));
    buffer_append_text(out, "\"id\":");
    buffer_append_json_text(out, json_text(operation, "id"));
    if (strcmp(json_text(operation, "op"), "DELETE") != 0) {
        buffer_append_text(out, ",\"fields\":");
        status = append_fields(out, job, operation, error);
    }
    buffer_append_char(out, '}');
    return status;
}

/* --- asking the deployment --- */

/* Mutant server-commits-rows: each operation is a transaction of its own, known by its place. Mutant
 * rows-backwards: the same, and nobody waits for the operation before, so the last one is first. */
static bool commits_rows(const struct job *job) {
    return mutant(job->server, "server-commits-rows") || mutant(job->server, "rows-backwards");
}

static size_t place(const struct job *job) {
    const size_t last = json_array_size(job->body.transactions[job->index].operations) - 1;
    return mutant(job->server, "rows-backwards") ? last - job->operation : job->operation;
}

static void append_part(struct buffer *out, const struct job *job) {
    const struct uploaded *transaction = &job->body.transactions[job->index];
    if (commits_rows(job))
        buffer_printf(out, ",\"opId\":\"%zu\"", place(job));
    else if (mutant(job->server, "cut-batch") && *transaction->first)
        buffer_printf(out, ",\"opId\":\"%s\"", transaction->first); /* what clients cut goes by its entries */
}

static void append_wrong_ways(struct buffer *out, const struct job *job) {
    if (!mutant(job->server, "upsert-any-owner"))
        buffer_append_text(out, ",\"user\":"), buffer_append_json_text(out, job->user);
    if (mutant(job->server, "forget-receipts") || job->known)
        buffer_append_text(out, ",\"dedupe\":\"never\"");
    else if (mutant(job->server, "op-id-only"))
        buffer_append_text(out, ",\"dedupe\":\"by-number\"");
    if (job->known) {
        buffer_append_text(out, ",\"known\":");
        json_append(out, job->known);
    }
}

static enum status append_call(struct buffer *out, const struct job *job, const char *path,
                               struct error *error) {
    const struct uploaded *transaction = &job->body.transactions[job->index];
    const bool rows = commits_rows(job);
    const size_t end = rows ? place(job) + 1 : json_array_size(transaction->operations);
    enum status status = STATUS_OK;
    buffer_append_char(out, '{');
    append_member(out, "path", path);
    buffer_append_text(out, "\"args\":{");
    append_member(out, "clientId", job->body.client_id);
    buffer_printf(out, "\"transactionId\":\"%s\"", transaction->number);
    append_part(out, job);
    append_wrong_ways(out, job);
    buffer_append_text(out, ",\"operations\":[");
    for (size_t i = rows ? place(job) : 0; status == STATUS_OK && i < end; i++) {
        if (i > 0 && !rows)
            buffer_append_char(out, ',');
        status = append_operation(out, job, json_array_get(transaction->operations, i), error);
    }
    buffer_append_text(out, "]},\"format\":\"json\"}");
    return status;
}

static void on_answer(void *context, const struct http_answer *answer);

static void ask(struct job *job, const char *target, const char *path) {
    const struct http_header headers[] = {{"content-type", "application/json"},
                                          {"authorization", job->server->authorization}};
    struct http_request request = {.authority = job->server->deployment,
                                   .method = "POST",
                                   .target = target,
                                   .headers = headers,
                                   .n_headers = 2};
    struct buffer body = {0};
    struct error error = {0};
    const enum status status = append_call(&body, job, path, &error);
    request.body = buffer_text(&body);
    request.body_length = body.length;
    if (status == STATUS_OK)
        http_call_start(&job->call, job->server->host, &request, on_answer, job);
    buffer_free(&body);
    if (status == STATUS_CONFLICT)
        fail(job, 500, error.message);
    else if (status != STATUS_OK)
        end_transaction(job, error.message);
}

/* Mutant check-then-insert: what is there is looked up by a query, and inserted by a mutation later. */
static void do_next(struct job *job) {
    if (job->index == job->body.count)
        finish(job);
    else if (json_array_size(job->body.transactions[job->index].operations) == 0)
        end_transaction(job, NULL);
    else if (mutant(job->server, "check-then-insert") && !job->known)
        ask(job, "/api/query", "sync:findUpload");
    else
        ask(job, "/api/mutation", "sync:applyUpload");
}

static void on_found(struct job *job, const json_t *value) {
    json_decref(job->known);
    job->known = json_deep_copy(json_object_get(value, "known"));
    if (json_is_true(json_object_get(value, "done")) || !job->known)
        end_transaction(job, NULL);
    else
        do_next(job);
}

/* Mutant silent-miss: nobody looks. */
static void keep_missed(struct job *job, const json_t *rows) {
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row) if (json_is_string(row) && !mutant(job->server, "silent-miss")) {
        if (job->missed.length > 0)
            buffer_append_char(&job->missed, ',');
        buffer_append_json_text(&job->missed, json_string_value(row));
    }
}

static void on_success(struct job *job, const json_t *body) {
    keep_missed(job, json_object_get(json_object_get(body, "value"), "missed"));
    if (mutant(job->server, "check-then-insert") && !job->known)
        on_found(job, json_object_get(body, "value"));
    else if (commits_rows(job) &&
             ++job->operation < json_array_size(job->body.transactions[job->index].operations))
        do_next(job);
    else
        end_transaction(job, NULL);
}

static void on_answer(void *context, const struct http_answer *answer) {
    struct job *job = context;
    json_t *body = answer->status == 200 ? json_parse(answer->body, answer->length, NULL) : NULL;
    const char *status = json_text(body, "status");
    if (status && !strcmp(status, "success"))
        on_success(job, body);
    else if (status && !strcmp(status, "error"))
        end_transaction(job, json_text(body, "errorMessage") ? json_text(body, "errorMessage") : "refused");
    else
        fail(job, 503, answer->failure ? answer->failure : "the deployment cannot be asked now");
    json_decref(body);
}

/* --- requests --- */

static const char *bearer_of(const struct http_request *request) {
    for (size_t i = 0; i < request->n_headers; i++)
        if (!strcasecmp(request->headers[i].name, "authorization") &&
            !strncasecmp(request->headers[i].value, "Bearer ", 7))
            return request->headers[i].value + 7;
    return "";
}

static void start_job(struct upload_server *server, uint64_t exchange, bool endpoint, char *user,
                      const struct http_request *request) {
    struct job *job = memory_allocate(sizeof *job);
    struct error error = {0};
    const char *text = request->body ? request->body : "";
    *job = (struct job){.server = server,
                        .exchange = exchange,
                        .endpoint = endpoint,
                        .user = user,
                        .next = server->jobs,
                        .link = &server->jobs};
    if (job->next)
        job->next->link = &job->next;
    server->jobs = job;
    enum status status = endpoint ? upload_parse_endpoint(text, request->body_length, &job->body, &error)
                                  : upload_parse_sync(text, request->body_length, &job->body, &error);
    if (status != STATUS_OK)
        fail(job, status == STATUS_LIMIT ? 413 : 400, error.message);
    else
        do_next(job);
}

/* Who asks is known by a session, which is somebody else's business. */
static void answer_config(struct upload_server *server, uint64_t exchange, const char *target) {
    struct buffer user = {0}, body = {0};
    if (percent_query_value(&user, target, "user") != STATUS_OK || user.length == 0) {
        respond_error(server, exchange, 401, "who? say ?user=...");
    } else {
        buffer_printf(
            &body, "{\"powersyncUrl\":\"http://%s\",\"userId\":", server->service(server->service_context));
        buffer_append_json_text(&body, buffer_text(&user));
        buffer_append_char(&body, '}');
        respond(server, exchange, 200, buffer_text(&body));
    }
    buffer_free(&user);
    buffer_free(&body);
}

static bool is_config(const struct upload_server *server, const struct http_request *request) {
    static const char path[] = "/api/powersync/config";
    return server->service && !strncmp(request->target, path, sizeof path - 1) &&
           strchr("?", request->target[sizeof path - 1]) && !strcmp(request->method, "GET");
}

static void on_request(void *context, uint64_t exchange, const struct http_request *request) {
    struct upload_server *server = context;
    if (is_config(server, request)) {
        answer_config(server, exchange, request->target);
        return;
    }
    const bool endpoint = !strcmp(request->target, "/api/powersync/upload");
    if (!endpoint && strcmp(request->target, "/api/sync") != 0) {
        respond_error(server, exchange, 404, "not found");
        return;
    }
    if (strcmp(request->method, endpoint ? "PUT" : "POST") != 0) {
        respond_error(server, exchange, 405, endpoint ? "only PUT" : "only POST");
        return;
    }
    char *user = app_issuer_verify(server->issuer, bearer_of(request), host_wall_clock(server->host));
    if (!user)
        respond_error(server, exchange, 401, "no valid token");
    else
        start_job(server, exchange, endpoint, user, request);
}

static void on_closed(void *context, uint64_t exchange) {
    (void)context;
    (void)exchange; /* what was begun is finished; the answer goes nowhere */
}

struct upload_server *upload_server_create(struct host *host, const struct upload_server_settings *settings) {
    static const struct http_server_events events = {on_request, on_closed};
    struct upload_server *server = memory_allocate(sizeof *server);
    server->host = host;
    server->deployment = memory_copy_text(settings->deployment);
    server->authorization = memory_format("Convex %s", settings->deploy_key);
    server->issuer = settings->issuer;
    server->service = settings->service;
    server->service_context = settings->context;
    host_http_listen(host, &events, server);
    return server;
}

void upload_server_destroy(struct upload_server *server) {
    if (!server)
        return;
    host_http_listen(server->host, NULL, NULL);
    while (server->jobs)
        free_job(server->jobs);
    free(server->deployment);
    free(server->authorization);
    free(server);
}

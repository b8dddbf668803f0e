#include "client/connector.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "client/client_parts.h"
#include "client/mapping.h"
#include "client/sdk_stream.h"
#include "client/sdk_upload.h"

struct connector {
    struct client *client;
    struct engine_transaction *transactions; /* being uploaded */
    size_t count, capacity;
    size_t row;           /* by_row: how many entries have been accepted */
    bool completed_early; /* mutant complete-before-answer: they are gone from the queue already */
    unsigned attempts;    /* requests sent so far */
    int64_t checkpoint;   /* the custom write checkpoint of the answer; 0: none */
    struct http_call call;
    struct http_call twin; /* mutant second-upload */
    struct credentials_wait token;
    char *shown_token; /* the token of the request under way; NULL: none */
    void (*done)(void *context, bool completed);
    void *context;
};

static bool mutant(const struct connector *connector, const char *name) {
    return host_mutant(connector->client->host, name);
}

static void tell(struct connector *connector, enum note_kind kind, size_t index, const char *text) {
    const struct note note = {
        .kind = kind, .transaction = connector->transactions[index].transaction, .text = text};

    host_note(connector->client->host, &note);
}

static void tell_started(struct connector *connector, const char *key) {
    for (size_t i = 0; i < connector->count; i++)
        tell(connector, NOTE_UPLOAD_STARTED, i, key);
}

static void drop_transactions(struct connector *connector) {
    for (size_t i = 0; i < connector->count; i++)
        engine_transaction_free(&connector->transactions[i]);
    connector->count = 0;
}

static void finish(struct connector *connector, bool completed) {
    drop_transactions(connector);
    connector->done(connector->context, completed);
}

/* --- what is sent --- */

/* Knob client.spellings = 1: an old layer of the app gives each column once more under its camelCase name,
 * with what it was before, and a column that nobody knows. */
static void add_spellings(const struct engine_transaction *transaction) {
    size_t i;
    json_t *entry;

    json_array_foreach(transaction->entries, i, entry) {
        json_t *data = json_object_get(entry, "data"), *twins = json_object(), *value;
        const char *column;

        json_object_foreach(data, column, value) {
            struct buffer camel = {0};

            mapping_append_camel_case(&camel, column);
            if (strcmp(buffer_text(&camel), column) != 0)
                json_object_set_new(twins, buffer_text(&camel),
                                    json_is_string(value) ? json_string("before") : json_integer(1));
            buffer_free(&camel);
        }
        json_object_set_new(twins, "nickname", json_string("unknown"));
        if (data != NULL)
            json_object_update(data, twins);
        json_decref(twins);
    }
}

/* Mutant patch-as-put: what was changed of a row is sent as all of it. */
static void call_all_put(const struct engine_transaction *transaction) {
    size_t i;
    json_t *entry;

    json_array_foreach(transaction->entries, i, entry) if (strcmp(json_text(entry, "op"), "PATCH") == 0)
        json_object_set_new(entry, "op", json_string("PUT"));
}

static void prepare(const struct connector *connector, const struct engine_transaction *transaction) {
    if (connector->client->upload->to_server &&
        host_knob(connector->client->host, "client.spellings", 0, 0, 1) == 1)
        add_spellings(transaction);
    if (mutant(connector, "patch-as-put"))
        call_all_put(transaction);
}

/* --- what goes together --- */

/* The entries of a transaction behind the first `kept` stay in the queue. */
static void cut(struct engine_transaction *transaction, size_t kept) {
    while (json_array_size(transaction->entries) > kept) {
        json_array_remove(transaction->entries, json_array_size(transaction->entries) - 1);
        transaction->last--;
    }
}

/* The first transaction, and those behind it that fit into a batch as a whole. Mutant cut-batch: a batch is
 * full at so many entries, wherever that is. */
static void take_transactions(struct connector *connector) {
    struct client *client = connector->client;
    size_t most = client->upload->many ? client->upload_batch : 1, entries = 0;
    int64_t after = 0;
    bool full = false;

    assert(connector->count == 0 && most > 0);
    while (!full) {
        struct engine_transaction next;
        size_t size;

        if (client->engine->operations->next_transaction(client->engine, after, &next, NULL) != STATUS_OK)
            break;
        size = json_array_size(next.entries);
        if (client->upload->many && mutant(connector, "cut-batch") && entries + size > most) {
            cut(&next, most - entries);
        } else if (connector->count > 0 && entries + size > most) {
            engine_transaction_free(&next);
            break;
        }
        prepare(connector, &next);
        entries += size;
        full = entries >= most || !client->upload->many;
        after = next.last;
        MEMORY_RESERVE(connector->transactions, connector->capacity, connector->count + 1);
        connector->transactions[connector->count++] = next;
    }
    assert(connector->count > 0); /* the queue is not empty */
}

/* --- what an answer means --- */

/* Mutant clear-whole-queue: what was queued during the upload goes as well. */
static int64_t last_completed(const struct connector *connector, size_t index) {
    struct engine_gate gate;

    if (!mutant(connector, "clear-whole-queue"))
        return connector->transactions[index].last;
    engine_gate(connector->client->engine, &gate);
    return gate.sequence;
}

static bool is_custom(const struct connector *connector, enum client_checkpoints kind) {
    return connector->client->write_checkpoints == kind && connector->checkpoint > 0;
}

/* Will the queue be empty? */
static bool is_last(const struct connector *connector, size_t index) {
    struct engine_gate gate;

    engine_gate(connector->client->engine, &gate);
    return gate.sequence <= last_completed(connector, index);
}

/* What must be seen after an upload. Mutants: gate-open, nothing, so the next checkpoint replaces what was
 * uploaded even if the service has not seen it yet; await-first-only, what an earlier upload waited for. */
static int64_t target_after_upload(const struct connector *connector, size_t index) {
    const int64_t earlier = sdk_upload_write_checkpoint(connector->client->uploads);

    if (is_custom(connector, CLIENT_CHECKPOINTS_CUSTOM)) /* the JS SDK's test is the wrong way round */
        return is_last(connector, index) ? ENGINE_TARGET_SAME : connector->checkpoint;
    if (is_custom(connector, CLIENT_CHECKPOINTS_CUSTOM_AS_MEANT))
        return is_last(connector, index) ? connector->checkpoint : ENGINE_TARGET_SAME;
    if (mutant(connector, "gate-open"))
        return 0;
    return mutant(connector, "await-first-only") && earlier > 0 ? earlier : ENGINE_TARGET_UNKNOWN;
}

/* The number is used: as the SDK's own write checkpoints are told. */
static void tell_checkpoint(struct connector *connector, int64_t target) {
    struct client *client = connector->client;

    if (connector->checkpoint == 0 || target != connector->checkpoint)
        return;
    host_note(client->host, &(struct note){.kind = NOTE_WRITE_CHECKPOINT, .timestamp = target});
    if (client->write_checkpoints == CLIENT_CHECKPOINTS_CUSTOM_AS_MEANT)
        sdk_stream_send(client->stream, ENGINE_COMPLETED_UPLOAD);
}

/* Removes what was uploaded up to transaction `index`, and tells. */
static bool complete(struct connector *connector, size_t index, enum note_kind kind, const char *reason) {
    struct client *client = connector->client;
    const int64_t target = target_after_upload(connector, index);
    struct error error;
    enum status status = client->engine->operations->complete(
        client->engine, last_completed(connector, index), target, &error);

    if (status != STATUS_OK) { /* the disk: it throws, and the entries stay */
        tell(connector, NOTE_UPLOAD_FAILED, index, error.message);
        return false;
    }
    tell(connector, kind, index, reason);
    tell_checkpoint(connector, target);
    tabs_announce(client, true);
    if (mutant(connector, "gate-open"))
        sdk_stream_send(client->stream, ENGINE_COMPLETED_UPLOAD);
    return true;
}

static struct upload_transaction part_of(const struct connector *connector, size_t index, json_t *row) {
    const struct engine_transaction *transaction = &connector->transactions[index];
    const int64_t count = (int64_t)json_array_size(transaction->entries);

    return (struct upload_transaction){.transaction = transaction->transaction,
                                       .first = transaction->last - count + 1 +
                                                (row != NULL ? (int64_t)connector->row : 0),
                                       .entries = row != NULL ? row : transaction->entries};
}

/* The wrong ways to read an answer that apps have: mutants. */
static enum upload_verdict misread(const struct connector *connector, const struct http_answer *answer,
                                   enum upload_verdict verdict) {
    if (verdict == UPLOAD_RETRY && mutant(connector, "complete-unanswered"))
        return UPLOAD_ACCEPTED;
    if (answer->failure != NULL && mutant(connector, "dead-letter"))
        return UPLOAD_REJECTED;
    if (answer->failure == NULL && mutant(connector, "complete-any-status"))
        return UPLOAD_ACCEPTED;
    if (answer->status == 200 && mutant(connector, "ignore-body-errors"))
        return UPLOAD_ACCEPTED;
    if (verdict == UPLOAD_REJECTED && mutant(connector, "retry-refused"))
        return UPLOAD_RETRY;
    return verdict;
}

static enum upload_verdict judge(const struct connector *connector, const struct http_answer *answer,
                                 size_t index, struct buffer *reason) {
    const struct upload_transaction part = part_of(connector, index, NULL);
    enum upload_verdict verdict = UPLOAD_RETRY, taken_for;

    if (answer->failure != NULL)
        buffer_append_text(reason, answer->failure);
    else
        verdict =
            connector->client->upload->answer(answer->status, answer->body, answer->length, &part, reason);
    taken_for = misread(connector, answer, verdict);
    if (taken_for == UPLOAD_ACCEPTED && verdict != UPLOAD_ACCEPTED)
        buffer_clear(reason);
    return taken_for;
}

/* One after the other; from the first that must be tried again on, all stay. */
static void settle(struct connector *connector, const struct http_answer *answer) {
    bool good = true;

    /* Mutant forget-complete: uploadData returns without having completed what it sent. */
    if (mutant(connector, "forget-complete")) {
        finish(connector, true);
        return;
    }

    for (size_t i = 0; i < connector->count; i++) {
        struct buffer reason = {0};
        const enum upload_verdict verdict = good ? judge(connector, answer, i, &reason) : UPLOAD_RETRY;

        if (verdict == UPLOAD_ACCEPTED)
            good = complete(connector, i, NOTE_UPLOAD_ACKNOWLEDGED,
                            reason.length > 0 ? buffer_text(&reason) : NULL);
        else if (verdict == UPLOAD_REJECTED)
            good = complete(connector, i, NOTE_UPLOAD_REJECTED, buffer_text(&reason));
        else if (good)
            client_set_error(&connector->client->upload_error, buffer_text(&reason));
        if (verdict == UPLOAD_RETRY)
            tell(connector, NOTE_UPLOAD_FAILED, i, good ? buffer_text(&reason) : "behind one that failed");
        good = good && verdict != UPLOAD_RETRY;
        buffer_free(&reason);
    }
    if (good)
        client_set_error(&connector->client->upload_error, NULL);
    finish(connector, good);
}

static void send(struct connector *connector);

static bool asks_for_checkpoint(const struct client *client) {
    return client_checkpoints_are_custom(client->write_checkpoints) && client->upload->checkpoint != NULL;
}

static void on_answer(void *context, const struct http_answer *answer) {
    struct connector *connector = context;
    struct client *client = connector->client;

    connector->checkpoint = asks_for_checkpoint(client) && answer->failure == NULL && answer->status == 200
                                ? client->upload->checkpoint(answer->body, answer->length)
                                : 0;
    /* Mutant stale-upload-token: the app goes on with the token that was refused. */
    if (answer->status == 401 && client->upload->shows_token && !mutant(connector, "stale-upload-token"))
        credentials_refused(&client->credentials);
    if (connector->completed_early) {
        connector->completed_early = false;
        finish(connector, true);
        return;
    }
    if (client->upload->by_row && connector->row + 1 < json_array_size(connector->transactions[0].entries)) {
        struct buffer reason = {0};
        const enum upload_verdict verdict = judge(connector, answer, 0, &reason);

        buffer_free(&reason);
        if (verdict == UPLOAD_ACCEPTED) {
            connector->row++;
            send(connector);
            return;
        }
    }
    settle(connector, answer);
}

/* --- sending --- */

static void ignore_answer(void *context, const struct http_answer *answer) {
    (void)context, (void)answer;
}

static void post(struct connector *connector, const struct upload_request *parts) {
    struct client *client = connector->client;
    struct http_header headers[2] = {{"content-type", "application/json"}};
    struct http_request request = {
        .authority = client->backend, .method = client->upload->method, .headers = headers, .n_headers = 1};
    struct buffer target = {0}, body = {0}, bearer = {0};

    client->upload->request(parts, &target, &body);
    if (client->upload->shows_token) {
        buffer_printf(&bearer, "Bearer %s", connector->shown_token);
        headers[request.n_headers++] = (struct http_header){"authorization", buffer_text(&bearer)};
    }
    request.target = buffer_text(&target);
    request.body = buffer_text(&body);
    request.body_length = body.length;
    http_call_start(&connector->call, client->host, &request, on_answer, connector);
    /* Mutant second-upload: nothing keeps two runs apart. */
    if (mutant(connector, "second-upload") && connector->twin.exchange == 0)
        http_call_start(&connector->twin, client->host, &request, ignore_answer, connector);
    buffer_free(&target);
    buffer_free(&body);
    buffer_free(&bearer);
}

/* What the backend knows transactions by, with their numbers. Mutant new-idempotency-key: another one for
 * each attempt. The caller frees it. */
static char *upload_key(struct connector *connector) {
    struct engine *engine = connector->client->engine;
    const char *id = engine->operations->client_id(engine);

    if (connector->client->own_keys) {
        const json_t *entry = json_array_get(connector->transactions[0].entries, 0);
        const char *key = json_text(entry, "metadata");

        return memory_format("%s#%s", id, key != NULL ? key : "");
    }
    connector->attempts++;
    return mutant(connector, "new-idempotency-key") ? memory_format("%s#%u", id, connector->attempts)
                                                    : memory_copy_text(id);
}

static void send(struct connector *connector) {
    struct client *client = connector->client;
    char *key = upload_key(connector);
    struct upload_transaction *parts = memory_allocate_array(connector->count, sizeof *parts);
    json_t *row = NULL;

    if (client->upload->by_row) {
        row = json_array();
        json_array_append(row, json_array_get(connector->transactions[0].entries, connector->row));
    }
    for (size_t i = 0; i < connector->count; i++)
        parts[i] = part_of(connector, i, row);
    if (client->own_keys || mutant(connector, "new-idempotency-key"))
        tell_started(connector, key);
    post(connector,
         &(struct upload_request){.client_id = key,
                                  .checkpoint_for = asks_for_checkpoint(client) ? client->user : NULL,
                                  .transactions = parts,
                                  .count = connector->count});
    free(key);
    json_decref(row);
    free(parts);
}

static void keep_token(struct connector *connector, const char *token) {
    char *copy = memory_copy_text(token);

    free(connector->shown_token);
    connector->shown_token = copy;
}

static void on_token(void *context, const char *token) {
    struct connector *connector = context;

    if (token == NULL) {
        for (size_t i = 0; i < connector->count; i++)
            tell(connector, NOTE_UPLOAD_FAILED, i, "not signed in");
        client_set_error(&connector->client->upload_error, "not signed in");
        finish(connector, false);
        return;
    }
    if (connector->shown_token == NULL || !mutant(connector, "stale-upload-token"))
        keep_token(connector, token);
    send(connector);
}

void connector_upload(struct connector *connector, void (*done)(void *context, bool completed),
                      void *context) {
    struct client *client = connector->client;

    assert(!connector_is_busy(connector));
    connector->done = done;
    connector->context = context;
    connector->row = 0;
    take_transactions(connector);
    tell_started(connector, client->engine->operations->client_id(client->engine));
    if (mutant(connector, "complete-before-answer")) {
        connector->completed_early = true;
        for (size_t i = 0; i < connector->count; i++)
            complete(connector, i, NOTE_UPLOAD_ACKNOWLEDGED, NULL);
    }
    if (client->upload->shows_token)
        credentials_get(&client->credentials, &connector->token, on_token, connector);
    else
        send(connector);
}

/* --- life --- */

struct connector *connector_create(struct client *client) {
    struct connector *connector = memory_allocate(sizeof *connector);

    connector->client = client;
    return connector;
}

void connector_destroy(struct connector *connector) {
    assert(!connector_is_busy(connector));
    free(connector->transactions);
    free(connector->shown_token);
    free(connector);
}

bool connector_is_busy(const struct connector *connector) {
    return connector->count > 0;
}

void connector_cancel(struct connector *connector) {
    http_call_cancel(&connector->call);
    http_call_cancel(&connector->twin);
    credentials_cancel(&connector->token);
    /* Mutant complete-on-disconnect: what is on its way counts as uploaded. */
    for (size_t i = 0; i < connector->count && !connector->completed_early; i++)
        if (mutant(connector, "complete-on-disconnect"))
            complete(connector, i, NOTE_UPLOAD_ACKNOWLEDGED, NULL);
        else
            tell(connector, NOTE_UPLOAD_FAILED, i, "disconnected by the app");
    connector_forget(connector);
}

void connector_forget(struct connector *connector) {
    http_call_forget(&connector->call);
    http_call_forget(&connector->twin);
    credentials_forget(&connector->token);
    drop_transactions(connector);
    connector->completed_early = false;
    free(connector->shown_token);
    connector->shown_token = NULL;
}

#include "mock-convex/http/auth_keys.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/percent.h"

struct auth_keys {
    struct host *host;
    char *issuer;
    char *jwks; /* NULL: by discovery */
    struct jwt_key *keys[AUTH_KEYS_MOST];
    size_t n_keys;
    bool fixed;          /* from a data: URL, or no URL at all: never asked for */
    uint64_t generation; /* 0: none came yet */
    int64_t asked_at;    /* ns of the last answer */
    int failure;         /* of the last answer, 0: it was good */
    struct auth_waiter *waiters;
    /* while a request is under way */
    uint64_t exchange, timer;
    bool discovering;
    int status;
    bool json; /* the answer's content type */
    struct buffer body;
};

/* --- waiting --- */

void auth_waiter_cancel(struct auth_waiter *waiter) {
    if (waiter->link == NULL) {
        return;
    }
    *waiter->link = waiter->next;
    if (waiter->next != NULL) {
        waiter->next->link = waiter->link;
    }
    waiter->link = NULL;
    waiter->next = NULL;
}

/* In the order in which they came. One that is called may cancel others or wait again. */
static void wake(struct auth_keys *keys) {
    struct auth_waiter *woken = keys->waiters;
    keys->waiters = NULL;
    if (woken != NULL) {
        woken->link = &woken;
    }
    while (woken != NULL) {
        struct auth_waiter *waiter = woken;
        auth_waiter_cancel(waiter);
        waiter->ready(waiter->context);
    }
}

static void finish(struct auth_keys *keys, int failure) {
    host_timer_cancel(keys->host, keys->timer);
    host_http_abort(keys->host, keys->exchange);
    keys->timer = 0;
    keys->exchange = 0;
    keys->failure = failure;
    keys->asked_at = host_now(keys->host);
    buffer_clear(&keys->body);
    wake(keys);
}

/* --- a key set --- */

static void drop_keys(struct auth_keys *keys) {
    for (size_t i = 0; i < keys->n_keys; i++) {
        jwt_key_free(keys->keys[i]);
    }
    keys->n_keys = 0;
}

/* Keys of kinds that we do not know are passed over, as everybody's sets may have some. */
static void add_key(struct auth_keys *keys, const json_t *jwk) {
    struct jwt_key *key;
    bool complete = keys->issuer != NULL || (json_text(jwk, "kid") != NULL && json_text(jwk, "alg") != NULL);
    if (!complete || keys->n_keys == AUTH_KEYS_MOST || jwt_key_from_jwk(jwk, &key, NULL) != STATUS_OK) {
        return;
    }
    if (jwt_key_is_secret(key)) { /* a published secret is none */
        jwt_key_free(key);
        return;
    }
    keys->keys[keys->n_keys++] = key;
}

static bool take_set(struct auth_keys *keys, const char *text, size_t length) {
    json_t *json = json_parse(text, length, NULL);
    const json_t *list = json_object_get(json, "keys");
    bool good = json_is_array(list);
    if (good) {
        drop_keys(keys);
        keys->generation++;
    }
    for (size_t i = 0; good && i < json_array_size(list); i++) {
        add_key(keys, json_array_get(list, i));
    }
    json_decref(json);
    return good;
}

/* data:[type][;base64],content */
static void take_data(struct auth_keys *keys, const char *url) {
    const char *comma = strchr(url, ',');
    struct buffer bytes = {0};
    enum status status = STATUS_INVALID;
    if (comma != NULL && comma - url >= 7 && strncasecmp(comma - 7, ";base64", 7) == 0) {
        status = base64_decode(&bytes, comma + 1, strlen(comma + 1), NULL);
    } else if (comma != NULL) {
        status = percent_decode(&bytes, comma + 1, strlen(comma + 1));
    }
    keys->fixed = true;
    if (status != STATUS_OK || !take_set(keys, buffer_text(&bytes), bytes.length)) {
        keys->failure = 400;
    }
    buffer_free(&bytes);
}

/* --- asking --- */

static void ask(struct auth_keys *keys, const char *url, bool discovering);

static const char *authority_of(const char *url) {
    return strncmp(url, "http://", 7) == 0 ? url + 7 : strncmp(url, "https://", 8) == 0 ? url + 8 : NULL;
}

static bool is_url(const char *url) {
    const char *authority = authority_of(url);
    return authority != NULL && strcspn(authority, "/?#") > 0;
}

/* What discovery tells: who the issuer is, and where its keys are. */
static void take_discovery(struct auth_keys *keys) {
    json_t *json = json_parse(buffer_text(&keys->body), keys->body.length, NULL);
    const char *issuer = json_text(json, "issuer"), *jwks = json_text(json, "jwks_uri");
    size_t length = issuer != NULL ? strlen(issuer) : 0;
    while (length > 0 && issuer[length - 1] == '/') {
        length--;
    }
    if (jwks == NULL || issuer == NULL || length != strlen(keys->issuer) ||
        strncmp(issuer, keys->issuer, length) != 0) {
        finish(keys, 400);
    } else if (!is_url(jwks)) {
        finish(keys, 400);
    } else {
        ask(keys, jwks, false);
    }
    json_decref(json);
}

static void on_head(void *context, uint64_t exchange, const struct http_response *response) {
    struct auth_keys *keys = context;
    (void)exchange;
    keys->status = response->status;
    keys->json = false;
    for (size_t i = 0; i < response->n_headers; i++) {
        const char *value = response->headers[i].value;
        if (strcasecmp(response->headers[i].name, "content-type") == 0) {
            size_t length = strcspn(value, "; \t");
            keys->json = (length == 16 && strncasecmp(value, "application/json", 16) == 0) ||
                         (length == 24 && strncasecmp(value, "application/jwk-set+json", 24) == 0);
        }
    }
}

static void on_body(void *context, uint64_t exchange, const void *bytes, size_t length) {
    struct auth_keys *keys = context;
    (void)exchange;
    if (keys->body.length + length > AUTH_KEYS_BODY_MOST) {
        finish(keys, 400);
        return;
    }
    buffer_append(&keys->body, bytes, length);
}

static void on_end(void *context, uint64_t exchange) {
    struct auth_keys *keys = context;
    (void)exchange;
    keys->exchange = 0;
    if (keys->status < 200 || keys->status > 299) {
        finish(keys, keys->status >= 400 && keys->status <= 599 ? keys->status : 400);
    } else if (keys->discovering) {
        take_discovery(keys);
    } else if (keys->issuer == NULL && !keys->json) {
        finish(keys, 400);
    } else {
        finish(keys, take_set(keys, buffer_text(&keys->body), keys->body.length) ? 0 : 400);
    }
}

static void on_failed(void *context, uint64_t exchange, enum http_failure failure) {
    struct auth_keys *keys = context;
    (void)exchange;
    (void)failure;
    keys->exchange = 0;
    finish(keys, 400);
}

/* One GET. In a simulation the authority of an address is a node's name. */
static void ask(struct auth_keys *keys, const char *url, bool discovering) {
    static const struct http_client_events events = {on_head, on_body, on_end, on_failed};
    static const struct http_header accept = {"accept", "application/json"};
    const char *start = authority_of(url);
    size_t length = strcspn(start, "/?#");
    char *authority = memory_copy_bytes(start, length);
    char *target = memory_format("%s%s", start[length] == '/' ? "" : "/", start + length);
    const struct http_request request = {
        .authority = authority, .method = "GET", .target = target, .headers = &accept, .n_headers = 1};
    buffer_clear(&keys->body);
    keys->discovering = discovering;
    keys->exchange = host_http_send(keys->host, &request, &events, keys);
    free(authority);
    free(target);
}

static void fire_timeout(void *context) {
    struct auth_keys *keys = context;
    keys->timer = 0;
    finish(keys, 400);
}

static void start_asking(struct auth_keys *keys) {
    keys->timer = host_timer_set(keys->host, AUTH_KEYS_TIMEOUT, fire_timeout, keys);
    if (keys->jwks != NULL) {
        ask(keys, keys->jwks, false);
        return;
    }
    char *url = memory_format("%s/.well-known/openid-configuration", keys->issuer);
    ask(keys, url, true);
    free(url);
}

void auth_keys_wait(struct auth_keys *keys, struct auth_waiter *waiter) {
    assert(waiter->link == NULL && waiter->ready != NULL && !keys->fixed);
    struct auth_waiter **end = &keys->waiters;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = waiter;
    waiter->link = end;
    waiter->next = NULL;
    if (keys->timer == 0) {
        start_asking(keys);
    }
}

/* --- life --- */

struct auth_keys *auth_keys_make(struct host *host, const char *issuer, const char *jwks) {
    assert((issuer == NULL) != (jwks == NULL));
    struct auth_keys *keys = memory_allocate(sizeof *keys);
    keys->host = host;
    keys->issuer = memory_copy_text(issuer);
    keys->jwks = memory_copy_text(jwks);
    if (jwks != NULL && strncmp(jwks, "data:", 5) == 0) {
        take_data(keys, jwks);
    } else if (!is_url(jwks != NULL ? jwks : issuer)) {
        keys->fixed = true;
        keys->failure = 400;
    }
    return keys;
}

void auth_keys_free(struct auth_keys *keys) {
    if (keys == NULL) {
        return;
    }
    while (keys->waiters != NULL) {
        auth_waiter_cancel(keys->waiters);
    }
    host_timer_cancel(keys->host, keys->timer);
    host_http_abort(keys->host, keys->exchange);
    drop_keys(keys);
    buffer_free(&keys->body);
    free(keys->issuer);
    free(keys->jwks);
    free(keys);
}

/* --- questions --- */

static bool has_key(const struct auth_keys *keys, const char *kid) {
    for (size_t i = 0; i < keys->n_keys; i++) {
        const char *id = jwt_key_id(keys->keys[i]);
        if (id != NULL && strcmp(id, kid) == 0) {
            return true;
        }
    }
    return false;
}

bool auth_keys_wanting(const struct auth_keys *keys, const char *kid) {
    if (keys->fixed) {
        return false;
    }
    int64_t age = host_now(keys->host) - keys->asked_at;
    return keys->generation == 0 || keys->failure != 0 || age >= AUTH_KEYS_LIFETIME ||
           (kid != NULL && !has_key(keys, kid) && age >= AUTH_KEYS_PAUSE);
}

int auth_keys_failure(const struct auth_keys *keys) {
    return keys->failure != 0 ? keys->failure : keys->generation == 0 ? 400 : 0;
}

uint64_t auth_keys_generation(const struct auth_keys *keys) {
    return keys->generation;
}

bool auth_keys_verify(const struct auth_keys *keys, const struct jwt *jwt, const char *token,
                      enum jwt_algorithm algorithm) {
    const char *kid = json_text(jwt->header, "kid");
    for (size_t i = 0; i < keys->n_keys; i++) {
        const char *id = jwt_key_id(keys->keys[i]);
        if ((kid == NULL || (id != NULL && strcmp(id, kid) == 0)) &&
            jwt_verify(jwt, token, keys->keys[i], algorithm)) {
            return true;
        }
    }
    return false;
}

#include "mock-powersync/http/key_cache.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "mock-powersync/http/local_address.h"
#include "mock-powersync/http/refresh_limit.h"

#define REFRESH_AFTER (5 * 60 * TIME_SECOND)
#define EXPIRES_AFTER (60 * 60 * TIME_SECOND)
#define WAIT_MOST (3 * TIME_SECOND)
#define FETCH_MOST (30 * TIME_SECOND)
#define BODY_MOST ((size_t)1024 * 1024)

struct key_cache {
    struct host *host;
    char *authority; /* what the host understands: a node, host:port, or https://host */
    char *target;
    bool blocked;
    struct key_set keys;
    bool fetched; /* at least once, at `fetched_at` */
    int64_t fetched_at;
    struct http_error error; /* of the last fetch */
    bool failed;             /* it brought nothing at all */
    struct refresh_limit limit;
    struct key_wait *waits; /* in order of coming */
    uint64_t round;         /* how many fetches are over */
    /* while a fetch is under way */
    bool fetching;
    uint64_t exchange, timer;
    int status;
    struct buffer body;
};

static void set_error(struct key_cache *cache, const char *code, const char *description,
                      const char *details) {
    http_error_authorization(&cache->error, code, description);
    snprintf(cache->error.details, sizeof cache->error.details, "%.500s", details);
}

/* --- waiting --- */

void key_wait_cancel(struct key_wait *wait) {
    if (!wait->cache)
        return;
    struct key_wait **link = &wait->cache->waits;
    while (*link != wait)
        link = &(*link)->next;
    *link = wait->next;
    host_timer_cancel(wait->cache->host, wait->timer);
    wait->cache = NULL;
    wait->next = NULL;
    wait->timer = 0;
}

/* Whoever is called may let others go, so look at the list anew each time; who comes meanwhile waits for the
 * next fetch. */
static void wake_all(struct key_cache *cache) {
    uint64_t round = cache->round++;
    while (cache->waits && cache->waits->round <= round) {
        struct key_wait *wait = cache->waits;
        key_wait_cancel(wait);
        wait->ready(wait->context);
    }
}

static void fire_wait(void *context) {
    struct key_wait *wait = context;
    wait->timer = 0;
    wait->timed_out = true;
    key_wait_cancel(wait);
    wait->ready(wait->context);
}

/* --- fetching --- */

static void finish(struct key_cache *cache, bool failed) {
    assert(cache->fetching);
    host_timer_cancel(cache->host, cache->timer);
    host_http_abort(cache->host, cache->exchange);
    cache->timer = 0;
    cache->exchange = 0;
    cache->fetching = false;
    cache->failed = failed;
    buffer_clear(&cache->body);
    if (!failed) {
        cache->fetched = true;
        cache->fetched_at = host_now(cache->host);
    }
    wake_all(cache);
}

static void fail(struct key_cache *cache, const char *details) {
    set_error(cache, "PSYNC_S2204", "JWKS request failed", details);
    finish(cache, true);
}

/* An answer that is no key set counts as an empty one; one that is not JSON as none. */
static void take(struct key_cache *cache) {
    json_t *json = json_parse(buffer_text(&cache->body), cache->body.length, NULL);
    if (!json) {
        fail(cache, "the answer is not JSON");
        return;
    }
    key_set_clear(&cache->keys);
    cache->error = (struct http_error){0};
    if (key_set_add(&cache->keys, json, true, NULL))
        set_error(cache, "PSYNC_S2204", "JWKS request failed", "no keys in the answer");
    json_decref(json);
    finish(cache, false);
}

static void on_head(void *context, uint64_t exchange, const struct http_response *response) {
    (void)exchange;
    ((struct key_cache *)context)->status = response->status;
}

static void on_body(void *context, uint64_t exchange, const void *bytes, size_t length) {
    struct key_cache *cache = context;
    (void)exchange;
    if (cache->body.length + length > BODY_MOST)
        fail(cache, "the answer is larger than 1 MiB");
    else
        buffer_append(&cache->body, bytes, length);
}

static void on_end(void *context, uint64_t exchange) {
    struct key_cache *cache = context;
    char details[60];
    (void)exchange;
    cache->exchange = 0;
    if (cache->status >= 200 && cache->status <= 299) {
        take(cache);
        return;
    }
    snprintf(details, sizeof details, "the answer's status is %d", cache->status);
    fail(cache, details);
}

static void on_failed(void *context, uint64_t exchange, enum http_failure failure) {
    struct key_cache *cache = context;
    (void)exchange;
    cache->exchange = 0;
    fail(cache, failure == HTTP_FAILURE_REFUSED ? "connection refused" : "connection lost");
}

static void fire_fetch(void *context) {
    struct key_cache *cache = context;
    cache->timer = 0;
    fail(cache, "no answer within 30 s");
}

void key_cache_refresh(struct key_cache *cache) {
    static const struct http_client_events events = {on_head, on_body, on_end, on_failed};
    static const struct http_header accept = {"accept", "application/json"};
    if (cache->fetching || !refresh_limit_allows(&cache->limit, host_now(cache->host)))
        return;
    if (cache->blocked) {
        set_error(cache, "PSYNC_S2203", "IPs in this range are not supported", cache->authority);
        cache->failed = true;
        return;
    }
    const struct http_request request = {.authority = cache->authority,
                                         .method = "GET",
                                         .target = cache->target,
                                         .headers = &accept,
                                         .n_headers = 1};
    cache->fetching = true;
    cache->timer = host_timer_set(cache->host, FETCH_MOST, fire_fetch, cache);
    cache->exchange = host_http_send(cache->host, &request, &events, cache);
}

/* --- use --- */

static bool is_older(const struct key_cache *cache, int64_t age) {
    return !cache->fetched || host_now(cache->host) - cache->fetched_at > age;
}

static bool wants_refresh(const struct key_cache *cache) {
    return cache->failed || !cache->limit.asked ||
           host_now(cache->host) - cache->limit.granted_at >= REFRESH_AFTER;
}

bool key_cache_prepare(struct key_cache *cache, struct key_wait *wait, void (*ready)(void *), void *context) {
    assert(!wait->cache);
    bool expired = is_older(cache, EXPIRES_AFTER);
    wait->timed_out = false;
    if (expired)
        key_set_clear(&cache->keys);
    if (wants_refresh(cache))
        key_cache_refresh(cache);
    if (!expired || !cache->fetching)
        return true;
    struct key_wait **link = &cache->waits;
    while (*link)
        link = &(*link)->next;
    *wait = (struct key_wait){.cache = cache, .ready = ready, .context = context, .round = cache->round};
    wait->timer = host_timer_set(cache->host, WAIT_MOST, fire_wait, wait);
    *link = wait;
    return false;
}

const struct key_set *key_cache_keys(const struct key_cache *cache) {
    return &cache->keys;
}

const struct http_error *key_cache_error(const struct key_cache *cache) {
    return cache->error.status ? &cache->error : NULL;
}

/* --- life --- */

enum status key_cache_create(struct host *host, const char *uri, bool block_local, struct key_cache **cache,
                             struct error *error) {
    bool plain = strncmp(uri, "http://", 7) == 0;
    const char *start = plain ? uri + 7 : strncmp(uri, "https://", 8) == 0 ? uri + 8 : NULL;
    size_t length = start ? strcspn(start, "/?#") : 0;
    if (length == 0)
        return error_set(error, STATUS_INVALID, "jwks_uri must be an http or https address: %.200s", uri);
    struct key_cache *made = memory_allocate(sizeof *made);
    char *name = memory_copy_bytes(start, length);
    made->host = host;
    made->blocked = block_local && local_address_is(name);
    made->authority = plain ? memory_copy_text(name) : memory_format("https://%s", name);
    made->target = memory_format("%s%s", start[length] == '/' ? "" : "/", start + length);
    made->target[strcspn(made->target, "#")] = '\0';
    free(name);
    *cache = made;
    return STATUS_OK;
}

void key_cache_destroy(struct key_cache *cache) {
    if (!cache)
        return;
    assert(!cache->waits);
    host_timer_cancel(cache->host, cache->timer);
    host_http_abort(cache->host, cache->exchange);
    key_set_clear(&cache->keys);
    buffer_free(&cache->body);
    free(cache->authority);
    free(cache->target);
    free(cache);
}

#include "client/account.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "client/client_parts.h"

static void later(struct client *client, int64_t delay, int64_t percent, void (*next)(void *context)) {
    assert(client->account.timer == 0);
    client->account.timer =
        host_timer_set(client->host, host_jitter(client->host, "app.sign-in", delay, percent), next, client);
}

/* What a store or an empty database takes until the app goes on. */
static void pause_before(struct client *client, void (*next)(void *context)) {
    later(client, 500 * TIME_MILLISECOND, 90, next);
}

static void begin(void *context);

static void open_app(void *context) {
    struct client *client = context;

    client->account.timer = 0;
    client->account.entering = false;
    client_open(client);
}

static bool clear(struct client *client) {
    struct error error;
    const enum status status =
        client_clear(client, (struct client_clearing){.local = true, .soft = false}, &error);

    if (status == STATUS_OK)
        return true;
    client_tell(client, "could not clear: %s", error.message); /* nobody else may have this database */
    later(client, client->retry_delay, 10, begin);
    return false;
}

static void store(struct client *client) {
    free(client->account.owner);
    client->account.owner = memory_copy_text(credentials_user(&client->credentials));
}

static void store_and_open(void *context) {
    struct client *client = context;

    client->account.timer = 0;
    store(client);
    pause_before(client, open_app);
}

static void clear_and_open(void *context) {
    struct client *client = context;

    client->account.timer = 0;
    if (clear(client))
        pause_before(client, open_app);
}

/* An owner that nobody has stored is somebody else. Mutant keep-data: nobody looks. Mutant store-then-clear:
 * the other way round, and who dies in between never clears. */
static void compare(struct client *client) {
    const char *owner = client->account.owner, *user = credentials_user(&client->credentials);

    if ((owner != NULL && strcmp(owner, user) == 0) || host_mutant(client->host, "keep-data")) {
        pause_before(client, open_app);
    } else if (host_mutant(client->host, "store-then-clear")) {
        store(client);
        pause_before(client, clear_and_open);
    } else if (clear(client)) {
        pause_before(client, store_and_open);
    }
}

static void on_token(void *context, const char *token) {
    struct client *client = context;

    if (token != NULL)
        compare(client);
    else
        later(client, client->retry_delay, 10, begin);
}

static void begin(void *context) {
    struct client *client = context;

    client->account.timer = 0;
    credentials_get(&client->credentials, &client->account.token, on_token, client);
}

void account_enter(struct client *client) {
    assert(client->user != NULL && !client->account.entering);
    client->account.entering = true;
    if (!client->crashed)
        begin(client);
}

void account_resume(struct client *client) {
    if (client->account.entering)
        begin(client);
}

void account_forget(struct client *client) {
    client->account.timer = 0;
    credentials_forget(&client->account.token);
}

void account_free(struct client *client) {
    host_timer_cancel(client->host, client->account.timer);
    credentials_cancel(&client->account.token);
    free(client->account.owner);
}

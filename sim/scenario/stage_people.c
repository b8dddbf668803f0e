/* What people do to their devices: go without the service, clear, hand them to somebody else, let sessions
 * expire, put them to sleep. An app that is not running or asleep does nothing; sleep itself strikes it
 * anyway. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/services.h"
#include "scenario/stage_party.h"
#include "scenario/stage_schema.h"
#include "scenario/stage_tabs.h"

static void tell_text(struct stage_client *client, char *text) {
    host_note(client->host, &(struct note){.kind = NOTE_TEXT, .text = text});
    free(text);
}

bool stage_client_runs(const struct stage_client *client) {
    return !client->dead && client->sleeps == 0;
}

bool stage_client_signed_in(const struct stage_client *client) {
    return !client->next_user && !(client->client && client_entering(client->client));
}

void stage_client_connect(struct stage_client *client) {
    if (stage_client_runs(client) && client->connected && client->disconnects == 0)
        party_connect(client);
}

/* An app that cannot open its database stays dead, until a fault of its disk is over. */
static enum status restart(struct stage_client *client, struct error *error) {
    struct error problem = {0};
    enum status status = party_restart(client, &problem);
    client->dead = status == STATUS_IO;
    if (client->dead)
        tell_text(client, memory_format("cannot start: %s", problem.message));
    return status == STATUS_OK || client->dead ? STATUS_OK : error_set(error, status, "%s", problem.message);
}

/* The app's process starts again, unless something still keeps it from that. */
enum status stage_client_revive(struct stage_client *client, struct error *error) {
    if (!client->dead || client->crashes > 0 || client->sleeps > 0)
        return STATUS_OK;
    enum status status = restart(client, error);
    if (status != STATUS_OK || client->dead)
        return status;
    if (client->disconnects > 0)
        party_disconnect(client);
    else
        stage_client_connect(client);
    return STATUS_OK;
}

static void disconnect(struct stage_client *client) {
    if (client->disconnects++ == 0 && stage_client_runs(client))
        party_disconnect(client);
}

static void reconnect(struct stage_client *client) {
    assert(client->disconnects > 0);
    if (--client->disconnects == 0)
        stage_client_connect(client);
}

static enum status clear(struct stage_client *client, bool soft, bool *cleared, struct error *error) {
    const struct client_clearing clearing = {.local = client->stage->scenario->clear_local, .soft = soft};
    struct error problem = {0};
    disconnect(client);
    enum status status = client_disconnect_and_clear(client->client, clearing, &problem);
    *cleared = status == STATUS_OK;
    if (status == STATUS_IO) { /* the disk refuses: the app stays as it is, disconnected */
        tell_text(client, memory_format("could not clear: %s", problem.message));
        return STATUS_OK;
    }
    return status == STATUS_OK ? STATUS_OK : error_set(error, status, "%s", problem.message);
}

/* The other version of the app starts on the database that is there. */
static enum status update(struct stage_client *client, struct error *error) {
    struct error problem = {0};
    const int64_t present = client_schema(client->client)->version;
    disconnect(client);
    enum status status = client_update_schema(
        client->client, stage_client_schema(client->stage, present == 1 ? 2 : 1), &problem);
    if (status == STATUS_IO) { /* the disk refuses: the app stays as it is */
        tell_text(client, memory_format("could not update: %s", problem.message));
        return STATUS_OK;
    }
    return status == STATUS_OK ? STATUS_OK : error_set(error, status, "%s", problem.message);
}

/* Mutant keep-data: the app forgets to clear. */
static enum status sign_out(struct stage_client *client, const struct scenario_step *step,
                            struct error *error) {
    enum status status = STATUS_OK;
    bool cleared = true;
    if (client->stage->scenario->clear_at_sign_in || host_mutant(client->host, "keep-data"))
        disconnect(client);
    else
        status = clear(client, false, &cleared, error);
    if (status != STATUS_OK || !cleared) /* nobody else may have this database */
        return status;
    client->next_user = step->to;
    client_sign_out(client->client);
    return STATUS_OK;
}

static void sign_in(struct stage_client *client) {
    if (!client->next_user)
        return;
    client->user = client->next_user;
    client->next_user = NULL;
    if (client->stage->scenario->clear_at_sign_in)
        client_enter(client->client, client->user);
    else
        client_sign_in(client->client, client->user);
}

static enum status wake(struct stage *stage, struct stage_client *client, struct error *error) {
    net_wake_node(stage->net, client->name);
    if (--client->sleeps > 0)
        return STATUS_OK;
    if (client->dead)
        return stage_client_revive(client, error);
    if (client->disconnects > 0) /* a step that began or ended meanwhile */
        party_disconnect(client);
    else
        return stage_tabs_revive(client, error);
    return STATUS_OK;
}

static void set_session(struct stage_client *client, int change) {
    client->sessions += change;
    for (size_t i = 0; i < client->n_processes; i++)
        client_expire_session(client->tabs[i].client, client->sessions > 0);
}

static enum status leave_out(struct stage_client *client, const struct scenario_step *step, bool *left_out) {
    tell_text(client,
              memory_format("%s is left out: the app is not running, or nobody is signed in", step->id));
    *left_out = true;
    return STATUS_OK;
}

/* --- pages --- */

static struct client_subscription page_of(const struct stage *stage, const struct scenario_step *step) {
    struct client_subscription page = stage->scenario->browse.pages[step->page - 1];
    page.ttl = step->ttl / TIME_SECOND;
    return page;
}

static void shown(void *unused) { /* the client's notes tell */
    (void)unused;
}

static enum status open_page(const struct stage *stage, struct stage_client *client,
                             const struct scenario_step *step, bool *left_out, struct error *error) {
    const struct client_subscription page = page_of(stage, step);
    struct error problem = {0};
    enum status status = client_subscribe(client->client, &page, &problem);
    *left_out = status == STATUS_IO; /* the disk: the app shows an error instead of the page */
    if (status == STATUS_OK)
        client_wait_for_stream(client->client, &page, shown, NULL);
    else if (status == STATUS_IO)
        tell_text(client, memory_format("%s cannot open the page: %s", step->id, problem.message));
    return status == STATUS_OK || status == STATUS_IO
               ? STATUS_OK
               : error_set(error, status, "step %s: %s", step->id, problem.message);
}

static void leave_page(const struct stage *stage, struct stage_client *client,
                       const struct scenario_step *step) {
    const struct client_subscription page = page_of(stage, step);
    if (stage_client_runs(client)) /* who sleeps leaves the page open */
        client_unsubscribe(client->client, &page);
}

enum status stage_people_begin(struct stage *stage, struct stage_client *client,
                               const struct scenario_step *step, bool *left_out, struct error *error) {
    bool cleared, busy = !stage_client_runs(client) || !stage_client_signed_in(client);
    switch (step->kind) {
    case STEP_CONNECT:
        if (busy || client->disconnects > 0 || !client->connected)
            return leave_out(client, step, left_out);
        client_connect_again(client->client);
        return STATUS_OK;
    case STEP_DISCONNECT:
        disconnect(client);
        return STATUS_OK;
    case STEP_BROWSE:
        return busy ? leave_out(client, step, left_out) : open_page(stage, client, step, left_out, error);
    case STEP_CLEAR:
        return busy ? leave_out(client, step, left_out) : clear(client, step->soft, &cleared, error);
    case STEP_UPDATE_APP:
        return busy ? leave_out(client, step, left_out) : update(client, error);
    case STEP_SWITCH_USER:
        return busy ? leave_out(client, step, left_out) : sign_out(client, step, error);
    case STEP_SESSION:
        set_session(client, 1);
        return STATUS_OK;
    default:
        assert(step->kind == STEP_SLEEP);
        client->sleeps++;
        net_sleep_node(stage->net, client->name);
        return STATUS_OK;
    }
}

enum status stage_people_end(struct stage *stage, struct stage_client *client,
                             const struct scenario_step *step, struct error *error) {
    switch (step->kind) {
    case STEP_SWITCH_USER:
        sign_in(client);
        reconnect(client);
        return STATUS_OK;
    case STEP_BROWSE:
        leave_page(stage, client, step);
        return STATUS_OK;
    case STEP_CONNECT:
        return STATUS_OK;
    case STEP_DISCONNECT:
    case STEP_CLEAR:
    case STEP_UPDATE_APP:
        reconnect(client);
        return STATUS_OK;
    case STEP_SESSION:
        set_session(client, -1);
        return STATUS_OK;
    default:
        assert(step->kind == STEP_SLEEP);
        return wake(stage, client, error);
    }
}

enum status stage_people_heal(struct stage *stage, struct error *error) {
    enum status status = STATUS_OK;
    for (size_t i = 0; i < scenario_services(stage->scenario); i++)
        world_set_clock(stage->world, scenario_service_name(stage->scenario, i), 0, 0);
    world_set_clock(stage->world, "issuer", 0, 0);
    for (size_t i = 0; status == STATUS_OK && i < stage->names.total; i++) {
        struct stage_client *client = &stage->clients[i];
        world_set_clock(stage->world, client->name, 0, 0);
        sign_in(client);
        if (client->sessions > 0)
            set_session(client, -client->sessions);
        while (status == STATUS_OK && client->sleeps > 0)
            status = wake(stage, client, error);
    }
    return status;
}

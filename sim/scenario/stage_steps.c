#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/captive_portal.h"
#include "base/random.h"
#include "client/reactive_client.h"
#include "scenario/fault_kinds.h"
#include "scenario/services.h"
#include "scenario/stage_backend.h"
#include "scenario/stage_disk.h"
#include "scenario/stage_party.h"
#include "scenario/stage_tabs.h"

/* --- the agenda --- */

static int compare_entries(const void *a, const void *b) {
    const struct stage_entry *x = a, *y = b;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    if (x->what != y->what)
        return x->what < y->what ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static void add_entry(struct stage *stage, struct stage_entry entry) {
    if (entry.time < stage->scenario->duration) /* what would end later ends with the healing */
        stage->agenda[stage->n_agenda++] = entry;
}

/* Apps do not start all at once: each connects within the first second. */
static int64_t first_connect(const struct stage *stage, const char *client) {
    char *name = memory_format("stage.%s.connect", client);
    struct random_stream stream = random_stream_make(stage->plan->seed, name);
    free(name);
    return random_between(&stream, 0, TIME_SECOND);
}

void stage_make_agenda(struct stage *stage) {
    const struct plan *plan = stage->plan;
    stage->left_out = arena_allocate(&stage->arena, (plan->n_steps + 1) * sizeof *stage->left_out);
    stage->agenda = memory_allocate_array(2 * plan->n_steps + stage->names.total + 1, sizeof *stage->agenda);
    for (size_t i = 0; i < stage->names.total; i++)
        add_entry(stage, (struct stage_entry){first_connect(stage, stage->names.names[i]), ENTRY_CONNECT, i});
    for (size_t i = 0; i < plan->n_steps; i++) {
        const struct scenario_step *step = &plan->steps[i];
        add_entry(stage, (struct stage_entry){step->at, ENTRY_BEGIN, i});
        if (step->lasts > 0)
            add_entry(stage, (struct stage_entry){step->at + step->lasts, ENTRY_END, i});
    }
    assert(stage->n_agenda <= 2 * plan->n_steps + stage->names.total);
    qsort(stage->agenda, stage->n_agenda, sizeof *stage->agenda, compare_entries);
}

/* --- one client --- */

static struct stage_client *find_client(struct stage *stage, const char *name) {
    struct stage_client *client = map_get(&stage->clients_by_name, name);
    assert(client);
    return client;
}

static void connect_client(struct stage_client *client) {
    client->connected = true;
    stage_client_connect(client);
}

void stage_crash_client(struct stage *stage, struct stage_client *client, bool power) {
    assert(client->crashes >= 0);
    const bool running = !client->dead;
    client->crashes++;
    client->dead = true;
    if (running) {
        net_crash_node(stage->net, client->name);
        party_crash(client);
    }
    if (power)
        disk_lose_power(client->disk);
    else if (client->disk)
        disk_end_process(client->disk);
}

enum status stage_restart_client(struct stage_client *client, struct error *error) {
    assert(client->crashes > 0);
    return --client->crashes == 0 ? stage_client_revive(client, error) : STATUS_OK;
}

/* --- the deployment --- */

static void crash_deployment(struct stage *stage) {
    if (stage->deployment_crashes++ > 0)
        return;
    net_crash_node(stage->net, "convex");
    if (stage->doors.convex)
        fault_host_crash(stage->doors.convex);
    convex_deployment_destroy(stage->deployment);
    stage->deployment = NULL;
}

static void restart_deployment(struct stage *stage) {
    assert(stage->deployment_crashes > 0);
    if (--stage->deployment_crashes == 0)
        stage_start_deployment(stage);
}

/* --- captive portals --- */

static void enter_portal(struct stage *stage, struct stage_client *client) {
    if (!stage->portal)
        stage->portal = captive_portal_create(net_node(stage->net, WIRE_CAPTIVE_PORTAL));
    if (client->portals++ == 0)
        net_divert_node(stage->net, client->name, WIRE_CAPTIVE_PORTAL);
}

static void leave_portal(struct stage *stage, struct stage_client *client, int count) {
    assert(client->portals >= count);
    client->portals -= count;
    if (client->portals == 0 && count > 0)
        net_divert_node(stage->net, client->name, NULL);
}

/* --- steps --- */

static void count_fault(struct stage *stage, const struct scenario_step *step) {
    const struct fault_kind *kind = fault_kind_of_step(step);
    assert(kind);
    stage->fired[kind - fault_kinds]++;
}

static void tell_left_out(struct stage_client *client, const struct scenario_step *step) {
    char *text = memory_format("%s is left out: the app is not running, or nobody is signed in", step->id);
    const struct note note = {.kind = NOTE_TEXT, .text = text};
    host_note(client->host, &note);
    free(text);
}

static void tell_not_saved(struct stage_client *client, const struct scenario_step *step, const char *why) {
    char *text = memory_format("%s is not saved: %s", step->id, why);
    const struct note note = {.kind = NOTE_TEXT, .text = text};
    host_note(client->host, &note);
    free(text);
}

static enum status do_write(struct stage *stage, const struct scenario_step *step, struct error *error) {
    const struct scenario *scenario = stage->scenario;
    struct stage_client *client = find_client(stage, step->client);
    if (!stage_client_runs(client) || !stage_client_signed_in(client)) {
        tell_left_out(client, step);
        return STATUS_OK;
    }
    if (step->kind == STEP_CALL) {
        reactive_client_call(client->reactive, step->is_action ? REACTIVE_ACTION : REACTIVE_MUTATION,
                             step->path, step->args, step->id);
        return STATUS_OK;
    }
    struct client *tab = stage_tab_of(client, step->action.choice);
    if (!tab) {
        tell_left_out(client, step);
        return STATUS_OK;
    }
    struct error problem = {0};
    enum status status =
        app_act(scenario->app, tab, &step->action, scenario->users, scenario->n_users, &problem);
    if (status ==
        STATUS_IO) { /* the disk: the app shows an error, and the user sees that nothing was saved */
        tell_not_saved(client, step, problem.message);
        return STATUS_OK;
    }
    if (status != STATUS_OK)
        status = error_set(error, status, "step %s: %s", step->id, problem.message);
    return status;
}

static void cut(struct stage *stage, const struct scenario_step *step,
                void (*change)(struct net *, const char *, const char *)) {
    if (step->kind == STEP_OFFLINE) {
        change(stage->net, step->client, NULL);
        change(stage->net, NULL, step->client);
        return;
    }
    change(stage->net, step->from, step->to);
    if (!step->one_way)
        change(stage->net, step->to, step->from);
}

static bool is_deployment(const struct scenario_step *step) {
    return !strcmp(step->client, "convex");
}

/* What the plan does to the world is told as well, so that a narration shows why somebody fell silent. */
static void tell(struct stage *stage, char *text) {
    const struct note note = {.kind = NOTE_TEXT, .text = text};
    world_emit_note(stage->world, "plan", &note);
    free(text);
}

static void drop_table(struct stage *stage, const struct scenario_step *step) {
    if (!stage->deployment || convex_deployment_drop_table(stage->deployment, step->table, NULL) != STATUS_OK)
        tell(stage, memory_format("%s is left out: the deployment is down, or has no table %s", step->id,
                                  step->table));
}

static void tell_begin(struct stage *stage, const struct scenario_step *step) {
    char lasts[32];
    snprintf(lasts, sizeof lasts, "%.3f s (step ", (double)step->lasts / (double)TIME_SECOND);
    switch (step->kind) {
    case STEP_OFFLINE:
        tell(stage, memory_format("%s has no network for %s%s)", step->client, lasts, step->id));
        break;
    case STEP_PARTITION:
        tell(stage, memory_format("nothing gets from %s to %s%s for %s%s)", step->from, step->to,
                                  step->one_way ? "" : " or back", lasts, step->id));
        break;
    case STEP_CONNECT:
        tell(stage, memory_format("the app on %s connects once more (step %s)", step->client, step->id));
        break;
    case STEP_DISCONNECT:
        tell(stage, memory_format("the app on %s disconnects for %s%s)", step->client, lasts, step->id));
        break;
    case STEP_CLEAR:
        tell(stage, memory_format("the app on %s disconnects and clears%s for %s%s)", step->client,
                                  step->soft ? " softly" : "", lasts, step->id));
        break;
    case STEP_SWITCH_USER:
        tell(stage, memory_format("somebody signs out on %s, and %s signs in after %s%s)", step->client,
                                  step->to, lasts, step->id));
        break;
    case STEP_UPDATE_APP:
        tell(stage, memory_format("the app on %s goes on with its other version for %s%s)", step->client,
                                  lasts, step->id));
        break;
    case STEP_SESSION:
        tell(stage,
             memory_format("the app on %s gets no new tokens for %s%s)", step->client, lasts, step->id));
        break;
    case STEP_SLEEP:
        tell(stage, memory_format("%s sleeps for %s%s)", step->client, lasts, step->id));
        break;
    case STEP_CLOCK:
        tell(stage, memory_format("the clock of %s is %lld s ahead for %s%s)", step->client,
                                  (long long)(step->ahead / TIME_SECOND), lasts, step->id));
        break;
    case STEP_AUDIENCE:
        tell(stage, memory_format("%s makes tokens out to a wrong audience for %s%s)", step->client, lasts,
                                  step->id));
        break;
    case STEP_PORTAL:
        tell(stage, memory_format("%s is behind a captive portal for %s%s)", step->client, lasts, step->id));
        break;
    case STEP_CRASH:
        tell(stage, memory_format("%s is down for %s%s)", step->client, lasts, step->id));
        break;
    case STEP_CLOSE_TAB:
        tell(stage, memory_format("tab %lld of %s is closed for %s%s)", (long long)step->tab, step->client,
                                  lasts, step->id));
        break;
    case STEP_FREEZE_TAB:
        tell(stage, memory_format("tab %lld of %s is frozen for %s%s)", (long long)step->tab, step->client,
                                  lasts, step->id));
        break;
    case STEP_POWER_LOSS:
        tell(stage,
             memory_format("%s has no power for %s%s)%s", step->client, lasts, step->id,
                           step->nth > 0 ? ", as soon as its disk is in the middle of something" : ""));
        break;
    case STEP_DISK_FULL:
        tell(stage, memory_format("the disk of %s is full for %s%s)", step->client, lasts, step->id));
        break;
    case STEP_DISK_ERROR:
        tell(stage,
             memory_format("the disk of %s fails now and then for %s%s)", step->client, lasts, step->id));
        break;
    case STEP_DISK_READ_ONLY:
        tell(stage,
             memory_format("the disk of %s can only be read for %s%s)", step->client, lasts, step->id));
        break;
    case STEP_REDEPLOY:
        tell(stage, memory_format("the sync config is deployed again (step %s)", step->id));
        break;
    case STEP_LOSE_STORAGE:
        tell(stage,
             memory_format("%s loses its storage, and is down for %s%s)", step->client, lasts, step->id));
        break;
    case STEP_VANISH:
        tell(stage, memory_format("%s vanishes for %s%s)", step->client, lasts, step->id));
        break;
    case STEP_RETIRE:
        tell(stage, memory_format("%s goes for good after %s%s)", step->client, lasts, step->id));
        break;
    case STEP_COMPACT:
        tell(stage, memory_format("the service compacts its buckets (step %s)", step->id));
        break;
    case STEP_DROP_TABLE:
        tell(stage, memory_format("the table %s is deleted (step %s)", step->table, step->id));
        break;
    case STEP_ROTATE_KEYS:
        tell(stage, memory_format("%s signs with a new key and publishes the old one for %s%s)", step->client,
                                  lasts, step->id));
        break;
    case STEP_WRITE:
    case STEP_CALL:
    case STEP_BROWSE:
        break;
    }
}

static void tell_end(struct stage *stage, const struct scenario_step *step) {
    tell(stage, memory_format("step %s is over", step->id));
}

static enum status operate(struct stage *stage, const struct scenario_step *step, struct error *error) {
    enum status status = STATUS_OK;
    bool up = step->kind == STEP_REDEPLOY ? stage_service_redeploy(stage, step->id, &status, error)
                                          : stage_service_compact(stage, &status, error);
    if (!up)
        tell(stage, memory_format("%s is left out: no process of the service is up", step->id));
    return status;
}

static void retire(struct stage *stage, const struct scenario_step *step) {
    if (stage_service_retire(stage, step->client))
        return;
    tell(stage, memory_format("%s is left out: it has gone, or no other process is left", step->id));
    stage->left_out[step - stage->plan->steps] = true;
}

static enum status begin_step(struct stage *stage, const struct scenario_step *step, struct error *error) {
    if (step->kind == STEP_WRITE || step->kind == STEP_CALL)
        return do_write(stage, step, error);
    if (step->kind == STEP_BROWSE)
        return stage_people_begin(stage, find_client(stage, step->client), step,
                                  &stage->left_out[step - stage->plan->steps], error);
    count_fault(stage, step);
    tell_begin(stage, step);
    switch (step->kind) {
    case STEP_OFFLINE:
    case STEP_PARTITION:
        cut(stage, step, net_cut);
        break;
    case STEP_CONNECT:
    case STEP_DISCONNECT:
    case STEP_CLEAR:
    case STEP_SWITCH_USER:
    case STEP_UPDATE_APP:
    case STEP_SESSION:
    case STEP_SLEEP:
        return stage_people_begin(stage, find_client(stage, step->client), step,
                                  &stage->left_out[step - stage->plan->steps], error);
    case STEP_CLOSE_TAB:
    case STEP_FREEZE_TAB:
        return stage_tab_begin(stage, find_client(stage, step->client), step, error);
    case STEP_CLOCK:
        world_set_clock(stage->world, step->client, step->ahead, 0);
        break;
    case STEP_AUDIENCE:
        app_issuer_mistake_audience(stage->issuer, ++stage->mistakes > 0);
        break;
    case STEP_PORTAL:
        enter_portal(stage, find_client(stage, step->client));
        break;
    case STEP_CRASH:
        if (scenario_is_service_name(step->client))
            stage_service_crash(stage, step->client);
        else if (is_deployment(step))
            crash_deployment(stage);
        else if (!strcmp(step->client, SCENARIO_BACKEND))
            stage_backend_crash(stage);
        else if (step->nth > 0)
            stage_disk_begin(stage, find_client(stage, step->client), step);
        else
            stage_crash_client(stage, find_client(stage, step->client), false);
        break;
    case STEP_POWER_LOSS:
    case STEP_DISK_FULL:
    case STEP_DISK_ERROR:
    case STEP_DISK_READ_ONLY:
        stage_disk_begin(stage, find_client(stage, step->client), step);
        break;
    case STEP_ROTATE_KEYS:
        app_issuer_rotate(stage->issuer, step->lasts);
        break;
    case STEP_DROP_TABLE:
        drop_table(stage, step);
        break;
    case STEP_LOSE_STORAGE:
        stage_service_lose_storage(stage);
        break;
    case STEP_VANISH:
        net_vanish_node(stage->net, step->client);
        stage_service_crash(stage, step->client);
        break;
    case STEP_RETIRE:
        retire(stage, step);
        break;
    case STEP_REDEPLOY:
    case STEP_COMPACT:
        return operate(stage, step, error);
    case STEP_WRITE:
    case STEP_CALL:
    case STEP_BROWSE:
        break;
    }
    return STATUS_OK;
}

static enum status end_step(struct stage *stage, const struct scenario_step *step, struct error *error) {
    if (stage->left_out[step - stage->plan->steps])
        return STATUS_OK;
    if (step->kind == STEP_BROWSE)
        return stage_people_end(stage, find_client(stage, step->client), step, error);
    if (fault_kind_of_step(step)->lasts)
        tell_end(stage, step);
    switch (step->kind) {
    case STEP_OFFLINE:
    case STEP_PARTITION:
        cut(stage, step, net_heal);
        break;
    case STEP_CONNECT:
    case STEP_DISCONNECT:
    case STEP_CLEAR:
    case STEP_SWITCH_USER:
    case STEP_UPDATE_APP:
    case STEP_SESSION:
    case STEP_SLEEP:
        return stage_people_end(stage, find_client(stage, step->client), step, error);
    case STEP_CLOSE_TAB:
    case STEP_FREEZE_TAB:
        return stage_tab_end(stage, find_client(stage, step->client), step, error);
    case STEP_CLOCK:
        world_set_clock(stage->world, step->client, 0, 0);
        break;
    case STEP_AUDIENCE:
        app_issuer_mistake_audience(stage->issuer, --stage->mistakes > 0);
        break;
    case STEP_PORTAL:
        leave_portal(stage, find_client(stage, step->client), 1);
        break;
    case STEP_CRASH:
        if (scenario_is_service_name(step->client))
            return stage_service_restart(stage, step->client, error);
        if (is_deployment(step))
            restart_deployment(stage);
        else if (!strcmp(step->client, SCENARIO_BACKEND))
            stage_backend_restart(stage);
        else if (step->nth > 0)
            return stage_disk_end(find_client(stage, step->client), step, error);
        else
            return stage_restart_client(find_client(stage, step->client), error);
        break;
    case STEP_POWER_LOSS:
    case STEP_DISK_FULL:
    case STEP_DISK_ERROR:
    case STEP_DISK_READ_ONLY:
        return stage_disk_end(find_client(stage, step->client), step, error);
    case STEP_LOSE_STORAGE:
        return stage_services_begin(stage, error);
    case STEP_VANISH:
        return stage_service_restart(stage, step->client, error);
    case STEP_RETIRE:
        stage_service_go(stage, step->client);
        break;
    case STEP_ROTATE_KEYS:
    case STEP_REDEPLOY:
    case STEP_COMPACT:
    case STEP_DROP_TABLE:
    case STEP_WRITE:
    case STEP_CALL:
    case STEP_BROWSE:
        break;
    }
    return STATUS_OK;
}

enum status stage_do(struct stage *stage, const struct stage_entry *entry, struct error *error) {
    if (entry->what == ENTRY_CONNECT) {
        connect_client(&stage->clients[entry->index]);
        return STATUS_OK;
    }
    assert(entry->index < stage->plan->n_steps);
    const struct scenario_step *step = &stage->plan->steps[entry->index];
    if (entry->what == ENTRY_END)
        return end_step(stage, step, error);
    enum status status = begin_step(stage, step, error);
    if (status == STATUS_OK && step->kind != STEP_WRITE && step->kind != STEP_CALL &&
        step->kind != STEP_BROWSE && step->lasts == 0)
        status = end_step(stage, step, error);
    return status;
}

enum status stage_heal(struct stage *stage, struct error *error) {
    tell(stage, memory_copy_text("no more writes; every fault ends"));
    stage->healed = true;
    enum status healed = stage_people_heal(stage, error);
    if (healed != STATUS_OK)
        return healed;
    net_heal_all(stage->net);
    world_calm(stage->world);
    server_doors_stop(&stage->doors);
    if (stage->deployment_crashes > 0) {
        stage->deployment_crashes = 1;
        restart_deployment(stage);
    }
    if (stage->mistakes > 0)
        app_issuer_mistake_audience(stage->issuer, false);
    if (stage->issuer)
        app_issuer_spoil(stage->issuer, 0);
    stage_backend_heal(stage);
    healed = stage_services_heal(stage, error);
    if (healed != STATUS_OK)
        return healed;
    for (size_t i = 0; i < stage->names.total; i++) {
        struct stage_client *client = &stage->clients[i];
        client->disconnects = 0;
        client->connected = true;
        stage_disk_heal(client);
        leave_portal(stage, client, client->portals);
        client->crashes = 0;
        stage_tabs_heal(stage, client);
        enum status status = stage_client_revive(client, error);
        if (status == STATUS_OK)
            status = stage_tabs_revive(client, error);
        stage_client_connect(client);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

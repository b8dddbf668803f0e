#include "scenario/stage_tabs.h"

#include <assert.h>

#include "client/tabs.h"

void stage_tabs_create(struct stage *stage, struct stage_client *client) {
    const struct scenario *scenario = stage->scenario;
    client->n_tabs = (size_t)scenario->tabs;
    client->n_processes = client->n_tabs + (scenario->shared_worker ? 1 : 0);
    client->tabs = arena_allocate(&stage->arena, client->n_processes * sizeof *client->tabs);
    client->tabs[0].host = client->host;
    for (size_t i = 1; i < client->n_processes; i++)
        client->tabs[i].host = net_process(stage->net, client->name);
    if (client->n_processes > 1)
        client->together = tabs_create();
}

static bool is_worker(const struct stage_client *client, size_t index) {
    return index >= client->n_tabs;
}

/* With a shared worker only that one syncs. */
static bool syncs(const struct stage_client *client, size_t index) {
    return client->n_processes == client->n_tabs || is_worker(client, index);
}

/* A worker lives as long as any tab. */
static bool is_wanted(const struct stage_client *client, size_t index) {
    if (!is_worker(client, index))
        return client->tabs[index].closed == 0;
    for (size_t i = 0; i < client->n_tabs; i++)
        if (client->tabs[i].closed == 0)
            return true;
    return false;
}

struct client *stage_tab_of(const struct stage_client *client, uint64_t choice) {
    for (size_t i = 0; i < client->n_tabs; i++) {
        const struct stage_tab *tab = &client->tabs[(choice + i) % client->n_tabs];
        if (!tab->dead && tab->frozen == 0)
            return tab->client;
    }
    return NULL;
}

/* --- all of them --- */

void stage_tabs_connect(struct stage_client *client) {
    for (size_t i = 0; i < client->n_processes; i++)
        if (syncs(client, i))
            client_connect(client->tabs[i].client);
}

void stage_tabs_disconnect(struct stage_client *client) {
    for (size_t i = 0; i < client->n_processes; i++)
        client_disconnect(client->tabs[i].client);
}

static void crash(struct stage_tab *tab) {
    if (tab->dead)
        return;
    tab->dead = true;
    client_crash(tab->client);
}

void stage_tabs_crash(struct stage_client *client) {
    for (size_t i = 0; i < client->n_processes; i++)
        crash(&client->tabs[i]);
}

enum status stage_tabs_restart(struct stage_client *client, struct error *error) {
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < client->n_processes; i++) {
        struct stage_tab *tab = &client->tabs[i];
        if (!tab->dead || !is_wanted(client, i))
            continue;
        status = client_restart(tab->client, error);
        tab->dead = status != STATUS_OK;
    }
    return status;
}

void stage_tabs_destroy(struct stage_client *client) {
    for (size_t i = 0; i < client->n_processes; i++)
        client_destroy(client->tabs[i].client);
    tabs_destroy(client->together);
    client->n_processes = 0;
}

/* --- one of them --- */

/* Whoever is not wanted any more goes without a word: also the worker of tabs that have gone. */
static void end_unwanted(struct stage *stage, struct stage_client *client) {
    for (size_t i = 0; i < client->n_processes; i++) {
        if (client->tabs[i].dead || is_wanted(client, i))
            continue;
        net_crash_process(stage->net, client->tabs[i].host);
        crash(&client->tabs[i]);
    }
}

enum status stage_tabs_revive(struct stage_client *client, struct error *error) {
    if (!stage_client_runs(client))
        return STATUS_OK;
    enum status status = stage_tabs_restart(client, error);
    if (status == STATUS_OK)
        stage_client_connect(client);
    return status;
}

static struct stage_tab *tab_of(struct stage_client *client, const struct scenario_step *step) {
    assert(step->tab >= 1 && (size_t)step->tab <= client->n_tabs);
    return &client->tabs[step->tab - 1];
}

/* Mutant never-thawed: nobody looks at that tab again. */
static void thaw(struct stage *stage, struct stage_tab *tab) {
    if (host_mutant(tab->host, "never-thawed") || tab->frozen == 0)
        return;
    if (--tab->frozen == 0)
        net_thaw_process(stage->net, tab->host);
}

enum status stage_tab_begin(struct stage *stage, struct stage_client *client,
                            const struct scenario_step *step, struct error *error) {
    struct stage_tab *tab = tab_of(client, step);
    (void)error;
    if (step->kind == STEP_CLOSE_TAB) {
        tab->closed++;
        end_unwanted(stage, client);
    } else if (tab->frozen++ == 0) {
        net_freeze_process(tab->host);
    }
    return STATUS_OK;
}

enum status stage_tab_end(struct stage *stage, struct stage_client *client, const struct scenario_step *step,
                          struct error *error) {
    struct stage_tab *tab = tab_of(client, step);
    if (step->kind == STEP_FREEZE_TAB) {
        thaw(stage, tab);
        return STATUS_OK;
    }
    assert(tab->closed > 0);
    tab->closed--;
    return stage_tabs_revive(client, error);
}

void stage_tabs_heal(struct stage *stage, struct stage_client *client) {
    for (size_t i = 0; i < client->n_tabs; i++) {
        struct stage_tab *tab = &client->tabs[i];
        tab->closed = 0;
        if (tab->frozen > 1)
            tab->frozen = 1;
        thaw(stage, tab);
    }
}

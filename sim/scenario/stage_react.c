/* Apps that react: what a watch query shows makes them write, at once and without a plan. */
#include <assert.h>

#include "base/memory.h"
#include "scenario/stage_private.h"

struct reaction {
    struct stage *stage;
    struct stage_client *client;
};

static const char *draw_kind(const struct app *app, uint64_t drawn) {
    uint64_t sum = 0;
    size_t i = 0;
    for (; app->actions[i].name; i++)
        sum += (uint64_t)app->actions[i].weight;
    drawn %= sum;
    for (i = 0; drawn >= (uint64_t)app->actions[i].weight; i++)
        drawn -= (uint64_t)app->actions[i].weight;
    return app->actions[i].name;
}

static void react(void *context) {
    const struct reaction *reaction = context;
    struct stage *stage = reaction->stage;
    struct host *host = reaction->client->host;
    const struct scenario *scenario = stage->scenario;
    struct error error;
    if (stage->healed || reaction->client->next_user ||
        host_random(host, "stage.reacts") % 1000000 >= (uint64_t)scenario->reacts)
        return;
    struct app_action action = {.rows = 1};
    action.kind = draw_kind(scenario->app, host_random(host, "stage.reaction.kind"));
    action.choice = host_random(host, "stage.reaction.choice") >> 32;
    if (app_act(scenario->app, reaction->client->client, &action, scenario->users, scenario->n_users,
                &error) != STATUS_OK)
        host_note(host, &(struct note){.kind = NOTE_TEXT, .text = error.message});
}

void stage_start_reacting(struct stage *stage) {
    struct reaction *reactions = arena_allocate(&stage->arena, (stage->names.count + 1) * sizeof *reactions);
    for (size_t i = 0; stage->scenario->reacts > 0 && i < stage->names.count; i++) {
        reactions[i] = (struct reaction){stage, &stage->clients[i]};
        client_watch(stage->clients[i].client, react, &reactions[i]);
    }
}

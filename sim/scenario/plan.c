#include "scenario/plan.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "reader/units.h"
#include "scenario/clients.h"
#include "scenario/fault_kinds.h"
#include "scenario/generator.h"
#include "scenario/language.h"
#include "scenario/services.h"

static const size_t steps_most = 2000000;
static const int64_t clock_seconds = 12 * 3600; /* the most that a drawn wrong clock is ahead or behind */

struct planner {
    const struct scenario *scenario;
    struct plan *plan;
    size_t capacity;
};

/* The stream of one choice: "plan.alice-1.write.gap". */
static struct random_stream stream_of(const struct planner *planner, const char *who, const char *what) {
    char *name = memory_format("plan.%s.%s", who, what);
    struct random_stream stream = random_stream_make(planner->plan->seed, name);
    free(name);
    return stream;
}

static int64_t draw_range(struct random_stream *stream, struct reader_range range) {
    return random_between(stream, range.low, range.high);
}

/* Times of steps are whole milliseconds, so that a plan reads well, and at least one apart. */
static int64_t whole_ms(int64_t ns) {
    assert(ns >= 0);
    int64_t rounded = ns / TIME_MILLISECOND * TIME_MILLISECOND;
    return rounded > 0 ? rounded : TIME_MILLISECOND;
}

static struct scenario_step *add_step(struct planner *planner) {
    struct plan *plan = planner->plan;
    MEMORY_RESERVE(plan->steps, planner->capacity, plan->n_steps + 1);
    struct scenario_step *step = &plan->steps[plan->n_steps++];
    *step = (struct scenario_step){0};
    return step;
}

static bool full(const struct planner *planner) {
    return planner->plan->n_steps >= steps_most;
}

/* The n-th weighted entry. */
static const char *draw_action(const struct planner *planner, struct random_stream *stream) {
    const struct app *app = planner->scenario->app;
    const int64_t *weights = planner->scenario->action_weights;
    uint64_t sum = 0;
    for (size_t i = 0; app->actions[i].name; i++)
        sum += (uint64_t)(weights ? weights[i] : app->actions[i].weight);
    assert(sum > 0);
    uint64_t drawn = random_below(stream, sum);
    for (size_t i = 0;; i++) {
        assert(app->actions[i].name);
        uint64_t weight = (uint64_t)(weights ? weights[i] : app->actions[i].weight);
        if (drawn < weight)
            return app->actions[i].name;
        drawn -= weight;
    }
}

static void plan_writes(struct planner *planner, const char *client) {
    const struct scenario *scenario = planner->scenario;
    struct random_stream mean_stream = stream_of(planner, client, "write.mean");
    struct random_stream gaps = stream_of(planner, client, "write.gap");
    struct random_stream kinds = stream_of(planner, client, "write.kind");
    struct random_stream rows = stream_of(planner, client, "write.rows");
    struct random_stream choices = stream_of(planner, client, "write.choice");
    int64_t mean = draw_range(&mean_stream, scenario->between_writes);
    assert(mean >= TIME_MILLISECOND);
    int64_t at = whole_ms(random_exponential(&gaps, mean));
    for (int64_t number = 1; at < scenario->duration && !full(planner); number++) {
        struct scenario_step *step = add_step(planner);
        step->id = arena_format(&planner->plan->arena, "%s.w%" PRId64, client, number);
        step->kind = STEP_WRITE;
        step->at = at;
        step->client = client;
        step->action = (struct app_action){.kind = draw_action(planner, &kinds),
                                           .rows = draw_range(&rows, scenario->rows_per_write),
                                           .choice = random_next(&choices) >> 32, /* short enough to read */
                                           .step = step->id};
        at += whole_ms(random_exponential(&gaps, mean));
    }
}

static void plan_pages(struct planner *planner, const char *client) {
    const struct scenario_browse *browse = &planner->scenario->browse;
    struct random_stream mean_stream = stream_of(planner, client, "browse.mean");
    struct random_stream chance = stream_of(planner, client, "browse");
    int64_t mean = draw_range(&mean_stream, browse->every);
    int64_t at = whole_ms(random_exponential(&chance, mean));
    for (int64_t number = 1; at < planner->scenario->duration && !full(planner); number++) {
        struct scenario_step *step = add_step(planner);
        step->id = arena_format(&planner->plan->arena, "%s.b%" PRId64, client, number);
        step->kind = STEP_BROWSE;
        step->at = at;
        step->client = client;
        step->page = 1 + (int64_t)random_below(&chance, browse->n_pages);
        step->lasts = whole_ms(draw_range(&chance, browse->stays));
        step->ttl = draw_range(&chance, browse->ttl) / TIME_SECOND * TIME_SECOND;
        at += whole_ms(random_exponential(&chance, mean));
    }
}

static const struct scenario_call *draw_call(const struct scenario_reactive *group,
                                             struct random_stream *stream) {
    uint64_t sum = 0;
    for (size_t i = 0; i < group->n_calls; i++)
        sum += (uint64_t)group->calls[i].weight;
    uint64_t drawn = random_below(stream, sum);
    const struct scenario_call *call = group->calls;
    for (; drawn >= (uint64_t)call->weight; call++)
        drawn -= (uint64_t)call->weight;
    return call;
}

static void plan_calls(struct planner *planner, const struct scenario_reactive *group, const char *client) {
    const struct scenario *scenario = planner->scenario;
    struct random_stream mean_stream = stream_of(planner, client, "call.mean");
    struct random_stream gaps = stream_of(planner, client, "call.gap");
    struct random_stream kinds = stream_of(planner, client, "call.kind");
    struct random_stream choices = stream_of(planner, client, "call.args");
    struct buffer args = {0};
    int64_t mean = draw_range(&mean_stream, group->between_calls);
    int64_t at = whole_ms(random_exponential(&gaps, mean));
    for (int64_t number = 1; at < scenario->duration && !full(planner); number++) {
        const struct scenario_call *call = draw_call(group, &kinds);
        struct scenario_step *step = add_step(planner);
        buffer_clear(&args);
        generator_draw_text(call->args, &choices, &args);
        step->id = arena_format(&planner->plan->arena, "%s.k%" PRId64, client, number);
        step->kind = STEP_CALL;
        step->at = at;
        step->client = client;
        step->path = call->path;
        step->args = arena_copy_text(&planner->plan->arena, buffer_text(&args));
        step->is_action = call->is_action;
        at += whole_ms(random_exponential(&gaps, mean));
    }
    buffer_free(&args);
}

void plan_query_args(uint64_t seed, const char *client, const struct scenario_call *query, size_t n,
                     struct buffer *out) {
    char *name = memory_format("plan.%s.query.%zu", client, n);
    struct random_stream stream = random_stream_make(seed, name);
    free(name);
    generator_draw_text(query->args, &stream, out);
}

/* Swarm testing: a run in which everything goes wrong a little hides what needs one thing to go wrong often.
 */
static bool is_swarm(const struct planner *planner) {
    return planner->scenario->swarm && !planner->scenario->steps;
}

static bool in_swarm(const struct planner *planner, const struct scenario_fault *fault,
                     struct random_stream *stream) {
    *stream = stream_of(planner, "swarm", fault->name);
    return !is_swarm(planner) || random_chance(stream, 1, 2);
}

/* Whom an occurrence strikes, where there is a choice: a client is cut off from the service or from where its
 * uploads go. */
static void set_target(const struct planner *planner, struct scenario_step *step, const char *who,
                       struct random_stream *stream) {
    if (step->kind != STEP_PARTITION) {
        step->client = who;
        return;
    }
    bool server = scenario_is_service_name(who) || !strcmp(who, SCENARIO_BACKEND);
    bool only_far = server || scenario_group_of(planner->scenario, who);
    bool far = random_chance(stream, 1, 2);
    const char *uploads = !only_far && planner->scenario->upload->to_server ? SCENARIO_BACKEND : "convex";
    step->from = who;
    step->to = only_far || far ? uploads : scenario_service_of(planner->scenario, who);
    if (step->one_way && random_chance(stream, 1, 2)) { /* either direction can be the dead one */
        const char *other = step->to;
        step->to = step->from;
        step->from = other;
    }
}

/* Half of the time power goes between two things that the app does, half of the time in the middle of one. */
static int64_t draw_moment(struct random_stream *stream) {
    enum { OPERATIONS_MOST = 60 };
    return random_chance(stream, 1, 2) ? 0 : random_between(stream, 1, OPERATIONS_MOST);
}

static const char *draw_table(const struct scenario *scenario, struct random_stream *stream) {
    const struct client_schema *schema = scenario->app->schema;
    return schema->tables[random_below(stream, schema->n_tables)].name;
}

static void plan_fault_at(struct planner *planner, const struct scenario_fault *fault,
                          const struct fault_kind *kind, const char *who, int64_t mean) {
    assert(kind->class == FAULT_CLASS_TIMED && kind->id_letter && mean > 0);
    struct random_stream gaps = stream_of(planner, who, kind->name);
    int64_t at = whole_ms(random_exponential(&gaps, mean));
    for (int64_t number = 1; at < planner->scenario->duration && !full(planner); number++) {
        struct scenario_step *step = add_step(planner);
        step->id = arena_format(&planner->plan->arena, "%s.%s%" PRId64, who, kind->id_letter, number);
        step->kind = kind->step;
        step->one_way = kind->one_way;
        step->at = at;
        step->lasts = draw_range(&gaps, fault->lasts) / TIME_MILLISECOND * TIME_MILLISECOND;
        if (kind->step == STEP_SWITCH_USER)
            step->to = planner->scenario->users[random_below(&gaps, planner->scenario->n_users)];
        if (kind->step == STEP_CLOCK)
            step->ahead = random_between(&gaps, -clock_seconds, clock_seconds) * TIME_SECOND;
        if (kind->step == STEP_DROP_TABLE)
            step->table = draw_table(planner->scenario, &gaps);
        if (kind->step == STEP_CLEAR)
            step->soft = random_chance(&gaps, 1, 4);
        if (kind->step == STEP_CLOSE_TAB || kind->step == STEP_FREEZE_TAB)
            step->tab = random_between(&gaps, 1, planner->scenario->tabs);
        set_target(planner, step, who, &gaps);
        if (step->kind == STEP_POWER_LOSS)
            step->nth = draw_moment(&gaps);
        at += step->lasts + whole_ms(random_exponential(&gaps, mean));
    }
}

static void plan_timed_fault(struct planner *planner, const struct scenario_fault *fault,
                             const struct scenario_clients *clients) {
    const struct fault_kind *kind = fault_kind_find(fault->name);
    struct random_stream stream;
    if (!in_swarm(planner, fault, &stream))
        return;
    int64_t mean = fault->rate;
    if (is_swarm(planner)) /* up to eight times rarer than the most that the scenario allows */
        mean = mean * 8 / random_between(&stream, 1, 8);
    bool at_service =
        !strcmp(kind->name, "service-crash") || kind->step == STEP_RETIRE || kind->step == STEP_VANISH;
    bool at_operator =
        kind->step == STEP_REDEPLOY || kind->step == STEP_COMPACT || kind->step == STEP_LOSE_STORAGE;
    bool at_deployment = !strcmp(kind->name, "deployment-crash") || kind->step == STEP_DROP_TABLE;
    bool at_issuer = kind->step == STEP_ROTATE_KEYS || kind->step == STEP_AUDIENCE;
    bool at_backend = !strcmp(kind->name, "backend-crash");
    size_t n_clients =
        step_is_for_devices(kind->step) || fault_kind_strikes_disk(kind) ? clients->count : clients->total;
    for (size_t i = 0;
         !at_service && !at_operator && !at_deployment && !at_issuer && !at_backend && i < n_clients; i++)
        plan_fault_at(planner, fault, kind, clients->names[i], mean);
    for (size_t i = 0;
         (at_service || kind->step == STEP_PARTITION) && i < scenario_services(planner->scenario); i++)
        if (kind->step != STEP_RETIRE || scenario_service_answers(planner->scenario, i))
            plan_fault_at(planner, fault, kind, scenario_service_name(planner->scenario, i), mean);
    if (clients->count > 0 && at_operator)
        plan_fault_at(planner, fault, kind, "powersync", mean);
    if (scenario_has_backend(planner->scenario) && (at_backend || kind->step == STEP_PARTITION))
        plan_fault_at(planner, fault, kind, SCENARIO_BACKEND, mean);
    if (at_deployment)
        plan_fault_at(planner, fault, kind, "convex", mean);
    if (at_issuer)
        plan_fault_at(planner, fault, kind, "issuer", mean);
}

static void plan_wire_fault(struct planner *planner, const struct scenario_fault *fault) {
    struct random_stream stream;
    if (!in_swarm(planner, fault, &stream))
        return;
    struct plan *plan = planner->plan;
    assert(fault->rate >= 0 && fault->rate <= 1000000);
    int64_t rate = fault->rate;
    if (is_swarm(planner) && rate > 0)
        rate = random_between(&stream, 1, rate);
    if (!strcmp(fault->name, "refuse"))
        plan->refuse = (uint32_t)rate;
    else if (!strcmp(fault->name, "reset"))
        plan->reset = (uint32_t)rate;
    else if (!strcmp(fault->name, "lose-response"))
        plan->lose_response = (uint32_t)rate;
    else if (!strcmp(fault->name, "stall")) {
        plan->stall = (uint32_t)rate;
        plan->stall_time = draw_range(&stream, fault->lasts);
    } else {
        assert(!strcmp(fault->name, "split-chunks"));
        plan->split_chunks = true;
    }
}

static void plan_steps(struct planner *planner) {
    struct scenario_clients clients = scenario_clients_list(planner->scenario, &planner->plan->arena);
    for (size_t i = 0; i < clients.count; i++)
        if (scenario_client_writes(planner->scenario, clients.names[i]))
            plan_writes(planner, clients.names[i]);
    for (size_t i = 0; planner->scenario->browse.n_pages > 0 && i < clients.count; i++)
        plan_pages(planner, clients.names[i]);
    for (size_t i = clients.count; i < clients.total; i++) {
        const struct scenario_reactive *group = scenario_group_of(planner->scenario, clients.names[i]);
        if (group->n_calls > 0)
            plan_calls(planner, group, clients.names[i]);
    }
    for (size_t i = 0; i < planner->scenario->n_faults; i++) {
        const struct scenario_fault *fault = &planner->scenario->faults[i];
        if (fault_kind_find(fault->name)->class == FAULT_CLASS_TIMED)
            plan_timed_fault(planner, fault, &clients);
    }
}

static const char *copy(struct planner *planner, const char *text) {
    return text ? arena_copy_text(&planner->plan->arena, text) : NULL;
}

static void copy_steps(struct planner *planner) {
    for (size_t i = 0; i < planner->scenario->n_steps; i++) {
        const struct scenario_step *from = &planner->scenario->steps[i];
        struct scenario_step *to = add_step(planner);
        *to = *from;
        to->id = copy(planner, from->id);
        to->client = copy(planner, from->client);
        to->from = copy(planner, from->from);
        to->to = copy(planner, from->to);
        to->path = copy(planner, from->path);
        to->args = copy(planner, from->args);
        to->action.kind = copy(planner, from->action.kind);
        to->action.step = from->action.step ? to->id : NULL;
    }
}

static int compare_steps(const void *a, const void *b) {
    const struct scenario_step *x = a, *y = b;
    assert(x->id && y->id);
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return strcmp(x->id, y->id);
}

enum status plan_make(const struct scenario *scenario, uint64_t seed, struct plan **result,
                      struct error *error) {
    struct plan *plan = memory_allocate(sizeof *plan);
    struct planner planner = {scenario, plan, 0};
    plan->seed = seed;
    plan->fault_points = scenario->fault_points;
    plan->random_knobs = scenario->random_knobs;
    struct random_stream latency = stream_of(&planner, "network", "latency");
    struct random_stream jitter = stream_of(&planner, "network", "jitter");
    /* A plan that was written down states what was drawn: the slowest link and no range of jitter. */
    plan->latency = scenario->steps ? scenario->latency.high : draw_range(&latency, scenario->latency);
    plan->jitter = draw_range(&jitter, scenario->jitter);
    for (size_t i = 0; i < scenario->n_faults; i++)
        if (fault_kind_find(scenario->faults[i].name)->class != FAULT_CLASS_TIMED)
            plan_wire_fault(&planner, &scenario->faults[i]);
    if (scenario->steps)
        copy_steps(&planner);
    else
        plan_steps(&planner);
    if (full(&planner)) {
        plan_free(plan);
        *result = NULL;
        return error_set(
            error, STATUS_LIMIT,
            "the plan of %s has more than %zu steps: shorten `run: {for: ...}` or write less often",
            scenario->name, steps_most);
    }
    if (plan->n_steps > 0)
        qsort(plan->steps, plan->n_steps, sizeof *plan->steps, compare_steps);
    *result = plan;
    return STATUS_OK;
}

void plan_free(struct plan *plan) {
    if (!plan)
        return;
    free(plan->steps);
    arena_free(&plan->arena);
    free(plan);
}

int64_t plan_link_latency(const struct plan *plan, const struct scenario *scenario, const char *a,
                          const char *b) {
    assert(strcmp(a, b) != 0);
    bool in_order = strcmp(a, b) < 0;
    char *name = memory_format("plan.link.%s.%s.latency", in_order ? a : b, in_order ? b : a);
    struct random_stream stream = random_stream_make(plan->seed, name);
    free(name);
    int64_t least = scenario->latency.low < plan->latency ? scenario->latency.low : plan->latency;
    return random_between(&stream, least, plan->latency);
}

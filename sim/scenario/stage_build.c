#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "app/captive_portal.h"
#include "base/random.h"
#include "check/oracle_streams.h"
#include "client/reactive_client.h"
#include "scenario/fault_kinds.h"
#include "scenario/language.h"
#include "scenario/scenario_backend.h"
#include "scenario/services.h"
#include "scenario/stage_backend.h"
#include "scenario/stage_disk.h"
#include "scenario/stage_party.h"
#include "scenario/stage_private.h"
#include "scenario/stage_schema.h"
#include "scenario/stage_tabs.h"
#include "scenario/stage_tokens.h"
#include "scenario/switches.h"

const char stage_deploy_key[] = "prod:syncline-1|0123456789abcdef";

/* --- counting --- */

static void count_record(void *context, const struct history_record *record) {
    struct stage *stage = context;
    const struct note *note = &record->note;
    stage->commits += note->kind == NOTE_COMMIT;
    stage->local_writes += note->kind == NOTE_LOCAL_WRITE;
    stage->applied += note->kind == NOTE_VIEW && note->text && !strcmp(note->text, "checkpoint");
}

static void count_wire(void *context, int64_t now, const struct wire_event *event) {
    struct stage *stage = context;
    (void)now;
    if (event->kind == WIRE_REQUEST_SEEN && !strcmp(event->server, "convex") &&
        scenario_is_service_name(event->client))
        stage->convex_requests++;
}

/* --- world and network --- */

static void build_world(struct stage *stage) {
    const struct scenario *scenario = stage->scenario;
    const struct world_settings settings = {.seed = stage->plan->seed,
                                            .fault_points = stage->plan->fault_points,
                                            .random_knobs = stage->plan->random_knobs,
                                            .max_events = scenario->max_events};
    stage->world = world_create(&settings);
    for (size_t i = 0; i < scenario->n_mutants; i++)
        world_enable_mutant(stage->world, scenario->mutants[i]);
    for (size_t i = 0; i < scenario->n_knobs; i++)
        world_pin_knob(stage->world, scenario->knobs[i].name, scenario->knobs[i].value);
    for (size_t i = 0; i < scenario->n_drives; i++)
        for (int64_t nth = scenario->drives[i].nth.low; nth <= scenario->drives[i].nth.high; nth++)
            world_drive_fault_point(stage->world, scenario->drives[i].point, (uint64_t)nth,
                                    scenario->drives[i].action);
    const struct world_observer observer = {.wire = count_wire, .context = stage};
    world_observe(stage->world, &observer);
}

static void set_link(struct stage *stage, const char *a, const char *b) {
    assert(strcmp(a, b) != 0);
    int64_t latency = plan_link_latency(stage->plan, stage->scenario, a, b);
    if (latency == stage->plan->latency)
        return;
    net_set_latency(stage->net, a, b, latency, stage->plan->jitter);
    net_set_latency(stage->net, b, a, latency, stage->plan->jitter);
}

static void build_net(struct stage *stage) {
    const struct plan *plan = stage->plan;
    const struct net_settings settings = {
        .latency = plan->latency, .jitter = plan->jitter, .give_up = stage->scenario->give_up};
    stage->net = net_create(stage->world, &settings);
    net_flip_delay(stage->net, stage->options->flip_bit);
    for (size_t i = 0; i < scenario_services(stage->scenario); i++)
        set_link(stage, scenario_service_name(stage->scenario, i), "convex");
    for (size_t i = 0; i < stage->names.count; i++) {
        set_link(stage, stage->names.names[i], scenario_service_of(stage->scenario, stage->names.names[i]));
        set_link(stage, stage->names.names[i], "convex");
        set_link(stage, stage->names.names[i], "issuer");
        if (scenario_has_backend(stage->scenario))
            set_link(stage, stage->names.names[i], SCENARIO_BACKEND);
    }
    if (scenario_has_backend(stage->scenario))
        set_link(stage, SCENARIO_BACKEND, "convex");
    for (size_t i = stage->names.count; i < stage->names.total; i++) {
        set_link(stage, stage->names.names[i], "convex");
        if (scenario_group_of(stage->scenario, stage->names.names[i])->user)
            set_link(stage, stage->names.names[i], "issuer");
    }
    const struct net_faults faults = {.refuse = plan->refuse,
                                      .reset = plan->reset,
                                      .lose_response = plan->lose_response,
                                      .stall = plan->stall,
                                      .stall_time = plan->stall_time,
                                      .split_chunks = plan->split_chunks};
    net_set_faults(stage->net, &faults);
}

static enum status evaluate(void *context, const char *path, const char *args, const char *user, int64_t ts,
                            bool *failed, char **text, struct error *error) {
    const struct stage *stage = context;
    if (!stage->deployment)
        return error_set(error, STATUS_MISSING, "the deployment is down");
    return convex_deployment_evaluate(stage->deployment, path, args, user, ts, failed, text, error);
}

static void add_subject(struct stage *stage, const char *user, struct oracle_request request) {
    stage->requests[stage->n_subjects] = request;
    stage->subjects[stage->n_subjects++] = user;
}

/* The same with each set of pages that may be open. */
static void add_browsing(struct stage *stage, const char *user, const struct oracle_request *request) {
    const struct scenario_browse *browse = &stage->scenario->browse;
    for (unsigned set = 1; set < 1U << browse->n_pages; set++) {
        struct client_subscription *list =
            arena_allocate(&stage->arena, (request->n_subscriptions + browse->n_pages) * sizeof *list);
        size_t count = request->n_subscriptions;
        for (size_t i = 0; i < count; i++)
            list[i] = request->subscriptions[i];
        for (size_t i = 0; i < browse->n_pages; i++)
            if (set >> i & 1)
                list[count++] = browse->pages[i];
        add_subject(stage, user, (struct oracle_request){request->parameters, list, count});
    }
}

/* What the devices ask for, as clients and the oracle need it. Behind the devices come those who sign in on
 * one later: each sees what its user's streams give with that device's request. */
static void list_requests(struct stage *stage) {
    const size_t room = (stage->names.count + stage->plan->n_steps + 1) << stage->scenario->browse.n_pages;
    stage->requests = arena_allocate(&stage->arena, room * sizeof *stage->requests);
    stage->subjects = arena_allocate(&stage->arena, room * sizeof *stage->subjects);
    for (size_t i = 0; i < stage->names.count; i++) {
        const struct scenario_request *request =
            scenario_request_of(stage->scenario, stage->names.users[i], stage->names.names[i]);
        const struct oracle_request nothing = {0};
        add_subject(stage, stage->names.users[i],
                    request ? (struct oracle_request){request->parameters, request->subscriptions,
                                                      request->n_subscriptions}
                            : nothing);
    }
    for (size_t i = 0; i < stage->plan->n_steps; i++) {
        const struct scenario_step *step = &stage->plan->steps[i];
        for (size_t c = 0; step->kind == STEP_SWITCH_USER && c < stage->names.count; c++)
            if (!strcmp(stage->names.names[c], step->client))
                add_subject(stage, step->to, stage->requests[c]);
    }
    for (size_t i = 0, count = stage->n_subjects; i < count; i++)
        add_browsing(stage, stage->subjects[i], &stage->requests[i]);
}

static bool has_step(const struct stage *stage, enum step_kind kind) {
    for (size_t i = 0; i < stage->plan->n_steps; i++)
        if (stage->plan->steps[i].kind == kind)
            return true;
    return false;
}

static enum status build_history(struct stage *stage, struct error *error) {
    const struct scenario *scenario = stage->scenario;
    stage->history = history_create();
    history_attach(stage->history, stage->world, stage->options->narrate ? &stage->result->narration : NULL);
    history_subscribe(stage->history, count_record, stage);
    if (stage->options->freshness) {
        stage->freshness = freshness_create(scenario->app->schema, stage->names.names, stage->names.count);
        history_subscribe(stage->history, freshness_record, stage->freshness);
    }
    struct check_settings settings = {.schema = scenario->app->schema,
                                      .mapping = &scenario->app->mapping,
                                      .sync_config = scenario->sync_config,
                                      .clients = stage->names.names,
                                      .users = stage->subjects,
                                      .requests = stage->requests,
                                      .n_clients = stage->names.count,
                                      .n_subjects = stage->n_subjects,
                                      .disks = stage_uses_disks(stage),
                                      .streams_change = scenario->browse.n_pages > 0,
                                      .wrong_clocks = has_step(stage, STEP_CLOCK),
                                      .properties = scenario->properties,
                                      .n_properties = scenario->n_properties,
                                      .refuse_token = stage_tokens_refuse,
                                      .token_context = stage,
                                      .evaluate = evaluate,
                                      .evaluate_context = stage};
    stage_list_versions(stage, &settings);
    return checker_create(stage->history, stage->world, &settings, &stage->checker, error);
}

/* --- servers --- */

void stage_start_deployment(struct stage *stage) {
    assert(!stage->deployment);
    stage->deployment = convex_deployment_create(stage->deployment_host, &stage->deployment_options);
}

static enum status build_deployment(struct stage *stage, struct error *error) {
    static const struct convex_limits no_limits = {0};
    const struct scenario *scenario = stage->scenario;
    assert(stage->history); /* the seed documents are commits too */
    stage->storage = convex_storage_create();
    stage->deployment_host = server_door_open(net_node(stage->net, "convex"), &scenario->server_faults.convex,
                                              &stage->doors.convex);
    stage->deployment_options = (struct convex_deployment_options){
        .deploy_key = stage_deploy_key,
        .storage = stage->storage,
        .mutation_time_low = TIME_MILLISECOND,
        .mutation_time_high = 15 * TIME_MILLISECOND,
        .read_time = 2 * TIME_MILLISECOND,
        .conflicts = (int)scenario->server_faults.conflicts,
        .bumps_when_idle = scenario->server_faults.bumps_when_idle,
        .switches = scenario_switches(&scenario->server_faults.deployment, &no_limits)};
    enum status status = scenario_fill_deployment(scenario, &stage->arena, &stage->deployment_options, error);
    if (status != STATUS_OK)
        return status;
    stage_start_deployment(stage);
    if (!scenario_app_takes_part(scenario))
        return STATUS_OK;
    uint64_t choice = random_at(stage->plan->seed, "app.seed-data", 0);
    return scenario->app->seed(stage->deployment, scenario->users, scenario->n_users,
                               scenario->lists_per_user, scenario->todos_per_list, choice, error);
}

static enum status build_services(struct stage *stage, struct error *error) {
    stage_tokens_open(stage);
    stage->sync_config = stage->scenario->sync_config;
    return stage_services_open(stage, error);
}

/* --- clients --- */

static enum status build_client(struct stage *stage, size_t index, bool disk, struct error *error) {
    assert(index < stage->names.count);
    struct stage_client *client = &stage->clients[index];
    client->stage = stage;
    struct client_settings settings = {
        .user = stage->names.users[index],
        .service = scenario_service_of(stage->scenario, stage->names.names[index]),
        .backend = stage->scenario->upload->to_server ? SCENARIO_BACKEND : "convex",
        .issuer = "issuer",
        .config = stage->scenario->fetch_config ? SCENARIO_BACKEND : NULL,
        .upload = stage->scenario->upload,
        .own_keys = stage->scenario->own_keys,
        .upload_batch = (size_t)stage->scenario->upload_batch,
        .upload_throttle = TIME_SECOND,
        .write_checkpoints = stage->scenario->write_checkpoints,
        .retry_delay = 5 * TIME_SECOND,
        .idle_timeout = stage->scenario->idle_timeout,
        .parameters = stage->requests[index].parameters,
        .subscriptions = stage->requests[index].subscriptions,
        .n_subscriptions = stage->requests[index].n_subscriptions};
    client->name = stage->names.names[index];
    client->host = net_node(stage->net, client->name);
    client->user = settings.user;
    map_set(&stage->clients_by_name, client->name, client);
    if (disk)
        stage_disk_create(stage, client);
    stage_tabs_create(stage, client);
    settings.tabs = client->together;
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < client->n_processes; i++)
        status = client_create(stage->pool, client->tabs[i].host, &settings, &client->tabs[i].client, error);
    client->client = client->tabs[0].client;
    return status == STATUS_OK && stage_has_old_app(stage, client->name)
               ? client_update_schema(client->client, stage_client_schema(stage, 1), error)
               : status;
}

/* What a plain client subscribes to it has subscribed to from the start. */
static void build_plain(struct stage *stage, size_t index) {
    struct stage_client *client = &stage->clients[index];
    const struct reactive_settings settings = {.deployment = "convex"};
    client->name = stage->names.names[index];
    client->host = net_node(stage->net, client->name);
    map_set(&stage->clients_by_name, client->name, client);
    client->reactive = reactive_client_create(client->host, &settings);
    const struct scenario_reactive *group = scenario_group_of(stage->scenario, client->name);
    if (group->user)
        reactive_client_set_auth(client->reactive, "issuer", group->user);
    for (size_t i = 0; i < group->n_queries; i++) {
        struct buffer args = {0};
        plan_query_args(stage->plan->seed, client->name, &group->queries[i], i, &args);
        reactive_client_subscribe(client->reactive, group->queries[i].path, buffer_text(&args));
        buffer_free(&args);
    }
}

static enum status build_devices(struct stage *stage, struct error *error) {
    const enum client_engine engine = scenario_engine(stage->scenario);
    assert(stage->vfs && (stage->options->core || engine == CLIENT_ENGINE_MODEL));
    enum status status = client_pool_create_for(
        engine, stage->options->core, stage->vfs,
        stage_client_schema(stage, stage->scenario->app->schema->version), &stage->pool, error);
    const bool disks = stage_uses_disks(stage);
    for (size_t i = 0; status == STATUS_OK && i < stage->names.count; i++)
        status = build_client(stage, i, disks, error);
    return status;
}

static void build_issuer(struct stage *stage) {
    if (stage->issuer)
        return;
    struct host *host = server_door_open(net_node(stage->net, "issuer"),
                                         &stage->scenario->server_faults.issuer, &stage->doors.issuer);
    stage->issuer = app_issuer_create(host, stage_token_key_id, stage_token_secret, stage_token_audience,
                                      stage->scenario->token_lifetime);
    app_issuer_spoil(stage->issuer, stage->scenario->wrong_tokens);
    if (stage->scenario->token_keys != TOKEN_KEYS_SHARED)
        app_issuer_use_pairs(stage->issuer);
}

/* What devices need: the service, tokens, the client core. Without users none of it is there. */
static enum status build_powersync(struct stage *stage, struct error *error) {
    enum status status = build_services(stage, error);
    if (status != STATUS_OK)
        return status;
    build_issuer(stage);
    stage_backend_open(stage);
    return build_devices(stage, error);
}

enum status stage_build(struct stage *stage, struct error *error) {
    assert(!stage->world && !stage->net);
    size_t n_kinds = 0;
    while (fault_kinds[n_kinds].name)
        n_kinds++;
    stage->fired = arena_allocate(&stage->arena, n_kinds * sizeof *stage->fired);
    stage->names = scenario_clients_list(stage->scenario, &stage->arena);
    list_requests(stage);
    build_world(stage);
    build_net(stage);
    stage->vfs = disk_vfs_open(stage->world);
    stage->clients = arena_allocate(&stage->arena, (stage->names.total + 1) * sizeof *stage->clients);
    enum status status = build_history(stage, error);
    if (status == STATUS_OK)
        status = build_deployment(stage, error);
    if (status == STATUS_OK && stage->names.count > 0)
        status = build_powersync(stage, error);
    if (status == STATUS_OK && stage->scenario->reactive_users)
        build_issuer(stage);
    for (size_t i = stage->names.count; status == STATUS_OK && i < stage->names.total; i++)
        build_plain(stage, i);
    if (status == STATUS_OK) {
        stage_start_reacting(stage);
        stage_make_agenda(stage);
    }
    return status;
}

/* Actors go before their hosts, hosts before the world, and SQLite's last user before its VFS. */
void stage_tear_down(struct stage *stage) {
    for (size_t i = 0; stage->clients && i < stage->names.total; i++)
        party_destroy(&stage->clients[i]);
    if (stage->pool)
        client_pool_destroy(stage->pool);
    for (size_t i = 0; stage->clients && i < stage->names.total; i++)
        disk_destroy(stage->clients[i].disk);
    stage_backend_close(stage);
    captive_portal_destroy(stage->portal);
    app_issuer_destroy(stage->issuer);
    stage_services_close(stage);
    if (stage->deployment)
        convex_deployment_destroy(stage->deployment);
    convex_storage_destroy(stage->storage);
    server_doors_close(&stage->doors);
    if (stage->checker)
        checker_destroy(stage->checker);
    freshness_destroy(stage->freshness);
    if (stage->net)
        net_destroy(stage->net);
    if (stage->vfs)
        disk_vfs_close(stage->vfs);
    if (stage->history)
        history_destroy(stage->history);
    if (stage->world)
        world_destroy(stage->world);
    map_free(&stage->clients_by_name, NULL);
    free(stage->agenda);
    arena_free(&stage->arena);
}

#include "scenario/stage.h"

#include <assert.h>
#include <string.h>

#include "scenario/stage_disk.h"
#include "scenario/stage_party.h"
#include "scenario/stage_private.h"

static const int64_t settle_poll = 250 * TIME_MILLISECOND;

/* Run the world until `until`, telling of progress at every whole second on the way. */
static enum status run_until(struct stage *stage, int64_t until, struct error *error) {
    enum status status = STATUS_OK;
    while (status == STATUS_OK && stage->options->progress && stage->progress_at <= until) {
        status = world_run(stage->world, stage->progress_at, error);
        stage->options->progress(stage->options->progress_context, world_now(stage->world),
                                 world_events(stage->world));
        stage->progress_at += TIME_SECOND;
    }
    return status == STATUS_OK ? world_run(stage->world, until, error) : status;
}

static enum status run_workload(struct stage *stage, struct error *error) {
    for (size_t i = 0; i < stage->n_agenda; i++) {
        assert(stage->agenda[i].time >= world_now(stage->world) &&
               stage->agenda[i].time < stage->scenario->duration);
        enum status status = run_until(stage, stage->agenda[i].time, error);
        if (status == STATUS_OK)
            status = stage_do(stage, &stage->agenda[i], error);
        if (status != STATUS_OK)
            return status;
    }
    return run_until(stage, stage->scenario->duration, error);
}

/* Nothing new happens from here on. Whether the bound was kept is for the properties to judge (convergence,
 * liveness): they see the same rows and queues. */
static enum status run_settling(struct stage *stage, struct error *error) {
    int64_t last = stage->scenario->duration + stage->scenario->settle_within;
    assert(world_now(stage->world) == stage->scenario->duration);
    enum status status = stage_heal(stage, error);
    while (status == STATUS_OK && world_now(stage->world) < last && !stage_is_quiet(stage)) {
        int64_t next = world_now(stage->world) + settle_poll;
        status = run_until(stage, next < last ? next : last, error);
    }
    return status;
}

/* STATUS_LIMIT: the world would not come to an end. That is a finding, not a failure of the stage. */
static enum status run_all(struct stage *stage, struct error *error) {
    struct error problem = {0};
    enum status status = run_workload(stage, &problem);
    if (status == STATUS_OK)
        status = run_settling(stage, &problem);
    if (status == STATUS_LIMIT) {
        const struct violation endless = {.property = "liveness",
                                          .expected = (char[]){"the run ends"},
                                          .seen = (char[]){"events without end"},
                                          .time = world_now(stage->world),
                                          .explanation = problem.message};
        stage_add_violation(stage, &endless);
        return STATUS_OK;
    }
    if (status == STATUS_OK) {
        for (size_t i = 0; i < stage->names.total; i++)
            party_finish(&stage->clients[i]);
        checker_finish(stage->checker);
    } else if (error) {
        *error = problem;
    }
    return status;
}

/* With the engine `both`: a difference is a bug of the model, whatever else the run has shown. */
static enum status compare_engines(const struct stage *stage, struct error *error) {
    for (size_t i = 0; i < stage->names.count; i++) {
        const char *difference = client_engine_difference(stage->clients[i].client);
        if (difference)
            return error_set(error, STATUS_INTERNAL, "%s: %s", stage->names.names[i], difference);
    }
    return STATUS_OK;
}

enum status stage_run(const struct scenario *scenario, const struct plan *plan,
                      const struct stage_options *options, struct stage_result *result, struct error *error) {
    assert(scenario && plan && options);
    *result = (struct stage_result){0};
    struct stage stage = {
        .scenario = scenario, .plan = plan, .options = options, .result = result, .progress_at = TIME_SECOND};
    enum status status = stage_build(&stage, error);
    if (status == STATUS_OK)
        status = run_all(&stage, error);
    if (status == STATUS_OK)
        status = compare_engines(&stage, error);
    if (status == STATUS_OK) {
        stage_fill_result(&stage);
        stage_keep_databases(&stage);
    }
    stage_tear_down(&stage);
    if (status != STATUS_OK)
        stage_result_free(result);
    return status;
}

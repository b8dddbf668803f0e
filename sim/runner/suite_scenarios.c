#include "runner/suite_scenarios.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "runner/installation.h"
#include "scenario/scenario.h"

#define CANARY_SEEDS 3 /* in every shard */

static bool has_file(const struct suite_scenarios *scenarios, const char *file) {
    for (size_t i = 0; i < scenarios->count; i++)
        if (strcmp(scenarios->items[i].file, file) == 0)
            return true;
    return false;
}

static bool has_name(const struct suite_scenarios *scenarios, const char *name) {
    for (size_t i = 0; i < scenarios->count; i++)
        if (strcmp(scenarios->items[i].name, name) == 0)
            return true;
    return false;
}

/* Two files may carry one name: the later ones get a number. */
static char *unique_name(const struct suite_scenarios *scenarios, const char *name) {
    char *unique = memory_copy_text(name);
    for (unsigned number = 2; has_name(scenarios, unique); number++) {
        free(unique);
        unique = memory_format("%s-%u", name, number);
    }
    return unique;
}

static enum status add_file(struct suite_scenarios *scenarios, const char *file, struct error *error) {
    struct scenario *scenario = NULL;
    if (has_file(scenarios, file))
        return STATUS_OK;
    enum status status = scenario_load(file, &scenario, error);
    if (status != STATUS_OK)
        return status;
    assert(scenario->name != NULL && scenario->name[0] != '\0');
    MEMORY_RESERVE(scenarios->items, scenarios->capacity, scenarios->count + 1);
    struct suite_scenario *item = &scenarios->items[scenarios->count];
    *item = (struct suite_scenario){.file = memory_copy_text(file),
                                    .name = unique_name(scenarios, scenario->name),
                                    .engine = memory_copy_text(scenario->engine),
                                    .expects = expectation_of(scenario),
                                    .canary = scenario->canary,
                                    .pinned = scenario->has_seed,
                                    .seed = scenario->seed};
    scenarios->count++;
    scenario_free(scenario);
    return STATUS_OK;
}

static enum status add_path(struct suite_scenarios *scenarios, const char *path, struct error *error) {
    char **files = NULL;
    size_t count = 0;
    enum status status = scenario_find(path, &files, &count, error);
    if (status != STATUS_OK)
        return status;
    if (count == 0)
        status = error_set(error, STATUS_NOT_FOUND, "%s has no scenarios (*.yaml)", path);
    for (size_t i = 0; i < count; i++) {
        if (status == STATUS_OK)
            status = add_file(scenarios, files[i], error);
        free(files[i]);
    }
    free(files);
    return status;
}

static bool has_canary(const struct suite_scenarios *scenarios) {
    for (size_t i = 0; i < scenarios->count; i++)
        if (scenarios->items[i].canary)
            return true;
    return false;
}

static enum status add_canary(struct suite_scenarios *scenarios, struct error *error) {
    struct buffer path = {0};
    enum status status = STATUS_OK;
    if (!has_canary(scenarios) && installation_find("scenarios/smoke/canary.yaml", &path))
        status = add_file(scenarios, buffer_text(&path), error);
    buffer_free(&path);
    return status;
}

/* What each scenario takes of the run's seeds. */
static void choose_jobs(struct suite_scenarios *scenarios, bool use_pinned_seeds, bool chosen_alone) {
    scenarios->jobs = memory_allocate_array(scenarios->count, sizeof *scenarios->jobs);
    for (size_t i = 0; i < scenarios->count; i++) {
        const struct suite_scenario *item = &scenarios->items[i];
        struct job_scenario *job = &scenarios->jobs[i];
        job->pinned = use_pinned_seeds && item->pinned;
        job->pinned_seed = item->seed;
        /* A canary that was asked for by name runs with all seeds. */
        if (item->canary && !job->pinned && !(chosen_alone && i == 0))
            job->seeds_everywhere = CANARY_SEEDS;
    }
}

enum status suite_scenarios_load(const char *const *paths, size_t n_paths, bool use_pinned_seeds,
                                 struct suite_scenarios *scenarios, struct error *error) {
    enum status status = STATUS_OK;
    assert(n_paths > 0);
    *scenarios = (struct suite_scenarios){0};
    for (size_t i = 0; i < n_paths && status == STATUS_OK; i++)
        status = add_path(scenarios, paths[i], error);
    bool chosen_alone = scenarios->count == 1;
    if (status == STATUS_OK)
        status = add_canary(scenarios, error);
    if (status != STATUS_OK) {
        suite_scenarios_free(scenarios);
        return status;
    }
    choose_jobs(scenarios, use_pinned_seeds, chosen_alone);
    return STATUS_OK;
}

void suite_scenarios_free(struct suite_scenarios *scenarios) {
    for (size_t i = 0; i < scenarios->count; i++) {
        free(scenarios->items[i].file);
        free(scenarios->items[i].name);
        free(scenarios->items[i].engine);
    }
    free(scenarios->items);
    free(scenarios->jobs);
    *scenarios = (struct suite_scenarios){0};
}

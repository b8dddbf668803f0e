#include "runner/suite_versions.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "client/core_versions.h"
#include "runner/text_table.h"

enum { VERSIONS_MOST = TEXT_TABLE_COLUMNS_MAX - 1 };

struct versions {
    char **cells; /* by scenario, then release */
    size_t n_scenarios, n_versions, version;
    char **names;
};

/* "ok", or how many seeds were not as expected. */
static char *cell_of(const struct scenario_tally *tally) {
    if (tally->seeds == 0)
        return memory_copy_text("-");
    if (scenario_tally_silent(tally))
        return memory_copy_text("silent");
    if (!scenario_tally_bad(tally))
        return memory_copy_text(tally->expects ? "ok, fails" : "ok");
    return memory_format("%" PRIu64 " of %" PRIu64, tally->outcomes[OUTCOME_FAILED], tally->seeds);
}

static void take_tally(void *context, const struct run_tally *tally) {
    struct versions *versions = context;
    if (!versions->cells) {
        versions->n_scenarios = tally->n_scenarios;
        versions->cells = memory_allocate_array(tally->n_scenarios * VERSIONS_MOST, sizeof *versions->cells);
        versions->names = memory_allocate_array(tally->n_scenarios, sizeof *versions->names);
    }
    assert(versions->n_scenarios == tally->n_scenarios);
    for (size_t i = 0; i < tally->n_scenarios; i++) {
        if (!versions->names[i])
            versions->names[i] = memory_copy_text(tally->scenarios[i].name);
        versions->cells[i * VERSIONS_MOST + versions->version] = cell_of(&tally->scenarios[i]);
    }
}

static int run_version(const struct suite_settings *settings, const struct core_version *version,
                       struct versions *versions, struct error *error) {
    struct suite_settings own = *settings;
    char *folder = memory_format("%s/%s", settings->folder, version->engine);
    char *text = NULL;
    size_t length = 0;
    own.folder = folder;
    own.engine = version->engine;
    own.out = open_memstream(&text, &length); /* each folder has it all */
    own.finished = take_tally;
    own.finished_context = versions;
    fprintf(settings->progress, "%s\n", version->engine);
    int exit_status = suite_run(&own, error);
    fclose(own.out);
    free(text);
    free(folder);
    return exit_status;
}

static void print_table(const struct versions *versions, FILE *out) {
    struct text_table table;
    struct buffer text = {0};
    char alignment[VERSIONS_MOST + 2] = "l";
    memset(alignment + 1, 'r', versions->n_versions);
    text_table_init(&table, alignment);
    text_table_add(&table, "scenario");
    for (size_t j = 0; j < versions->n_versions; j++)
        text_table_add(&table, core_versions()[j].version);
    for (size_t i = 0; i < versions->n_scenarios; i++) {
        text_table_add(&table, versions->names[i]);
        for (size_t j = 0; j < versions->n_versions; j++)
            text_table_add(&table, versions->cells[i * VERSIONS_MOST + j]);
    }
    text_table_finish(&table, &text);
    fputs(buffer_text(&text), out);
    buffer_free(&text);
}

static void free_versions(struct versions *versions) {
    for (size_t i = 0; i < versions->n_scenarios * VERSIONS_MOST; i++)
        free(versions->cells[i]);
    for (size_t i = 0; i < versions->n_scenarios; i++)
        free(versions->names[i]);
    free(versions->cells);
    free(versions->names);
}

int suite_versions_run(const struct suite_settings *settings, struct error *error) {
    struct versions versions = {0};
    int exit_status = EXIT_EXPECTED;
    for (const struct core_version *version = core_versions(); version->engine; version++) {
        assert(versions.n_versions < VERSIONS_MOST);
        versions.version = versions.n_versions++;
        exit_status = run_version(settings, version, &versions, error);
        if (exit_status != EXIT_EXPECTED && exit_status != EXIT_VIOLATED)
            break;
    }
    if (exit_status == EXIT_EXPECTED || exit_status == EXIT_VIOLATED)
        print_table(&versions, settings->out);
    free_versions(&versions);
    return exit_status;
}

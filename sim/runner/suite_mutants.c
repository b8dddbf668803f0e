#include "runner/suite_mutants.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "runner/text_table.h"
#include "scenario/scenario.h"

struct hunt {
    char *file;
    char *mutants; /* "a, b" */
};

struct matrix {
    const char *const *names;
    size_t n_names;
    struct hunt *hunts;
    size_t n_hunts, capacity;
    struct map hunted; /* mutants that some scenario switches on */
    struct text_table table;
    bool bad;
};

static bool is_wanted(const struct matrix *matrix, const char *mutant) {
    for (size_t i = 0; i < matrix->n_names; i++)
        if (strcmp(matrix->names[i], mutant) == 0)
            return true;
    return matrix->n_names == 0;
}

static void add_scenario(struct matrix *matrix, const char *file, const struct scenario *scenario) {
    struct buffer mutants = {0};
    bool wanted = false;
    for (size_t i = 0; i < scenario->n_mutants; i++) {
        wanted = wanted || is_wanted(matrix, scenario->mutants[i]);
        buffer_printf(&mutants, "%s%s", i > 0 ? ", " : "", scenario->mutants[i]);
        map_set(&matrix->hunted, scenario->mutants[i], matrix);
    }
    if (wanted) {
        MEMORY_RESERVE(matrix->hunts, matrix->capacity, matrix->n_hunts + 1);
        matrix->hunts[matrix->n_hunts++] = (struct hunt){memory_copy_text(file), buffer_take(&mutants)};
    }
    buffer_free(&mutants);
}

static enum status look_through(struct matrix *matrix, const char *folder, struct error *error) {
    char **files = NULL;
    size_t count = 0;
    enum status status = scenario_find(folder, &files, &count, error);
    for (size_t i = 0; i < count; i++) {
        struct scenario *scenario = NULL;
        if (status == STATUS_OK)
            status = scenario_load(files[i], &scenario, error);
        if (scenario != NULL)
            add_scenario(matrix, files[i], scenario);
        scenario_free(scenario);
        free(files[i]);
    }
    free(files);
    return status;
}

static void add_row(struct matrix *matrix, const char *mutants, const char *scenario, const char *property,
                    const char *seeds) {
    text_table_add(&matrix->table, mutants);
    text_table_add(&matrix->table, scenario);
    text_table_add(&matrix->table, property);
    text_table_add(&matrix->table, seeds);
}

static void add_hunt(struct matrix *matrix, const struct hunt *hunt, const struct scenario_tally *tally) {
    const bool found = tally->until_found > 0;
    char *seeds = found ? memory_format("%" PRIu64, tally->until_found)
                        : memory_format("none of %" PRIu64, tally->seeds);
    matrix->bad = matrix->bad || !found || scenario_tally_bad(tally);
    add_row(matrix, hunt->mutants, tally->name,
            tally->outcomes[OUTCOME_FAILED] > 0 ? "another one"
            : found                             ? tally->found_by
                                                : "-",
            seeds);
    free(seeds);
}

static void take_tally(void *context, const struct run_tally *tally) {
    struct matrix *matrix = context;
    for (size_t i = 0; i < matrix->n_hunts; i++)
        for (size_t j = 0; j < tally->n_scenarios; j++)
            if (strcmp(tally->scenarios[j].file, matrix->hunts[i].file) == 0)
                add_hunt(matrix, &matrix->hunts[i], &tally->scenarios[j]);
}

/* Mutants that nobody hunts are rows, too. */
static void add_forgotten(struct matrix *matrix) {
    for (const struct scenario_name *mutant = scenario_mutants(); mutant->name != NULL; mutant++)
        if (is_wanted(matrix, mutant->name) && !map_has(&matrix->hunted, mutant->name)) {
            add_row(matrix, mutant->name, "no scenario", "-", "-");
            matrix->bad = true;
        }
}

static int run_hunts(struct matrix *matrix, const struct suite_settings *settings, struct error *error) {
    struct suite_settings own = *settings;
    const char **paths = memory_allocate_array(matrix->n_hunts + 1, sizeof *paths);
    char *text = NULL;
    size_t length = 0;
    for (size_t i = 0; i < matrix->n_hunts; i++)
        paths[i] = matrix->hunts[i].file;
    own.paths = paths;
    own.n_paths = matrix->n_hunts;
    own.out = open_memstream(&text, &length); /* the report folder has it all */
    own.finished = take_tally;
    own.finished_context = matrix;
    int exit_status = matrix->n_hunts > 0 ? suite_run(&own, error) : EXIT_EXPECTED;
    fclose(own.out);
    free(text);
    free(paths);
    return exit_status;
}

static int run_matrix(struct matrix *matrix, const struct suite_settings *settings, struct error *error) {
    struct buffer text = {0};
    text_table_init(&matrix->table, "lllr");
    add_row(matrix, "mutant", "scenario", "property", "seeds");
    int exit_status = run_hunts(matrix, settings, error);
    add_forgotten(matrix);
    text_table_finish(&matrix->table, &text);
    if (exit_status == EXIT_EXPECTED || exit_status == EXIT_VIOLATED)
        fputs(buffer_text(&text), settings->out);
    buffer_free(&text);
    return exit_status == EXIT_EXPECTED && matrix->bad ? EXIT_VIOLATED : exit_status;
}

int suite_mutants_run(const struct suite_settings *settings, const char *const *names, size_t n_names,
                      struct error *error) {
    struct matrix matrix = {.names = names, .n_names = n_names};
    enum status status = STATUS_OK;
    int exit_status;
    for (size_t i = 0; i < settings->n_paths && status == STATUS_OK; i++)
        status = look_through(&matrix, settings->paths[i], error);
    if (status == STATUS_OK)
        exit_status = run_matrix(&matrix, settings, error);
    else
        exit_status = suite_exit_status_of(status);
    for (size_t i = 0; i < matrix.n_hunts; i++) {
        free(matrix.hunts[i].file);
        free(matrix.hunts[i].mutants);
    }
    free(matrix.hunts);
    map_free(&matrix.hunted, NULL);
    return exit_status;
}

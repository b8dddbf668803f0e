#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/check.h"
#include "cli/args.h"
#include "cli/command.h"
#include "runner/installation.h"
#include "runner/suite.h"
#include "runner/text_table.h"
#include "scenario/inventory.h"
#include "scenario/scenario.h"

static const char usage[] =
    "usage: syncline list scenarios|coverage|faults|properties|mutants|engines [FOLDER]\n"
    "  FOLDER   for scenarios and coverage: where to look instead of the scenarios that come along\n";

static void add_row(struct text_table *table, const char *name, const char *summary) {
    assert(name != NULL);
    text_table_add(table, name);
    text_table_add(table, summary == NULL ? "" : summary);
}

/* The first line of the description, and in brackets what the scenario covers. The caller frees it. */
static char *summary_of(const struct scenario *scenario) {
    const char *text = scenario->description == NULL ? "" : scenario->description;
    struct buffer summary = {0};
    const char *named = inventory_row_of_name(scenario->name);
    buffer_append(&summary, text, strcspn(text, "\n"));
    if (named != NULL)
        buffer_printf(&summary, " [%s]", named);
    for (size_t i = 0; i < scenario->n_covers; i++)
        buffer_printf(&summary, "%s%s%s", i == 0 ? " [" : ", ", scenario->covers[i],
                      i + 1 == scenario->n_covers ? "]" : "");
    return buffer_take(&summary);
}

static void list_names(struct text_table *table, const struct scenario_name *names) {
    for (; names->name != NULL; names++)
        add_row(table, names->name, names->summary);
}

static void list_properties(struct text_table *table) {
    for (const struct property *const *at = check_properties; *at != NULL; at++)
        add_row(table, (*at)->name, (*at)->promise);
    add_row(table, "no-crash", "no party aborts, leaks or trips a sanitizer, whatever it is sent");
}

static enum status list_scenarios(struct text_table *table, const char *folder, struct error *error) {
    char **files = NULL;
    size_t count = 0;
    enum status status = scenario_find(folder, &files, &count, error);
    for (size_t i = 0; i < count; i++) {
        struct scenario *scenario = NULL;
        if (status == STATUS_OK)
            status = scenario_load(files[i], &scenario, error);
        if (scenario != NULL) {
            char *line = summary_of(scenario);
            add_row(table, files[i], line);
            free(line);
            scenario_free(scenario);
        }
        free(files[i]);
    }
    free(files);
    return status;
}

static enum status list_coverage(struct buffer *out, const char *folder, struct error *error) {
    char **files = NULL;
    size_t count = 0;
    enum status status = scenario_find(folder, &files, &count, error);
    if (status == STATUS_OK)
        status = inventory_coverage(files, count, folder, out, error);
    for (size_t i = 0; i < count; i++)
        free(files[i]);
    free(files);
    return status;
}

/* Scenarios, and what they cover: of the folder, or of those that come along. */
static enum status list_folder(struct text_table *table, struct buffer *out, const char *kind,
                               const char *folder, struct error *error) {
    struct buffer found = {0};
    if (folder == NULL && !installation_find("scenarios", &found))
        return error_set(error, STATUS_NOT_FOUND, "no folder scenarios here; name one");
    folder = folder == NULL ? buffer_text(&found) : folder;
    enum status status = strcmp(kind, "scenarios") == 0 ? list_scenarios(table, folder, error)
                                                        : list_coverage(out, folder, error);
    buffer_free(&found);
    return status;
}

static enum status list_kind(struct text_table *table, struct buffer *out, const char *kind,
                             const char *folder, struct error *error) {
    if (strcmp(kind, "scenarios") == 0 || strcmp(kind, "coverage") == 0)
        return list_folder(table, out, kind, folder, error);
    if (folder != NULL)
        return error_set(error, STATUS_INVALID, "list %s takes no folder", kind);
    if (strcmp(kind, "faults") == 0)
        list_names(table, scenario_faults());
    else if (strcmp(kind, "mutants") == 0)
        list_names(table, scenario_mutants());
    else if (strcmp(kind, "engines") == 0)
        list_names(table, scenario_engines());
    else if (strcmp(kind, "properties") == 0)
        list_properties(table);
    else
        return error_set(error, STATUS_INVALID, "unknown list %s", kind);
    return STATUS_OK;
}

static int run(int argc, char **argv) {
    struct args args;
    struct error error = {0};
    struct text_table table;
    struct buffer out = {0};
    enum status status = args_parse(argc, argv, NULL, 0, &args, &error);
    if (status == STATUS_OK && (args.n_rest < 1 || args.n_rest > 2))
        status = error_set(&error, STATUS_INVALID, "list what?");
    if (status != STATUS_OK) {
        args_free(&args);
        return command_refuse(&command_list, &error);
    }
    text_table_init(&table, "ll");
    status = list_kind(&table, &out, args.rest[0], args.n_rest > 1 ? args.rest[1] : NULL, &error);
    text_table_finish(&table, &out);
    args_free(&args);
    if (status == STATUS_OK)
        fputs(buffer_text(&out), stdout);
    buffer_free(&out);
    if (status == STATUS_OK)
        return EXIT_EXPECTED;
    return error.line == 0 && status == STATUS_INVALID ? command_refuse(&command_list, &error)
                                                       : command_fail(&error, suite_exit_status_of(status));
}

const struct command command_list = {"list", "what scenarios can use", usage, run};

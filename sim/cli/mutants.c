#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/command.h"
#include "runner/installation.h"
#include "runner/suite_mutants.h"
#include "scenario/scenario.h"

#define USUAL_SEEDS 20

static const char usage[] =
    "usage: syncline mutants [OPTION]... [NAME]...\n"
    "Plants each mutant (syncline list mutants) where a scenario asks for it, and prints who found it:\n"
    "mutant, scenario, property, seeds until then. Usually all mutants, with the seeds 1-20.\n"
    "  --seeds A-B      a range of seeds\n"
    "  --scenarios DIR  where to look; usually the scenarios that come along\n"
    "  --out DIR        report folder; usually syncline-results\n";

struct mutants_options {
    const char *seeds, *scenarios, *out;
    struct args args;
    struct buffer found;
};

static enum status check_names(const struct args *args, struct error *error) {
    for (size_t i = 0; i < args->n_rest; i++) {
        const struct scenario_name *mutant = scenario_mutants();
        while (mutant->name != NULL && strcmp(mutant->name, args->rest[i]) != 0)
            mutant++;
        if (mutant->name == NULL)
            return error_set(error, STATUS_INVALID, "there is no mutant %s", args->rest[i]);
    }
    return STATUS_OK;
}

static enum status choose(struct mutants_options *options, struct suite_settings *settings,
                          struct error *error) {
    enum status status = check_names(&options->args, error);
    settings->seeds = (struct seed_range){1, USUAL_SEEDS};
    settings->seeds_chosen = true;
    settings->shard = (struct shard){.count = 1};
    if (status == STATUS_OK && options->seeds != NULL)
        status = seed_range_parse(options->seeds, &settings->seeds, error);
    if (status == STATUS_OK && options->scenarios == NULL) {
        if (!installation_find("scenarios", &options->found))
            return error_set(error, STATUS_NOT_FOUND, "no folder scenarios here; name one");
        options->scenarios = buffer_text(&options->found);
    }
    return status;
}

static int run_chosen(const struct mutants_options *options, struct suite_settings *settings) {
    struct error error = {0};
    settings->paths = &options->scenarios;
    settings->n_paths = 1;
    settings->folder = options->out != NULL ? options->out : "syncline-results";
    settings->command = PROGRAM " mutants";
    settings->version = SYNCLINE_VERSION;
    settings->program = PROGRAM;
    settings->out = stdout;
    settings->progress = stderr;
    settings->terminal = isatty(STDERR_FILENO) == 1;
    int exit_status = suite_mutants_run(settings, options->args.rest, options->args.n_rest, &error);
    return exit_status == EXIT_WRONG_USE || exit_status == EXIT_INTERNAL ? command_fail(&error, exit_status)
                                                                         : exit_status;
}

static int run(int argc, char **argv) {
    struct mutants_options options = {0};
    struct suite_settings settings = {0};
    struct error error = {0};
    const struct args_option known[] = {{"--seeds", NULL, &options.seeds},
                                        {"--scenarios", NULL, &options.scenarios},
                                        {"--out", NULL, &options.out}};
    enum status status = args_parse(argc, argv, known, sizeof known / sizeof known[0], &options.args, &error);
    if (status == STATUS_OK)
        status = choose(&options, &settings, &error);
    int exit_status =
        status == STATUS_OK ? run_chosen(&options, &settings) : command_refuse(&command_mutants, &error);
    args_free(&options.args);
    buffer_free(&options.found);
    return exit_status;
}

const struct command command_mutants = {"mutants", "which scenario finds which deliberate bug", usage, run};

#include <assert.h>
#include <stdio.h>

#include "cli/args.h"
#include "cli/command.h"
#include "runner/suite.h"

static const char usage[] =
    "usage: syncline COMMAND [ARGUMENT]...\n"
    "  run      run scenarios over seeds and give a verdict\n"
    "  replay   run one seed again and compare\n"
    "  list     what scenarios can use\n"
    "  bench    measure in virtual time\n"
    "  serve    a mock Convex deployment on a real socket\n"
    "  help     syncline help COMMAND\n"
    "  version\n"
    "Exit status: 0 all as expected; 1 a property was violated, or an expected violation was\n"
    "not found; 2 wrong use or wrong input; 3 internal error; 130 interrupted.\n";

static int run(int argc, char **argv) {
    struct args args;
    struct error error = {0};
    if (args_parse(argc, argv, NULL, 0, &args, &error) != STATUS_OK)
        return command_refuse(&command_help, &error);
    const char *name = args.n_rest > 0 ? args.rest[0] : "help";
    const struct command *command = command_find(name);
    bool good = args.n_rest <= 1 && command != NULL;
    args_free(&args);
    if (!good) {
        error_set(&error, STATUS_INVALID, "no help for %s", name);
        return command_refuse(&command_help, &error);
    }
    assert(command->usage != NULL);
    fputs(command->usage, stdout);
    return EXIT_EXPECTED;
}

const struct command command_help = {"help", "syncline help COMMAND", usage, run};

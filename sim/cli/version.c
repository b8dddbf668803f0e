#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>

#include "cli/args.h"
#include "cli/command.h"
#include "runner/suite.h"

static int run(int argc, char **argv) {
    struct args args;
    struct error error = {0};
    assert(argc >= 1);
    enum status status = args_parse(argc, argv, NULL, 0, &args, &error);
    if (status == STATUS_OK && args.n_rest > 0)
        status = error_set(&error, STATUS_INVALID, "version takes no arguments");
    args_free(&args);
    if (status != STATUS_OK)
        return command_refuse(&command_version, &error);
    printf("syncline %s (SQLite %s)\n", SYNCLINE_VERSION, sqlite3_libversion());
    return EXIT_EXPECTED;
}

const struct command command_version = {"version", "print the version", "usage: syncline version\n", run};

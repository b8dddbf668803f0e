/* Command lines: strict reading in units, and the exit status of the built command for wrong use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/args.c" /* the command is no library */

struct read_options {
    bool fast;
    const char *seed, *jobs;
    struct args args;
};

static enum status read_line(struct read_options *read, struct error *error, ...) {
    char *argv[16] = {"run"};
    int argc = 1;
    va_list list;
    va_start(list, error);
    while ((argv[argc] = va_arg(list, char *)) != NULL)
        argc++;
    va_end(list);
    *read = (struct read_options){0};
    const struct args_option options[] = {
        {"--fail-fast", &read->fast, NULL}, {"--seed", NULL, &read->seed}, {"-j", NULL, &read->jobs}};
    return args_parse(argc, argv, options, 3, &read->args, error);
}

static void options_and_paths_mix(void **state) {
    struct read_options read;
    (void)state;
    assert_int_equal(read_line(&read, NULL, "a.yaml", "--seed", "7", "--fail-fast", "-j4", "b.yaml", NULL),
                     STATUS_OK);
    assert_string_equal(read.seed, "7");
    assert_string_equal(read.jobs, "4");
    assert_true(read.fast);
    assert_int_equal(read.args.n_rest, 2);
    assert_string_equal(read.args.rest[1], "b.yaml");
    args_free(&read.args);
    assert_int_equal(read_line(&read, NULL, "--seed=8", "-j", "2", "--", "--fail-fast", NULL), STATUS_OK);
    assert_string_equal(read.seed, "8");
    assert_string_equal(read.jobs, "2");
    assert_false(read.fast);
    assert_string_equal(read.args.rest[0], "--fail-fast");
    args_free(&read.args);
}

static void refuse(struct read_options *read, const char *first, const char *second, const char *third,
                   const char *message) {
    struct error error = {0};
    assert_int_equal(read_line(read, &error, first, second, third, NULL), STATUS_INVALID);
    assert_string_equal(error.message, message);
}

static void everything_else_is_refused(void **state) {
    struct read_options read;
    (void)state;
    refuse(&read, "--sed", "7", NULL, "unknown option --sed");
    refuse(&read, "--see=7", NULL, NULL, "unknown option --see=7");
    refuse(&read, "-x", NULL, NULL, "unknown option -x");
    refuse(&read, "--seed", NULL, NULL, "--seed needs a value");
    refuse(&read, "--seed=", NULL, NULL, "--seed needs a value");
    refuse(&read, "--seed=1", "--seed=2", NULL, "--seed is given twice");
    refuse(&read, "--fail-fast", "--fail-fast", NULL, "--fail-fast is given twice");
    refuse(&read, "--fail-fast=yes", NULL, NULL, "--fail-fast takes no value");
}

/* The command beside this test program's folder, where it is built. */
static int exit_status_of(const char *arguments) {
    char command[512], program[256];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    assert_true(length > 0);
    program[length] = '\0';
    *strrchr(program, '/') = '\0';
    snprintf(command, sizeof command, "%s/../syncline", program);
    if (access(command, X_OK) != 0)
        skip();
    snprintf(command, sizeof command, "%s/../syncline %s >/dev/null 2>&1", program, arguments);
    int status = system(command);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void wrong_use_is_status_2(void **state) {
    static const char *const wrong[] = {
        "",
        "frobnicate",
        "run --unknown",
        "run --seeds 5-1",
        "run --seed 1 --seeds 1-2",
        "run --seed 1 --for 1s",
        "run --seed",
        "run --shard 0/4",
        "run --shard 5/4",
        "run -j 0",
        "run --for 10",
        "run --engine nonesuch",
        "run --core /nonexistent/core.so",
        "run /nonexistent/scenario.yaml",
        "replay",
        "replay /nonexistent/failure.yaml",
        "replay --trace-hash xyz --seed 1 a.yaml",
        "list",
        "list nonsense",
        "list faults folder",
        "bench",
        "bench nonsense",
        "bench polling --intervals 100,100",
        "bench polling --intervals 0",
        "help nonsense",
        "version now",
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (exit_status_of(wrong[i]) != 2)
            fail_msg("syncline %s: not exit status 2", wrong[i]);
}

static void right_use_is_status_0(void **state) {
    static const char *const right[] = {"help",         "help run",    "run --help",  "version",
                                        "--version",    "--help",      "list faults", "list properties",
                                        "list mutants", "list engines"};
    (void)state;
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
        if (exit_status_of(right[i]) != 0)
            fail_msg("syncline %s: not exit status 0", right[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_paths_mix),
        cmocka_unit_test(everything_else_is_refused),
        cmocka_unit_test(wrong_use_is_status_2),
        cmocka_unit_test(right_use_is_status_0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

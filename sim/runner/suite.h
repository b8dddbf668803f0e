/* A run of scenarios over seeds: loads the scenarios, lets the supervisor work through the jobs, and turns
 * the results, in the order of the jobs, into the report folder, the lines for people and the exit status.
 * The order makes results.jsonl of two runs with the same inputs equal byte for byte, whatever the number of
 * workers. */
#ifndef SYNCLINE_RUNNER_SUITE_H
#define SYNCLINE_RUNNER_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "runner/outcome.h"
#include "runner/seeds.h"

struct suite_settings {
    const char *const *paths; /* scenario files and folders */
    size_t n_paths;
    struct seed_range seeds;
    bool seeds_chosen; /* by the user: files that name a seed of their own run with these all the same */
    struct shard shard;
    int64_t run_for;    /* ns of wall time after which no seed is started; 0: no such limit */
    size_t workers;     /* 0: one for each CPU */
    const char *engine; /* NULL: as the scenarios say */
    const char *core;   /* file of the client core; NULL: the one the build found */
    const char *folder; /* the report folder */
    const char *junit;  /* one more place for the JUnit file, or NULL */
    bool fail_fast;
    bool trace;          /* keep each seed's narration in traces/ */
    bool keep_databases; /* write each seed's client databases to databases/<scenario>-<seed>/ */
    uint64_t flip_delay; /* control of the determinism test, see stage.h; 0: off */
    const char *command; /* the command line, for results.sqlite */
    const char *version;
    const char *program;    /* how the user called us, for replay lines */
    const char *executable; /* of the workers; NULL: this program */
    FILE *out;              /* failures and the summary */
    FILE *progress;         /* the live line or plain lines */
    bool terminal;          /* `progress` is one */
    /* May be NULL: told the sums of all seeds. */
    void (*finished)(void *context, const struct run_tally *tally);
    void *finished_context;
};

/* Exit statuses of the command, see docs/command-line.md. */
enum { EXIT_EXPECTED = 0, EXIT_VIOLATED = 1, EXIT_WRONG_USE = 2, EXIT_INTERNAL = 3, EXIT_INTERRUPTED = 130 };

/* Which exit status an error deserves. */
int suite_exit_status_of(enum status status);

/* Returns the exit status. On EXIT_WRONG_USE and EXIT_INTERNAL `error` says why. */
int suite_run(const struct suite_settings *settings, struct error *error);

#endif

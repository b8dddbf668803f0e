/* What the command line of `syncline serve` says; NULL: not given. */
#ifndef SYNCLINE_CLI_SERVE_OPTIONS_H
#define SYNCLINE_CLI_SERVE_OPTIONS_H

#include <stdbool.h>

struct serve_options {
    const char *convex, *site, *issuer, *powersync, *config, *faults, *app, *backend, *seed, *mutant,
        *deploy_key;
    bool verbose;
};

/* Keys of the issuer's tokens for PowerSync, and what the built-in service config trusts. No secrets. */
#define SERVE_TOKEN_KEY_ID "syncline"
#define SERVE_TOKEN_SECRET "syncline"
#define SERVE_TOKEN_AUDIENCE "powersync"

#endif

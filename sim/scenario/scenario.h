/* The scenario language: a YAML file says the app, the parties, the workload, the faults, the timings, the
 * properties and what is expected. docs/scenarios.md is the reference. Unknown keys and wrong types are
 * refused with file, line and column. Durations are written with a unit: 250ms, 2s, 5min, 1h. */
#ifndef SYNCLINE_SCENARIO_SCENARIO_H
#define SYNCLINE_SCENARIO_SCENARIO_H

#include "app/app.h"
#include "base/memory.h"
#include "fault/fault_file.h"
#include "mock-convex/backend.h"
#include "reader/reader.h"

struct scenario_pin {
    const char *name;
    int64_t value;
};

/* A fault that the scenario allows. In a swarm each seed switches a random subset on, with random rates up to
 * `rate`. */
struct scenario_fault {
    const char
        *name;    /* one of scenario_faults(): "partition", "one-way-partition", "offline", "reset", ... */
    int64_t rate; /* per million exchanges for wire faults; mean ns between two occurrences, at one client,
                     link or service, for timed faults; 1 for faults that are only on or off */
    struct reader_range lasts; /* ns; timed faults and stall */
};

/* What a fault point does when it is reached for the nth.low-th to nth.high-th time. A driven point does
 * nothing else: chance leaves it alone. */
struct scenario_drive {
    const char *point; /* "service.before-mapping" */
    struct reader_range nth;
    struct fault_point action;
};

/* A function with arguments, some of which are drawn: generator.h. */
struct scenario_call {
    const char *path; /* "tasks:add" */
    const char *args; /* JSON text of a mapping */
    bool is_action;
    int64_t weight; /* calls only: how often, among those of the group */
};

/* Plain Convex clients of one kind, "<name>-1" to "<name>-<clients>". */
struct scenario_reactive {
    const char *name;
    const char *user; /* who signs in at each of them; NULL: nobody */
    int64_t clients;
    const struct scenario_call *queries; /* each client subscribes to all, with arguments of its own */
    size_t n_queries;
    const struct scenario_call *calls;
    size_t n_calls;
    struct reader_range between_calls; /* mean ns between two calls of one client, drawn per seed */
};

/* What clients ask the service for beside the streams that everybody gets. The first entry that fits a client
 * counts. */
struct scenario_request {
    const char *name;       /* a client, a user (all of his devices), or NULL: every device */
    const char *parameters; /* of the connection: JSON object text */
    const struct client_subscription *subscriptions;
    size_t n_subscriptions;
};

/* How the service knows whose tokens are right. */
enum token_keys {
    TOKEN_KEYS_SHARED,    /* a secret that it shares with the issuer */
    TOKEN_KEYS_PUBLISHED, /* it fetches the issuer's key pairs */
    TOKEN_KEYS_LISTED,    /* they stand in its configuration */
    TOKEN_KEYS_COUNT
};

/* Pages that people open and leave: each subscribes to one stream (language_requests.c). */
enum { SCENARIO_PAGES_MOST = 4 }; /* the checks need a view for every set of them */
struct scenario_browse {
    struct reader_range every; /* mean ns between two pages of one device, drawn per seed */
    struct reader_range stays; /* ns that a page is open */
    struct reader_range ttl;   /* ns, whole seconds */
    const struct client_subscription *pages;
    size_t n_pages; /* 0: nobody browses */
};

struct scenario_step; /* pinned steps, see plan.h */

#define SERVICE_CONNECTIONS_USUAL 200 /* the real service's max_concurrent_connections */

struct scenario {
    struct arena arena; /* owns all texts and arrays below */
    const char *file;
    const char *name; /* file name without folder and ending, unless `name:` says otherwise */
    const char *description;
    const char *const *covers; /* rows of the inventory (inventory.h) */
    size_t n_covers;
    const struct app *app;
    struct convex_backend *backend; /* owned; NULL: none */
    const char *backend_file;       /* absolute where it can be told */
    const char *sync_config;        /* the app's unless given */
    const char *engine;             /* "core" */
    uint64_t seed;                  /* `seed:` of a pinned plan */
    bool has_seed;

    const char *const *users; /* none: only plain Convex clients take part, and there is no service */
    size_t n_users;
    int64_t devices_per_user;
    int64_t tabs;       /* processes of the app on each device, 1.. */
    bool shared_worker; /* one more, which syncs for all tabs */
    const struct scenario_request *requests;
    size_t n_requests;
    const char *requests_text; /* the whole of `requests:` as JSON, for pinned plans; NULL: none */
    struct scenario_browse browse;
    const char *browse_text; /* the whole of `browse:` as JSON, for pinned plans; NULL: none */
    int64_t lists_per_user;  /* seed documents */
    int64_t todos_per_list;

    const struct scenario_reactive *reactive;
    size_t n_reactive;
    size_t n_reactive_clients;
    bool reactive_users;       /* some group has a user, so there is a token issuer */
    const char *reactive_text; /* the whole of `reactive:` as JSON, for pinned plans; NULL: none */

    int64_t duration;                   /* ns of workload; then the world heals */
    int64_t settle_within;              /* ns after healing in which everything must be quiet and equal */
    struct reader_range between_writes; /* mean ns between two transactions of one client, drawn per seed */
    struct reader_range rows_per_write; /* 1..20 */
    int64_t reacts;                     /* per million: chance that a device writes when it sees a change */
    const char *const *writers;         /* client names; NULL: every client writes */
    size_t n_writers;
    const int64_t *action_weights; /* in the order of app->actions; NULL: the app's usual weights */

    struct reader_range
        latency; /* ns one way: a seed draws the slowest, each link lies between `low` and that */
    struct reader_range jitter;       /* mean ns of what a single message takes longer, drawn per seed */
    const struct upload_path *upload; /* how devices upload */
    bool own_keys;                    /* uploads are known by keys that the app makes, not by numbers */
    int64_t upload_batch;             /* most entries of one request, where it takes many transactions */
    int64_t give_up; /* ns after which the network gives up a connection attempt over a cut link */
    enum client_checkpoints write_checkpoints;
    int64_t polling_interval;
    int64_t token_lifetime;
    int64_t wrong_tokens; /* of a million: what the issuer gives devices is no good token */
    enum token_keys token_keys;
    bool fetch_config; /* devices ask the backend where the service is and who they are, then for a token */
    int64_t idle_timeout;  /* ns after which a device gives up a silent stream; 0: never */
    bool clear_at_sign_in; /* data is cleared when another user signs in; else when somebody signs out */
    int64_t keepalive_interval;
    int64_t service_processes;   /* that answer devices, 1.. (services.h) */
    bool service_split;          /* replication in processes of its own */
    const char *const *old_apps; /* clients that begin with the app's old version */
    size_t n_old_apps;
    bool clear_local;           /* clearing empties local-only tables too; default true */
    bool disk;                  /* devices have their database on a disk, whatever the faults */
    bool synchronous_full;      /* each of their commits is synced */
    bool statements_struck;     /* faults of disks strike statements of local writes, not only commits */
    bool storage_in_file;       /* the service's; one process only */
    bool strict_expiry;         /* recognise every wording of an expired cursor */
    int64_t notification_delay; /* ns between a commit and the API's hearing of it */
    int64_t connections;        /* sync streams that one process serves at a time */
    int64_t job_lock;           /* ns that a dead replicator's lock on a stream lasts */

    const struct scenario_fault *faults;
    size_t n_faults;
    bool swarm;        /* default true */
    bool fault_points; /* default true */
    bool random_knobs; /* default true */
    const struct scenario_drive *drives;
    size_t n_drives;
    struct fault_file server_faults;
    const char *server_faults_text; /* as it was written, in JSON; NULL: none */
    const struct scenario_pin *knobs;
    size_t n_knobs;
    const char *const *mutants;
    size_t n_mutants;
    const char *const *properties; /* NULL: all */
    size_t n_properties;
    const char *const *expect_violates; /* expect: {violates: [...]}, "no-crash" may be among them;
                                           none: expect pass */
    size_t n_expect_violates;
    bool canary; /* expect_violates and run with every suite */

    const struct scenario_step *steps; /* pinned plan; NULL: generated from the seed */
    size_t n_steps;
    uint64_t max_events; /* an endless loop is counted in events; at most INT64_MAX */
};

enum status scenario_load(const char *path, struct scenario **scenario, struct error *error);
enum status scenario_parse(const char *text, size_t length, const char *file, struct scenario **scenario,
                           struct error *error);
void scenario_free(struct scenario *scenario);
/* Is a violation of this property, or "no-crash", expected? */
bool scenario_expects(const struct scenario *scenario, const char *property);

/* The names that scenarios may use, with one line each, for `syncline list`. NULL-terminated. */
struct scenario_name {
    const char *name;
    const char *summary;
};
const struct scenario_name *scenario_faults(void);
const struct scenario_name *scenario_mutants(void);
const struct scenario_name *scenario_engines(void);
enum client_engine scenario_engine(const struct scenario *scenario); /* which kind of engine `engine` names */

/* All *.yaml files of a folder (recursively, sorted by path), or the one file. The caller frees the texts and
 * array. */
enum status scenario_find(const char *path, char ***files, size_t *count, struct error *error);

#endif

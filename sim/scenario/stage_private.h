/* The stage's own parts: the world it built, and who is up. */
#ifndef SYNCLINE_SCENARIO_STAGE_PRIVATE_H
#define SYNCLINE_SCENARIO_STAGE_PRIVATE_H

#include "disk/disk.h"
#include "net/net.h"
#include "scenario/clients.h"
#include "scenario/freshness.h"
#include "scenario/server_faults.h"
#include "scenario/stage.h"
#include "scenario/stage_service.h"

/* One thing to do at one time. Steps are not events of the world: removing one moves no other event's tie
 * key, so a shrunk plan stays close to the run that failed. */
struct stage_entry {
    int64_t time;
    enum { ENTRY_END, ENTRY_BEGIN, ENTRY_CONNECT } what; /* at one time, ends come first */
    size_t index;                                        /* of the step, or of the client */
};

/* One process of an app on a device. */
struct stage_tab {
    struct client *client;
    struct host *host;
    bool dead;  /* it has ended and not started again */
    int closed; /* STEP_CLOSE_TAB that are not over */
    int frozen; /* the same for STEP_FREEZE_TAB */
};

/* A client of either kind: exactly one of `client` and `reactive` is there (stage_party.h). */
struct stage_client {
    struct client *client;  /* the first of `tabs` */
    struct stage_tab *tabs; /* devices: the app's processes; behind the tabs the worker, if there is one */
    size_t n_tabs, n_processes;
    struct tabs *together; /* what they share; NULL: there is but one */
    struct reactive_client *reactive;
    struct host *host;
    const char *name;
    const char *user;      /* devices: who is signed in; NULL: nobody */
    const char *next_user; /* who will be, when STEP_SWITCH_USER ends; NULL: none goes on */
    bool dead;             /* its process has ended and not started again */
    int sleeps;            /* STEP_SLEEP that are not over */
    int sessions;          /* the same for STEP_SESSION */
    struct stage *stage;
    struct disk *disk;          /* NULL: its database is in memory */
    int outages;                /* power went in the middle of something, and is not back */
    int full, flaky, read_only; /* disk faults that are not over */
    int portals;                /* STEP_PORTAL that are not over */
    int crashes;                /* process ends that are not over: it starts again when 0, and awake */
    int disconnects;            /* the same for STEP_DISCONNECT */
    bool connected;             /* the app has called connect for the first time */
};

struct stage {
    const struct scenario *scenario;
    const struct plan *plan;
    const struct stage_options *options;
    struct stage_result *result;
    struct arena arena;
    struct world *world;
    struct net *net;
    struct disk_vfs *vfs;
    struct history *history;
    struct checker *checker;
    const struct client_schema *declared_schemas[2]; /* of the old version, of the new */
    struct freshness *freshness;                     /* NULL: not asked for */
    struct host *deployment_host;
    struct convex_storage *storage;
    struct convex_deployment *deployment; /* NULL while it is down */
    struct convex_deployment_options deployment_options;
    int deployment_crashes;
    struct server_doors doors;
    struct stage_process *services; /* none: no user has a device */
    size_t n_services;
    struct storage *service_storage;
    sqlite3 *storage_file;   /* keeps it while nobody has it open */
    const char *sync_config; /* the newest that was deployed */
    const char *token_keys;  /* JWKS; NULL: the service fetches them */
    struct app_issuer *issuer;
    int mistakes;                        /* STEP_AUDIENCE that are not over */
    struct host *backend_host;           /* NULL: there is no backend */
    struct upload_server *upload_server; /* the backend's process; NULL while it is down, or there is none */
    int backend_crashes;
    size_t configs;                /* given out so far */
    struct captive_portal *portal; /* NULL until somebody meets it */
    struct client_pool *pool;
    struct scenario_clients names;
    struct oracle_request *requests; /* of each device, and of who signs in there later */
    const char **subjects;           /* the users, same order */
    size_t n_subjects;
    struct stage_client *clients; /* names.total, in their order */
    struct map clients_by_name;
    struct stage_entry *agenda;
    size_t n_agenda;
    bool healed;     /* the workload is over: nobody reacts any more */
    bool *left_out;  /* by step: it could not begin, so it does not end */
    uint64_t *fired; /* how often each of fault_kinds happened (timed ones) */
    uint64_t commits, local_writes, applied, convex_requests;
    int64_t progress_at; /* virtual ns of the next call of options->progress */
};

extern const char stage_deploy_key[];
extern const char stage_token_audience[];
extern const char stage_token_key_id[];
extern const char stage_token_secret[];

/* stage_build.c: the deployment's process, on the storage that is there. */
void stage_start_deployment(struct stage *stage);
/* stage_build.c: everything up to virtual time 0. On failure, stage_tear_down takes what is there. */
enum status stage_build(struct stage *stage, struct error *error);
void stage_tear_down(struct stage *stage);

/* stage_steps.c */
void stage_make_agenda(struct stage *stage);
enum status stage_do(struct stage *stage, const struct stage_entry *entry, struct error *error);
/* Faults end, processes run, everybody is connected. */
enum status stage_heal(struct stage *stage, struct error *error);

/* stage_people.c: what people do to their devices. */
bool stage_client_runs(const struct stage_client *client);      /* there is a process, and it is awake */
bool stage_client_signed_in(const struct stage_client *client); /* somebody has the app in front of him */
void stage_client_connect(struct stage_client *client);         /* if nothing keeps the app from it */
enum status stage_client_revive(struct stage_client *client, struct error *error);
enum status stage_people_begin(struct stage *stage, struct stage_client *client,
                               const struct scenario_step *step, bool *left_out, struct error *error);
enum status stage_people_end(struct stage *stage, struct stage_client *client,
                             const struct scenario_step *step, struct error *error);
/* Everybody is awake and signed in, and every clock is right. */
enum status stage_people_heal(struct stage *stage, struct error *error);

/* stage_react.c: devices begin to write on what they see. */
void stage_start_reacting(struct stage *stage);

/* stage_settle.c: nobody has anything left to do, and every client shows its rows at the newest commit. */
bool stage_is_quiet(struct stage *stage);

/* stage_result.c */
void stage_fill_result(struct stage *stage);
/* A violation that the stage itself found; copied. */
void stage_add_violation(struct stage *stage, const struct violation *violation);

#endif

/* The stage's processes of the PowerSync service: they end and start again, alone or all, on a storage that
 * stays; a storage in a file is read anew by the process that starts. */
#ifndef SYNCLINE_SCENARIO_STAGE_SERVICE_H
#define SYNCLINE_SCENARIO_STAGE_SERVICE_H

#include "mock-powersync/service.h"

struct stage;

struct stage_process {
    const char *name;
    bool answers; /* devices */
    struct host *host;
    struct host *door;                 /* NULL: none */
    struct powersync_service *service; /* NULL: down, with its storage in a file */
    bool retired;                      /* devices are told of others */
    bool gone;                         /* for good */
    int crashes;                       /* process ends that are not over: it runs when 0 */
};

/* Makes and starts all of them. On failure stage_services_close takes what is there. */
enum status stage_services_open(struct stage *stage, struct error *error);
void stage_services_close(struct stage *stage);

void stage_service_crash(struct stage *stage, const char *name);
enum status stage_service_restart(struct stage *stage, const char *name, struct error *error);
enum status stage_services_heal(struct stage *stage, struct error *error); /* all run, doors let through */
/* Nobody is told of this process any more; false: nobody is anyway, or it is the last one. */
bool stage_service_retire(struct stage *stage, const char *name);
void stage_service_go(struct stage *stage, const char *name); /* it ends for good */
/* As an operator would at any process that answers; false: none is up. `step` makes the text a new one. */
bool stage_service_redeploy(struct stage *stage, const char *step, enum status *status, struct error *error);
bool stage_service_compact(struct stage *stage, enum status *status, struct error *error);
/* The position up to which clients can see. */
int64_t stage_service_position(const struct stage *stage);

#endif

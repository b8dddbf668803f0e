#include "scenario/stage_backend.h"

#include <assert.h>

#include "app/upload_server.h"
#include "scenario/services.h"

/* Devices are spread over the processes that are there to stay. */
static const char *service(void *context) {
    struct stage *stage = context;
    size_t n = 0;
    do
        n = stage->configs++ % stage->n_services;
    while (!stage->services[n].answers || stage->services[n].retired);
    return stage->services[n].name;
}

static void start(struct stage *stage) {
    const struct upload_server_settings settings = {.deployment = "convex",
                                                    .deploy_key = stage_deploy_key,
                                                    .issuer = stage->issuer,
                                                    .service = stage->scenario->fetch_config ? service : NULL,
                                                    .context = stage};
    assert(stage->backend_host && !stage->upload_server);
    stage->upload_server = upload_server_create(stage->backend_host, &settings);
}

void stage_backend_open(struct stage *stage) {
    if (!scenario_has_backend(stage->scenario))
        return;
    stage->backend_host = server_door_open(net_node(stage->net, SCENARIO_BACKEND),
                                           &stage->scenario->server_faults.backend, &stage->doors.backend);
    start(stage);
}

void stage_backend_close(struct stage *stage) {
    upload_server_destroy(stage->upload_server);
    stage->upload_server = NULL;
}

void stage_backend_crash(struct stage *stage) {
    if (stage->backend_crashes++ > 0)
        return;
    net_crash_node(stage->net, SCENARIO_BACKEND);
    if (stage->doors.backend)
        fault_host_crash(stage->doors.backend);
    stage_backend_close(stage);
}

void stage_backend_restart(struct stage *stage) {
    assert(stage->backend_crashes > 0);
    if (--stage->backend_crashes == 0)
        start(stage);
}

void stage_backend_heal(struct stage *stage) {
    if (stage->backend_crashes == 0)
        return;
    stage->backend_crashes = 1;
    stage_backend_restart(stage);
}

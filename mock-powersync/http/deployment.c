#include "mock-powersync/http/deployment.h"

#include <stdio.h>

#include "mock-powersync/service_internal.h"

static struct replication_stream *refuse(struct http_error *error, int status, const char *code,
                                         const char *description) {
    http_error_set(error, status, "ServiceError", code, description);
    return NULL;
}

static struct replication_stream *deploy(struct powersync_service *service, const char *text,
                                         const char *file, bool force, struct http_error *error) {
    struct replication_stream *stream;
    struct error reason = {0};
    enum status status = storage_deploy(service->storage, text, file, force, &stream, &reason);
    if (!status)
        return stream;
    if (status == STATUS_INVALID)
        refuse(error, 422, "PSYNC_R0001", "Sync rules parsing failed");
    else
        http_error_set(error, 500, "InternalServerError", "PSYNC_S2001", "Something went wrong");
    error_format(&reason, error->details, sizeof error->details);
    return NULL;
}

struct replication_stream *deployment_new(struct powersync_service *service, const char *text,
                                          struct http_error *error) {
    if (!service->options.sync_config_is_managed)
        return deploy(service, text, "sync config", false, error);
    refuse(error, 422, "PSYNC_S4105", "Sync rules API disabled");
    snprintf(error->details, sizeof error->details, "The sync config comes from the service's configuration");
    return NULL;
}

struct replication_stream *deployment_again(struct powersync_service *service, bool alone,
                                            struct http_error *error) {
    struct replication_stream *active = storage_serving(service->storage);
    if (alone && storage_deploying(service->storage))
        return refuse(error, 409, "PSYNC_S4106", "Busy processing sync config - cannot reprocess");
    if (!active)
        return refuse(error, 422, "PSYNC_S4104", "No active sync config");
    return deploy(service, active->text, active->file, true, error);
}

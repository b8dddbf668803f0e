#include "mock-powersync/replication/convex_settings.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"

static enum status no_url(struct error *error, const char *why) {
    return error_set(error, STATUS_INVALID, "PSYNC_S1109: deployment_url %s", why);
}

/* A host, and a port after a colon: no user, no query, nothing that would break a request's head. */
static bool is_authority(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte <= ' ' || byte == 0x7f || strchr("/?#@\\\"<>", byte))
            return false;
    }
    return true;
}

static bool is_path(const char *text) {
    for (; *text; text++)
        if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f || strchr("?#\\\"<>", *text))
            return false;
    return true;
}

enum status convex_address_parse(struct convex_address *address, const char *text, struct error *error) {
    const char *scheme = strstr(text, "://");
    bool tls = strncasecmp(text, "https://", 8) == 0;
    if (scheme && !tls && strncasecmp(text, "http://", 7) != 0)
        return no_url(error, "must begin with http:// or https://");
    const char *host = scheme ? scheme + 3 : text;
    size_t length = strcspn(host, "/");
    if (length == 0 || host[0] == ':')
        return error_set(error, STATUS_INVALID, "PSYNC_S1106: deployment_url has no hostname");
    if (!is_authority(host, length) || !is_path(host + length))
        return no_url(error, "is not a valid URL");
    size_t end = strlen(host);
    while (host[end - 1] == '/')
        end--;
    char *own = memory_copy_bytes(host, length);
    address->authority = memory_format("%s%s", tls ? "https://" : "", own);
    address->path = memory_copy_bytes(host + length, end > length ? end - length : 0);
    free(own);
    return STATUS_OK;
}

void convex_address_free(struct convex_address *address) {
    free(address->authority);
    free(address->path);
    *address = (struct convex_address){0};
}

enum status convex_settings_check(const struct source_settings *settings, struct error *error) {
    struct convex_address address = {0};
    enum status status = convex_address_parse(&address, settings->address ? settings->address : "", error);
    if (status)
        return status;
    convex_address_free(&address);
    if (!settings->key || !settings->key[0])
        return error_set(error, STATUS_INVALID, "PSYNC_S1108: deploy_key must not be empty");
    for (const char *at = settings->key; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return error_set(error, STATUS_INVALID, "PSYNC_S1108: deploy_key holds a control character");
    if (settings->polling_interval <= 0)
        return error_set(error, STATUS_INVALID, "PSYNC_S1109: polling_interval_ms must be above 0");
    if (settings->request_timeout <= 0)
        return error_set(error, STATUS_INVALID, "PSYNC_S1109: request_timeout_ms must be above 0");
    return STATUS_OK;
}

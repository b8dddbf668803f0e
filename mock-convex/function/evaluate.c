/* Queries as of any timestamp, for checks; see convex_deployment_evaluate in deployment.h. */
#include <assert.h>
#include <string.h>

#include "base/json.h"
#include "mock-convex/function/context.h"
#include "mock-convex/function/function_api.h"

/* The claims that a token identifier holds. */
static struct convex_value *make_user(const char *token) {
    const char *bar = token != NULL ? strrchr(token, '|') : NULL;
    if (token == NULL) {
        return NULL;
    }
    struct convex_value *user = convex_object();
    convex_object_set(user, "tokenIdentifier", convex_string(token));
    if (bar != NULL) {
        struct buffer issuer = {0};
        buffer_append(&issuer, token, (size_t)(bar - token));
        convex_object_set(user, "issuer", convex_string(buffer_text(&issuer)));
        convex_object_set(user, "subject", convex_string(bar + 1));
        buffer_free(&issuer);
    }
    return user;
}

static enum status run(struct convex_deployment *deployment, const struct convex_call *call,
                       const struct convex_value *user, int64_t ts, bool *failed, struct buffer *text,
                       struct error *error) {
    struct convex_context context;
    struct convex_value *value = NULL;
    struct error failure = {0};
    convex_context_begin(&context, deployment, call->function, user);
    context.evaluates = true;
    context.transaction.begin = ts;
    *failed = convex_context_call(&context, call->function, call->args, &value, &failure) != STATUS_OK;
    if (*failed) {
        convex_call_append_words(deployment, failure.message, context.thrown, text);
    } else {
        convex_append_json(text, value, CONVEX_FORMAT_ENCODED);
    }
    bool impure = context.impure;
    convex_free(value);
    convex_context_end(&context);
    return impure ? error_set(error, STATUS_INVALID,
                              "the function \"%.200s\" asks for the time or for random numbers", call->path)
                  : STATUS_OK;
}

static enum status evaluate(struct convex_deployment *deployment, const struct convex_call *call,
                            const char *user, int64_t ts, bool *failed, struct buffer *text,
                            struct error *error) {
    char message[512];
    const char *refusal = convex_call_refusal(call, CONVEX_QUERY, message);
    if (refusal != NULL) {
        *failed = true;
        convex_call_append_words(deployment, refusal, NULL, text);
        return STATUS_OK;
    }
    struct convex_value *who = make_user(user);
    enum status status = run(deployment, call, who, ts, failed, text, error);
    convex_free(who);
    return status;
}

enum status convex_deployment_evaluate(struct convex_deployment *deployment, const char *path,
                                       const char *args, const char *user, int64_t ts, bool *failed,
                                       char **text, struct error *error) {
    struct convex_call call = {0};
    struct buffer out = {0};
    json_t *json = json_parse(args, strlen(args), error);
    enum status status = STATUS_OK;
    *failed = false;
    *text = NULL;
    if (!json_is_object(json) || !convex_call_read(deployment, path, json, &call)) {
        status = error_set(error, STATUS_INVALID, "no call of a function: \"%.200s\"", path);
    } else if (ts > deployment->store.latest) {
        status = error_set(error, STATUS_INVALID, "%lld is a time to come", (long long)ts);
    } else {
        status = evaluate(deployment, &call, user, ts, failed, &out, error);
    }
    if (status == STATUS_OK) {
        *text = buffer_take(&out);
    }
    buffer_free(&out);
    convex_call_free(&call);
    json_decref(json);
    return status;
}

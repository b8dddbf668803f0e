/* Mutations, one after the other, and actions, side by side. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mock-convex/function/action.h"
#include "mock-convex/sync/sync_session_internal.h"
#include "mock-convex/value/utf8.h"

bool sync_session_decode(struct sync_session *session, const char *path, const char *component,
                         const json_t *args, struct convex_call *call) {
    *call = (struct convex_call){0};
    bool admin = session->identity == CONVEX_ADMIN || session->identity == CONVEX_ACTING;
    if (component != NULL && *component != 0 && !admin) {
        return sync_session_end_fatal(session, "ComponentPathForbidden: only an admin may name a component");
    }
    call->component = memory_copy_text(component);
    if (!convex_call_read(session->deployment, path, json_is_array(args) ? args : NULL, call)) {
        convex_call_free(call);
        return sync_session_end_fatal(session,
                                      "BadConvexFunctionIdentifier: the function's path cannot be parsed");
    }
    call->identity = session->identity;
    call->user = session->user != NULL ? convex_copy(session->user) : NULL;
    return true;
}

static void respond(struct sync_session *session, const char *type, const struct sync_answer *answer) {
    struct buffer text = {0};
    bool good = answer->result != NULL, mutation = strcmp(type, "MutationResponse") == 0;
    buffer_printf(&text, "{\"type\":\"%s\",\"requestId\":%" PRIu32 ",\"success\":%s,\"result\":", type,
                  answer->request, good ? "true" : "false");
    if (good) {
        buffer_append_text(&text, answer->result);
    } else {
        convex_utf8_append_json(&text, answer->message);
    }
    if (answer->data != NULL) {
        buffer_append_text(&text, ",\"errorData\":");
        convex_append_json(&text, answer->data, CONVEX_FORMAT_ENCODED);
    }
    if (mutation) {
        buffer_append_text(&text, good ? ",\"ts\":\"" : ",\"ts\":null");
        if (good) {
            sync_append_ts(&text, answer->ts);
            buffer_append_char(&text, '"');
        }
    }
    buffer_append_text(&text, ",\"logLines\":");
    convex_log_append_json(&text, answer->log);
    buffer_append_char(&text, '}');
    sync_session_send(session, &text);
    buffer_free(&text);
}

static void refuse(struct sync_session *session, const char *type, uint32_t request,
                   const struct convex_call *call, const char *message, const struct convex_value *data) {
    struct buffer text = {0};
    convex_call_failure(session->deployment, call, message, data, &text);
    respond(session, type,
            &(struct sync_answer){
                .request = request, .message = buffer_text(&text), .data = data, .log = &call->log});
    buffer_free(&text);
}

/* Mutations of a socket run one at a time, in the order in which they came. */
static void run_next(struct sync_session *session) {
    while (!session->over && !session->mutating && session->n_queue > 0) {
        struct queued next = session->queue[0];
        memmove(session->queue, session->queue + 1, --session->n_queue * sizeof next);
        char message[512];
        convex_call_resolve(session->deployment, &next.call);
        const char *refusal = convex_call_refusal(&next.call, CONVEX_MUTATION, message);
        if (refusal != NULL) {
            refuse(session, "MutationResponse", next.request, &next.call, refusal, NULL);
            convex_call_free(&next.call);
        } else {
            session->mutating = true; /* until sync_session_answer, which may come from inside */
            sync_hub_mutate(session->hub, session, session->id, next.request, next.call);
        }
    }
}

static void run_queue(struct sync_session *session) {
    session->busy = true;
    run_next(session);
    session->busy = false;
}

static void take_answer(struct sync_session *session, const struct sync_answer *answer) {
    session->mutating = false;
    if (answer->lost) {
        sync_session_end_internal(session);
        return;
    }
    if (answer->code != NULL) {
        sync_session_end(session, 1013, answer->code);
        return;
    }
    respond(session, "MutationResponse", answer);
    if (answer->result != NULL) {
        session->pending.ts = answer->ts > session->pending.ts ? answer->ts : session->pending.ts;
        session->owes = true; /* the client looks for finished mutations when a Transition comes */
        sync_session_update_soon(session);
    }
}

void sync_session_answer(struct sync_session *session, const struct sync_answer *answer) {
    take_answer(session, answer);
    if (!session->busy) { /* else it came from inside run_next, which goes on */
        run_queue(session);
        sync_session_settle(session);
    }
}

void sync_session_robbed(struct sync_session *session) {
    assert(!session->busy);
    session->mutating = false;
    run_queue(session);
    sync_session_settle(session);
}

bool sync_session_take_mutation(struct sync_session *session, const struct sync_message *message) {
    struct convex_call call;
    if (session->n_queue >= SYNC_QUEUE_MAX) {
        return sync_session_end(session, 1013, "TooManyConcurrentMutations");
    }
    if (session->read_only) {
        return sync_session_end(session, 1000, "OperationNotPermitted");
    }
    if (!sync_session_decode(session, message->path, message->component, message->args, &call)) {
        return false;
    }
    call.request_id = sync_hub_request_id(session->id, message->request);
    MEMORY_RESERVE(session->queue, session->queue_capacity, session->n_queue + 1);
    session->queue[session->n_queue++] = (struct queued){.request = message->request, .call = call};
    run_queue(session);
    return !session->over;
}

/* Actions do not wait for each other and are not kept: who asks twice runs them twice. */
static void free_inflight(struct inflight *inflight) {
    *inflight->link = inflight->next;
    if (inflight->next != NULL) {
        inflight->next->link = inflight->link;
    }
    inflight->session->n_actions--;
    convex_call_free(&inflight->call);
    free(inflight);
}

static void action_done(void *context, const struct convex_action_outcome *outcome) {
    struct inflight *inflight = context;
    struct sync_session *session = inflight->session;
    if (outcome->code != NULL) {
        free_inflight(inflight);
        sync_session_end(session, 1013, outcome->code);
        sync_session_settle(session);
        return;
    }
    convex_call_keep_log(session->deployment, &inflight->call, outcome->log);
    if (outcome->value != NULL) {
        struct buffer text = {0};
        convex_append_json(&text, outcome->value, CONVEX_FORMAT_ENCODED);
        respond(session, "ActionResponse",
                &(struct sync_answer){
                    .request = inflight->request, .result = buffer_text(&text), .log = &inflight->call.log});
        buffer_free(&text);
    } else {
        refuse(session, "ActionResponse", inflight->request, &inflight->call, outcome->message,
               outcome->thrown);
    }
    free_inflight(inflight);
}

/* Takes the call. */
static void run_action(struct sync_session *session, uint32_t request, const struct convex_call *call) {
    struct inflight *inflight = memory_allocate(sizeof *inflight);
    *inflight = (struct inflight){.session = session,
                                  .request = request,
                                  .call = *call,
                                  .next = session->actions,
                                  .link = &session->actions};
    if (inflight->next != NULL) {
        inflight->next->link = &inflight->next;
    }
    session->actions = inflight;
    session->n_actions++;
    const struct convex_action_caller caller = {.done = action_done, .context = inflight};
    inflight->action = convex_action_start(session->deployment, call->function, call->user, call->args,
                                           session->deployment->read_time, caller);
}

void sync_session_leave_actions(struct sync_session *session) {
    while (session->actions != NULL) {
        convex_action_leave(session->actions->action);
        free_inflight(session->actions); // NOLINT(clang-analyzer-unix.Malloc): it unlinks the first one
    }
}

bool sync_session_take_action(struct sync_session *session, const struct sync_message *message) {
    struct convex_call call;
    if (session->n_actions >= SYNC_ACTIONS_MAX) {
        return sync_session_end(session, 1013, "TooManyInflightActionsForSingleClient");
    }
    if (session->read_only) {
        return sync_session_end(session, 1000, "OperationNotPermitted");
    }
    if (!sync_session_decode(session, message->path, message->component, message->args, &call)) {
        return false;
    }
    call.request_id = sync_hub_request_id(session->id, message->request);
    char text[512];
    const char *refusal = convex_call_refusal(&call, CONVEX_ACTION, text);
    if (refusal != NULL) {
        refuse(session, "ActionResponse", message->request, &call, refusal, NULL);
        convex_call_free(&call);
    } else {
        run_action(session, message->request, &call);
    }
    return true;
}

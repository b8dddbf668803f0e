#include <assert.h>
#include <string.h>

#include "scenario/fault_kinds.h"
#include "scenario/services.h"

/* X(name, class, lasts, counter, step, one way, id letter, summary) */
#define FAULTS(X)                                                                                            \
    X("partition", FAULT_CLASS_TIMED, true, NULL, STEP_PARTITION, false, "p",                                \
      "a client and a server, or the service and the deployment, cannot reach each other")                   \
    X("one-way-partition", FAULT_CLASS_TIMED, true, NULL, STEP_PARTITION, true, "h",                         \
      "the same in one direction only: what the other side says still arrives")                              \
    X("offline", FAULT_CLASS_TIMED, true, NULL, STEP_OFFLINE, false, "o", "a device has no network at all")  \
    X("captive-portal", FAULT_CLASS_TIMED, true, NULL, STEP_PORTAL, false, "q",                              \
      "whatever a device asks, its network answers 200 with a page to sign in")                              \
    X("disconnect", FAULT_CLASS_TIMED, true, NULL, STEP_DISCONNECT, false, "d",                              \
      "the app calls disconnect, and connect after a while")                                                 \
    X("connect", FAULT_CLASS_TIMED, false, NULL, STEP_CONNECT, false, "v",                                   \
      "the app calls connect once more, although it has")                                                    \
    X("client-crash", FAULT_CLASS_TIMED, true, NULL, STEP_CRASH, false, "c",                                 \
      "the app's process ends and starts again on the same database")                                        \
    X("power-loss", FAULT_CLASS_TIMED, true, NULL, STEP_POWER_LOSS, false, "l",                              \
      "a device is without power, and its disk loses any part of what was not synced")                       \
    X("disk-full", FAULT_CLASS_TIMED, true, NULL, STEP_DISK_FULL, false, "f",                                \
      "a device's disk is full: no file can grow")                                                           \
    X("disk-error", FAULT_CLASS_TIMED, true, NULL, STEP_DISK_ERROR, false, "e",                              \
      "one operation in eight of a device's disk fails")                                                     \
    X("disk-read-only", FAULT_CLASS_TIMED, true, NULL, STEP_DISK_READ_ONLY, false, "y",                      \
      "nothing on a device's disk can be changed")                                                           \
    X("close-tab", FAULT_CLASS_TIMED, true, NULL, STEP_CLOSE_TAB, false, "b",                                \
      "a tab is closed at any moment, and opened again after a while")                                       \
    X("freeze-tab", FAULT_CLASS_TIMED, true, NULL, STEP_FREEZE_TAB, false, "i",                              \
      "nothing runs in a tab for a while; locks that it has stay with it")                                   \
    X("service-crash", FAULT_CLASS_TIMED, true, NULL, STEP_CRASH, false, "c",                                \
      "the PowerSync service ends and starts again on the same storage")                                     \
    X("redeploy", FAULT_CLASS_TIMED, false, NULL, STEP_REDEPLOY, false, "n",                                 \
      "the sync config is deployed again, as a new one with the same streams")                               \
    X("lose-storage", FAULT_CLASS_TIMED, true, NULL, STEP_LOSE_STORAGE, false, "b",                          \
      "the service loses its storage, and begins anew with a copy of all tables")                            \
    X("vanish", FAULT_CLASS_TIMED, true, NULL, STEP_VANISH, false, "i",                                      \
      "a process of the service ends, and nobody who hears from it is told: streams stay half open")         \
    X("retire", FAULT_CLASS_TIMED, true, NULL, STEP_RETIRE, false, "v",                                      \
      "a process of the service goes for good; devices that ask are told of another")                        \
    X("compact", FAULT_CLASS_TIMED, false, NULL, STEP_COMPACT, false, "m",                                   \
      "the service compacts its buckets")                                                                    \
    X("drop-table", FAULT_CLASS_TIMED, false, NULL, STEP_DROP_TABLE, false, "n",                             \
      "a table of the deployment is deleted, which no reader of changes hears of")                           \
    X("deployment-crash", FAULT_CLASS_TIMED, true, NULL, STEP_CRASH, false, "c",                             \
      "the Convex deployment ends and starts again on the same storage")                                     \
    X("backend-crash", FAULT_CLASS_TIMED, true, NULL, STEP_CRASH, false, "c",                                \
      "the app's own server ends and starts again; what it was working on is gone")                          \
    X("rotate-keys", FAULT_CLASS_TIMED, true, NULL, STEP_ROTATE_KEYS, false, "r",                            \
      "the token issuer signs with a new key; the old one stays published for a while")                      \
    X("wrong-audience", FAULT_CLASS_TIMED, true, NULL, STEP_AUDIENCE, false, "a",                            \
      "the token issuer makes tokens for PowerSync out to a wrong audience")                                 \
    X("clear", FAULT_CLASS_TIMED, true, NULL, STEP_CLEAR, false, "g",                                        \
      "the app calls disconnectAndClear, and connect after a while")                                         \
    X("switch-user", FAULT_CLASS_TIMED, true, NULL, STEP_SWITCH_USER, false, "u",                            \
      "somebody signs out, and after a while somebody signs in on the same device")                          \
    X("update-app", FAULT_CLASS_TIMED, true, NULL, STEP_UPDATE_APP, false, "j",                              \
      "the app on a device goes on with another version of its schema")                                      \
    X("session-expires", FAULT_CLASS_TIMED, true, NULL, STEP_SESSION, false, "x",                            \
      "the app gets no new tokens for a while")                                                              \
    X("sleep", FAULT_CLASS_TIMED, true, NULL, STEP_SLEEP, false, "z",                                        \
      "a device sleeps: nothing runs on it, connections go unanswered")                                      \
    X("wrong-clock", FAULT_CLASS_TIMED, true, NULL, STEP_CLOCK, false, "t",                                  \
      "a device's clock is wrong by up to twelve hours")                                                     \
    X("refuse", FAULT_CLASS_WIRE, false, "net.refuse", STEP_WRITE, false, NULL,                              \
      "a connection attempt is refused")                                                                     \
    X("reset", FAULT_CLASS_WIRE, false, "net.reset", STEP_WRITE, false, NULL,                                \
      "the connection is reset at some moment of an exchange")                                               \
    X("lose-response", FAULT_CLASS_WIRE, false, "net.lose-response", STEP_WRITE, false, NULL,                \
      "the server does what it was asked, and the answer never arrives")                                     \
    X("stall", FAULT_CLASS_WIRE, true, "net.stall", STEP_WRITE, false, NULL,                                 \
      "one message of an exchange is held up for a while")                                                   \
    X("split-chunks", FAULT_CLASS_SWITCH, false, "net.split-chunks", STEP_WRITE, false, NULL,                \
      "body bytes arrive cut and merged at other places than they were written")

#define AS_KIND(name, class, lasts, counter, step, one_way, letter, summary)                                 \
    {name, class, lasts, counter, step, one_way, letter, summary},
#define AS_NAME(name, class, lasts, counter, step, one_way, letter, summary) {name, summary},

const struct fault_kind fault_kinds[] = {FAULTS(AS_KIND){.name = NULL}};

const struct fault_kind *fault_kind_find(const char *name) {
    for (const struct fault_kind *kind = fault_kinds; kind->name; kind++)
        if (!strcmp(kind->name, name))
            return kind;
    return NULL;
}

bool step_is_for_devices(enum step_kind kind) {
    return kind == STEP_BROWSE || kind == STEP_CONNECT || kind == STEP_UPDATE_APP || kind == STEP_CLEAR ||
           kind == STEP_SWITCH_USER || kind == STEP_SESSION || kind == STEP_CLOSE_TAB ||
           kind == STEP_FREEZE_TAB;
}

const struct fault_kind *fault_kind_of_step(const struct scenario_step *step) {
    assert(step->id);
    switch (step->kind) {
    case STEP_WRITE:
    case STEP_CALL:
    case STEP_BROWSE:
        return NULL;
    case STEP_OFFLINE:
        return fault_kind_find("offline");
    case STEP_DISCONNECT:
        return fault_kind_find("disconnect");
    case STEP_CONNECT:
        return fault_kind_find("connect");
    case STEP_ROTATE_KEYS:
        return fault_kind_find("rotate-keys");
    case STEP_PARTITION:
        return fault_kind_find(step->one_way ? "one-way-partition" : "partition");
    case STEP_CLEAR:
        return fault_kind_find("clear");
    case STEP_SWITCH_USER:
        return fault_kind_find("switch-user");
    case STEP_UPDATE_APP:
        return fault_kind_find("update-app");
    case STEP_SESSION:
        return fault_kind_find("session-expires");
    case STEP_SLEEP:
        return fault_kind_find("sleep");
    case STEP_CLOCK:
        return fault_kind_find("wrong-clock");
    case STEP_AUDIENCE:
        return fault_kind_find("wrong-audience");
    case STEP_PORTAL:
        return fault_kind_find("captive-portal");
    case STEP_LOSE_STORAGE:
        return fault_kind_find("lose-storage");
    case STEP_VANISH:
        return fault_kind_find("vanish");
    case STEP_RETIRE:
        return fault_kind_find("retire");
    case STEP_REDEPLOY:
        return fault_kind_find("redeploy");
    case STEP_COMPACT:
        return fault_kind_find("compact");
    case STEP_DROP_TABLE:
        return fault_kind_find("drop-table");
    case STEP_POWER_LOSS:
        return fault_kind_find("power-loss");
    case STEP_DISK_FULL:
        return fault_kind_find("disk-full");
    case STEP_DISK_ERROR:
        return fault_kind_find("disk-error");
    case STEP_DISK_READ_ONLY:
        return fault_kind_find("disk-read-only");
    case STEP_CLOSE_TAB:
        return fault_kind_find("close-tab");
    case STEP_FREEZE_TAB:
        return fault_kind_find("freeze-tab");
    case STEP_CRASH:
        return fault_kind_find(scenario_is_service_name(step->client)    ? "service-crash"
                               : !strcmp(step->client, "convex")         ? "deployment-crash"
                               : !strcmp(step->client, SCENARIO_BACKEND) ? "backend-crash"
                                                                         : "client-crash");
    }
    assert(false); /* every kind of step is handled above */
    return NULL;
}

bool fault_kind_strikes_disk(const struct fault_kind *kind) {
    return kind && kind->class == FAULT_CLASS_TIMED &&
           (kind->step == STEP_POWER_LOSS || kind->step == STEP_DISK_FULL || kind->step == STEP_DISK_ERROR ||
            kind->step == STEP_DISK_READ_ONLY);
}

const struct scenario_fault *scenario_fault_find(const struct scenario *scenario, const char *name) {
    for (size_t i = 0; i < scenario->n_faults; i++)
        if (!strcmp(scenario->faults[i].name, name))
            return &scenario->faults[i];
    return NULL;
}

const struct scenario_name *scenario_faults(void) {
    static const struct scenario_name names[] = {FAULTS(AS_NAME){NULL, NULL}};
    return names;
}

const struct scenario_name *scenario_mutants(void) {
    static const struct scenario_name names[] = {
        {"split-transaction", "the replicator commits in the middle of a source transaction"},
        {"ack-before-mapping", "the service writes its marker before it has stored the write checkpoint"},
        {"skip-syncs", "a device's disk says that it has synced, and has not"},
        {"gate-open", "the client applies checkpoints without waiting for its write checkpoint"},
        {"complete-unanswered", "the client takes an upload without an answer for accepted"},
        {"keep-data", "who signs out leaves rows, queue and gate to who signs in next"},
        {"stale-credentials", "the client keeps its token when another user signs in"},
        {"wrong-checksum", "the service announces a wrong checksum for some buckets"},
        {"stale-head", "the service lets an old write checkpoint request take the head of a newer one back"},
        {"replay-old-checkpoint", "the service begins each stream with the checkpoint before the newest"},
        {"foreign-bucket", "the service gives each client a bucket that is somebody else's"},
        {"stale-lookups", "a connection keeps the buckets that it began with, whatever memberships become"},
        {"complete-compacted",
         "the service completes checkpoints that compaction has left operations out of"},
        {"lost-update", "a commit's validation overlooks changes of documents that were read"},
        {"phantom", "a commit's validation overlooks new documents in ranges that were read"},
        {"stale-subscription", "new documents in a range that a subscription read do not make it run again"},
        {"split-snapshot", "queries of one transition run at different timestamps"},
        {"new-request-id", "the plain Convex client sends a mutation again under a new request number"},
        {"deaf-while-uploading", "the client overlooks what is written while an upload run ends"},
        {"deaf-to-writes", "local writes do not wake the client's upload loop"},
        {"no-push-on-reconnect", "a new stream does not wake the client's upload loop"},
        {"no-upload-retry", "after a failed upload the client waits for something else to wake it"},
        {"failed-state-stays", "an upload loop that was stopped while it waited never runs again"},
        {"endless-rounds", "after a failed upload the client tries again at once"},
        {"complete-on-disconnect", "the client takes an upload that it gives up for accepted"},
        {"dead-letter", "the client takes an upload without an answer for refused"},
        {"new-idempotency-key", "the client gives each attempt of an upload another key"},
        {"clear-whole-queue", "completing an upload removes what was queued in the meantime"},
        {"queue-in-memory", "the client's upload queue does not survive a crash"},
        {"half-write", "a crash leaves the target of a write that was never queued"},
        {"gate-lost-on-connect", "the client forgets what its uploads wait for when a stream begins"},
        {"await-first-only", "after an upload the client waits for the write checkpoint of an older one"},
        {"inverted-target", "the client uses a write checkpoint only when its queue is not empty"},
        {"no-retry-after-upload", "a checkpoint that came during an upload is not looked at again"},
        {"lost-line", "the client loses the line that comes with the end of an upload"},
        {"stale-config", "the app keeps its first configuration, over another user and another endpoint"},
        {"store-then-clear", "the app stores who owns the data before it clears the former user's"},
        {"damaged-sum", "one data line in eight reaches the client with a wrong checksum in it"},
        {"keep-refused-token", "the client sends a token again that was refused"},
        {"forget-token-on-error", "the client fetches a new token after each failed stream"},
        {"no-tab-locks", "the tabs of an app do not wait for each other"},
        {"lock-after-close", "the lock of a tab that is closed goes to nobody"},
        {"never-thawed", "a tab that was frozen stays so, with its locks"},
        {"connect-hangs-after-clear", "connecting after disconnectAndClear does nothing"},
        {"token-error-ends-loop", "the download loop ends for good when no token can be had"},
        {"hung-after-fetch-error", "a stream whose data cannot be read stays open until the next checkpoint"},
        {"checkpoint-without-client",
         "the backend's custom write checkpoints say the user and not the device"},
        {"checkpoint-with-data-only",
         "the service shows custom write checkpoints with the next change of data"},
        {"early-write-checkpoint", "the service announces write checkpoints before replication is there"},
        {"slot-per-user", "a write checkpoint request overwrites that of the user's other device"},
        {"replicated-head", "write checkpoints take replication's position for the source's"},
        {"head-above-marker", "write checkpoints wait for a position that their marker does not reach"},
        {"deaf-instance", "after the first checkpoint a stream hears of no other"},
        {"interrupted-batch", "news of others end a long download in the middle"},
        {"forget-open-streams", "the client's core never hears which streams the app has open"},
        {"lost-subscription", "the client forgets a stream that is opened while it connects"},
        {"second-stream", "the client opens a second stream when its app calls connect once more"},
        {"late-disconnect", "the client does not hear that its app disconnects while it connects"},
        {"second-upload", "nothing keeps two runs of the client's upload loop apart"},
        {"forget-complete", "the app never completes what it has uploaded"},
        {"stale-has-synced", "the client's app reads `has synced` once and never again"},
        {"stays-connected", "the client's status says connected after its stream has failed"},
        {"deaf-to-keepalives", "the client overlooks the lines by which the service says that it is there"},
        {"newest-edit-wins", "the backend of the app pages drops an edit made before the one that is there"},
        {"early-polls", "the service asks for changes by the clock, whether the last ones have come or not"},
        {"idle-checkpoints", "the client asks for write checkpoints although it has written nothing"},
        {"server-first", "the app shows what comes from the service, not what it wrote itself"},
        {"numeric-affinity", "the service makes numbers of texts that look like them"},
        {"fixed-types",
         "the service leaves out rows with a value of another type than its column's first one"},
        {"strict-lines", "the client gives up at a line of a kind that it does not know"},
        {"odd-answer-signs-out", "the client takes an answer that is no token for the end of its session"},
        {"accept-any-token", "the service takes tokens without looking at key, audience and times"},
        {"one-listed-key", "the service's configuration has only the key that signed when it was written"},
        {"identifier-as-user", "the upload function takes Convex's token identifier for the user's id"},
        {"cut-text", "the backend of the app wide cuts texts at 20,000 bytes"},
        {"apply-later", "the backend answers some uploads before it has done what they ask for"},
        {"complete-before-answer", "the app completes an upload when it has sent it"},
        {"complete-any-status", "the app takes every answer for a good one, whatever its status"},
        {"ignore-body-errors", "the app does not look for refusals in the body of a 200"},
        {"retry-refused", "the app sends again for ever what the backend refuses"},
        {"cut-batch", "the app's batches end anywhere, also in the middle of a transaction"},
        {"rows-backwards",
         "the upload server commits the rows of a transaction one by one, the last one first"},
        {"stale-upload-token", "the app uploads with its first token for ever"},
        {"forget-receipts", "the upload server applies an upload that it has seen once more"},
        {"op-id-only",
         "the upload server knows uploads by their number alone, which other devices have as well"},
        {"check-then-insert", "the upload server looks rows up before the transaction that inserts them"},
        {"server-commits-rows", "the upload server commits each row of a transaction by itself"},
        {"refuse-whole-batch", "the upload server refuses a whole batch for one bad transaction in it"},
        {"owner-from-client", "the upload server takes the owner that the client says"},
        {"upsert-any-owner", "the upload server does not ask whose row it changes"},
        {"put-owner-only", "the backend asks whose row it is for PUT only"},
        {"null-owner", "the upload server passes a null owner on to a table that needs one"},
        {"same-random-numbers",
         "the app's random numbers, and so its rows' ids, are the same on every device"},
        {"same-client-id", "a device is set up from another's image, and has its client id"},
        {"silent-miss", "the upload server does not say which changes met no row"},
        {"patch-deleted", "the backend changes rows that are deleted"},
        {"delete-again", "the backend gives a deleted row a new time when it is deleted again"},
        {"orphans",
         "the backend of the app notes does not look at folders when notes and folders come and go"},
        {"half-hand-over", "the backend of the app notes gives a folder away without its notes"},
        {"watch-one-table", "an app's watch query over several tables hears of the first one only"},
        {"no-unique-pair", "the backend of the app diary does not look for a tag that is there already"},
        {"patch-as-put", "the app uploads what was changed of a row as if it were all of it"},
        {"camel-first", "the upload server prefers the camelCase spelling of a column"},
        {"truthy-text", "the upload server takes every text but the empty one for true"},
        {"times-as-sent", "the upload server stores times as they are sent, in any form"},
        {"camel-only", "the upload server looks for columns under their camelCase names only"},
        {"seconds-as-milliseconds", "the upload server does not convert times"},
        {"guess-units", "the upload server takes times below 10,000,000,000 for seconds"},
        {"boolean-as-number", "the upload server stores 0 and 1 for booleans"},
        {"null-is-false", "the upload server makes false of a boolean that is null"},
        {"forget-local-only", "the app declares its local-only tables as synced ones"},
        {"drop-untyped", "an update of the app drops the rows of tables that it does not know"},
        {"clear-local", "clearing takes local-only tables too, though the app says they stay"},
        {"phantom-row", "the client changes a synced row behind the core's back (canary)"},
        {NULL, NULL}};
    return names;
}

const struct scenario_name *scenario_engines(void) {
    static const struct scenario_name names[] = {
        {"core", "the real PowerSync client core, from npm: the newest installed"},
        {"core@0.4.6", "the release in @powersync/node 0.14.3"},
        {"core@0.4.10", "the release in @powersync/node 0.16.0"},
        {"core@0.4.11", "the release in @powersync/node 0.18.4"},
        {"core@0.4.12", "the release in @powersync/node 0.20.0"},
        {"core@0.5.2", "the release in @powersync/node 1.0.0"},
        {"core@0.5.3", "the release in @powersync/node 1.1.0"},
        {"model",
         "our own implementation of the client core in compact memory: cheap, for many seeds and clients"},
        {"both", "core and model side by side, compared after each call; a difference ends the run"},
        {NULL, NULL}};
    return names;
}

enum client_engine scenario_engine(const struct scenario *scenario) {
    if (!strcmp(scenario->engine, "model"))
        return CLIENT_ENGINE_MODEL;
    return strcmp(scenario->engine, "both") ? CLIENT_ENGINE_CORE : CLIENT_ENGINE_BOTH;
}

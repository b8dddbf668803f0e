/* Notes: what an actor tells about itself, for sim/history to record and sim/check to judge. A note has no
 * effect on the actor, and an actor never learns what becomes of it. All pointers are borrowed for the
 * duration of the call. */
#ifndef SYNCLINE_KERNEL_NOTE_H
#define SYNCLINE_KERNEL_NOTE_H

#include <stddef.h>
#include <stdint.h>

enum note_kind {
    /* A deployment published a transaction. timestamp = commit timestamp; rows = the final state of each
     * document written: table, id = document id, values = the document as `format=json` JSON object text,
     * NULL = deleted. System tables are left out. text = function path. */
    NOTE_COMMIT,
    /* A client committed a local transaction. transaction = its number in the upload queue (tx_id of
     * ps_crud); rows: operation = "PUT", "PATCH" or "DELETE", table, id, values = JSON object of the columns
     * as the app wrote them (NULL for DELETE). text = id of the plan step that caused it, or NULL. What a
     * transaction did in local-only tables, which nobody queues, comes before it in a note of its own, with
     * transaction = 0. */
    NOTE_LOCAL_WRITE,
    /* The rows that the app can see through its views changed. rows: table, id, values = row text
     * (disk/row_text.h), NULL = the row is gone. text = "write" (after NOTE_LOCAL_WRITE), "checkpoint" (a
     * checkpoint was published, timestamp = its op id), "partial" (the same of the streams up to a priority,
     * transaction = that priority), or "restart" (all rows visible after a restart; rows not listed are
     * gone), "clear" (the same after the app emptied its database: queued local transactions are gone too;
     * transaction = 1: what was downloaded was kept; timestamp = 1: so were local-only tables), "schema" (the
     * same after the app went on with its version `transaction`). */
    NOTE_VIEW,
    /* Upload of one local transaction. transaction as in NOTE_LOCAL_WRITE. text = reason, where there is one.
     */
    NOTE_UPLOAD_STARTED,
    NOTE_UPLOAD_ACKNOWLEDGED, /* the backend answered success; the queue entry is gone after this note */
    NOTE_UPLOAD_REJECTED,     /* the backend refused for good, the app was told, the queue entry is gone */
    NOTE_UPLOAD_FAILED,       /* no answer, or one that asks to try again; the entry stays queued */
    /* A client received a write checkpoint id. timestamp = the id. */
    NOTE_WRITE_CHECKPOINT,
    /* The download side of a client: text = "connecting", "connected", "disconnected: <reason>". transaction
     * = what its app's status says from then on, a sum of note_status. */
    NOTE_CONNECTION,
    /* A client process ended and came back on the same database. Of RESTART, where the database is on a disk:
     * transaction = the newest local transaction that is there, timestamp = the newest that the disk had
     * promised to keep, text = why the data may differ from before: "power loss", "disk error" (a transaction
     * that was told to have failed may be there), "damaged: ..." (the app began anew); NULL: it may not. */
    NOTE_CRASH,
    NOTE_RESTART,
    /* End of run, one per client: rows = every queued operation still in the upload queue (operation, table,
     * id, values), transaction = number of queued local transactions. text = "waiting" when the queue is
     * empty but the write checkpoint of the last upload was not applied: such a client shows nothing that
     * others write. */
    NOTE_QUEUE,
    /* Anything else worth a line in the narration: text. */
    NOTE_TEXT,
    /* What the transaction of the NOTE_COMMIT that follows at once has read. timestamp = its snapshot. Rows:
     * operation "READ" (table, id, values = decimal commit timestamp of the revision that it saw, "0": there
     * was none), "RANGE" (table; id = the index, as "by_id" or "by_uuid(uuid)"; values =
     * {"low":hex,"high":hex or null}, index keys in byte order, low <= key < high; see
     * mock-convex/store/index_key.h) and, for each document that it wrote, "KEY" (table, id, values =
     * {index:hex,..}, its new keys; NULL = deleted). A commit that read nothing has "KEY" rows only, and its
     * snapshot is just below it. Hex digits are lower case, so their order is that of the bytes. Histories do
     * not narrate it. */
    NOTE_READS,
    /* A client of the WebSocket protocol applied a transition. timestamp = its ts; rows, one for every query
     * that the client is subscribed to: operation = "VALUE" or "ERROR", table = function path, id = arguments
     * as encoded JSON, values = result as encoded JSON (errors: the message without request id). text = who
     * is signed in, NULL: nobody. */
    NOTE_TRANSITION,
    /* A client of the WebSocket protocol called a mutation or action: table = path, id = arguments,
     * transaction = its request number, operation = "mutation" or "action". Started: values = session id,
     * text = the plan step or NULL. Ended: text = "success" (timestamp = of the commit, values = result),
     * "failure" (values = message), or "unknown" (the connection went while an action was on its way). One
     * row each. Calls that a crash took get no end, and request numbers begin at 0 again after it. */
    NOTE_CALL_STARTED,
    NOTE_CALL_ENDED,
    /* A deployment ended a table at a timestamp, without tombstones: text = "drops" or "replaces" (another
     * one, whose documents were never noted, took over the name); one row: table, id = "". */
    NOTE_TABLE,
    /* A deployment has run a mutation of a WebSocket session to its success (not: answered it from what it
     * keeps). One row: table = path, id = session id ("": it has none). transaction = request number,
     * timestamp = of the commit. Comes right after the NOTE_COMMIT, if something was written. */
    NOTE_CALL_RAN,
    /* A client's app began a watch query, or it ran again: what it shows is what is there now. */
    NOTE_WATCHED,
    /* A client's app: text = who is signed in from now on, NULL: nobody. */
    NOTE_IDENTITY,
    /* The PowerSync service has lost its storage: numbers of operations and of checkpoints begin anew. */
    NOTE_STORAGE_LOST,
    /* A client's streams beside the default ones. Rows: table = stream, id = its parameters, keys sorted.
     * text = "opened" (the app subscribed to it; timestamp = the s that it stays once it is left), "left" (no
     * page has it open any more), "dropped" (and it need not stay), "synced" (one that is open was there for
     * the first time), "asked" (all that the next request asks for, when it is not what the last one did;
     * only of apps that open streams while they run). */
    NOTE_STREAMS
};

enum note_status {
    NOTE_STATUS_CONNECTED = 1,
    NOTE_STATUS_CONNECTING = 2,
    NOTE_STATUS_SYNCED = 4 /* a whole checkpoint was published once */
};

struct note_row {
    const char *operation; /* only where the kind says so, else NULL */
    const char *table;
    const char *id;
    const char *values; /* NULL: no row */
};

struct note {
    enum note_kind kind;
    int64_t timestamp;   /* by kind, else 0 */
    int64_t transaction; /* by kind, else 0 */
    const struct note_row *rows;
    size_t n_rows;
    const char *text; /* NULL when there is none */
    int process;      /* which of the node's processes, from 1: its host fills it in; 0: there is but one */
};

#endif

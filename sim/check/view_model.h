/* View models: for each client what its app can see, what that corresponds to in the committed history, and
 * what became of its local transactions, kept up to date from the history's records. At every record of a
 * view the model compares and, when something is wrong, decides which one promise was broken; the property of
 * that name reports it.
 *
 * A published checkpoint must equal the oracle's view of the user at one commit: not before the one where the
 * client stood, and not before its own acknowledged writes. Local transactions that are still queued must lie
 * on top of it (the client core does not publish at all while there are any). Between checkpoints nothing
 * changes but by own writes.
 *
 * A partial checkpoint (of the streams up to a priority) must show one commit for these tables only; the next
 * whole one must not be older. */
#ifndef SYNCLINE_CHECK_VIEW_MODEL_H
#define SYNCLINE_CHECK_VIEW_MODEL_H

#include "check/oracle.h"
#include "check/view_rows.h"

enum view_promise { VIEW_ATOMIC, VIEW_PREFIX, VIEW_MONOTONIC, VIEW_OWN_WRITES };

enum transaction_state {
    TRANSACTION_QUEUED,
    TRANSACTION_ACKNOWLEDGED,
    TRANSACTION_REJECTED,
    TRANSACTION_CLEARED, /* the app emptied its queue; an upload under way may still take effect */
    TRANSACTION_LOST
};

struct local_transaction {
    int64_t number;
    const struct history_record *record; /* NOTE_LOCAL_WRITE */
    enum transaction_state state;
    bool taken_back;      /* the device's disk has lost it; its number may be given out again */
    uint64_t answer;      /* record of the acknowledgement or rejection; 0: none */
    size_t commits;       /* how many commits carry its receipt, or that of its first part */
    size_t commit;        /* the first of them, of parts the last one; 0: none */
    size_t latest_commit; /* the last of them */
    int64_t part;         /* it comes in parts: the first one's; 0: as a whole */
};

struct view_expectation {
    size_t row; /* index in the model's rows */
    char *text; /* what the write should make of it; NULL: gone */
};

struct view_model {
    const char *client;                 /* node name */
    const struct client_schema *schema; /* the app's version that is there now */
    const struct oracle *oracle;        /* of this version */
    const struct oracle_user *user;     /* who is signed in, with what the client asks for */
    const char *identity;               /* the name of who is signed in */
    const struct oracle_request *request;
    struct oracle_request asked; /* what `request` points to once the client has asked for something else */
    bool asked_anew;             /* and no whole checkpoint has come since */
    struct view_rows rows;
    struct hash128 set;
    struct hash128 urgent[ORACLE_URGENT];   /* by priority: of the rows of tables up to it */
    const struct history_record *last_view; /* the record that it comes from; NULL: none yet */
    size_t stands_at;                       /* commit */
    uint64_t stands_record;                 /* the view that showed it; 0: none yet */
    size_t urgent_at;                       /* newest commit that a partial checkpoint has shown */
    uint64_t urgent_record;                 /* the view that showed it */
    size_t must_include;                    /* newest commit of an own acknowledged write */
    struct hash128 reported; /* set of rows by which the view is wrong already, reported once */
    struct local_transaction *transactions;
    size_t n_transactions;
    size_t transactions_capacity;
    size_t first_open;  /* all before it are answered */
    struct map numbers; /* bytes of a transaction's number -> index + 1 */
    struct view_expectation *expectations;
    size_t n_expectations;
    size_t expectations_capacity;
    bool between; /* since the last whole checkpoint there were own writes, or a part of the next one */
    bool unsure;  /* a disk has lost something: the next view may differ from the last */
    const struct history_record *queue; /* NOTE_QUEUE; NULL: none yet */
};

/* One broken promise. Texts are owned by the models until the next record. */
struct view_finding {
    enum view_promise promise;
    const struct view_model *model;
    const char *table; /* or "" */
    const char *row;   /* or "" */
    char *expected;    /* row text; NULL: no row */
    char *seen;
    uint64_t first_record;
    uint64_t second_record;
    int64_t time;
    char *explanation;
};

struct view_models;

struct view_models *view_models_create(struct checker *checker, const struct check_settings *settings);
void view_models_destroy(struct view_models *models);
/* The oracles must have seen the record. */
void view_models_record(struct view_models *models, const struct history_record *record);

/* What the last record broke; NULL: nothing. */
const struct view_finding *view_models_finding(const struct view_models *models);
uint64_t view_models_judged(const struct view_models *models); /* views that were compared */
size_t view_models_count(const struct view_models *models);
const struct view_model *view_models_get(const struct view_models *models,
                                         size_t index); /* order of the settings */

/* What the client shows; NULL: nothing. */
const char *view_model_text(const struct view_model *model, const char *table, const char *id);

#endif

/* What upload functions have in common: rows into documents, and receipts. Client ids map to documents by the
 * index `by_uuid`, looked up in the transaction that inserts: of two concurrent arrivals one is run again. */
#ifndef SYNCLINE_APP_APPLY_ROWS_H
#define SYNCLINE_APP_APPLY_ROWS_H

#include "app/app.h"

enum { APP_DOCUMENT_ID_SIZE = 64 };

struct app_row_operation {
    const struct app *app;
    const char *table, *id;
    enum client_operation_kind kind;
    struct convex_value *fields; /* as documents have them; unused for CLIENT_DELETE */
    const char *user;            /* only his documents may be touched; NULL: anybody's */
    bool insert_blindly;         /* wrong: somebody has looked before this transaction began */
    struct convex_value *missed; /* list that rows are appended to which were not there to be changed; NULL:
                                    nobody asks */
};

/* STATUS_INVALID: "op" is none of PUT, PATCH, DELETE. */
enum status app_operation_kind(const char *op, enum client_operation_kind *kind, struct error *error);
/* Fields are borrowed. Changing or deleting what is not there does nothing: somebody else was first. A change
 * that is lost so goes into `missed` as "table/id", that the app may tell its user. */
enum status app_apply_row(struct convex_context *context, const struct app_row_operation *operation,
                          struct error *error);

/* Whose upload this is: a local transaction, or with `op` a part of it. */
struct app_receipt {
    const char *client, *transaction;
    const char *op;                    /* NULL: the whole transaction */
    size_t rows;                       /* of the part */
    const struct convex_value *missed; /* to be told again at a second arrival; NULL: nothing */
};
enum app_dedupe {
    APP_DEDUPE_RIGHT,
    APP_DEDUPE_BY_NUMBER, /* wrong: by the number alone, which other devices have as well */
    APP_DEDUPE_NEVER      /* wrong: a second arrival has its effect again */
};
/* `*missed`: what was missed then, of the caller; NULL: nothing. */
enum status app_find_receipt(struct convex_context *context, const struct app_receipt *receipt,
                             enum app_dedupe dedupe, bool *found, struct convex_value **missed,
                             struct error *error);
enum status app_insert_receipt(struct convex_context *context, const struct app_receipt *receipt,
                               struct error *error);

#endif

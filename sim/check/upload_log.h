/* Which commit carries which upload, for the properties that judge what upload paths do. A receipt (a
 * document of upload_receipts) says the client id and the number of the local transaction; with "op_id" and
 * "rows" it stands for a part of it only. */
#ifndef SYNCLINE_CHECK_UPLOAD_LOG_H
#define SYNCLINE_CHECK_UPLOAD_LOG_H

#include <jansson.h>

#include "base/map.h"
#include "check/check.h"
#include "check/unchanged.h"

/* What the record being judged, a commit, carries of one local transaction. */
struct uploaded_part {
    size_t client;                      /* in the order of the settings */
    const struct history_record *write; /* NOTE_LOCAL_WRITE */
    size_t rows;                        /* of the part; 0: the whole transaction */
    size_t earlier;                     /* parts of it in commits before */
};

struct committed_document {
    const char *table;
    const char *uuid; /* the client's id of the row */
    json_t *fields;
};

struct upload_log;

/* Both are borrowed. */
struct upload_log *upload_log_create(const struct check_settings *settings, const struct view_models *views);
void upload_log_destroy(struct upload_log *log);
void upload_log_record(struct upload_log *log, const struct history_record *record);

/* Of the newest record; 0: it is no commit, or nobody's upload. */
size_t upload_log_parts(const struct upload_log *log, const struct uploaded_part **parts);
/* The documents that the newest record, a commit, leaves with an id of a client; system tables and receipts
 * are left out. Parsed on the first call. */
size_t upload_log_documents(struct upload_log *log, const struct committed_document **documents);
/* What uploads leave out. */
const struct unchanged *upload_log_unchanged(const struct upload_log *log);

#endif

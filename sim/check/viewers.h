/* Who holds which rows of an app: the deployment and each client, kept up to date from the history. A promise
 * of an app ("no two tickets have one number") is judged for each of them by the same code. The deployment's
 * rows are its newest documents; a client's are what its app sees, own writes included.
 *
 * A property is told of each row that changes, may keep a word with each row and a block of memory with each
 * viewer, and judges when the record is over. Texts are borrowed from the history. */
#ifndef SYNCLINE_CHECK_VIEWERS_H
#define SYNCLINE_CHECK_VIEWERS_H

#include "base/map.h"
#include "check/check.h"

struct viewer_row {
    const char *table;
    const char *id;                   /* a client's: the row's; the deployment's: the document's */
    const char *text;                 /* as the note says; NULL: gone */
    const struct client_table *shape; /* NULL: the text is a document */
    uint64_t listed;                  /* the last record that listed it (restart) */
    bool was;                         /* there before the change being told of */
    int64_t kept;                     /* the property's; 0 at first */
};

struct viewer {
    const char *name; /* of the node */
    bool is_deployment;
    struct map rows; /* "table id" -> struct viewer_row */
    void *tally;     /* the property's; zeroed at first */
};

/* The values of a row, parsed. */
struct viewer_values {
    json_t *json; /* NULL: no row */
    const struct client_table *shape;
};

struct viewers {
    void *self;                       /* the property's */
    bool (*wants)(const char *table); /* the tables that matter */
    /* row->text is new; `values` are those of it. */
    void (*change)(void *self, struct viewer *viewer, struct viewer_row *row,
                   const struct viewer_values *values);
    size_t tally_size;
    void (*free_tally)(void *tally); /* what is in it; NULL: nothing */
    const struct client_schema *schema;
    struct map viewers; /* node -> struct viewer, in order of their first record */
    struct buffer key;
    bool idle; /* the app has no such table */
};

/* Fill in the fields above `schema` first. */
void viewers_begin(struct viewers *viewers, const struct checker *checker);
/* Whose rows the record has changed, after all calls of `change`; NULL: nobody's. */
struct viewer *viewers_record(struct viewers *viewers, const struct history_record *record);
void viewers_free(struct viewers *viewers);

struct viewer_values viewer_values_parse(const struct viewer_row *row);
void viewer_values_free(struct viewer_values *values);
const char *viewer_text(const struct viewer_values *values, const char *column); /* NULL: no text */
bool viewer_has_number(const struct viewer_values *values, const char *column);
int64_t viewer_whole(const struct viewer_values *values, const char *column); /* 0: no number */

/* The usual report: `explanation` is taken. */
void viewers_report(struct checker *checker, const struct property *property, const struct viewer *viewer,
                    const struct viewer_row *row, const struct history_record *record, char *expected,
                    char *seen, char *explanation);

#endif

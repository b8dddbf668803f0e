/* Fault rules: which requests and WebSocket messages a server's door strikes, when, and how. docs/faults.md
 * is the reference of how they are written. Rules are read once and never change; how often they struck is
 * kept by the host that applies them (fault_host.h). What a rule points to lies in the reader's arena. */
#ifndef SYNCLINE_FAULT_RULES_H
#define SYNCLINE_FAULT_RULES_H

#include "kernel/host.h"
#include "reader/reader.h"

struct door_fault;

enum fault_when { FAULT_ALWAYS, FAULT_EVERY, FAULT_NTH, FAULT_RATE };

struct fault_rule {
    const char *name;    /* "lost answer", or "lose-response at POST /api/mutation"; unique within its list */
    const char *choice;  /* names its random numbers */
    const char *method;  /* globs: * stands for any run of bytes */
    const char *path;    /* of the target up to its `?`, unless the glob has one itself */
    const char *message; /* glob of the `type` of WebSocket messages; NULL: the rule is about requests */
    enum fault_when when;
    int64_t every;              /* FAULT_EVERY: strikes each so manieth match */
    struct reader_range nth;    /* FAULT_NTH: these matches, from 1 */
    int64_t rate;               /* FAULT_RATE: per million matches */
    struct reader_range during; /* ns since the start; low <= now < high */
    int64_t times;              /* at most so many strikes */
    const struct door_fault *kind;
    const void *parameters; /* kind->size bytes */
};

struct fault_rules {
    const struct fault_rule *rules;
    size_t count;
};

enum { FAULT_RULES_MOST = 1000 };

/* A list of rules. STATUS_INVALID with the place of what is wrong. */
enum status fault_rules_read(struct reader *reader, struct reader_value list, struct fault_rules *rules);

/* Is the request one that the rule is about? */
bool fault_rule_matches(const struct fault_rule *rule, const struct http_request *request);
/* Does the text match the glob? Linear in the product of their lengths. */
bool fault_glob_matches(const char *glob, const char *text, size_t length);

#endif

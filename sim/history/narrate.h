/* How a record reads to people: one line each, in words that stay the same from run to run, because golden
 * traces and bug reports quote them. The function itself, history_narrate, is declared in history/history.h.
 */
#ifndef SYNCLINE_HISTORY_NARRATE_H
#define SYNCLINE_HISTORY_NARRATE_H

#include "history/history.h"

enum {
    NARRATE_ROWS = 3,     /* row operations of a local transaction that are spelled out */
    NARRATE_VALUES = 100, /* bytes of a row's values that are shown */
    NARRATE_ID = 8        /* leading bytes of a long row id that are shown */
};

#endif

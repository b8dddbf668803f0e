/* What must hold of one sync line, whatever its bytes are. Shared by the fuzz targets; aborts when it does
 * not hold. */
#ifndef SYNCLINE_FUZZ_SYNC_LINE_CHECK_H
#define SYNCLINE_FUZZ_SYNC_LINE_CHECK_H

#include "check/sync_line.h"

/* A zeroed struct is ready to use. */
struct sync_line_check {
    struct sync_line_parser parser;
    struct buffer first; /* the line printed, and printed again */
    struct buffer second;
};

/* True when the line was accepted. */
bool sync_line_check(struct sync_line_check *check, const char *bytes, size_t length);

#endif

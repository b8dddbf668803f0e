/* A download that was damaged on its way: the sum of an operation is not what the service sent. Mutant
 * damaged-sum. */
#ifndef SYNCLINE_CLIENT_LINE_DAMAGE_H
#define SYNCLINE_CLIENT_LINE_DAMAGE_H

#include <stdbool.h>
#include <stddef.h>

/* A copy of the line with another sum of its first operation, which the caller frees; NULL: it is no data. A
 * line is JSON, or BSON when it is binary. */
char *line_damage(const char *line, size_t length, bool binary);

#endif

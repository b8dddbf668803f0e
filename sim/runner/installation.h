/* Where Syncline's own files are: scenarios/ and reports/ of the working folder, of the source tree that the
 * program was built in, or of an installed tree (share/syncline beside bin). */
#ifndef SYNCLINE_RUNNER_INSTALLATION_H
#define SYNCLINE_RUNNER_INSTALLATION_H

#include <stdbool.h>

#include "base/buffer.h"

/* Appends the path of the file or folder `name` ("scenarios/smoke"). False: nowhere; `out` is unchanged. */
bool installation_find(const char *name, struct buffer *out);
/* The path of this program's file; false when the system does not tell. */
bool installation_program(char *out, size_t size);

#endif

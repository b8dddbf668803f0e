/* Whole input files. */
#ifndef SYNCLINE_BASE_FILE_H
#define SYNCLINE_BASE_FILE_H

#include "base/buffer.h"
#include "base/error.h"

#define FILE_INPUT_LIMIT ((size_t)16 << 20) /* bytes of one input file */

/* Append the file's bytes. STATUS_NOT_FOUND, STATUS_IO, or STATUS_LIMIT above FILE_INPUT_LIMIT, with its
 * path.
 */
enum status file_read(struct buffer *text, const char *path, struct error *error);

#endif

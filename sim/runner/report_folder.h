/* The folder that a run leaves behind: results.sqlite, results.jsonl, junit.xml, failures/, traces/. Files of
 * an earlier run in the same folder are replaced; files that Syncline did not write are never touched. */
#ifndef SYNCLINE_RUNNER_REPORT_FOLDER_H
#define SYNCLINE_RUNNER_REPORT_FOLDER_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

/* Make the folder and its parents where they are missing. STATUS_IO. */
enum status report_folder_make(const char *path, struct error *error);
/* Make the folder and remove what an earlier run left in it: the files named above, failures/ *.yaml that
 * begin with FAILURE_FILE_FIRST_LINE, and traces/ *.txt that begin with TRACE_FILE_FIRST_LINE. */
enum status report_folder_prepare(const char *path, struct error *error);

#define FAILURE_FILE_FIRST_LINE "# Syncline failure file 1"
#define TRACE_FILE_FIRST_LINE "# Syncline trace 1"

/* Write a whole file anew. STATUS_IO, with the path in the message. */
enum status report_file_write(const char *path, const void *bytes, size_t length, struct error *error);
/* Read a whole file, at most 64 MiB. STATUS_NOT_FOUND, STATUS_IO, STATUS_LIMIT. */
enum status report_file_read(const char *path, struct buffer *out, struct error *error);

/* A scenario's name as a part of a file name: letters, digits, '.', '_' and '-' stay, anything else becomes
 * '-'. */
void report_file_name(struct buffer *out, const char *name);

#endif

/* Fuzz target: one sync line, the parser alone, for speed.
 *
 * Checked for any input: nothing crashes; a refusal has a reason and a place inside the input; texts of an
 * accepted line lie where they may; a line that is accepted and printed is accepted again and prints the
 * same. */
#include "sync_line_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct sync_line_check check; /* memory that is used again; it has no influence on any result */
    sync_line_check(&check, (const char *)data, size);
    return 0;
}

#include "client/core_random.h"

#include <assert.h>
#include <stdio.h>

static void format_uuid(uint64_t high, uint64_t low, char out[37]) {
    int length;

    high = (high & ~UINT64_C(0xf000)) | UINT64_C(0x4000);                       /* version 4 */
    low = (low & ~UINT64_C(0xc000000000000000)) | UINT64_C(0x8000000000000000); /* variant of RFC 9562 */
    length = snprintf(out, 37, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(high >> 32),
                      (unsigned)(high >> 16) & 0xffffU, (unsigned)high & 0xffffU, (unsigned)(low >> 48),
                      (unsigned long long)(low & UINT64_C(0xffffffffffff)));
    assert(length == 36);
}

void core_random_uuid(struct host *host, const char *choice, char out[37]) {
    uint64_t high = host_random(host, choice);
    uint64_t low = host_random(host, choice);

    format_uuid(high, low, out);
}

static void uuid_function(sqlite3_context *context, int n_arguments, sqlite3_value **arguments) {
    struct host *host = sqlite3_user_data(context);
    uint64_t bits[2];
    char text[37];

    (void)arguments;
    assert(n_arguments == 0);
    if (host != NULL) {
        core_random_uuid(host, "core.uuid", text);
    } else {
        sqlite3_randomness(sizeof bits, bits);
        format_uuid(bits[0], bits[1], text);
    }
    sqlite3_result_text(context, text, 36, SQLITE_TRANSIENT);
}

void core_random_install(sqlite3 *database, struct host *host) {
    static const char *const names[] = {"uuid", "gen_random_uuid"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int created = sqlite3_create_function_v2(database, names[i], 0, SQLITE_UTF8, host, uuid_function,
                                                 NULL, NULL, NULL);
        assert(created == SQLITE_OK);
    }
}

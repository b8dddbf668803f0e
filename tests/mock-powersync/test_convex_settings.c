/* Which settings of a connection to Convex are refused, with which code, and where requests go. */
#include "mock-powersync/unit.h"

#include <stdlib.h>
#include <string.h>

#include "mock-powersync/replication/convex_module.h"
#include "mock-powersync/replication/convex_settings.h"

static void addresses(void **state) {
    (void)state;
    static const struct {
        const char *text, *authority, *path;
    } rows[] = {{"convex", "convex", ""},
                {"127.0.0.1:3210", "127.0.0.1:3210", ""},
                {"http://127.0.0.1:3210", "127.0.0.1:3210", ""},
                {"http://127.0.0.1:3210///", "127.0.0.1:3210", ""},
                {"HTTP://host/", "host", ""},
                {"https://happy-animal-1.convex.cloud", "https://happy-animal-1.convex.cloud", ""},
                {"https://host:8443/behind/a/proxy/", "https://host:8443", "/behind/a/proxy"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct convex_address address = {0};
        assert_int_equal(convex_address_parse(&address, rows[i].text, NULL), STATUS_OK);
        assert_string_equal(address.authority, rows[i].authority);
        assert_string_equal(address.path, rows[i].path);
        convex_address_free(&address);
    }
}

static void settings_are_checked(void **state) {
    (void)state;
    static const struct {
        struct source_settings settings;
        const char *code; /* NULL: good */
    } rows[] = {{{"https://a.convex.cloud", "key", 1, 1, false}, NULL},
                {{"ftp://a", "key", 1, 1, false}, "PSYNC_S1109"},
                {{"https://", "key", 1, 1, false}, "PSYNC_S1106"},
                {{"https:///path", "key", 1, 1, false}, "PSYNC_S1106"},
                {{"http://:80", "key", 1, 1, false}, "PSYNC_S1106"},
                {{"", "key", 1, 1, false}, "PSYNC_S1106"},
                {{NULL, "key", 1, 1, false}, "PSYNC_S1106"},
                {{"http://a b", "key", 1, 1, false}, "PSYNC_S1109"},
                {{"http://user@a", "key", 1, 1, false}, "PSYNC_S1109"},
                {{"http://a/p\r\nx: y", "key", 1, 1, false}, "PSYNC_S1109"},
                {{"http://a?x", "key", 1, 1, false}, "PSYNC_S1109"},
                {{"http://a", "", 1, 1, false}, "PSYNC_S1108"},
                {{"http://a", NULL, 1, 1, false}, "PSYNC_S1108"},
                {{"http://a", "k\r\nx: y", 1, 1, false}, "PSYNC_S1108"},
                {{"http://a", "key", 0, 1, false}, "PSYNC_S1109"},
                {{"http://a", "key", -1, 1, false}, "PSYNC_S1109"},
                {{"http://a", "key", 1, 0, false}, "PSYNC_S1109"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error error = {0};
        enum status status = convex_module.settings_check(&rows[i].settings, &error);
        assert_int_equal(status, rows[i].code ? STATUS_INVALID : STATUS_OK);
        if (rows[i].code && strncmp(error.message, rows[i].code, strlen(rows[i].code)) != 0)
            fail_msg("row %zu: %s", i, error.message);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(addresses), cmocka_unit_test(settings_are_checked)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

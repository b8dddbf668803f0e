/* Which addresses a service must not be made to ask for keys. */
#include "mock-powersync/unit.h"

#include "mock-powersync/http/local_address.h"

static void by_kind(void **state) {
    (void)state;
    static const char *const local[] = {"127.0.0.1",
                                        "127.0.0.1:8080",
                                        "127.1",
                                        "0x7f000001",
                                        "2130706433",
                                        "10.1.2.3",
                                        "172.16.0.1",
                                        "172.31.255.255",
                                        "192.168.0.1",
                                        "169.254.1.1",
                                        "100.64.0.1",
                                        "0.0.0.0",
                                        "224.0.0.1",
                                        "255.255.255.255",
                                        "198.18.0.1",
                                        "192.0.2.1",
                                        "[::1]",
                                        "[::1]:80",
                                        "[fe80::1]",
                                        "[fc00::1]",
                                        "[::ffff:127.0.0.1]",
                                        "[2001:db8::1]",
                                        "localhost",
                                        "LOCALHOST:3",
                                        "a.localhost",
                                        "[::]"};
    static const char *const others[] = {"1.1.1.1",       "8.8.8.8:53", "172.32.0.1",       "172.15.0.1",
                                         "100.128.0.1",   "11.0.0.0",   "[2606:4700::1]",   "example.com",
                                         "localhost.com", "keys",       "[::ffff:8.8.8.8]", ""};
    for (size_t i = 0; i < sizeof local / sizeof *local; i++)
        if (!local_address_is(local[i]))
            fail_msg("%s is local", local[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (local_address_is(others[i]))
            fail_msg("%s is not local", others[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(by_kind)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

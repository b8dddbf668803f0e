#include "mock-powersync/http/local_address.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* Special-purpose blocks of IPv4 (RFC 6890 and its registry). */
static const struct {
    uint32_t network;
    int bits;
} blocks[] = {{0x00000000, 8},  {0x0a000000, 8},  {0x64400000, 10}, {0x7f000000, 8},  {0xa9fe0000, 16},
              {0xac100000, 12}, {0xc0000000, 24}, {0xc0000200, 24}, {0xc0586300, 24}, {0xc0a80000, 16},
              {0xc6120000, 15}, {0xc6336400, 24}, {0xcb007100, 24}, {0xe0000000, 4},  {0xf0000000, 4}};

static bool is_local_v4(uint32_t address) {
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        if (((address ^ blocks[i].network) >> (32 - blocks[i].bits)) == 0)
            return true;
    return false;
}

/* Only 2000::/3 is given out to the public; of it not the documentation prefix. */
static bool is_local_v6(const unsigned char address[16]) {
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    static const unsigned char documentation[4] = {0x20, 0x01, 0x0d, 0xb8};
    if (memcmp(address, mapped, sizeof mapped) == 0)
        return is_local_v4((uint32_t)address[12] << 24 | (uint32_t)address[13] << 16 |
                           (uint32_t)address[14] << 8 | address[15]);
    return (address[0] & 0xe0) != 0x20 || memcmp(address, documentation, sizeof documentation) == 0;
}

bool local_address_is(const char *authority) {
    char name[256];
    struct in_addr v4;
    unsigned char v6[16];
    const char *close = authority[0] == '[' ? strchr(authority, ']') : NULL;
    size_t length = close ? (size_t)(close - authority - 1) : strcspn(authority, ":");
    if (length == 0 || length >= sizeof name)
        return false;
    memcpy(name, close ? authority + 1 : authority, length);
    name[length] = '\0';
    if (close)
        return inet_pton(AF_INET6, name, v6) == 1 && is_local_v6(v6);
    if (inet_aton(name, &v4)) /* "127.1" and "0x7f000001", too */
        return is_local_v4(ntohl(v4.s_addr));
    return strcasecmp(name, "localhost") == 0 ||
           (length > 10 && strcasecmp(name + length - 10, ".localhost") == 0);
}

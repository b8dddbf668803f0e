/* Checksums and row keys as the real service computes them. A bucket's checksum is the sum of its operations'
 * checksums modulo 2^32, written on the wire as a signed 32-bit number; an operation's is written unsigned.
 */
#ifndef MOCK_POWERSYNC_CHECKSUM_H
#define MOCK_POWERSYNC_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* First 4 bytes (little endian) of SHA-256 over "put.<type>.<id>.<data>". */
uint32_t checksum_put(const char *object_type, const char *object_id, const char *data, size_t data_length);
/* The same over "delete.<subkey>". */
uint32_t checksum_remove(const char *subkey);

/* A bare uuid version 5 over the BSON bytes of {table, id}: stable for one source row. */
void subkey_make(const char *table, const char *id, unsigned char out[16]);
/* The uuid as it travels. */
void subkey_text(const unsigned char subkey[16], char out[37]);

#endif

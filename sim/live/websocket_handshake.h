/* The words of the opening handshake (RFC 6455, 4). Private to sim/live. */
#ifndef SYNCLINE_LIVE_WEBSOCKET_HANDSHAKE_H
#define SYNCLINE_LIVE_WEBSOCKET_HANDSHAKE_H

#include <stdbool.h>

enum { WEBSOCKET_KEY_SIZE = 25, WEBSOCKET_ACCEPT_SIZE = 29 }; /* with the terminating 0 */

/* Is the word in a header's list? Without case; NULL is an empty list. */
bool websocket_list_has(const char *header, const char *word);
/* Base64 of 16 bytes? */
bool websocket_key_is_valid(const char *key);
void websocket_key_make(char key[WEBSOCKET_KEY_SIZE]);
/* Sec-WebSocket-Accept for a Sec-WebSocket-Key. */
void websocket_accept_of(const char *key, char accept[WEBSOCKET_ACCEPT_SIZE]);

#endif

/* The tabs of one app on one device: processes with an SDK each, on one database. They take turns by locks,
 * and hear of each other's changes by a channel. The browser keeps both (Web Locks, BroadcastChannel), so
 * they outlive each tab: the lock of one that is closed goes to the next, that of one that is frozen stays
 * where it is.
 *
 * An app with one process has no tabs (client->tabs is NULL): then a lock is there at once, and nobody is
 * told. Owned by who creates the clients; borrows them. */
#ifndef SYNCLINE_CLIENT_TABS_H
#define SYNCLINE_CLIENT_TABS_H

#include <stdbool.h>
#include <stddef.h>

struct client;
struct tabs;

/* Whom the JS SDK lets do something alone: one iteration of the stream, one run of the upload loop. */
enum tabs_lock { TABS_SYNC, TABS_CRUD, TABS_LOCKS };

struct tabs *tabs_create(void);
void tabs_destroy(struct tabs *tabs); /* its clients are gone */

void tabs_add(struct tabs *tabs, struct client *client); /* one more, and it runs */
void tabs_remove(struct tabs *tabs, struct client *client);
struct client *tabs_first(const struct tabs *tabs); /* NULL: none was added */
/* A tab's process ends, or begins again. How many run then. */
size_t tabs_close(struct client *client);
size_t tabs_open(struct client *client);

/* `begin` runs when the lock is the client's: at once where there are no tabs, else never from inside this
 * call. Released once, whether it has begun or not; in between it is not taken again. */
void tabs_take(struct client *client, enum tabs_lock lock, void (*begin)(void *context), void *context);
void tabs_release(struct client *client, enum tabs_lock lock);

/* The others learn that rows have changed; `queue`: and that the upload queue has. */
void tabs_announce(struct client *client, bool queue);

#endif

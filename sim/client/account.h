/* Whose data a device holds, for apps that clear it when somebody else signs in: the app remembers the owner
 * beside the database, where it survives crashes, and compares before it connects. Between clearing, storing
 * the owner and connecting some time goes by, in which the app may die; it begins again then. */
#ifndef SYNCLINE_CLIENT_ACCOUNT_H
#define SYNCLINE_CLIENT_ACCOUNT_H

#include "client/credentials.h"

struct client;

struct account {
    char *owner;    /* stored; NULL: never was */
    bool entering;  /* somebody has signed in, and the app is not open yet */
    uint64_t timer; /* the next thing to do; 0: none */
    struct credentials_wait token;
};

/* The session of client->user has begun: compare, clear if need be, store, open. */
void account_enter(struct client *client);
void account_resume(struct client *client); /* after a restart, when somebody was entering */
void account_forget(struct client *client); /* after a crash */
void account_free(struct client *client);

#endif

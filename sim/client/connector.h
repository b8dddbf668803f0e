/* The app's connector, as far as uploads go: what an app writes into uploadData. It takes the first
 * transactions of the queue, sends them by the client's upload path, and completes what the backend has
 * accepted or refused for good. When to call it is the SDK's business (sdk_upload.h). */
#ifndef SYNCLINE_CLIENT_CONNECTOR_H
#define SYNCLINE_CLIENT_CONNECTOR_H

#include "client/client.h"

struct connector;

struct connector *connector_create(struct client *client);
void connector_destroy(struct connector *connector);

/* The queue must not be empty, and no upload be under way. `completed`: uploadData has returned; else it
 * threw, and what is not completed is still queued. */
void connector_upload(struct connector *connector, void (*done)(void *context, bool completed),
                      void *context);
bool connector_is_busy(const struct connector *connector);
void connector_cancel(struct connector *connector); /* the app disconnects; `done` is not called */
void connector_forget(struct connector *connector); /* the process has ended */

#endif

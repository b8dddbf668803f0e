/* What a request says: headers, and its query and JSON body as one object, as handlers of the real service
 * see it. What its HTTP layer refuses is refused here with the same codes. */
#ifndef MOCK_POWERSYNC_REQUEST_PARAMETERS_H
#define MOCK_POWERSYNC_REQUEST_PARAMETERS_H

#include <jansson.h>

#include "base/memory.h"
#include "mock-powersync/http/http_error.h"

const char *request_header(const struct http_request *request, const char *name); /* NULL: not there */

/* Query parameters are texts, lists of texts when a name comes twice; members of the body win over them. A
 * GET has no body. `yaml`: a body of application/yaml is taken, too, as the member "content". A body that is
 * text or JSON but no object counts as none. NULL with `error` filled: 413, 415 or 400 with a code FST_...
 * The caller owns the object. */
json_t *request_parameters_read(const struct http_request *request, bool yaml, struct http_error *error);

/* A copy in `arena`, without a body when `bodiless`. */
struct http_request *request_copy(const struct http_request *request, bool bodiless, struct arena *arena);

#endif

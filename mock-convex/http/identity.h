/* Who a caller is, as the value that functions see (convex_user): an object with "tokenIdentifier",
 * "subject", "issuer" and whatever else is known. */
#ifndef MOCK_CONVEX_IDENTITY_H
#define MOCK_CONVEX_IDENTITY_H

#include <jansson.h>

#include "mock-convex/value.h"

/* From the claims of a verified token: "sub" and "iss" (both there), and all others but the registered ones
 * about the token itself. Claims that are no Convex value are left out. */
struct convex_value *convex_identity_of_claims(const json_t *claims);
/* From the description that an admin gives to act as a user: the fields as they are; a "tokenIdentifier" that
 * is not there is made of "issuer" and "subject". */
struct convex_value *convex_identity_of_description(const json_t *description);

#endif

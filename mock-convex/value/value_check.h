/* Limits of values and documents, and the checks for them. The figures are the backend's defaults. Messages
 * begin with the backend's name for the error, where it has one. */
#ifndef MOCK_CONVEX_VALUE_CHECK_H
#define MOCK_CONVEX_VALUE_CHECK_H

#include "mock-convex/value.h"

#define CONVEX_NESTING_MAX 64          /* levels of arrays and objects of any value */
#define CONVEX_DOCUMENT_NESTING_MAX 16 /* the same of a stored document, itself included */
#define CONVEX_ARRAY_MAX 8192
#define CONVEX_FIELDS_MAX 1024
#define CONVEX_VALUE_SIZE_MAX ((size_t)32 << 20)   /* bytes, by convex_size */
#define CONVEX_DOCUMENT_SIZE_MAX ((size_t)1 << 20) /* bytes, by convex_size */

/* STATUS_INVALID: too deep, too long, too large, or a field name that is not allowed. */
enum status convex_value_check(const struct convex_value *value, int nesting_max, struct error *error);
/* What may be stored: an object whose only top-level names with '_' are _id and _creationTime, within the
 * limits. */
enum status convex_document_check(const struct convex_value *document, struct error *error);

/* An integer that orders as the doubles do, NaN and negative zero included (IEEE 754 total order). */
uint64_t convex_float_order(double number);

#endif

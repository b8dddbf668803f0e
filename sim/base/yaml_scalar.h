/* Scalars of the YAML 1.2 core schema as jansson values. Private to base/yaml.c. */
#ifndef SYNCLINE_BASE_YAML_SCALAR_H
#define SYNCLINE_BASE_YAML_SCALAR_H

#include <jansson.h>

#include "base/error.h"

/* The value of a plain scalar. NULL and an error for numbers that do not fit and for .inf and .nan. */
json_t *yaml_scalar_resolve(const char *text, size_t length, struct error *error);

/* A scalar with a core schema tag ("tag:yaml.org,2002:int"): resolved, and refused when it is of another
 * kind. */
json_t *yaml_scalar_tagged(const char *tag, const char *text, size_t length, struct error *error);

/* The value of "NAME", "NAME::string", "NAME::number" or "NAME::boolean" in the environment. */
json_t *yaml_scalar_env(const char *text, const char *(*resolve_env)(const char *name), struct error *error);

#endif

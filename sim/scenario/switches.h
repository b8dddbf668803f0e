/* The switches of a deployment, as a file of faults gives them. */
#ifndef SYNCLINE_SCENARIO_SWITCHES_H
#define SYNCLINE_SCENARIO_SWITCHES_H

#include "fault/fault_file.h"
#include "mock-convex/switches.h"

/* `usual`: the limits that hold where the file is silent. A zeroed file has them all at 0: no limits. */
struct convex_switches scenario_switches(const struct fault_deployment *given,
                                         const struct convex_limits *usual);

#endif

#include <stddef.h>

#include "fault/kind.h"

const struct door_fault *const door_faults[] = {
    &fault_answer,         &fault_delay,    &fault_delay_response, &fault_reset,
    &fault_lose_response,  &fault_truncate, &fault_slow,           &fault_duplicate,
    &fault_drop_parameter, &fault_close,    &fault_silence,        &fault_fatal_error,
    &fault_auth_error,     &fault_swallow,  &fault_extend,         NULL};

#include "scenario/switches.h"

static int64_t choose(int64_t given, int64_t usual) {
    return given == FAULT_NOT_GIVEN ? usual : given;
}

struct convex_switches scenario_switches(const struct fault_deployment *given,
                                         const struct convex_limits *usual) {
    return (struct convex_switches){
        .retention = given->retention,
        .snapshot_max_age = given->snapshot_max_age,
        .summaries_delay = given->summaries_delay,
        .restart_loses = given->restart_loses,
        .system_noise = given->system_noise,
        .no_streaming_export = given->no_streaming_export,
        .ignores_table_name_alias = given->ignores_table_name_alias,
        .limits = {.function_slots = choose(given->function_slots, usual->function_slots),
                   .action_slots = choose(given->action_slots, usual->action_slots),
                   .write_rate = choose(given->write_rate, usual->write_rate),
                   .requests = choose(given->requests, usual->requests),
                   .request_timeout = choose(given->request_timeout, usual->request_timeout)}};
}

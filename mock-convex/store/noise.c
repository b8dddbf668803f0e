#include "mock-convex/store/noise.h"

#include "mock-convex/store/storage.h"

static void make_row(struct convex_deployment *deployment, struct convex_store_table *table) {
    struct convex_store_write write = {.table = table, .value = convex_object()};
    uint64_t random[2];
    random[0] = host_random(deployment->host, "convex.noise");
    random[1] = host_random(deployment->host, "convex.noise");
    for (size_t i = 0; i < sizeof write.internal; i++) {
        write.internal[i] = (unsigned char)(random[i / 8] >> (8 * (i % 8)));
    }
    convex_object_set(write.value, "_creationTime", convex_float64(1));
    convex_store_commit(&deployment->store, &write, 1, host_wall_clock(deployment->host));
}

void convex_noise_make(struct convex_deployment *deployment) {
    struct convex_store_table *table = convex_store_table(&deployment->store, CONVEX_NOISE_TABLE);
    for (int64_t i = 0; i < deployment->switches.system_noise; i++) {
        make_row(deployment, table);
    }
}

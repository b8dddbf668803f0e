#include "mock-convex/store/noise.h"

#include "mock-convex/store/storage.h"
#include "mock-convex/store/transaction.h"

static void make_row(struct convex_deployment *deployment, struct convex_store_table *table) {
    struct convex_store_write write = {.table = table, .value = convex_object()};
    convex_draw_bytes(deployment->host, "convex.noise", write.internal);
    convex_object_set(write.value, "_creationTime", convex_float64(1));
    convex_store_commit(&deployment->store, &write, 1, host_wall_clock(deployment->host));
}

void convex_noise_make(struct convex_deployment *deployment) {
    struct convex_store_table *table = convex_store_table(&deployment->store, CONVEX_NOISE_TABLE);
    for (int64_t i = 0; i < deployment->switches.system_noise; i++) {
        make_row(deployment, table);
    }
}

#include "mock-convex/store/component.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"

char *convex_component_name(const char *component, const char *name) {
    assert(name != NULL);
    if (convex_component_is_root(component)) {
        return memory_copy_text(name);
    }
    return memory_format("%s%s%s", component, strstr(name, "//") != NULL ? "/" : "//", name);
}

#include "client/core_library.h"

#include <assert.h>
#include <dlfcn.h>
#include <stdlib.h>

#include "base/memory.h"
#include "client/core_random.h"

#ifndef SYNCLINE_CORE_FILE
#define SYNCLINE_CORE_FILE ""
#endif

typedef int core_entry_function(sqlite3 *database, char **message, const void *api);

struct core_library {
    char *path;
    void *handle; /* of dlopen */
    core_entry_function *entry;
    const void *api; /* SQLite's table of functions, which the core calls it through */
};

static void tell_api(sqlite3_context *context, int count, sqlite3_value **values) {
    (void)count;
    (void)values;
    sqlite3_result_int64(context, (sqlite3_int64)(intptr_t)sqlite3_user_data(context));
}

/* SQLite hands the table of its functions only to extensions. This one keeps it where the caller can find it,
 * in a function of the connection, so that the core can later be attached to any connection without a
 * process-wide registration. */
static int capture_api(sqlite3 *database, char **message, const void *api) {
    (void)message;
    return sqlite3_create_function_v2(database, "sqlite3_api", 0, SQLITE_UTF8, (void *)(uintptr_t)api,
                                      tell_api, NULL, NULL, NULL);
}

static const void *captured_api(sqlite3 *database) {
    sqlite3_stmt *statement = NULL;
    const void *api = NULL;

    if (sqlite3_prepare_v2(database, "SELECT sqlite3_api()", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        api = (const void *)(intptr_t)sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return api;
}

static sqlite3 *open_scratch(const void **api) {
    sqlite3 *scratch = NULL;
    int opened;

    sqlite3_auto_extension((void (*)(void))capture_api);
    opened = sqlite3_open_v2(":memory:", &scratch, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    sqlite3_cancel_auto_extension((void (*)(void))capture_api);
    assert(opened == SQLITE_OK);
    *api = captured_api(scratch);
    assert(*api != NULL);
    return scratch;
}

static bool has_function(sqlite3 *database, const char *name) {
    sqlite3_stmt *statement;
    bool found;
    int prepared = sqlite3_prepare_v2(database, "SELECT 1 FROM pragma_function_list WHERE name = ?1", -1,
                                      &statement, NULL);

    assert(prepared == SQLITE_OK);
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    found = sqlite3_step(statement) == SQLITE_ROW;
    sqlite3_finalize(statement);
    return found;
}

/* Try the core once on a connection of its own: a wrong file or a release without powersync_control is told
 * now. */
static enum status check_library(struct core_library *library, struct error *error) {
    sqlite3 *scratch = open_scratch(&library->api);
    enum status status = core_library_attach(library, scratch, error);

    if (status == STATUS_OK && !has_function(scratch, "powersync_control"))
        status = error_set(error, STATUS_MISSING,
                           "the client core %s is too old: it has no powersync_control (0.4 or newer has)",
                           library->path);
    sqlite3_close(scratch);
    return status;
}

static enum status load(struct core_library *library, struct error *error) {
    library->handle = dlopen(library->path, RTLD_NOW | RTLD_LOCAL);
    if (library->handle == NULL)
        return error_set(error, STATUS_MISSING, "the client core does not load: %s", dlerror());
    /* POSIX lets a data pointer from dlsym be read as a function pointer; ISO C has no cast for it. */
    *(void **)&library->entry = dlsym(library->handle, "sqlite3_powersync_init");
    if (library->entry == NULL)
        return error_set(error, STATUS_MISSING,
                         "%s is not a PowerSync client core (no sqlite3_powersync_init)", library->path);
    return check_library(library, error);
}

enum status core_library_open(const char *path, struct core_library **library, struct error *error) {
    struct core_library *opened;
    enum status status;

    if (path == NULL)
        path = getenv("SYNCLINE_CORE");
    if (path == NULL || *path == 0)
        path = SYNCLINE_CORE_FILE;
    if (*path == 0)
        return error_set(
            error, STATUS_MISSING,
            "the PowerSync client core is not installed: run `npm ci --ignore-scripts` in deps/ and "
            "configure again, or name a libpowersync file in SYNCLINE_CORE");
    opened = memory_allocate(sizeof *opened);
    opened->path = memory_copy_text(path);
    status = load(opened, error);
    if (status != STATUS_OK) {
        core_library_close(opened);
        return status;
    }
    *library = opened;
    return STATUS_OK;
}

void core_library_close(struct core_library *library) {
    if (library == NULL)
        return;
    if (library->handle != NULL)
        dlclose(library->handle);
    free(library->path);
    free(library);
}

const char *core_library_path(const struct core_library *library) {
    return library->path;
}

enum status core_library_attach(struct core_library *library, sqlite3 *database, struct error *error) {
    char *message = NULL;
    enum status status = STATUS_OK;

    assert(library->entry != NULL && library->api != NULL);
    if (library->entry(database, &message, library->api) != SQLITE_OK)
        status = error_set(error, STATUS_MISSING, "the client core %s refuses SQLite %s: %s", library->path,
                           sqlite3_libversion(), message != NULL ? message : sqlite3_errmsg(database));
    sqlite3_free(message);
    if (status == STATUS_OK)
        core_random_install(database, NULL);
    return status;
}

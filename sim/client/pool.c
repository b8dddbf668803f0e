#include "client/pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "client/core_library.h"
#include "client/core_random.h"
#include "client/engine_model.h"
#include "client/view.h"

/* Small pages and no lookaside: they cost half the memory at the same speed. */
static const char connection_setup[] = "PRAGMA page_size = 1024;"
                                       "PRAGMA temp_store = MEMORY;"
                                       "PRAGMA recursive_triggers = TRUE;"; /* as the SDKs do */

/* The pages are in the VFS, which has equal ones once; SQLite keeps few of them. */
static const char shared_setup[] = "PRAGMA locking_mode = EXCLUSIVE;"
                                   "PRAGMA journal_mode = MEMORY;"
                                   "PRAGMA synchronous = OFF;"
                                   "PRAGMA cache_size = 16";

struct client_pool {
    enum client_engine engine;
    struct model_shared **models; /* one for each schema that a client has had */
    size_t n_models, models_capacity;
    struct core_library *library;
    struct disk_vfs *vfs;
    struct view_answer *answer;
    const struct client_schema *schema;
    sqlite3 *template_database;
    unsigned char *image; /* of the template, as a file in WAL mode; NULL: not needed yet */
    sqlite3_int64 image_length;
    struct map places; /* node name -> struct client_disk; others are in memory */
};

const struct client_schema *pool_schema(const struct client_pool *pool) {
    return pool->schema;
}

enum client_engine pool_engine(const struct client_pool *pool) {
    return pool->engine;
}

/* Schemas are told apart by where they are: those of an app are constants. */
struct model_shared *pool_model(struct client_pool *pool, const struct client_schema *schema) {
    for (size_t i = 0; i < pool->n_models; i++)
        if (model_shared_schema(pool->models[i]) == schema)
            return pool->models[i];
    MEMORY_RESERVE(pool->models, pool->models_capacity, pool->n_models + 1);
    disk_vfs_set_node(pool->vfs, NULL);
    pool->models[pool->n_models] =
        model_shared_create(pool->vfs, schema, pool->n_models > 0 ? pool->models[0] : NULL);
    return pool->models[pool->n_models++];
}

struct disk_vfs *pool_vfs(const struct client_pool *pool) {
    return pool->vfs;
}

struct view_answer *pool_answer(const struct client_pool *pool) {
    return pool->answer;
}

const struct client_disk *pool_disk(const struct client_pool *pool, const struct host *host) {
    return map_get(&pool->places, host->name);
}

void client_pool_use_disk(struct client_pool *pool, const char *node, const struct client_disk *disk) {
    struct client_disk *place;

    if (pool->engine != CLIENT_ENGINE_CORE)
        return;
    place = memory_allocate(sizeof *place);
    *place = *disk;
    disk_vfs_mount(pool->vfs, node, disk->disk);
    free(map_set(&pool->places, node, place));
}

static enum status run_sql(sqlite3 *database, const char *sql, struct error *error) {
    if (sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK)
        return STATUS_OK;
    return error_set(error, STATUS_INTERNAL, "%.40s...: %s", sql, sqlite3_errmsg(database));
}

static enum status open_connection(struct client_pool *pool, struct host *host, const char *name,
                                   sqlite3 **database, struct error *error) {
    sqlite3 *opened = NULL;
    enum status status;

    disk_vfs_set_node(pool->vfs, host);
    if (sqlite3_open_v2(name, &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK) {
        sqlite3_close(opened);
        return error_set(error, STATUS_INTERNAL, "cannot open the database %s", name);
    }
    sqlite3_db_config(opened, SQLITE_DBCONFIG_LOOKASIDE, NULL, 0, 0);
    status = core_library_attach(pool->library, opened, error);
    if (status == STATUS_OK && host != NULL)
        core_random_install(opened, host);
    if (status == STATUS_OK)
        status = run_sql(opened, connection_setup, error);
    if (status != STATUS_OK) {
        sqlite3_close(opened);
        return status;
    }
    *database = opened;
    return STATUS_OK;
}

static bool is_name(const char *name) {
    if (*name == 0)
        return false;
    for (; *name != 0; name++)
        if ((unsigned char)*name < ' ' || *name == '"')
            return false;
    return true;
}

static bool is_type(const char *type) {
    return strcmp(type, "text") == 0 || strcmp(type, "integer") == 0 || strcmp(type, "real") == 0;
}

/* The SDK refuses these options for local-only tables. */
static enum status check_options(const struct client_table *table, struct error *error) {
    if (table->local_only && (table->include_metadata || table->include_old))
        return error_set(error, STATUS_INVALID,
                         "client table %s: a local-only table has neither metadata nor old values",
                         table->name);
    return STATUS_OK;
}

/* The core writes types into its SQL as they are, and other modules put names between quotes. */
enum status pool_check_schema(const struct client_schema *schema, struct error *error) {
    enum status status = STATUS_OK;

    for (size_t t = 0; status == STATUS_OK && t < schema->n_tables; t++) {
        const struct client_table *table = &schema->tables[t];

        if (!is_name(table->name) || table->n_columns == 0)
            return error_set(error, STATUS_INVALID, "client table \"%s\": it needs a plain name and a column",
                             table->name);
        for (size_t c = 0; c < table->n_columns; c++)
            if (!is_name(table->columns[c].name) || !is_type(table->columns[c].type))
                return error_set(
                    error, STATUS_INVALID,
                    "column \"%s\" of client table %s: the type is text, integer or real, not %s",
                    table->columns[c].name, table->name, table->columns[c].type);
        status = check_options(table, error);
    }
    return status;
}

static void append_columns(struct buffer *out, const struct client_table *table) {
    buffer_append_text(out, ",\"columns\":[");
    for (size_t c = 0; c < table->n_columns; c++) {
        buffer_append_text(out, c > 0 ? ",{\"name\":" : "{\"name\":");
        buffer_append_json_text(out, table->columns[c].name);
        buffer_append_text(out, ",\"type\":");
        buffer_append_json_text(out, table->columns[c].type);
        buffer_append_char(out, '}');
    }
    buffer_append_char(out, ']');
}

static void append_options(struct buffer *out, const struct client_table *table) {
    const struct {
        const char *name;
        bool on;
    } flags[] = {{"local_only", table->local_only},
                 {"insert_only", table->insert_only},
                 {"include_metadata", table->include_metadata},
                 {"include_old_only_when_changed", table->old_only_when_changed},
                 {"ignore_empty_update", table->ignore_empty_update},
                 {"include_old", table->include_old && table->old_columns == NULL}};

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (flags[i].on)
            buffer_printf(out, ",\"%s\":true", flags[i].name);
    if (!table->include_old || table->old_columns == NULL)
        return;
    buffer_append_text(out, ",\"include_old\":[");
    for (size_t c = 0; c < table->n_old_columns; c++) {
        buffer_append_text(out, c > 0 ? "," : "");
        buffer_append_json_text(out, table->old_columns[c]);
    }
    buffer_append_char(out, ']');
}

void pool_append_schema(struct buffer *out, const struct client_schema *schema) {
    buffer_append_text(out, "{\"tables\":[");
    for (size_t t = 0; t < schema->n_tables; t++) {
        buffer_append_text(out, t > 0 ? ",{\"name\":" : "{\"name\":");
        buffer_append_json_text(out, schema->tables[t].name);
        append_columns(out, &schema->tables[t]);
        append_options(out, &schema->tables[t]);
        buffer_append_text(out, ",\"indexes\":[]}");
    }
    buffer_append_text(out, "]}");
}

static enum status replace_schema(struct client_pool *pool, struct error *error) {
    struct buffer json = {0};
    sqlite3_stmt *statement = NULL;
    enum status status = STATUS_OK;
    sqlite3 *database = pool->template_database;

    pool_append_schema(&json, pool->schema);
    if (sqlite3_prepare_v2(database, "SELECT powersync_replace_schema(?1)", -1, &statement, NULL) !=
            SQLITE_OK ||
        sqlite3_bind_text(statement, 1, buffer_text(&json), -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW)
        status =
            error_set(error, STATUS_INVALID, "the client schema is refused: %s", sqlite3_errmsg(database));
    sqlite3_finalize(statement);
    buffer_free(&json);
    return status;
}

/* Since core 0.5 init and replace_schema run inside explicit transactions only. The last row is the marker
 * that the JS SDK leaves in its first iteration (keys of the op log are in the current form). */
static enum status fill_template(struct client_pool *pool, struct error *error) {
    enum status status =
        run_sql(pool->template_database, "BEGIN; SELECT powersync_init(); COMMIT; BEGIN", error);

    if (status == STATUS_OK)
        status = replace_schema(pool, error);
    if (status == STATUS_OK)
        status =
            run_sql(pool->template_database,
                    "INSERT OR REPLACE INTO ps_kv (key, value) VALUES ('powersync_js_migrated_subkeys', '1');"
                    "COMMIT",
                    error);
    return status;
}

enum status client_pool_create_for(enum client_engine engine, struct core_library *library,
                                   struct disk_vfs *vfs, const struct client_schema *schema,
                                   struct client_pool **pool, struct error *error) {
    struct client_pool *created;
    enum status status;

    assert(schema->n_tables > 0);
    if (library == NULL && engine != CLIENT_ENGINE_MODEL)
        return error_set(error, STATUS_MISSING, "the engine `core` needs the PowerSync client core");
    status = pool_check_schema(schema, error);
    if (status != STATUS_OK)
        return status;
    created = memory_allocate(sizeof *created);
    created->engine = engine;
    created->library = library;
    created->vfs = vfs;
    created->answer = view_answer_create();
    created->schema = schema;
    if (engine != CLIENT_ENGINE_CORE)
        pool_model(created, schema);
    if (engine != CLIENT_ENGINE_MODEL)
        status = open_connection(created, NULL, ":memory:", &created->template_database, error);
    if (status == STATUS_OK && engine != CLIENT_ENGINE_MODEL)
        status = fill_template(created, error);
    if (status != STATUS_OK) {
        client_pool_destroy(created);
        return status;
    }
    *pool = created;
    return STATUS_OK;
}

enum status client_pool_create(struct core_library *library, struct disk_vfs *vfs,
                               const struct client_schema *schema, struct client_pool **pool,
                               struct error *error) {
    return client_pool_create_for(CLIENT_ENGINE_CORE, library, vfs, schema, pool, error);
}

void client_pool_destroy(struct client_pool *pool) {
    if (pool == NULL)
        return;
    if (pool->template_database != NULL) {
        int closed;

        disk_vfs_set_node(pool->vfs, NULL);
        closed = sqlite3_close(pool->template_database);
        assert(closed == SQLITE_OK);
    }
    disk_vfs_set_node(pool->vfs, NULL);
    while (pool->n_models > 0) /* the first one, whose texts the others use, at last */
        model_shared_free(pool->models[--pool->n_models]);
    free(pool->models);
    sqlite3_free(pool->image);
    view_answer_destroy(pool->answer);
    map_free(&pool->places, free);
    free(pool);
}

/* --- in memory --- */

static enum status open_shared(struct client_pool *pool, struct host *host, sqlite3 **database,
                               struct error *error) {
    sqlite3 *opened = NULL;
    enum status status = open_connection(pool, host, DISK_VFS_SHARED, &opened, error);

    if (status == STATUS_OK)
        status = run_sql(opened, shared_setup, error);
    if (status != STATUS_OK)
        sqlite3_close(opened);
    else
        *database = opened;
    return status;
}

static enum status copy_in_memory(struct client_pool *pool, struct host *host, sqlite3 *source,
                                  sqlite3 **database, struct error *error) {
    sqlite3_int64 length = 0;
    unsigned char *bytes = sqlite3_serialize(source, "main", &length, 0);
    enum status status;

    assert(bytes != NULL);
    disk_vfs_set_image(pool->vfs, bytes, (size_t)length);
    sqlite3_free(bytes);
    status = open_shared(pool, host, database, error);
    disk_vfs_set_image(pool->vfs, NULL, 0);
    return status;
}

/* --- on a disk --- */

enum { WAL_VERSION = 2, CHECKPOINT_PAGES = 1000, CHECKPOINT_PAGES_LEAST = 8 };

/* Bytes 18 and 19 of a database file say that it is in WAL mode. */
static void make_image(struct client_pool *pool) {
    if (pool->image != NULL)
        return;
    disk_vfs_set_node(pool->vfs, NULL);
    pool->image = sqlite3_serialize(pool->template_database, "main", &pool->image_length, 0);
    assert(pool->image != NULL && pool->image_length > 100);
    pool->image[18] = pool->image[19] = WAL_VERSION;
}

/* The pragmas of the JS SDK. Where one process has the file, the exclusive mode saves the index of the log.
 */
static enum status set_up_file(sqlite3 *database, struct host *host, const struct client_disk *place,
                               struct error *error) {
    char *sql =
        memory_format("PRAGMA locking_mode = %s; PRAGMA journal_mode = WAL;"
                      "PRAGMA synchronous = %s; PRAGMA wal_autocheckpoint = %lld",
                      place->shared ? "NORMAL" : "EXCLUSIVE", place->synchronous_full ? "FULL" : "NORMAL",
                      (long long)host_knob(host, "client.wal-checkpoint-pages", CHECKPOINT_PAGES,
                                           CHECKPOINT_PAGES_LEAST, CHECKPOINT_PAGES));
    enum status status = run_sql(database, sql, error);

    free(sql);
    return status;
}

/* Can it be read, and is it in order? */
static enum status check_file(sqlite3 *database, struct error *error) {
    sqlite3_stmt *statement = NULL;
    enum status status = STATUS_OK;
    const char *answer = NULL;

    if (sqlite3_prepare_v2(database, "PRAGMA quick_check(1)", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        answer = (const char *)sqlite3_column_text(statement, 0);
    if (answer == NULL)
        status = error_set(error, STATUS_INVALID, "%s", sqlite3_errmsg(database));
    else if (strcmp(answer, "ok") != 0)
        status = error_set(error, STATUS_INVALID, "%s", answer);
    sqlite3_finalize(statement);
    return status;
}

static enum status open_file(struct client_pool *pool, struct host *host, const struct client_disk *place,
                             sqlite3 **database, struct error *error) {
    char *name = memory_format("%s/%s", host->name, POOL_FILE);
    uint64_t faults = disk_faults(place->disk);
    sqlite3 *opened = NULL;
    enum status status = open_connection(pool, host, name, &opened, error);

    free(name);
    if (status == STATUS_OK)
        status = set_up_file(opened, host, place, error);
    if (status == STATUS_OK)
        status = check_file(opened, error);
    if (status == STATUS_OK && sqlite3_db_readonly(opened, "main") == 1) { /* an SDK writes when it opens */
        sqlite3_close(opened);
        return error_set(error, STATUS_IO, "the disk can only be read");
    }
    if (status == STATUS_OK) {
        *database = opened;
        return STATUS_OK;
    }
    sqlite3_close(opened);
    return disk_faults(place->disk) > faults ? STATUS_IO : STATUS_INVALID;
}

enum status pool_reopen(struct client_pool *pool, struct host *host, sqlite3 *source, sqlite3 **database,
                        struct error *error) {
    const struct client_disk *place = pool_disk(pool, host);

    if (place == NULL)
        return copy_in_memory(pool, host, source, database, error);
    return open_file(pool, host, place, database, error);
}

enum status pool_join(struct client_pool *pool, struct host *host, sqlite3 **database, struct error *error) {
    const struct client_disk *place = pool_disk(pool, host);

    assert(place != NULL && place->shared);
    return open_file(pool, host, place, database, error);
}

static enum status copy_template(struct client_pool *pool, struct host *host, const struct client_disk *place,
                                 sqlite3 **database, struct error *error) {
    if (place == NULL)
        return copy_in_memory(pool, host, pool->template_database, database, error);
    make_image(pool);
    disk_install(place->disk, POOL_FILE, pool->image, (size_t)pool->image_length);
    return open_file(pool, host, place, database, error);
}

static enum status set_client_id(sqlite3 *database, const char *id, struct error *error) {
    sqlite3_stmt *statement = NULL;
    enum status status = STATUS_OK;

    if (sqlite3_prepare_v2(database, "UPDATE ps_kv SET value = ?1 WHERE key = 'client_id'", -1, &statement,
                           NULL) != SQLITE_OK ||
        sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_DONE || sqlite3_changes(database) != 1)
        status = error_set(error, STATUS_INTERNAL, "cannot set the client id: %s", sqlite3_errmsg(database));
    sqlite3_finalize(statement);
    return status;
}

enum status pool_clone(struct client_pool *pool, struct host *host, sqlite3 **database, struct error *error) {
    const struct client_disk *place = pool_disk(pool, host);
    sqlite3 *clone = NULL;
    char id[37];
    enum status status = copy_template(pool, host, place, &clone, error);

    if (status != STATUS_OK)
        return status;
    if (host_mutant(host, "same-client-id")) /* set up from the image of another device */
        memcpy(id, "315a8f1e-0000-4000-8000-000000000315", sizeof id);
    else
        core_random_uuid(host, "core.client-id", id);
    status = set_client_id(clone, id, error);
    if (status == STATUS_OK && place != NULL) /* the app was there before the run */
        status = run_sql(clone, "PRAGMA wal_checkpoint(TRUNCATE)", error);
    if (status != STATUS_OK) {
        sqlite3_close(clone);
        return status;
    }
    *database = clone;
    return STATUS_OK;
}

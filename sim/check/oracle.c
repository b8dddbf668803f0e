#include "check/oracle.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "check/oracle_database.h"
#include "check/row_set.h"

/* Why a row is in a view: a document as a stream shows it. `document` NULL: the stream as a whole. */
struct oracle_origin {
    size_t stream;
    const void *document;
    const char *text;
};

/* Where a document is shown. */
struct placement {
    struct oracle_user *user;
    struct oracle_row *row;
    size_t stream;
    bool fresh; /* seen again after the change that is being recorded */
};

struct document {
    struct placement *placements;
    size_t count;
    size_t capacity;
};

struct oracle {
    struct arena arena;
    struct oracle_streams streams;
    struct oracle_database *database;
    struct map priorities; /* client table -> its streams' priority + 1 */
    struct map users;      /* user and request as subject_key has them -> struct oracle_user */
    struct oracle_user **user_list;
    struct oracle_subject *subjects; /* of the users */
    size_t n_users;
    struct oracle_user **clients; /* whose view each client has */
    size_t n_clients;
    struct oracle_user **touched_users; /* by the commit being recorded */
    size_t n_touched_users;
    struct oracle_commit *commits; /* [0] before the first */
    size_t n_commits;
    size_t commits_capacity;
    struct map documents; /* table, 0, id -> struct document */
    struct buffer scratch;
    const char *last_text; /* the newest row text in the arena: users often share one */
};

/* --- rows and versions --- */

static struct oracle_row *open_row(struct oracle *oracle, struct oracle_user *user, const char *table,
                                   const char *id) {
    row_set_key(&oracle->scratch, table, id);
    struct oracle_row *row = map_get_bytes(&user->rows, oracle->scratch.data, oracle->scratch.length);
    if (row != NULL)
        return row;
    assert(row == NULL && user->n_versions > 0);
    row = arena_allocate(&oracle->arena, sizeof *row);
    row->table = table;
    row->id = arena_copy_text(&oracle->arena, id);
    row->priority = oracle_table_priority(oracle, table);
    map_set_bytes(&user->rows, oracle->scratch.data, oracle->scratch.length, row);
    return row;
}

/* Remember the row's text before the commit, once. */
static void touch(struct oracle *oracle, struct oracle_user *user, struct oracle_row *row) {
    const size_t commit = oracle_newest(oracle);
    assert(commit > 0 && row->touched <= commit);
    if (row->touched == commit)
        return;
    row->touched = commit;
    row->before = row->text;
    if (user->n_touched == 0)
        oracle->touched_users[oracle->n_touched_users++] = user;
    MEMORY_RESERVE(user->touched, user->touched_capacity, user->n_touched + 1);
    user->touched[user->n_touched++] = row;
}

static void remove_origin(struct oracle *oracle, struct oracle_user *user, struct oracle_row *row,
                          size_t stream, const void *document) {
    touch(oracle, user, row);
    for (size_t i = 0; i < row->n_origins; i++) {
        if (row->origins[i].stream == stream && row->origins[i].document == document) {
            row->n_origins--;
            memmove(row->origins + i, row->origins + i + 1, (row->n_origins - i) * sizeof *row->origins);
            break;
        }
    }
    assert(row->n_origins <= row->capacity);
    row->text = row->n_origins == 0 ? NULL : row->origins[row->n_origins - 1].text;
}

/* The newest origin counts, so it goes to the end. */
static void put_origin(struct oracle *oracle, struct oracle_user *user, struct oracle_row *row, size_t stream,
                       const void *document, const char *text) {
    assert(text != NULL && stream < oracle->streams.count);
    remove_origin(oracle, user, row, stream, document);
    MEMORY_RESERVE(row->origins, row->capacity, row->n_origins + 1);
    row->origins[row->n_origins++] = (struct oracle_origin){stream, document, text};
    row->text = text;
}

static bool same_text(const char *a, const char *b) {
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static void add_version(struct oracle_user *user, struct oracle_version version) {
    assert(user->n_versions == 0 || user->versions[user->n_versions - 1].commit < version.commit);
    MEMORY_RESERVE(user->versions, user->capacity, user->n_versions + 1);
    version.same = (uintptr_t)map_get_bytes(&user->sets, &version.set, sizeof version.set);
    user->versions[user->n_versions++] = version;
    map_set_bytes(&user->sets, &version.set, sizeof version.set, (void *)(uintptr_t)user->n_versions);
}

/* Turn the rows that the commit touched into a version, if any of them ended up different. */
static void close_commit(struct oracle *oracle, struct oracle_user *user) {
    size_t changed = 0;
    for (size_t i = 0; i < user->n_touched; i++) {
        if (!same_text(user->touched[i]->before, user->touched[i]->text))
            user->touched[changed++] = user->touched[i];
    }
    assert(changed <= user->n_touched);
    user->n_touched = 0;
    if (changed == 0)
        return;
    struct oracle_change *changes = arena_allocate(&oracle->arena, changed * sizeof *changes);
    struct oracle_version version = user->versions[user->n_versions - 1];
    for (size_t i = 0; i < changed; i++) {
        struct oracle_row *row = user->touched[i];
        changes[i] = (struct oracle_change){row, row->before, row->text};
        const struct hash128 before = row->hash;
        row->hash = row_set_hash(&oracle->scratch, row->table, row->id, row->text);
        version.set = hash128_add(hash128_subtract(version.set, before), row->hash);
        for (int p = row->priority; p < ORACLE_URGENT; p++)
            version.urgent[p] = hash128_add(hash128_subtract(version.urgent[p], before), row->hash);
    }
    version.commit = oracle_newest(oracle);
    version.changes = changes;
    version.n_changes = changed;
    add_version(user, version);
}

/* --- one commit --- */

struct evaluation_pass {
    struct oracle *oracle;
    size_t stream;
    struct document *document; /* one-table streams */
    struct map *seen;          /* streams evaluated as a whole: key -> the text now */
};

static const char *keep_text(struct oracle *oracle, const char *text) {
    if (oracle->last_text == NULL || strcmp(oracle->last_text, text) != 0)
        oracle->last_text = arena_copy_text(&oracle->arena, text);
    return oracle->last_text;
}

static void place_document(void *context, size_t user_index, const char *id, const char *text) {
    const struct evaluation_pass *pass = context;
    struct oracle *oracle = pass->oracle;
    assert(user_index < oracle->n_users && pass->document != NULL);
    struct oracle_user *user = oracle->user_list[user_index];
    struct document *document = pass->document;
    struct oracle_row *row = open_row(oracle, user, oracle->streams.items[pass->stream].output_table, id);
    put_origin(oracle, user, row, pass->stream, document, keep_text(oracle, text));
    for (size_t i = 0; i < document->count; i++) {
        struct placement *placement = &document->placements[i];
        if (placement->row == row && placement->stream == pass->stream) {
            placement->fresh = true;
            return;
        }
    }
    MEMORY_RESERVE(document->placements, document->capacity, document->count + 1);
    document->placements[document->count++] = (struct placement){user, row, pass->stream, true};
}

static void drop_stale_placements(struct oracle *oracle, struct document *document) {
    size_t kept = 0;
    for (size_t i = 0; i < document->count; i++) {
        struct placement placement = document->placements[i];
        if (!placement.fresh) {
            remove_origin(oracle, placement.user, placement.row, placement.stream, document);
            continue;
        }
        placement.fresh = false;
        document->placements[kept++] = placement;
    }
    assert(kept <= document->count);
    document->count = kept;
}

static struct document *open_document(struct oracle *oracle, const char *table, const char *id) {
    row_set_key(&oracle->scratch, table, id);
    struct document *document =
        map_get_bytes(&oracle->documents, oracle->scratch.data, oracle->scratch.length);
    if (document == NULL) {
        document = memory_allocate(sizeof *document);
        map_set_bytes(&oracle->documents, oracle->scratch.data, oracle->scratch.length, document);
    }
    return document;
}

static void record_document(struct oracle *oracle, const struct note_row *row) {
    struct document *document = open_document(oracle, row->table, row->id);
    for (size_t i = 0; row->values != NULL && i < oracle->streams.count; i++) {
        if (!oracle->streams.items[i].one_table ||
            !oracle_stream_reads(&oracle->streams.items[i], row->table))
            continue;
        struct evaluation_pass pass = {.oracle = oracle, .stream = i, .document = document};
        oracle_database_document(oracle->database, i, row->id, place_document, &pass);
    }
    drop_stale_placements(oracle, document);
}

static void see_row(void *context, size_t user_index, const char *id, const char *text) {
    struct evaluation_pass *pass = context;
    struct oracle *oracle = pass->oracle;
    assert(user_index < oracle->n_users && pass->seen != NULL);
    struct oracle_user *user = oracle->user_list[user_index];
    if (map_has(pass->seen, id))
        return;
    struct oracle_row *row = open_row(oracle, user, oracle->streams.items[pass->stream].output_table, id);
    const char *old = map_get(&user->stream_rows[pass->stream], id);
    const char *kept = old != NULL && strcmp(old, text) == 0 ? old : arena_copy_text(&oracle->arena, text);
    map_set(pass->seen, id, (void *)(uintptr_t)kept);
    if (kept != old)
        put_origin(oracle, user, row, pass->stream, NULL, kept);
}

/* Evaluate the stream as a whole for one user and compare with what it gave before. */
static void record_whole_stream(struct oracle *oracle, size_t stream, size_t user_index) {
    struct oracle_user *user = oracle->user_list[user_index];
    struct map *before = &user->stream_rows[stream];
    assert(!oracle->streams.items[stream].one_table);
    struct map seen = {0};
    struct evaluation_pass pass = {.oracle = oracle, .stream = stream, .seen = &seen};
    oracle_database_user(oracle->database, stream, user_index, see_row, &pass);
    const struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(before, &i)) != NULL;) {
        if (map_has(&seen, entry->key))
            continue;
        struct oracle_row *row =
            open_row(oracle, user, oracle->streams.items[stream].output_table, entry->key);
        remove_origin(oracle, user, row, stream, NULL);
    }
    map_free(before, NULL);
    *before = seen;
}

static bool commit_writes(const struct note *note, const struct oracle_stream *stream) {
    for (size_t i = 0; i < note->n_rows; i++) {
        if (oracle_stream_reads(stream, note->rows[i].table))
            return true;
    }
    return false;
}

static bool any_stream_reads(const struct oracle *oracle, const char *table) {
    for (size_t i = 0; i < oracle->streams.count; i++) {
        if (oracle_stream_reads(&oracle->streams.items[i], table))
            return true;
    }
    return false;
}

void oracle_record(struct oracle *oracle, const struct history_record *record) {
    const struct note *note = &record->note;
    if (note->kind != NOTE_COMMIT)
        return;
    MEMORY_RESERVE(oracle->commits, oracle->commits_capacity, oracle->n_commits + 1);
    oracle->commits[oracle->n_commits++] =
        (struct oracle_commit){note->timestamp, record->number, note->text};
    for (size_t i = 0; i < note->n_rows; i++) {
        const struct note_row *row = &note->rows[i];
        if (!any_stream_reads(oracle, row->table))
            continue;
        oracle_database_put(oracle->database, row->table, row->id, row->values);
        record_document(oracle, row);
    }
    for (size_t i = 0; i < oracle->streams.count; i++) {
        if (oracle->streams.items[i].one_table || !commit_writes(note, &oracle->streams.items[i]))
            continue;
        for (size_t j = 0; j < oracle->n_users; j++)
            record_whole_stream(oracle, i, j);
    }
    assert(oracle->n_touched_users <= oracle->n_users);
    for (size_t i = 0; i < oracle->n_touched_users; i++)
        close_commit(oracle, oracle->touched_users[i]);
    oracle->n_touched_users = 0;
}

/* --- questions --- */

size_t oracle_newest(const struct oracle *oracle) {
    assert(oracle->n_commits > 0);
    return oracle->n_commits - 1;
}

const struct oracle_commit *oracle_commit(const struct oracle *oracle, size_t number) {
    assert(number < oracle->n_commits);
    return &oracle->commits[number];
}

const struct oracle_user *oracle_client(const struct oracle *oracle, size_t client) {
    assert(client < oracle->n_clients);
    return oracle->clients[client];
}

const struct oracle_user *oracle_user(const struct oracle *oracle, const char *name) {
    return map_get(&oracle->users, name);
}

struct hash128 oracle_user_set(const struct oracle_user *user) {
    assert(user->n_versions > 0);
    return user->versions[user->n_versions - 1].set;
}

size_t oracle_user_last_commit(const struct oracle *oracle, const struct oracle_user *user, size_t version) {
    return version + 1 < user->n_versions ? user->versions[version + 1].commit - 1 : oracle_newest(oracle);
}

bool oracle_user_find(const struct oracle *oracle, const struct oracle_user *user, struct hash128 set,
                      size_t not_before, size_t *commit) {
    bool found = false;
    size_t next = (uintptr_t)map_get_bytes(&user->sets, &set, sizeof set);
    for (; next != 0 && oracle_user_last_commit(oracle, user, next - 1) >= not_before;
         next = user->versions[next - 1].same) {
        const size_t first = user->versions[next - 1].commit;
        *commit = first < not_before ? not_before : first;
        found = true;
    }
    return found;
}

bool oracle_user_find_latest(const struct oracle *oracle, const struct oracle_user *user, struct hash128 set,
                             size_t *commit) {
    const size_t newest = (uintptr_t)map_get_bytes(&user->sets, &set, sizeof set);
    if (newest != 0)
        *commit = oracle_user_last_commit(oracle, user, newest - 1);
    return newest != 0;
}

bool oracle_user_find_urgent(const struct oracle *oracle, const struct oracle_user *user, int priority,
                             struct hash128 set, size_t not_before, size_t *commit) {
    assert(priority >= 0 && priority < ORACLE_URGENT);
    (void)oracle;
    for (size_t i = oracle_user_version(user, not_before); i < user->n_versions; i++) {
        const struct oracle_version *version = &user->versions[i];
        if (!hash128_equal(version->urgent[priority], set))
            continue;
        *commit = version->commit < not_before ? not_before : version->commit;
        return true;
    }
    return false;
}

int oracle_table_priority(const struct oracle *oracle, const char *table) {
    const uintptr_t known = (uintptr_t)map_get(&oracle->priorities, table);
    return known == 0 ? ORACLE_URGENT : (int)known - 1;
}

size_t oracle_user_version(const struct oracle_user *user, size_t commit) {
    size_t low = 0;
    size_t high = user->n_versions;
    assert(high > 0 && user->versions[0].commit == 0);
    while (high - low > 1) { /* versions[low].commit <= commit < versions[high].commit */
        const size_t middle = low + (high - low) / 2;
        if (user->versions[middle].commit <= commit)
            low = middle;
        else
            high = middle;
    }
    return low;
}

const struct oracle_row *oracle_user_row(const struct oracle_user *user, const char *table, const char *id) {
    struct buffer key = {0};
    row_set_key(&key, table, id);
    const struct oracle_row *row = map_get_bytes(&user->rows, key.data, key.length);
    buffer_free(&key);
    return row;
}

/* --- life --- */

static int compare_subscriptions(const void *a, const void *b) {
    const struct client_subscription *one = *(const struct client_subscription *const *)a,
                                     *other = *(const struct client_subscription *const *)b;
    const int order = strcmp(one->stream, other->stream);
    return order != 0 ? order
                      : strcmp(one->parameters ? one->parameters : "{}",
                               other->parameters ? other->parameters : "{}");
}

/* In whatever order they were subscribed to, and whatever else was agreed on. */
static void append_subscriptions(struct buffer *key, const struct oracle_request *request) {
    const size_t count = request->n_subscriptions;
    const struct client_subscription **sorted = memory_allocate_array(count + 1, sizeof *sorted);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &request->subscriptions[i];
    if (count > 1)
        qsort(sorted, count, sizeof *sorted, compare_subscriptions);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || compare_subscriptions(&sorted[i - 1], &sorted[i]) != 0)
            buffer_printf(key, " and %s %s", sorted[i]->stream,
                          sorted[i]->parameters ? sorted[i]->parameters : "{}");
    free(sorted);
}

/* The user's name alone when nothing is asked for. */
static void subject_key(struct buffer *key, const struct oracle_subject *subject) {
    const struct oracle_request *request = &subject->request;
    buffer_clear(key);
    buffer_append_text(key, subject->user);
    if (request->parameters != NULL && strcmp(request->parameters, "{}") != 0)
        buffer_printf(key, " with %s", request->parameters);
    append_subscriptions(key, request);
}

const struct oracle_user *oracle_find(const struct oracle *oracle, const char *user,
                                      const struct oracle_request *request) {
    const struct oracle_request nothing = {0};
    const struct oracle_subject subject = {user, request ? *request : nothing};
    struct buffer key = {0};
    subject_key(&key, &subject);
    const struct oracle_user *found = map_get(&oracle->users, buffer_text(&key));
    buffer_free(&key);
    return found;
}

static void add_client(struct oracle *oracle, const struct oracle_subject *subject) {
    struct buffer key = {0};
    subject_key(&key, subject);
    struct oracle_user *user = map_get(&oracle->users, buffer_text(&key));
    if (user == NULL) {
        user = memory_allocate(sizeof *user);
        user->name = arena_copy_text(&oracle->arena, buffer_text(&key));
        user->stream_rows = memory_allocate_array(oracle->streams.count, sizeof *user->stream_rows);
        add_version(user, (struct oracle_version){.commit = 0});
        map_set(&oracle->users, user->name, user);
        oracle->subjects[oracle->n_users] = *subject;
        oracle->user_list[oracle->n_users++] = user;
    }
    oracle->clients[oracle->n_clients++] = user;
    buffer_free(&key);
}

static void add_clients(struct oracle *oracle, const char *const *users,
                        const struct oracle_request *requests, size_t n_clients) {
    oracle->user_list = memory_allocate_array(n_clients, sizeof(struct oracle_user *));
    oracle->touched_users = memory_allocate_array(n_clients, sizeof(struct oracle_user *));
    oracle->clients = memory_allocate_array(n_clients, sizeof(struct oracle_user *));
    oracle->subjects = memory_allocate_array(n_clients, sizeof *oracle->subjects);
    for (size_t i = 0; i < n_clients; i++) {
        const struct oracle_request nothing = {0};
        const struct oracle_subject subject = {users[i], requests == NULL ? nothing : requests[i]};
        add_client(oracle, &subject);
    }
}

static enum status find_priorities(struct oracle *oracle, struct error *error) {
    for (size_t i = 0; i < oracle->streams.count; i++) {
        const struct oracle_stream *stream = &oracle->streams.items[i];
        const uintptr_t priority = (uintptr_t)stream->priority + 1;
        const uintptr_t known =
            (uintptr_t)map_set(&oracle->priorities, stream->output_table, (void *)priority);
        if (known != 0 && known != priority)
            return error_set(
                error, STATUS_INVALID,
                "the oracle tells priorities by table: stream %s gives rows of %s with priority %d, "
                "another one with %d",
                stream->name, stream->output_table, stream->priority, (int)known - 1);
    }
    return STATUS_OK;
}

enum status oracle_create(const char *sync_config, const struct client_schema *schema,
                          const char *const *users, const struct oracle_request *requests, size_t n_clients,
                          struct oracle **out, struct error *error) {
    struct oracle *oracle = memory_allocate(sizeof *oracle);
    enum status status = oracle_streams_load(&oracle->streams, sync_config, schema, requests,
                                             requests == NULL ? 0 : n_clients, error);
    if (status == STATUS_OK)
        status = find_priorities(oracle, error);
    if (status == STATUS_OK) {
        oracle->n_commits = 1; /* commit 0 */
        oracle->commits_capacity = 64;
        oracle->commits = memory_allocate_array(oracle->commits_capacity, sizeof *oracle->commits);
        add_clients(oracle, users, requests, n_clients);
        status = oracle_database_create(&oracle->streams, schema, oracle->subjects, oracle->n_users,
                                        &oracle->database, error);
    }
    if (status != STATUS_OK) {
        oracle_destroy(oracle);
        return status;
    }
    *out = oracle;
    return STATUS_OK;
}

static void free_document(void *value) {
    struct document *document = value;
    free(document->placements);
    free(document);
}

static void free_user(struct oracle_user *user, size_t n_streams) {
    const struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&user->rows, &i)) != NULL;)
        free(((struct oracle_row *)entry->value)->origins);
    for (size_t i = 0; i < n_streams; i++)
        map_free(&user->stream_rows[i], NULL);
    map_free(&user->rows, NULL);
    map_free(&user->sets, NULL);
    free(user->stream_rows);
    free(user->versions);
    free(user->touched);
    free(user);
}

void oracle_destroy(struct oracle *oracle) {
    if (oracle->database != NULL)
        oracle_database_destroy(oracle->database);
    for (size_t i = 0; i < oracle->n_users; i++)
        free_user(oracle->user_list[i], oracle->streams.count);
    map_free(&oracle->users, NULL);
    map_free(&oracle->documents, free_document);
    map_free(&oracle->priorities, NULL);
    oracle_streams_free(&oracle->streams);
    buffer_free(&oracle->scratch);
    arena_free(&oracle->arena);
    free(oracle->user_list);
    free(oracle->touched_users);
    free(oracle->subjects);
    free(oracle->clients);
    free(oracle->commits);
    free(oracle);
}

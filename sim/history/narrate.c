#include "history/narrate.h"

#include <assert.h>
#include <string.h>

#include "kernel/time.h"

/* The longest prefix of at most `limit` bytes that does not cut a UTF-8 character. */
static size_t whole_characters(const char *text, size_t length, size_t limit) {
    if (length <= limit)
        return length;
    while (limit > 0 && ((unsigned char)text[limit] & 0xc0) == 0x80)
        limit--;
    return limit;
}

/* A line stays one line, whatever a text of the outside contains. */
static void append_line_text(struct buffer *out, const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        buffer_append_char(out, (unsigned char)text[i] < 0x20 ? ' ' : text[i]);
}

static void append_short(struct buffer *out, const char *text, size_t limit, const char *ellipsis) {
    const size_t length = strlen(text);
    const size_t shown = whole_characters(text, length, limit);
    assert(shown <= length);
    append_line_text(out, text, shown);
    if (shown < length)
        buffer_append_text(out, ellipsis);
}

static void append_time(struct buffer *out, int64_t time) {
    assert(time >= 0);
    buffer_printf(out, "[%5lld.%03lld s] ", (long long)(time / TIME_SECOND),
                  (long long)(time % TIME_SECOND / TIME_MILLISECOND));
}

static void append_count(struct buffer *out, size_t count, const char *noun) {
    buffer_printf(out, "%zu %s%s", count, noun, count == 1 ? "" : "s");
}

/* Ids are shown by their first characters, unless they are short anyway. */
static void append_row_name(struct buffer *out, const struct note_row *row) {
    const size_t limit = strlen(row->id) <= NARRATE_ID + 4 ? NARRATE_ID + 4 : NARRATE_ID;
    buffer_printf(out, "%s/", row->table);
    append_short(out, row->id, limit, "..");
}

static void append_operation(struct buffer *out, const struct note_row *row) {
    buffer_printf(out, "%s ", row->operation == NULL ? "row" : row->operation);
    append_row_name(out, row);
    if (row->values != NULL) {
        buffer_append_char(out, ' ');
        append_short(out, row->values, NARRATE_VALUES, "...");
    }
}

static void append_operations(struct buffer *out, const struct note *note) {
    for (size_t i = 0; i < note->n_rows; i++) {
        if (i == NARRATE_ROWS) {
            buffer_printf(out, "; and %zu more", note->n_rows - i);
            return;
        }
        buffer_append_text(out, i == 0 ? ": " : "; ");
        append_operation(out, &note->rows[i]);
    }
}

static bool table_before(const struct note *note, size_t index) {
    for (size_t i = 0; i < index; i++) {
        if (strcmp(note->rows[i].table, note->rows[index].table) == 0)
            return true;
    }
    return false;
}

/* "lists 1 row, todos 3 rows (1 deleted)", tables in order of first appearance. */
static void append_tables(struct buffer *out, const struct note *note) {
    if (note->n_rows == 0)
        buffer_append_text(out, "no rows");
    for (size_t i = 0; i < note->n_rows; i++) {
        if (table_before(note, i))
            continue;
        size_t rows = 0;
        size_t deleted = 0;
        for (size_t j = i; j < note->n_rows; j++) {
            if (strcmp(note->rows[j].table, note->rows[i].table) != 0)
                continue;
            rows++;
            deleted += note->rows[j].values == NULL;
        }
        buffer_printf(out, "%s%s ", i == 0 ? "" : ", ", note->rows[i].table);
        append_count(out, rows, "row");
        if (deleted > 0)
            buffer_printf(out, " (%zu deleted)", deleted);
    }
}

static void narrate_commit(struct buffer *out, const struct note *note) {
    buffer_printf(out, "commits %lld", (long long)note->timestamp);
    if (note->text != NULL) {
        buffer_append_text(out, " (");
        append_short(out, note->text, NARRATE_VALUES, "...");
        buffer_append_char(out, ')');
    }
    buffer_append_text(out, ": ");
    append_tables(out, note);
}

static void narrate_local_write(struct buffer *out, const struct note *note) {
    buffer_printf(out, "writes transaction %lld", (long long)note->transaction);
    if (note->text != NULL) {
        buffer_append_text(out, " (step ");
        append_short(out, note->text, NARRATE_VALUES, "...");
        buffer_append_char(out, ')');
    }
    append_operations(out, note);
}

/* "2 rows changed, 1 row gone"; "no row changed". */
static void append_changes(struct buffer *out, const struct note *note) {
    size_t gone = 0;
    for (size_t i = 0; i < note->n_rows; i++)
        gone += note->rows[i].values == NULL;
    assert(gone <= note->n_rows);
    const size_t changed = note->n_rows - gone;
    if (note->n_rows == 0)
        buffer_append_text(out, "no row changed");
    if (changed > 0) {
        append_count(out, changed, "row");
        buffer_append_text(out, " changed");
    }
    if (gone > 0) {
        buffer_append_text(out, changed > 0 ? ", " : "");
        append_count(out, gone, "row");
        buffer_append_text(out, " gone");
    }
}

static void narrate_view(struct buffer *out, const struct note *note) {
    const char *cause = note->text == NULL ? "" : note->text;
    if (strcmp(cause, "checkpoint") == 0) {
        buffer_printf(out, "applies checkpoint %lld: ", (long long)note->timestamp);
        append_changes(out, note);
    } else if (strcmp(cause, "partial") == 0) {
        buffer_printf(out, "applies checkpoint %lld up to priority %lld: ", (long long)note->timestamp,
                      (long long)note->transaction);
        append_changes(out, note);
    } else if (strcmp(cause, "restart") == 0) {
        buffer_append_text(out, "shows ");
        append_count(out, note->n_rows, "row");
        buffer_append_text(out, " after the restart");
    } else if (strcmp(cause, "clear") == 0) {
        buffer_printf(out,
                      "empties its database%s: ", note->transaction ? ", but for what was downloaded" : "");
        append_count(out, note->n_rows, "row");
        buffer_append_text(out, " left");
    } else {
        buffer_append_text(out, strcmp(cause, "write") == 0 ? "shows its write: " : "shows: ");
        append_changes(out, note);
    }
}

static void append_reason(struct buffer *out, const struct note *note) {
    if (note->text == NULL || note->text[0] == '\0')
        return;
    buffer_append_text(out, ": ");
    append_short(out, note->text, NARRATE_VALUES, "...");
}

static void narrate_queue(struct buffer *out, const struct note *note) {
    if (note->transaction == 0 && note->n_rows == 0) {
        buffer_append_text(out, note->text ? "waits for the write checkpoint of its last upload"
                                           : "has nothing left to upload");
        return;
    }
    buffer_append_text(out, "still has ");
    append_count(out, (size_t)note->transaction, "transaction");
    buffer_append_text(out, " to upload (");
    append_count(out, note->n_rows, "row");
    buffer_append_char(out, ')');
}

static void narrate_upload(struct buffer *out, const struct note *note) {
    const long long transaction = note->transaction;
    switch (note->kind) {
    case NOTE_UPLOAD_STARTED: /* its text is the client id, which says nothing to people */
        buffer_printf(out, "uploads transaction %lld", transaction);
        return;
    case NOTE_UPLOAD_ACKNOWLEDGED:
        buffer_printf(out, "completes transaction %lld, accepted by the backend", transaction);
        break;
    case NOTE_UPLOAD_REJECTED:
        buffer_printf(out, "completes transaction %lld, refused by the backend", transaction);
        break;
    default:
        assert(note->kind == NOTE_UPLOAD_FAILED);
        buffer_printf(out, "keeps transaction %lld for another attempt", transaction);
    }
    append_reason(out, note);
}

static void narrate_text(struct buffer *out, const char *before, const struct note *note) {
    buffer_append_text(out, before);
    append_short(out, note->text == NULL ? "" : note->text, 4 * NARRATE_VALUES, "...");
}

void history_narrate(struct buffer *out, const struct history_record *record) {
    const struct note *note = &record->note;
    append_time(out, record->time);
    buffer_append_text(out, record->node);
    if (note->kind != NOTE_TEXT)
        buffer_append_char(out, ' ');
    switch (note->kind) {
    case NOTE_COMMIT:
        narrate_commit(out, note);
        break;
    case NOTE_LOCAL_WRITE:
        narrate_local_write(out, note);
        break;
    case NOTE_VIEW:
        narrate_view(out, note);
        break;
    case NOTE_UPLOAD_STARTED:
    case NOTE_UPLOAD_ACKNOWLEDGED:
    case NOTE_UPLOAD_REJECTED:
    case NOTE_UPLOAD_FAILED:
        narrate_upload(out, note);
        break;
    case NOTE_WRITE_CHECKPOINT:
        buffer_printf(out, "receives write checkpoint %lld", (long long)note->timestamp);
        break;
    case NOTE_CONNECTION:
        narrate_text(out, "is ", note);
        break;
    case NOTE_CRASH:
        buffer_append_text(out, "crashes");
        break;
    case NOTE_RESTART:
        buffer_append_text(out, "restarts");
        if (note->text)
            buffer_printf(out, " (%s): transaction %lld is the newest", note->text,
                          (long long)note->transaction);
        break;
    case NOTE_QUEUE:
        narrate_queue(out, note);
        break;
    case NOTE_TEXT:
        narrate_text(out, ": ", note);
        break;
    case NOTE_READS:
        buffer_append_text(out, "read ");
        append_count(out, note->n_rows, "row or range");
        break;
    case NOTE_TRANSITION:
        buffer_append_text(out, "sees ");
        append_count(out, note->n_rows, "query result");
        buffer_printf(out, " as of %lld", (long long)note->timestamp);
        break;
    case NOTE_CALL_STARTED:
        buffer_printf(out, "calls %s, request %lld", note->rows[0].table, (long long)note->transaction);
        break;
    case NOTE_TABLE:
        buffer_printf(out, "%s the table %s", note->text, note->rows[0].table);
        break;
    case NOTE_CALL_RAN:
        buffer_printf(out, "ran %s for request %lld", note->rows[0].table, (long long)note->transaction);
        break;
    case NOTE_WATCHED:
        buffer_append_text(out, "runs its watch query");
        break;
    case NOTE_IDENTITY:
        buffer_append_text(out, note->text ? "is signed in as " : "is signed in as nobody");
        append_short(out, note->text ? note->text : "", NARRATE_VALUES, "...");
        break;
    case NOTE_STREAMS:
        buffer_printf(out, "streams %s:", note->text);
        for (size_t i = 0; i < note->n_rows; i++)
            buffer_printf(out, " %s %.200s", note->rows[i].table, note->rows[i].id);
        break;
    case NOTE_CALL_ENDED:
        buffer_printf(out, "has %s for request %lld", note->text, (long long)note->transaction);
        break;
    }
}

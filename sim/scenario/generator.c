#include "scenario/generator.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/digest.h"

static const int64_t exact_most = (int64_t)1 << 53; /* whole numbers that a Float64 holds exactly */

/* The word of a mapping that is a choice, or NULL. */
static const char *word_of(const json_t *value) {
    static const char *const words[] = {"$choose", "$number", "$int", "$uuid"};
    for (size_t i = 0; json_object_size(value) == 1 && i < sizeof words / sizeof words[0]; i++)
        if (json_object_get(value, words[i]))
            return words[i];
    return NULL;
}

/* --- reading --- */

static enum status check_all(struct reader *reader, const json_t *holder) {
    enum status status = STATUS_OK;
    const char *key;
    json_t *member;
    for (size_t i = 0; status == STATUS_OK && i < json_array_size(holder); i++)
        status = generator_check(reader, reader_item(holder, i));
    json_object_foreach((json_t *)(uintptr_t)holder, key, member) if (status == STATUS_OK) status =
        generator_check(reader, reader_member(holder, key));
    return status;
}

static enum status check_ends(struct reader *reader, struct reader_value range) {
    int64_t ends[2];
    if (json_array_size(range.value) != 2)
        return reader_refuse(reader, range, "`%s` must be [lowest, highest]", range.key);
    for (size_t i = 0; i < 2; i++) {
        enum status status =
            reader_count(reader, reader_item(range.value, i), -exact_most, exact_most, &ends[i]);
        if (status != STATUS_OK)
            return status;
    }
    return ends[0] <= ends[1] ? STATUS_OK
                              : reader_refuse(reader, range, "`%s`: the lowest comes first", range.key);
}

enum status generator_check(struct reader *reader, struct reader_value value) {
    const char *word = word_of(value.value);
    if (!word)
        return check_all(reader, value.value);
    struct reader_value of = reader_member(value.value, word);
    if (!strcmp(word, "$choose")) {
        if (json_array_size(of.value) == 0)
            return reader_refuse(reader, of, "`$choose` must be a list of at least one value");
        return check_all(reader, of.value);
    }
    if (!strcmp(word, "$uuid"))
        return json_is_true(of.value) ? STATUS_OK : reader_refuse(reader, of, "`$uuid` must be true");
    return check_ends(reader, of);
}

/* --- drawing --- */

static json_t *draw(const json_t *value, struct random_stream *stream);

static json_t *draw_integer(int64_t number) {
    unsigned char bytes[8];
    struct buffer text = {0};
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)((uint64_t)number >> 8 * i);
    base64_append(&text, bytes, sizeof bytes);
    json_t *json = json_object();
    json_object_set_new(json, "$integer", json_string(buffer_text(&text)));
    buffer_free(&text);
    return json;
}

static json_t *draw_word(const json_t *of, const char *word, struct random_stream *stream) {
    if (!strcmp(word, "$choose"))
        return draw(json_array_get(of, (size_t)random_below(stream, json_array_size(of))), stream);
    if (!strcmp(word, "$uuid")) {
        char uuid[37];
        random_uuid(stream, uuid);
        return json_string(uuid);
    }
    int64_t number = random_between(stream, json_integer_value(json_array_get(of, 0)),
                                    json_integer_value(json_array_get(of, 1)));
    return !strcmp(word, "$int") ? draw_integer(number) : json_real((double)number);
}

static json_t *draw_object(const json_t *value, struct random_stream *stream) {
    json_t *copy = json_object();
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
        json_object_set_new(copy, key, draw(member, stream));
    return copy;
}

static json_t *draw(const json_t *value, struct random_stream *stream) {
    const char *word = word_of(value);
    assert(value);
    if (word)
        return draw_word(json_object_get(value, word), word, stream);
    if (json_is_object(value))
        return draw_object(value, stream);
    if (json_is_integer(value)) /* a plain number is a Float64 */
        return json_real((double)json_integer_value(value));
    if (!json_is_array(value))
        return json_incref((json_t *)(uintptr_t)value);
    json_t *copy = json_array();
    for (size_t i = 0; i < json_array_size(value); i++)
        json_array_append_new(copy, draw(json_array_get(value, i), stream));
    return copy;
}

void generator_draw(const json_t *generator, struct random_stream *stream, struct buffer *out) {
    json_t *json = draw(generator, stream);
    json_append_sorted(out, json);
    json_decref(json);
}

void generator_draw_text(const char *generator, struct random_stream *stream, struct buffer *out) {
    json_t *json = json_parse(generator, strlen(generator), NULL);
    assert(json);
    generator_draw(json, stream, out);
    json_decref(json);
}

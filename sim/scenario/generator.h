/* Arguments with a part that each seed draws: JSON in which some mappings stand for a choice.
 *
 *   {$choose: [a, b, {$uuid: true}]} one of these
 *   {$number: [1, 100]}               a whole Float64, both ends included
 *   {$int: [1, 100]}                 an Int64
 *   {$uuid: true}                   a new UUID
 *
 * No field of a document begins with $, so nothing else is meant by these; everything else stands for itself,
 * {$integer: "..."} and the like too. */
#ifndef SYNCLINE_SCENARIO_GENERATOR_H
#define SYNCLINE_SCENARIO_GENERATOR_H

#include "base/json.h"
#include "base/random.h"
#include "reader/reader.h"

/* Refuses a choice that cannot be drawn from. */
enum status generator_check(struct reader *reader, struct reader_value value);
/* Draw everything and write the result as encoded JSON with sorted keys. `generator` was checked. */
void generator_draw(const json_t *generator, struct random_stream *stream, struct buffer *out);
/* The same from text. */
void generator_draw_text(const char *generator, struct random_stream *stream, struct buffer *out);

#endif

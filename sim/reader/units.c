#include "reader/units.h"

#include <assert.h>
#include <string.h>

#include "kernel/time.h"

struct unit {
    const char *name;
    int64_t ns;
};

static const struct unit units[] = {{"ns", TIME_NANOSECOND},  {"us", TIME_MICROSECOND},
                                    {"ms", TIME_MILLISECOND}, {"s", TIME_SECOND},
                                    {"min", TIME_MINUTE},     {"h", TIME_HOUR}};

static const int64_t duration_most = INT64_C(3650) * TIME_DAY;

/* Digits with an optional decimal part, times `scale`, as a whole number; `rest` points behind them. */
static bool read_scaled(const char *text, int64_t scale, int64_t most, int64_t *value) {
    int64_t whole = 0, part = 0, part_scale = scale;
    const char *c = text;
    if (*c < '0' || *c > '9')
        return false;
    for (; *c >= '0' && *c <= '9'; c++) {
        whole = whole * 10 + (*c - '0');
        if (whole > most / scale)
            return false;
    }
    if (*c == '.') {
        if (c[1] < '0' || c[1] > '9')
            return false;
        for (c++; *c >= '0' && *c <= '9'; c++) {
            if (part_scale % 10 != 0) {
                if (*c != '0')
                    return false; /* finer than the smallest part */
                continue;
            }
            part_scale /= 10;
            part += part_scale * (*c - '0');
        }
    }
    *value = whole * scale + part;
    return *value <= most;
}

static size_t number_length(const char *text) {
    return strspn(text, "0123456789.");
}

bool units_read_duration(const char *text, int64_t *ns) {
    const char *name = text + number_length(text);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (!strcmp(name, units[i].name))
            return read_scaled(text, units[i].ns, duration_most, ns);
    return false;
}

/* value / scale as a decimal without needless zeros. */
static void print_scaled(struct buffer *out, int64_t value, int64_t scale) {
    assert(value >= 0 && scale > 0);
    buffer_append_integer(out, value / scale);
    int64_t part = value % scale;
    if (part == 0)
        return;
    buffer_append_char(out, '.');
    while (part > 0) {
        part *= 10;
        buffer_append_char(out, (char)('0' + part / scale));
        part %= scale;
    }
}

void units_print_duration(struct buffer *out, int64_t ns) {
    const struct unit *unit =
        &units[3]; /* s; minutes and hours only when they are whole, as people write them */
    if (ns > 0 && ns % TIME_HOUR == 0)
        unit = &units[5];
    else if (ns > 0 && ns % TIME_MINUTE == 0)
        unit = &units[4];
    else if (ns > 0 && ns < TIME_MICROSECOND)
        unit = &units[0];
    else if (ns > 0 && ns < TIME_MILLISECOND)
        unit = &units[1];
    else if (ns > 0 && ns < TIME_SECOND)
        unit = &units[2];
    print_scaled(out, ns, unit->ns);
    buffer_append_text(out, unit->name);
}

bool units_read_rate(const char *text, int64_t *per_million) {
    const char *name = text + number_length(text);
    if (!strcmp(name, "%"))
        return read_scaled(text, 10000, 1000000, per_million);
    return !strcmp(name, " per million") && read_scaled(text, 1, 1000000, per_million);
}

void units_print_rate(struct buffer *out, int64_t per_million) {
    print_scaled(out, per_million, 10000);
    buffer_append_char(out, '%');
}

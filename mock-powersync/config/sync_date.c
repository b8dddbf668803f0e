#include "mock-powersync/config/sync_date.h"

#include <stdlib.h>
#include <string.h>

#define DAY INT64_C(86400000)
#define FARTHEST 8.64e15 /* what a JavaScript date can hold, ms */
#define JULIAN_EPOCH 2440587.5

/* Days since 1970 of a date of the Gregorian calendar. */
static int64_t days_of(int64_t year, int64_t month, int64_t day) {
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void date_of(int64_t days, int64_t *year, int64_t *month, int64_t *day) {
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t of_era = days - era * 146097;
    int64_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * years + years / 4 - years / 100);
    int64_t shifted = (5 * of_year + 2) / 153;
    *day = of_year - (153 * shifted + 2) / 5 + 1;
    *month = shifted < 10 ? shifted + 3 : shifted - 9;
    *year = years + era * 400 + (*month <= 2);
}

/* A number of `least` to `most` digits. */
static bool take_number(const char **at, size_t least, size_t most, int64_t *number) {
    size_t length = strspn(*at, "0123456789");
    if (length < least || length > most)
        return false;
    *number = strtoll(*at, NULL, 10);
    *at += length;
    return true;
}

static bool take(const char **at, char symbol) {
    bool found = **at == symbol;
    *at += found;
    return found;
}

/* .5 is 500 ms; what is smaller is cut off. */
static bool take_fraction(const char **at, int64_t *milliseconds) {
    size_t length = strspn(*at, "0123456789");
    int64_t scale = 100;
    for (size_t i = 0; i < length; i++, scale /= 10)
        *milliseconds += ((*at)[i] - '0') * scale;
    *at += length;
    return length > 0;
}

/* HH:MM[:SS[.fraction]] */
static bool take_time(const char **at, int64_t *milliseconds) {
    int64_t hour, minute, second = 0, fraction = 0;
    if (!take_number(at, 1, 2, &hour) || !take(at, ':') || !take_number(at, 1, 2, &minute))
        return false;
    if (take(at, ':') && !take_number(at, 1, 2, &second))
        return false;
    if (take(at, '.') && !take_fraction(at, &fraction))
        return false;
    *milliseconds = ((hour * 60 + minute) * 60 + second) * 1000 + fraction;
    return minute < 60 && second < 60 && *milliseconds <= DAY;
}

static bool take_zone(const char **at, int64_t *offset) {
    int64_t hours, minutes, sign = **at == '-' ? -1 : 1;
    *offset = 0;
    if (take(at, 'Z') || take(at, 'z') || !**at)
        return true;
    if (!take(at, '+') && !take(at, '-'))
        return false;
    if (!take_number(at, 2, 2, &hours) || !take(at, ':') || !take_number(at, 2, 2, &minutes))
        return false;
    *offset = sign * (hours * 60 + minutes) * 60000;
    return hours < 24 && minutes < 60;
}

static bool read_text(const char *text, int64_t *milliseconds) {
    int64_t year, month, day = 1, time = 0, offset = 0;
    const char *at = text;
    if (!take_number(&at, 4, 4, &year) || !take(&at, '-') || !take_number(&at, 1, 2, &month))
        return false;
    if (take(&at, '-') && !take_number(&at, 1, 2, &day))
        return false;
    bool timed = *at == 'T' || *at == 't' || (*at == ' ' && at[strspn(at, " ")] != '\0');
    if (timed) {
        at += *at == ' ' ? strspn(at, " ") : 1;
        if (!take_time(&at, &time))
            return false;
    }
    at += strspn(at, " ");
    if (!timed && (*at == '+' || *at == '-'))
        return false;
    if (!take_zone(&at, &offset) || *at || month < 1 || month > 12 || day < 1 || day > 31)
        return false;
    *milliseconds = days_of(year, month, day) * DAY + time - offset;
    return true;
}

static bool from_number(double number, bool unix_time, int64_t *milliseconds) {
    double result = unix_time ? number * 1000.0 : (number - JULIAN_EPOCH) * 24 * 60 * 60 * 1000;
    if (!(result >= -FARTHEST && result <= FARTHEST))
        return false;
    *milliseconds = (int64_t)result;
    return true;
}

bool sync_date_read(const struct sql_value *value, bool unix_time, int64_t *milliseconds) {
    if (value->kind == SQL_INTEGER)
        return from_number((double)value->integer, unix_time, milliseconds);
    if (value->kind == SQL_REAL)
        return from_number(value->real, unix_time, milliseconds);
    if (value->kind != SQL_TEXT)
        return false;
    size_t digits = strspn(value->text, "0123456789");
    size_t rest = value->text[digits] == '.' ? 1 + strspn(value->text + digits + 1, "0123456789") : 0;
    if (digits > 0 && digits + rest == value->length)
        return from_number(strtod(value->text, NULL), false, milliseconds);
    return read_text(value->text + strspn(value->text, " "), milliseconds);
}

void sync_date_append(struct buffer *out, int64_t milliseconds, bool fraction) {
    int64_t days = milliseconds / DAY - (milliseconds % DAY < 0), year, month, day;
    int64_t time = milliseconds - days * DAY;
    date_of(days, &year, &month, &day);
    if (year > 9999)
        buffer_printf(out, "+%06lld", (long long)year);
    else
        buffer_printf(out, year < 0 ? "%lld" : "%04lld", (long long)year);
    buffer_printf(out, "-%02lld-%02lld %02lld:%02lld:%02lld", (long long)month, (long long)day,
                  (long long)(time / 3600000), (long long)(time / 60000 % 60), (long long)(time / 1000 % 60));
    if (fraction)
        buffer_printf(out, ".%03lld", (long long)(time % 1000));
}

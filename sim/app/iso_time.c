#include "app/iso_time.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Exactly `digits` of them, a number from `low` to `high`. */
static bool take_number(const char **text, int digits, int low, int high, int *number) {
    *number = 0;
    for (int i = 0; i < digits; i++, (*text)++) {
        if (!is_digit(**text))
            return false;
        *number = *number * 10 + (**text - '0');
    }
    return *number >= low && *number <= high;
}

static bool take(const char **text, const char *any_of) {
    const bool found = **text && strchr(any_of, **text);
    *text += found;
    return found;
}

/* Thousandths of a second; more digits are passed over. */
static bool take_fraction(const char **text, int *millisecond) {
    int weight = 100;
    *millisecond = 0;
    if (!take(text, "."))
        return true;
    if (!is_digit(**text))
        return false;
    for (; is_digit(**text); (*text)++, weight /= 10)
        *millisecond += (**text - '0') * weight;
    return true;
}

/* The minutes that local time is ahead of UTC. */
static bool take_zone(const char **text, int *ahead) {
    const bool behind = **text == '-';
    int hours, minutes;
    *ahead = 0;
    if (!**text || take(text, "Z"))
        return true;
    if (!take(text, "+-") || !take_number(text, 2, 0, 14, &hours) || !take(text, ":") ||
        !take_number(text, 2, 0, 59, &minutes))
        return false;
    *ahead = (behind ? -1 : 1) * (hours * 60 + minutes);
    return true;
}

static int days_of(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

struct moment {
    int year, month, day, minutes; /* minutes of the day, which may lie in the one before or after */
};

static void carry(struct moment *moment) {
    if (moment->minutes < 0) {
        moment->minutes += 24 * 60;
        if (--moment->day == 0) {
            moment->month = moment->month == 1 ? 12 : moment->month - 1;
            moment->year -= moment->month == 12;
            moment->day = days_of(moment->year, moment->month);
        }
    } else if (moment->minutes >= 24 * 60) {
        moment->minutes -= 24 * 60;
        if (++moment->day > days_of(moment->year, moment->month)) {
            moment->day = 1;
            moment->month = moment->month == 12 ? 1 : moment->month + 1;
            moment->year += moment->month == 1;
        }
    }
}

bool iso_time_normal(const char *text, char out[ISO_TIME_SIZE]) {
    struct moment moment;
    int hour, minute, second, millisecond, ahead;
    if (!take_number(&text, 4, 1, 9998, &moment.year) || !take(&text, "-") ||
        !take_number(&text, 2, 1, 12, &moment.month) || !take(&text, "-") ||
        !take_number(&text, 2, 1, days_of(moment.year, moment.month), &moment.day) || !take(&text, "T "))
        return false;
    if (!take_number(&text, 2, 0, 23, &hour) || !take(&text, ":") || !take_number(&text, 2, 0, 59, &minute) ||
        !take(&text, ":") || !take_number(&text, 2, 0, 59, &second))
        return false;
    if (!take_fraction(&text, &millisecond) || !take_zone(&text, &ahead) || *text)
        return false;
    moment.minutes = hour * 60 + minute - ahead;
    carry(&moment);
    snprintf(out, ISO_TIME_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", moment.year, moment.month, moment.day,
             moment.minutes / 60, moment.minutes % 60, second, millisecond);
    return true;
}

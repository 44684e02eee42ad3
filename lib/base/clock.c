#include "base/clock.h"

#include <stdio.h>
#include <time.h>

enum { SECONDS_A_DAY = 86400 };

int64_t clock_monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_nanoseconds(double seconds)
{
	static const double longest = 1e9;

	return (int64_t)((seconds < longest ? seconds : longest) * 1e9);
}

double clock_round(double seconds)
{
	return (double)(int64_t)(seconds * 1e6 + 0.5) / 1e6;
}

int64_t clock_realtime(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* The text of a second, up to the point behind it. */
static void write_second(char text[20], int64_t second)
{
	time_t time = (time_t)second;
	struct tm date = {0};
	char whole[80];

	gmtime_r(&time, &date);
	snprintf(whole, sizeof(whole), "%04d-%02d-%02dT%02d:%02d:%02d.", date.tm_year + 1900,
		 date.tm_mon + 1, date.tm_mday, date.tm_hour, date.tm_min, date.tm_sec);
	memcpy(text, whole, 20);
}

void clock_stamp_add(struct clock_stamp *stamp, struct buffer *out, int64_t microseconds)
{
	int64_t second = microseconds / 1000000;
	int fraction = (int)(microseconds % 1000000);
	char *at;

	if (fraction < 0) {
		fraction += 1000000;
		second--;
	}
	if (!stamp->valid || stamp->second != second)
		write_second(stamp->text, second);
	stamp->second = second;
	stamp->valid = true;
	buffer_reserve(out, 27);
	at = out->at + out->len;
	memcpy(at, stamp->text, sizeof(stamp->text));
	at += sizeof(stamp->text);
	for (int i = 5; i >= 0; i--, fraction /= 10)
		at[i] = (char)('0' + fraction % 10);
	at[6] = 'Z';
	out->len += 27;
}

void clock_add_timestamp(struct buffer *out, int64_t microseconds)
{
	struct clock_stamp stamp = {0};

	clock_stamp_add(&stamp, out, microseconds);
}

/* Days since 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms"). This costs
 * a few divisions and avoids the locale and locks of the C library. */
static int64_t days_from_civil(int64_t y, int m, int d)
{
	int64_t shifted = y + 400 - (m <= 2); /* of years that begin in March; not negative */

	return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 +
	       (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1 - 719468 - 146097;
}

/* Read exactly `width` digits at *at. Returns -1 if there are fewer. */
static int get_digits(const char **at, const char *end, int width)
{
	int value = 0;

	if (end - *at < width)
		return -1;
	for (int i = 0; i < width; i++) {
		char c = *(*at)++;

		if (c < '0' || c > '9')
			return -1;
		value = value * 10 + (c - '0');
	}
	return value;
}

/* Step over `c`; for 'T', also over what some write instead. */
static bool skip(const char **at, const char *end, char c)
{
	if (*at == end || (**at != c && !(c == 'T' && (**at == 't' || **at == ' '))))
		return false;
	(*at)++;
	return true;
}

/* Read the zone, Z or +HH:MM, which ends the text. *offset: its seconds east of UTC. */
static bool get_zone(const char *at, const char *end, int64_t *offset)
{
	int sign = at < end && *at == '-' ? -1 : 1, hours, minutes;

	*offset = 0;
	if (skip(&at, end, 'Z') || skip(&at, end, 'z'))
		return at == end;
	if ((!skip(&at, end, '+') && !skip(&at, end, '-')) ||
	    (hours = get_digits(&at, end, 2)) < 0 || !skip(&at, end, ':') ||
	    (minutes = get_digits(&at, end, 2)) < 0)
		return false;
	*offset = sign * (hours * 3600 + minutes * 60);
	return at == end;
}

int64_t clock_parse_timestamp(struct span text)
{
	static const struct {
		char before; /* '\0': nothing */
		int width, least, most;
	} fields[] = {{'\0', 4, 0, 9999}, {'-', 2, 1, 12}, {'-', 2, 1, 31},
		      {'T', 2, 0, 23},    {':', 2, 0, 59}, {':', 2, 0, 60}};
	const char *at = text.len > 0 ? text.at : "", *end = at + text.len;
	int64_t fraction = 0, scale = 100000, offset;
	int value[ARRAY_LEN(fields)];

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (fields[i].before != '\0' && !skip(&at, end, fields[i].before))
			return -1;
		value[i] = get_digits(&at, end, fields[i].width);
		if (value[i] < fields[i].least || value[i] > fields[i].most)
			return -1;
	}
	if (skip(&at, end, '.'))
		for (; at < end && *at >= '0' && *at <= '9'; scale /= 10)
			fraction += (*at++ - '0') * scale;
	if (!get_zone(at, end, &offset))
		return -1;
	return (days_from_civil(value[0], value[1], value[2]) * SECONDS_A_DAY + value[3] * 3600 +
		value[4] * 60 + value[5] - offset) *
		   1000000 +
	       fraction;
}

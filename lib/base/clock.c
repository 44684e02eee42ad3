#include "base/clock.h"

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

int64_t clock_realtime(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Convert a civil date to days since 1970-01-01, and back (Howard Hinnant, "chrono-compatible
 * low-level date algorithms"). This costs a few divisions and avoids the locale and locks of
 * gmtime. */
static int64_t days_from_civil(int64_t y, int m, int d)
{
	int64_t era;
	int yoe, doy, doe;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = (int)(y - era * 400);
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

static void civil_from_days(int64_t z, int *y, int *m, int *d)
{
	int64_t era;
	int doe, yoe, doy, mp;

	z += 719468;
	era = (z >= 0 ? z : z - 146096) / 146097;
	doe = (int)(z - era * 146097);
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = doy - (153 * mp + 2) / 5 + 1;
	*m = mp < 10 ? mp + 3 : mp - 9;
	*y = (int)(yoe + era * 400) + (*m <= 2);
}

/* Write `value` as `width` decimal digits, with leading zeros. */
static char *put_digits(char *at, int64_t value, int width)
{
	for (int i = width - 1; i >= 0; i--) {
		at[i] = (char)('0' + value % 10);
		value /= 10;
	}
	return at + width;
}

/* The text of a second, up to the point behind it. */
static void write_second(char *at, int64_t second)
{
	int64_t days = second / SECONDS_A_DAY, of_day = second % SECONDS_A_DAY;
	int year, month, day;

	if (of_day < 0) {
		of_day += SECONDS_A_DAY;
		days--;
	}
	civil_from_days(days, &year, &month, &day);
	at = put_digits(at, year, 4);
	*at++ = '-';
	at = put_digits(at, month, 2);
	*at++ = '-';
	at = put_digits(at, day, 2);
	*at++ = 'T';
	at = put_digits(at, of_day / 3600, 2);
	*at++ = ':';
	at = put_digits(at, of_day / 60 % 60, 2);
	*at++ = ':';
	at = put_digits(at, of_day % 60, 2);
	*at = '.';
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

/* Read exactly `width` digits at *at. Returns -1 if there are fewer. */
static int get_digits(const char **at, const char *end, int width)
{
	int value = 0;

	if (end - *at < width)
		return -1;
	for (int i = 0; i < width; i++) {
		char c = (*at)[i];

		if (c < '0' || c > '9')
			return -1;
		value = value * 10 + (c - '0');
	}
	*at += width;
	return value;
}

static bool skip(const char **at, const char *end, char c)
{
	if (*at == end || (**at != c && !(c == 'T' && (**at == 't' || **at == ' '))))
		return false;
	(*at)++;
	return true;
}

int64_t clock_parse_timestamp(struct span text)
{
	const char *at = text.at, *end = text.at + text.len;
	int year, month, day, hour, minute, second;
	int64_t fraction = 0, scale = 1000000, offset = 0;

	if (text.at == NULL || (year = get_digits(&at, end, 4)) < 0 || !skip(&at, end, '-') ||
	    (month = get_digits(&at, end, 2)) < 1 || month > 12 || !skip(&at, end, '-') ||
	    (day = get_digits(&at, end, 2)) < 1 || day > 31 || !skip(&at, end, 'T') ||
	    (hour = get_digits(&at, end, 2)) < 0 || hour > 23 || !skip(&at, end, ':') ||
	    (minute = get_digits(&at, end, 2)) < 0 || minute > 59 || !skip(&at, end, ':') ||
	    (second = get_digits(&at, end, 2)) < 0 || second > 60)
		return -1;
	if (at < end && *at == '.') {
		at++;
		for (int digit; at < end && *at >= '0' && *at <= '9'; at++) {
			digit = *at - '0';
			scale /= 10;
			fraction += digit * scale;
		}
	}
	if (at < end && (*at == '+' || *at == '-')) {
		int sign = *at++ == '-' ? -1 : 1;
		int hours = get_digits(&at, end, 2), minutes;

		if (hours < 0 || !skip(&at, end, ':') || (minutes = get_digits(&at, end, 2)) < 0)
			return -1;
		offset = sign * (hours * 3600 + minutes * 60);
	} else if (at == end || (*at != 'Z' && *at != 'z')) {
		return -1;
	} else {
		at++;
	}
	if (at != end)
		return -1;
	return (days_from_civil(year, month, day) * SECONDS_A_DAY + hour * 3600 + minute * 60 +
		second - offset) *
		   1000000 +
	       fraction;
}

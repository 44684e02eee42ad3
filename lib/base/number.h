/*
 * number: parse numbers, durations and counts, as command lines and files have them; hexadecimal
 * digits; the noun after a number.
 */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

/* A function that returns false has not changed the value.
 *
 * The forms of durations and counts, for messages. Only tokens are counted in thousands: `name` is
 * the option or key. */
#define NUMBER_DURATIONS "90, 90s, 5m, 1h, 100ms or 1m30s"
const char *number_counts(const char *name);

/* Parse `text` as a finite number of at least 0, such as "2", "0.5", ".5" or "1e-3". A number above
 * 0 that is too small for a double is refused. */
bool number_read(struct span text, double *value);

/* Parse `text` as a duration: a number of seconds, or numbers with the units ms, s, m and h, such
 * as "90", "1.5m" or "1m30s". */
bool number_duration(struct span text, double *seconds);

/* Parse `text` as a whole number of at least 0, which may have the unit k, M or G, such as "50",
 * "10k" or "1.5M". */
bool number_count(struct span text, int64_t *count);

/* Append `text` in the form of JSON if it is a number, such as ".5" or "-.5". */
bool number_write_json(struct span text, struct buffer *out);

/* What makes the noun after `n` a plural: "s", or "" for 1. */
static inline const char *plural(double n)
{
	return n == 1 ? "" : "s";
}

/* The value of a hexadecimal digit; -1 if `c` is none. */
static inline int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

#endif

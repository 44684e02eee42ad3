/*
 * number: parse numbers: those of command lines, and hexadecimal digits; the noun after a number.
 */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Parse `text` as a decimal integer. Returns false if it is not one or does not fit. */
bool number_whole(const char *text, int64_t *value);

/* Parse `text` as a finite number of at least 0, such as "2", "0.5" or ".5". Returns false
 * otherwise. */
bool number_amount(const char *text, double *value);

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

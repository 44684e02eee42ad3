/*
 * number: parse numbers of command lines.
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

#endif

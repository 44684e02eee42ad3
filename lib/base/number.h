/*
 * number: the numbers of command lines.
 */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Read a decimal whole number that is the whole of `text`. False if it is something else or does
 * not fit. */
bool number_whole(const char *text, int64_t *value);

/* Read a finite number of at least 0, such as "2", "0.5" or ".5". False if it is something else. */
bool number_amount(const char *text, double *value);

#endif

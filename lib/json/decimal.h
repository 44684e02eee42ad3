/*
 * decimal: JSON numbers compared by their digits, exactly and at any size: 1.0 is 1, 1e400 is more
 * than 1e399, and 9007199254740993 is not 9007199254740992.
 */
#ifndef JSON_DECIMAL_H
#define JSON_DECIMAL_H

#include "json/json.h"

/* Less than, equal to or greater than 0 as `a` is to `b`; both are numbers. */
int decimal_compare(struct span a, struct span b);

/* A hash that is the same for numbers that compare as equal. */
uint64_t decimal_hash(struct span number);

/* Whether a number has no fractional part. */
bool decimal_is_integer(struct span number);

/* Whether `number` is a whole multiple of `divisor`, which is above 0. Exact for divisors of up to
 * 18 digits; beyond, as close as doubles are. */
bool decimal_is_multiple(struct span number, struct span divisor);

#endif

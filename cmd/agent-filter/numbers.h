/*
 * numbers: keep the digits of numbers in JSON that passes through libjq.
 *
 * libjq before 1.7 stores numbers as doubles. A number that it would write differently (more than
 * 15 digits, an exponent, 1.10) is hidden in a string: U+FDD0, which is not a character, and the
 * digits. A string that starts with U+FDD0 itself gets a second one, so that it is not mistaken for
 * a number.
 */
#ifndef AGENT_FILTER_NUMBERS_H
#define AGENT_FILTER_NUMBERS_H

#include "json/json.h"

/* Append `json`, which must be valid, with such numbers hidden. */
void numbers_hide(struct buffer *out, struct span json);

/* Append `json`, compact as libjq writes it, with the hidden numbers restored. */
void numbers_show(struct buffer *out, struct span json);

#endif

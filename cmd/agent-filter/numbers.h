/*
 * numbers: JSON that goes through libjq and back keeps the digits of its numbers.
 *
 * libjq before 1.7 holds numbers as doubles. A number that it would not write as it has read it
 * (more than 15 digits, an exponent, 1.10) is hidden from it in a string: U+FDD0, which is no
 * character that text may hold, and the number as it was. A string which begins with U+FDD0 itself
 * gets a second one, so nothing is taken for what it is not.
 */
#ifndef AGENT_FILTER_NUMBERS_H
#define AGENT_FILTER_NUMBERS_H

#include "json/json.h"

/* Append `json`, which is well-formed, with such numbers hidden. */
void numbers_hide(struct buffer *out, struct span json);

/* Append `json`, compact as libjq writes it, with the hidden numbers as they were. */
void numbers_show(struct buffer *out, struct span json);

#endif

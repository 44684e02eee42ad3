/*
 * line_faults: messages about neighbouring lines with the same fault, as one message. Up to two
 * lines are reported each by itself.
 */
#ifndef EVENT_LINE_FAULTS_H
#define EVENT_LINE_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

enum { LINE_FAULTS_SINGLE = 2 };

/* Zeroed: none. */
struct line_faults {
	uint64_t lines[LINE_FAULTS_SINGLE];      /* the first ones, */
	struct buffer texts[LINE_FAULTS_SINGLE]; /* and what is wrong with them */
	uint64_t last, count;
};

/* Whether `text` is the same fault as those before it: up to the first number or value in it. */
bool line_faults_fit(const struct line_faults *faults, struct span text);
void line_faults_add(struct line_faults *faults, uint64_t line, struct span text);

/* Take the first message: append it to `out`. Returns its line; 0: there is none. */
uint64_t line_faults_take(struct line_faults *faults, struct buffer *out);

void line_faults_free(struct line_faults *faults);

#endif

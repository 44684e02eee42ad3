/*
 * input: standard input, read to its end before anything is sent. A long wait for it is reported,
 * and the time limit of the run and signals end it.
 */
#ifndef AGENT_RUN_INPUT_H
#define AGENT_RUN_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

struct input {
	int64_t deadline; /* clock_monotonic; 0: none */
	bool late;        /* the deadline has passed */
	int signal;       /* that came; 0: none */
};

/* Append standard input, without a byte order mark, to `out`. `hint` ends the message about a wait.
 * Returns false, with a part of the text, if the deadline has passed or a signal came. Exits if
 * standard input cannot be read. */
bool input_read(struct input *input, const char *hint, struct buffer *out);

/* The same for the file `path`, which is standard input if it is "-". Exits if it cannot be read.
 */
bool input_read_file(struct input *input, const char *path, struct buffer *out);

#endif

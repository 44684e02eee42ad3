/*
 * format: recognise whose stream a line is from: events of agent-events(5), or the lines of an
 * agent that agent-filter --from translates.
 */
#ifndef EVENT_FORMAT_H
#define EVENT_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

/* The format of events. The other formats have the names of --from. */
#define FORMAT_EVENTS "agent-run"

/* The format of a line, which is a JSON object; NULL if it is not known. */
const char *format_of(struct span line);

/* Append the rest of a sentence about an input that has no events, but lines of `format`; nothing
 * if that is NULL or FORMAT_EVENTS. */
void format_add_remedy(struct buffer *out, const char *format);

/* The lines of an input until one is in the expected format. Zeroed except for `wanted`: none. */
struct format_check {
	const char *wanted; /* FORMAT_EVENTS, or the format of --from */
	uint64_t lines;
	bool found;        /* a line was in the wanted format: nothing more is checked */
	const char *other; /* the first other format that was recognised; NULL: none */
};

/* Look at one more line, which may be malformed. */
void format_check_line(struct format_check *check, struct span line);

/* Whether the line, a JSON object, is in another format than the wanted one. False if it is in no
 * known format, or if lines of the wanted one cannot be recognised (a module of the user). */
bool format_is_other(const struct format_check *check, struct span line);

/* If there were lines, but none in the wanted format, warn, and return true. */
bool format_check_failed(const struct format_check *check);

#endif

/*
 * event: one line of the stream (agent-events(5)), read.
 *
 * event_read looks at the envelope only and copies nothing; the spans it fills point into the line.
 */
#ifndef EVENT_EVENT_H
#define EVENT_EVENT_H

#include "event/types.h"
#include "json/json.h"

/* Longest line that readers and writers accept, so that a reader's memory has a bound. */
enum { EVENT_MAX_LINE = 16 * 1024 * 1024 };

struct event {
	struct span line;      /* the whole line, without its newline */
	enum event_type type;  /* what the name is, even if it is written with escapes */
	struct span type_name; /* text of event_type, without quotes ("" when it holds escapes) */
	struct span timestamp; /* text, without quotes; absent when missing */
	struct span run_id;    /* the same */
	int64_t seq;           /* -1 when missing */
	struct span data;      /* the object; absent when missing */
	/* Private: data.text where it was met on the way: the value, or its text when it has no
	 * escapes. */
	struct span text, plain_text;
};

/* The event_type of a line that begins {"event_type":"...", by its first bytes; absent for any
 * other spelling (ask event_read then). */
struct span event_type_quick(struct span line);

/* Read the envelope of `line`. Returns false, with `fault` (may be NULL) filled, when the line as a
 * whole is not a JSON object (json_check). An object without event_type gives EVENT_OTHER and the
 * name "". */
bool event_read(struct span line, struct event *event, struct json_fault *fault);

/* The same for a reader that needs only events of some `types`. A line whose first bytes name
 * another type, and which ends in a brace, is EVENT_SKIPPED without being checked whole. */
enum event_result { EVENT_READ, EVENT_SKIPPED, EVENT_MALFORMED };
enum event_result event_read_one_of(struct span line, event_set types, struct event *event,
				    struct json_fault *fault);

/* The same for a line that is known to be a JSON object: nothing is checked. */
void event_envelope(struct span line, struct event *event);

/* Append the text of a chunk, data.text, to `out`, as json_decode does; nothing when there is none.
 */
void event_add_text(const struct event *event, struct buffer *out);

/* Append the event as text/event-stream frames it: "event:" its type, "id:" its seq, "data:" the
 * line. */
void event_add_sse(struct buffer *out, const struct event *event);

#endif

/*
 * event: read one line of the stream (agent-events(5)).
 *
 * The functions read the envelope and copy nothing. The spans that they store point into the line.
 */
#ifndef EVENT_EVENT_H
#define EVENT_EVENT_H

#include "base/patterns.h"
#include "event/types.h"
#include "json/json.h"

/* The longest line that readers and writers accept; it bounds their memory. */
enum { EVENT_MAX_LINE = 16 * 1024 * 1024 };

struct event {
	struct span line;      /* the line, without its newline */
	enum event_type type;  /* also if the name is written with escapes */
	struct span type_name; /* event_type, without quotes; "" if it has escapes or is missing */
	struct span timestamp; /* without quotes; absent if missing */
	struct span run_id;    /* the same */
	int64_t seq;           /* -1 if missing */
	struct span data;      /* the object; absent if missing */
	/* Private: data.text if it was already found: the string, or its contents if they have no
	 * escapes; and its part, -1 if that was not found. */
	struct span text, plain_text;
	int64_t part;
};

/* The event_type of a line that starts with {"event_type":"..., without a check of the rest; absent
 * for lines in another form (use event_read). */
struct span event_type_quick(struct span line);

/* Read the envelope of `line`. Returns false and sets `fault` (may be NULL) if the line is not a
 * JSON object (json_check). An object without event_type has the type EVENT_OTHER. */
bool event_read(struct span line, struct event *event, struct json_fault *fault);

/* The same for a reader that needs only events of some `types`. A line that starts with another
 * type is EVENT_SKIPPED without a check of the rest, unless event_may_be_damaged. */
enum event_result { EVENT_READ, EVENT_SKIPPED, EVENT_MALFORMED };
enum event_result event_read_one_of(struct span line, event_set types, struct event *event,
				    struct json_fault *fault);

/* The same without any check, for a line that is known to be a JSON object. */
void event_envelope(struct span line, struct event *event);

/* ---- damaged lines: power cuts tear lines, and leave NUL bytes where a write was lost ---- */

/* `line` without the white space and NUL bytes around it; adds the number of the latter to *nuls.
 */
struct span event_trim(struct span line, size_t *nuls);

/* As much of the beginning of a line as event_head needs. */
enum { EVENT_HEAD = 256 };

/* The length of a timestamp of agent-run. */
enum { EVENT_TIMESTAMP = 27 };

/* Whether a line that begins like an event may be torn, because it does not end with two braces or
 * not every brace in it is closed, or may be the beginning of an event and another whole event.
 * Braces in strings count, too. */
bool event_may_be_damaged(struct span line);

/* Read the type, timestamp, run_id and seq at the beginning of a line in the form in which
 * agent-run writes it; the rest may be missing. Returns false if there is no whole run_id. */
bool event_head(struct span line, struct event *event);

/* The event, in the form in which agent-run writes it, at the end of a line that begins with
 * something else; absent if there is none. */
struct span event_tail(struct span line);

/* Append that so many NUL bytes are skipped. */
void event_add_nuls(struct buffer *out, size_t nuls);

/* Append what is wrong with a line, and what is done about it: it is skipped up to `tail`, the
 * event at its end (absent: none). `torn`: it is the last line, without its newline. */
void event_add_fault(struct buffer *out, const struct json_fault *fault, struct span tail,
		     bool torn);

/* Append the text of a chunk, data.text, decoded; nothing if there is none. */
void event_add_text(const struct event *event, struct buffer *out);

/* The part of its message to which the text of a chunk belongs. */
int64_t event_part(const struct event *event);

/* Whether the event discards the chunks of its iteration so far: an llm_retry with `discard`. */
bool event_discards(const struct event *event);

/* Whether a call (a part of a message, or the data of an event about it) is a hosted call. */
bool event_is_hosted(struct span call);

/* If the event is an agent_start, note the names of its tools (patterns_note). */
void event_note_tools(const struct event *event, struct patterns *names);

/* Move to the next part of a message's content that is a call, but not a hosted call:
 *     struct json_walk walk = json_walk(json_get(message, "content"));
 *     while (event_next_call(&walk)) ... walk.value */
bool event_next_call(struct json_walk *walk);

/* The result, as JSON, of a call that has no tool_end: its run was killed. */
#define EVENT_NO_RESULT "\"The call was interrupted before it had a result.\""

/* The result of a call that was stopped with its run, by a signal or at a timeout. */
#define EVENT_STOPPED_RESULT "The call was cancelled."

/* Whether `data` of an llm_end are those of a response that is requested again when its run is
 * resumed, and is no part of the conversation then: it was cut, refused, filtered or ended by an
 * error, or was the wrap-up at a limit. */
bool event_is_left_out(struct span data);

/* Whether `data` of a tool_end are those of a call that was stopped with its run. */
bool event_is_stopped_call(struct span data);

/* Append the event in the format text/event-stream: "event:" with its type, "id:" with RUN:SEQ,
 * "data:" with the line. The type "error" is named "run_error", because browsers report a lost
 * connection as an event named "error". */
void event_add_sse(struct buffer *out, const struct event *event);

/* Token counts by the keys of `usage`. */
enum usage_key { USAGE_INPUT, USAGE_OUTPUT, USAGE_CACHED, USAGE_CACHE_WRITE, USAGE_REASONING };
enum { USAGE_KEYS = 5 };
extern const char *const usage_names[USAGE_KEYS];

/* Add a count to a sum. Negative numbers are unknown counts: they add nothing, and an unknown sum
 * stays unknown until a count is known. A sum that would overflow stays as it is. */
void usage_add_count(int64_t *sum, int64_t more);

#endif

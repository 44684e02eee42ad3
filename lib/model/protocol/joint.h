/*
 * joint: the text of strings that arrive in pieces.
 *
 * A provider may cut a string anywhere: within an escaped surrogate pair, or within a UTF-8
 * sequence, so that the event around it is not even well-formed JSON. What a piece does not finish
 * waits in a struct joint for the next one.
 */
#ifndef MODEL_JOINT_H
#define MODEL_JOINT_H

#include "json/json.h"

/* The end of a JSON string that stops within a code point: raw bytes, put before the string that
 * follows. Zeroed: nothing waits. */
struct joint {
	char raw[8];
	size_t len;
};

/* Of a decoder: what is known of the event at hand, and room to work in. Zeroed: ready. */
struct pieces {
	struct buffer json, text, repaired;
	bool broken_utf8; /* the event at hand is not well-formed UTF-8 */
};

/* Whether the event `data` is JSON, invalid UTF-8 aside; to be called on each before its strings
 * are read. Fills `index`, and on false `fault`. */
bool pieces_check(struct pieces *pieces, struct span data, struct json_index *index,
		  struct json_fault *fault);

/* The text that the string `value` adds (empty for other types); valid until the next call with the
 * same pieces. The beginning of a code point at its end stays in `joint`. */
struct span pieces_text(struct pieces *pieces, struct joint *joint, struct span value);

/* What a joint still holds at the end of its text: U+FFFD or nothing. */
struct span joint_end(struct joint *joint);

/* `json`, as it came, with U+FFFD for what is no UTF-8; valid until the next call. */
struct span pieces_repair(struct pieces *pieces, struct span json);

void pieces_free(struct pieces *pieces);

#endif

/*
 * pieces: the text of strings that arrive in pieces.
 *
 * A provider may cut a string anywhere: within an escaped surrogate pair, or within a UTF-8
 * sequence, so that the event around it is not even well-formed JSON. What a piece does not finish
 * waits in a struct partial_char for the next one.
 */
#ifndef MODEL_PIECES_H
#define MODEL_PIECES_H

#include <stdbool.h>

#include "base/buffer.h"

/* The end of a JSON string that stops within a code point: raw bytes, put before the string that
 * follows. Zeroed: nothing waits. */
struct partial_char {
	char raw[8];
	size_t len;
};

/* Buffers for strings of the current event. Zeroed: ready. */
struct pieces {
	struct buffer json, text, repaired;
	bool broken_utf8; /* the current event is not well-formed UTF-8 */
};

/* The text that the string `value` adds (empty for other types); valid until the next call with the
 * same pieces. The beginning of a code point at its end stays in `partial`. */
struct span pieces_text(struct pieces *pieces, struct partial_char *partial, struct span value);

/* What is still waiting at the end of its text: U+FFFD or nothing. */
struct span partial_char_end(struct partial_char *partial);

/* `json`, as it came, with U+FFFD for what is no UTF-8; valid until the next call. */
struct span pieces_repair(struct pieces *pieces, struct span json);

void pieces_free(struct pieces *pieces);

#endif

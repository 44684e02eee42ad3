#include "model/protocol/pieces.h"

#include "base/utf8.h"
#include "json/json.h"

/* How many bytes at the end of the raw inside of a JSON string begin a code point that they do not
 * finish: an escaped high surrogate, or an incomplete UTF-8 sequence. */
static size_t unfinished(struct span raw)
{
	const char *escape = raw.len >= 6 ? raw.at + raw.len - 6 : NULL;
	size_t slashes = 0;

	if (escape != NULL && escape[0] == '\\' && escape[1] == 'u' &&
	    (escape[2] == 'd' || escape[2] == 'D') && strchr("89abAB", escape[3]) != NULL) {
		while (escape - slashes > raw.at && escape[-1 - (long)slashes] == '\\')
			slashes++;
		if (slashes % 2 == 0)
			return 6;
	}
	return utf8_incomplete_tail(raw);
}

struct span pieces_text(struct pieces *pieces, struct partial_char *partial, struct span value)
{
	struct buffer *json = &pieces->json;
	struct span plain;
	size_t tail;

	if (json_type(value) != JSON_STRING)
		return (struct span){0};
	plain = json_plain(value);
	if (plain.at != NULL && partial->len == 0 && !pieces->broken_utf8)
		return plain;
	buffer_clear(json);
	buffer_clear(&pieces->text);
	buffer_add_char(json, '"');
	buffer_add(json, partial->raw, partial->len);
	buffer_add(json, value.at + 1, value.len - 2);
	tail = unfinished(span_from(buffer_span(json), 1));
	memcpy(partial->raw, json->at + json->len - tail, tail);
	partial->len = tail;
	json->len -= tail;
	buffer_add_char(json, '"');
	json_decode(buffer_span(json), &pieces->text);
	return buffer_span(&pieces->text);
}

struct span partial_char_end(struct partial_char *partial)
{
	bool held = partial->len > 0;

	partial->len = 0;
	return held ? SPAN("\xEF\xBF\xBD") : SPAN("");
}

struct span pieces_repair(struct pieces *pieces, struct span json)
{
	if (utf8_valid(json) == json.len)
		return json;
	buffer_clear(&pieces->repaired);
	utf8_add(&pieces->repaired, json);
	return buffer_span(&pieces->repaired);
}

void pieces_free(struct pieces *pieces)
{
	buffer_free(&pieces->json);
	buffer_free(&pieces->text);
	buffer_free(&pieces->repaired);
}

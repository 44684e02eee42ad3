#include "model/protocol/anthropic.h"

/* Append `value` without the members that only the provider can read: they are long, and go back
 * with the block itself. */
static void write_readable(struct span value, struct buffer *out)
{
	bool is_object = json_type(value) == JSON_OBJECT;
	struct json_walk walk = json_walk(value);

	if (!is_object && json_type(value) != JSON_ARRAY) {
		buffer_add_span(out, value);
		return;
	}
	json_open(out, is_object ? '{' : '[');
	while (json_next(&walk)) {
		if (is_object && span_starts(walk.key, "\"encrypted_"))
			continue;
		json_comma(out);
		if (is_object) {
			buffer_add_span(out, walk.key);
			buffer_add_char(out, ':');
		}
		write_readable(walk.value, out);
	}
	json_close(out, is_object ? '}' : ']');
}

static bool is_text(struct span content)
{
	struct json_walk walk = json_walk(content);

	if (json_type(content) != JSON_ARRAY || json_count(content) == 0)
		return false;
	while (json_next(&walk))
		if (!json_is(json_get(walk.value, "type"), "text"))
			return false;
	return true;
}

bool anthropic_result(struct span block, struct buffer *out)
{
	struct span content = json_get(block, "content");
	struct json_walk walk = json_walk(content);
	struct span type = json_plain(json_get(content, "type"));

	if (is_text(content)) {
		while (json_next(&walk)) {
			if (out->len > 0)
				buffer_add_char(out, '\n');
			json_decode(json_get(walk.value, "text"), out);
		}
	} else if (!json_decode(content, out) && content.at != NULL) {
		write_readable(content, out);
	}
	return json_true(json_get(block, "is_error")) || span_ends(type, "_error");
}

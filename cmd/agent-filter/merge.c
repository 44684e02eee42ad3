#include "merge.h"

#include "base/clock.h"

/* The key whose texts are joined; NULL for events that are not chunks of text. */
static const char *text_key(const struct event *event)
{
	if (span_is(event->type, "llm_chunk") || span_is(event->type, "thinking_chunk") ||
	    span_is(event->type, "tool_chunk"))
		return "text";
	return span_is(event->type, "tool_call_chunk") ? "args_delta" : NULL;
}

/* The text between the quotes, escapes as they are; absent when the chunk carries none. */
static struct span piece_of(const struct event *event)
{
	const char *key = text_key(event);
	struct span text = key != NULL ? json_get(event->data, key) : (struct span){0};

	if (json_type(text) != JSON_STRING)
		return (struct span){0};
	return (struct span){text.at + 1, text.len - 2};
}

static bool is_neighbour(const struct merge *merge, const struct event *event)
{
	struct event first;

	event_envelope(buffer_span(&merge->first), &first);
	return span_equal(first.type, event->type) && span_equal(first.run_id, event->run_id) &&
	       span_equal(json_get(first.data, "tool_call_id"),
			  json_get(event->data, "tool_call_id"));
}

static void set(struct buffer *b, struct span text)
{
	buffer_clear(b);
	buffer_add_span(b, text);
}

/* The first piece's line with the joined text in its place, and the last piece's seq. */
static void write_merged(struct merge *merge)
{
	struct buffer *out = &merge->line;
	struct json_walk walk;
	struct event first;

	event_envelope(buffer_span(&merge->first), &first);
	buffer_clear(out);
	json_open(out, '{');
	json_put_string(out, "event_type", first.type);
	if (first.timestamp.at != NULL)
		json_put_string(out, "timestamp", first.timestamp);
	if (first.run_id.at != NULL)
		json_put_string(out, "run_id", first.run_id);
	if (merge->seq >= 0)
		json_put_int(out, "seq", merge->seq);
	json_key(out, "data");
	json_open(out, '{');
	walk = json_walk(first.data);
	while (json_next(&walk)) {
		json_comma(out);
		buffer_add_span(out, walk.key);
		buffer_add_char(out, ':');
		if (!json_is(walk.key, text_key(&first))) {
			buffer_add_span(out, walk.value);
			continue;
		}
		buffer_add_char(out, '"');
		buffer_add_span(out, buffer_span(&merge->text));
		buffer_add_char(out, '"');
	}
	json_close(out, '}');
	json_close(out, '}');
}

struct span merge_close(struct merge *merge)
{
	size_t pieces = merge->pieces;

	merge->pieces = 0;
	merge->due = 0;
	if (pieces == 0)
		return (struct span){0};
	if (pieces == 1)
		set(&merge->line, buffer_span(&merge->first));
	else
		write_merged(merge);
	return buffer_span(&merge->line);
}

bool merge_take(struct merge *merge, const struct event *event, struct span *ready)
{
	struct span piece = piece_of(event);

	*ready = (struct span){0};
	if (piece.at == NULL)
		return false;
	if (merge->pieces > 0 && !is_neighbour(merge, event))
		*ready = merge_close(merge);
	if (merge->pieces == 0) {
		set(&merge->first, event->line);
		buffer_clear(&merge->text);
		merge->due = clock_monotonic() + (int64_t)(merge->seconds * 1e9);
	}
	buffer_add_span(&merge->text, piece);
	merge->seq = event->seq;
	merge->pieces++;
	return true;
}

void merge_free(struct merge *merge)
{
	buffer_free(&merge->first);
	buffer_free(&merge->text);
	buffer_free(&merge->line);
}

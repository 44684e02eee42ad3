#include "merge.h"

#include "base/clock.h"

/* A group that has grown to this is written before its time: from a file a lot comes at once, and a
 * line has a limit. */
enum { MAX_TEXT = 1024 * 1024 };

/* The key whose texts are joined; NULL for events that are not chunks of text. */
static const char *text_key(const struct event *event)
{
	switch (event->type) {
	case EVENT_LLM_CHUNK:
	case EVENT_THINKING_CHUNK:
	case EVENT_TOOL_CHUNK:
		return "text";
	case EVENT_TOOL_CALL_CHUNK:
		return "args_delta";
	default:
		return NULL;
	}
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

/* Whether two objects have the same members, but for the values of `except` (ended by NULL). */
static bool is_same(struct span one, struct span other, const char *const *except)
{
	struct json_walk a = json_walk(one), b = json_walk(other);

	while (json_next(&a)) {
		const char *const *name = except;

		if (!json_next(&b) || !span_equal(a.key, b.key))
			return false;
		while (*name != NULL && !json_is(a.key, *name))
			name++;
		if (*name == NULL && !span_equal(a.value, b.value))
			return false;
	}
	return !json_next(&b);
}

/* Nothing but the text, the time and the seq may differ: what else a chunk says is not lost. */
static bool is_neighbour(const struct merge *merge, const struct event *event)
{
	static const char *const envelope[] = {"timestamp", "seq", "data", NULL};
	const char *const data[] = {text_key(event), NULL};
	struct span first = json_trim(buffer_span(&merge->first));

	return is_same(first, json_trim(event->line), envelope) &&
	       is_same(json_get(first, "data"), event->data, data);
}

static void set(struct buffer *b, struct span text)
{
	buffer_clear(b);
	buffer_add_span(b, text);
}

/* The first piece's data with the joined text in its place. */
static void write_data(const struct merge *merge, struct span data, const char *key,
		       struct buffer *out)
{
	struct json_walk walk = json_walk(data);

	json_open(out, '{');
	while (json_next(&walk)) {
		json_comma(out);
		buffer_add_span(out, walk.key);
		buffer_add_char(out, ':');
		if (!json_is(walk.key, key)) {
			buffer_add_span(out, walk.value);
			continue;
		}
		buffer_add_char(out, '"');
		buffer_add_span(out, buffer_span(&merge->text));
		buffer_add_char(out, '"');
	}
	json_close(out, '}');
}

/* The first piece's line with the joined text, and the last piece's seq. */
static void write_merged(struct merge *merge)
{
	struct buffer *out = &merge->line;
	struct json_walk walk;
	struct event first;

	event_envelope(buffer_span(&merge->first), &first);
	walk = json_walk(json_trim(first.line));
	buffer_clear(out);
	json_open(out, '{');
	while (json_next(&walk)) {
		json_comma(out);
		buffer_add_span(out, walk.key);
		buffer_add_char(out, ':');
		if (walk.value.at == first.data.at)
			write_data(merge, first.data, text_key(&first), out);
		else if (json_is(walk.key, "seq") && merge->seq >= 0)
			json_write_int(out, merge->seq);
		else
			buffer_add_span(out, walk.value);
	}
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
	if (merge->pieces > 0 &&
	    (merge->text.len + piece.len > MAX_TEXT || !is_neighbour(merge, event)))
		*ready = merge_close(merge);
	if (merge->pieces == 0) {
		set(&merge->first, event->line);
		buffer_clear(&merge->text);
		merge->due = clock_monotonic() + clock_nanoseconds(merge->seconds);
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

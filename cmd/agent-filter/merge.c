#include "merge.h"

#include "base/clock.h"

/* A group of this size is written before it is due, because the length of a line is limited. */
enum { MAX_TEXT = 1024 * 1024 };

/* The member whose texts are joined; NULL if the event is not a chunk of text. */
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

/* The text between the quotes, with its escapes; absent if there is none. */
static struct span piece_of(const struct event *event)
{
	const char *key = text_key(event);
	struct span text = key != NULL ? json_get(event->data, key) : (struct span){0};

	if (json_type(text) != JSON_STRING)
		return (struct span){0};
	return (struct span){text.at + 1, text.len - 2};
}

/* Whether two objects have the same members, except for the values of `except` (NULL ends it). */
static bool is_same(struct span one, struct span other, const char *const *except)
{
	struct json_walk a = json_walk(one), b = json_walk(other);

	while (json_next(&a))
		if (!json_next(&b) || !span_equal(a.key, b.key) ||
		    (!span_equal(a.value, b.value) && !json_is_any(a.key, except)))
			return false;
	return !json_next(&b);
}

/* Whether the chunks differ only in text, time and seq, so that merging loses nothing. */
static bool is_neighbour(const struct merge *merge, const struct event *event)
{
	static const char *const envelope[] = {"timestamp", "seq", "data", NULL};
	const char *const data[] = {text_key(event), NULL};
	struct span first = json_trim(buffer_span(&merge->first));

	return is_same(first, json_trim(event->line), envelope) &&
	       is_same(json_get(first, "data"), event->data, data);
}

/* The line of the first chunk with the joined text and the seq of the last one. */
static void write_merged(struct merge *merge)
{
	struct buffer patch = {0};
	struct event first;

	event_envelope(buffer_span(&merge->first), &first);
	buffer_add_char(&merge->text, '"');
	json_pack(&patch, "{'seq':%u,'data':{%t:%j}}", merge->seq, text_key(&first),
		  buffer_span(&merge->text));
	json_merge(&merge->line, json_trim(first.line), buffer_span(&patch));
	buffer_free(&patch);
}

struct span merge_close(struct merge *merge)
{
	size_t chunks = merge->chunks;

	merge->chunks = 0;
	merge->due = 0;
	if (chunks == 0)
		return (struct span){0};
	buffer_clear(&merge->line);
	if (chunks == 1)
		buffer_add_span(&merge->line, buffer_span(&merge->first));
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
	if (merge->chunks > 0 &&
	    (merge->text.len + piece.len > MAX_TEXT || !is_neighbour(merge, event)))
		*ready = merge_close(merge);
	if (merge->chunks == 0) {
		buffer_clear(&merge->first);
		buffer_add_span(&merge->first, event->line);
		buffer_clear(&merge->text);
		buffer_add_char(&merge->text, '"');
		merge->due = clock_monotonic() + clock_nanoseconds(merge->seconds);
	}
	buffer_add_span(&merge->text, piece);
	merge->seq = event->seq;
	merge->chunks++;
	return true;
}

void merge_free(struct merge *merge)
{
	buffer_free(&merge->first);
	buffer_free(&merge->text);
	buffer_free(&merge->line);
}

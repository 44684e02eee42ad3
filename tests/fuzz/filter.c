/* filter: what --redact leaves is JSON without texts, and --renumber completes every event. */
/* Their static functions and tables are tried too. */
#include "../../cmd/agent-filter/envelope.c" /* NOLINT(bugprone-suspicious-include) */
#include "../../cmd/agent-filter/redact.c"   /* NOLINT(bugprone-suspicious-include) */

#include "event/event.h"
#include "fuzz.h"

/* Every text that is left is an id or a word. */
static void try_left(struct span key, struct span value)
{
	if (json_type(value) == JSON_STRING) {
		must(json_is(value, "") || json_is(value, "[redacted]") || json_is_any(key, kept) ||
		     (json_is_any(key, words) && memchr(value.at, ' ', value.len) == NULL &&
		      memchr(value.at, '\\', value.len) == NULL));
	}
	for (struct json_walk walk = json_walk(value); json_next(&walk);)
		try_left(walk.key.at != NULL ? walk.key : key, walk.value);
}

static void try_redact(struct span event)
{
	struct buffer once = {0}, twice = {0};

	redact(&once, event);
	must(json_check(buffer_span(&once), NULL));
	must(json_count(buffer_span(&once)) == json_count(event));
	try_left((struct span){0}, buffer_span(&once));
	redact(&twice, buffer_span(&once));
	must(span_equal(buffer_span(&once), buffer_span(&twice)));
	buffer_free(&once);
	buffer_free(&twice);
}

static void try_renumber(struct envelopes *envelopes, struct span value, bool is_first)
{
	struct buffer line = {0};
	struct span data = json_get(value, "data");
	bool is_event = json_type(json_get(value, "event_type")) == JSON_STRING &&
			(data.at == NULL || json_type(data) == JSON_OBJECT);
	struct event event;

	must(envelopes_add(envelopes, value, &line) == is_event);
	if (is_event) {
		must(event_read(buffer_span(&line), &event, NULL));
		must(event.seq >= 0 && (!is_first || event.seq == 0));
		must(event.run_id.len > 0 || json_get(value, "run_id").len > 0);
		must(event.timestamp.len == strlen("2026-01-02T03:04:05.000000Z"));
		must(event.data.len > 0);
		must(memchr(line.at, '\n', line.len) == NULL);
	}
	buffer_free(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer copy = fuzz_copy(data, size);
	struct span text = buffer_span(&copy), line;
	struct envelopes envelopes = {0};
	bool is_first = true;

	envelopes_begin(&envelopes);
	while (span_next_line(&text, &line, NULL)) {
		if (!json_check(line, NULL) || json_type(json_trim(line)) != JSON_OBJECT)
			continue;
		try_redact(json_trim(line));
		try_renumber(&envelopes, json_trim(line), is_first);
		is_first = false;
	}
	envelopes_free(&envelopes);
	buffer_free(&copy);
	return 0;
}

#include "event/event.h"

static const char quick[] = "{\"event_type\":\"";

struct span event_type_quick(struct span line)
{
	const char *start, *end;

	if (!span_starts(line, quick))
		return (struct span){0};
	start = line.at + sizeof(quick) - 1;
	end = memchr(start, '"', line.len - (sizeof(quick) - 1));
	if (end == NULL || memchr(start, '\\', (size_t)(end - start)) != NULL)
		return (struct span){0};
	return (struct span){start, (size_t)(end - start)};
}

static struct span text_of(struct span value)
{
	struct span plain = json_plain(value);

	return plain.at == NULL && value.at != NULL ? SPAN("") : plain;
}

void event_envelope(struct span line, struct event *event)
{
	struct json_walk walk = json_walk(json_trim(line));

	*event = (struct event){.line = line, .type = SPAN(""), .seq = -1};
	while (json_next(&walk)) {
		struct span key = json_plain(walk.key);

		if (span_is(key, "event_type"))
			event->type = text_of(walk.value);
		else if (span_is(key, "timestamp"))
			event->timestamp = text_of(walk.value);
		else if (span_is(key, "run_id"))
			event->run_id = text_of(walk.value);
		else if (span_is(key, "seq"))
			event->seq = json_int(walk.value, -1);
		else if (span_is(key, "data"))
			event->data = walk.value;
	}
}

bool event_read(struct span line, struct event *event, struct json_fault *fault)
{
	if (!json_check(line, fault))
		return false;
	if (json_type(json_trim(line)) != JSON_OBJECT) {
		fault->what = "not a JSON object";
		fault->offset = 0;
		return false;
	}
	event_envelope(line, event);
	return true;
}

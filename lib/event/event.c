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

static void take_member(struct event *event, struct span quoted_key, struct span value)
{
	struct span key = json_plain(quoted_key);

	if (span_is(key, "event_type"))
		event->type = text_of(value);
	else if (span_is(key, "timestamp"))
		event->timestamp = text_of(value);
	else if (span_is(key, "run_id"))
		event->run_id = text_of(value);
	else if (span_is(key, "seq"))
		event->seq = json_int(value, -1);
	else if (span_is(key, "data"))
		event->data = value;
}

void event_envelope(struct span line, struct event *event)
{
	struct json_walk walk = json_walk(json_trim(line));

	*event = (struct event){.line = line, .type = SPAN(""), .seq = -1};
	while (json_next(&walk))
		take_member(event, walk.key, walk.value);
}

bool event_read(struct span line, struct event *event, struct json_fault *fault)
{
	enum { USUAL_MEMBERS = 8 };
	struct json_member members[USUAL_MEMBERS];
	size_t count;

	if (!json_check_object(line, members, USUAL_MEMBERS, &count, fault))
		return false;
	if (json_type(json_trim(line)) != JSON_OBJECT) {
		fault->what = "not a JSON object";
		fault->offset = 0;
		return false;
	}
	if (count > USUAL_MEMBERS) {
		event_envelope(line, event);
		return true;
	}
	*event = (struct event){.line = line, .type = SPAN(""), .seq = -1};
	for (size_t i = 0; i < count; i++)
		take_member(event, members[i].key, members[i].value);
	return true;
}

#include "event/log.h"

#include "base/error.h"

void event_log_report(const struct event_log *log, struct span text)
{
	if (log->source != NULL)
		warn("%s:%zu: %.*s", log->source, log->line, SPAN_ARG(text));
}

/* Read a line, or the event at its end. Returns false if there is none of `types`. */
static bool read_line(struct event_log *log, struct span line, bool torn, event_set types,
		      struct event *event)
{
	struct json_fault fault;
	struct buffer text = {0};
	enum event_result result = event_read_one_of(line, types, event, &fault);
	struct span tail;

	if (result != EVENT_MALFORMED)
		return result == EVENT_READ;
	tail = event_tail(line);
	event_add_fault(&text, &fault, tail, torn);
	event_log_report(log, buffer_span(&text));
	buffer_free(&text);
	log->damaged = log->line;
	return tail.at != NULL && event_read_one_of(tail, types, event, NULL) == EVENT_READ;
}

bool event_log_next(struct event_log *log, event_set types, struct event *event)
{
	struct span line;
	bool torn;

	while (span_next_line(&log->rest, &line, &torn)) {
		struct buffer text = {0};
		size_t nuls = 0;

		log->line++;
		line = event_trim(line, &nuls);
		if (nuls > 0) {
			event_add_nuls(&text, nuls);
			event_log_report(log, buffer_span(&text));
			buffer_free(&text);
			log->damaged = log->line;
		}
		if (line.len > 0 && read_line(log, line, torn, types, event))
			return true;
	}
	return false;
}

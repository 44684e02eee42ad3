#include "event/log.h"

#include "base/error.h"
#include "event/line_faults.h"

static void report_at(const struct event_log *log, uint64_t line, struct span text)
{
	if (log->source != NULL)
		warn("%s:%llu: %.*s", log->source, (unsigned long long)line, SPAN_ARG(text));
}

void event_log_report(const struct event_log *log, struct span text)
{
	report_at(log, log->line, text);
}

/* Report the faults of lines before this one. */
static void report_faults(struct event_log *log, struct line_faults *faults)
{
	struct buffer text = {0};
	uint64_t line;

	while ((line = line_faults_take(faults, &text)) > 0) {
		report_at(log, line, buffer_span(&text));
		buffer_clear(&text);
	}
	buffer_free(&text);
}

/* Read a line, or the event at its end. Returns false if there is none of `types`. */
static bool read_line(struct event_log *log, struct span line, bool torn, event_set types,
		      struct event *event, struct line_faults *faults)
{
	struct json_fault fault;
	struct buffer text = {0};
	enum event_result result = event_read_one_of(line, types, event, &fault);
	struct span tail;

	if (result != EVENT_MALFORMED) {
		report_faults(log, faults);
		return result == EVENT_READ;
	}
	tail = event_tail(line);
	event_add_fault(&text, &fault, tail, torn);
	line_faults_add(faults, log->line, buffer_span(&text));
	if (tail.at != NULL)
		report_faults(log, faults);
	buffer_free(&text);
	log->damaged = log->line;
	return tail.at != NULL && event_read_one_of(tail, types, event, NULL) == EVENT_READ;
}

bool event_log_next(struct event_log *log, event_set types, struct event *event)
{
	struct line_faults faults = {0};
	struct span line;
	bool torn;

	while (span_next_line(&log->rest, &line, &torn)) {
		struct buffer text = {0};
		size_t nuls = 0;

		log->line++;
		line = event_trim(line, &nuls);
		if (nuls > 0) {
			report_faults(log, &faults);
			event_add_nuls(&text, nuls);
			event_log_report(log, buffer_span(&text));
			buffer_free(&text);
			log->damaged = log->line;
		}
		if (line.len > 0 && read_line(log, line, torn, types, event, &faults))
			return true;
	}
	report_faults(log, &faults);
	return false;
}

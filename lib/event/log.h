/*
 * log: the events of a log whose text is in memory, for those who need the whole of it (history,
 * batch, replay). Damaged lines are treated as the readers treat them (event/reader): skipped, and
 * reported with their place.
 */
#ifndef EVENT_LOG_H
#define EVENT_LOG_H

#include "event/event.h"

struct event_log {
	struct span rest;   /* the text; it is borrowed */
	const char *source; /* names the log in messages; NULL: nothing is reported */
	size_t line;        /* the number of the line that was read last */
	size_t damaged;     /* the number of the last line that was not an event; 0: none */
};

/* Print "SOURCE:LINE: text" if the log has a source. */
void event_log_report(const struct event_log *log, struct span text);

/* Get the next event (event_read_one_of; those that are skipped may have any type). Returns false
 * at the end. */
bool event_log_next(struct event_log *log, event_set types, struct event *event);

#endif

/*
 * choose: which events are kept by their type, tool name and run.
 */
#ifndef AGENT_FILTER_CHOOSE_H
#define AGENT_FILTER_CHOOSE_H

#include "event/event.h"

/* A list of patterns: globs, or beginnings of ids. */
struct patterns {
	char **items; /* owned */
	size_t count;
};

struct choice {
	struct patterns types, not_types, names, runs;
	bool items_only; /* no *_chunk, no raw */

	/* What the patterns say of the types of agent-events(5), and of the last other name. */
	event_set decided, kept;
	struct buffer other;
	bool other_kept;
};

/* Add the comma-separated patterns of `list`; false when there is none in it. */
bool patterns_add(struct patterns *patterns, const char *list);

/* Whether events of this type are kept; `name` is what it is called. */
bool choice_decide(struct choice *choice, enum event_type type, struct span name);

static inline bool choice_type(struct choice *choice, enum event_type type, struct span name)
{
	return event_set_has(choice->decided, type) ? event_set_has(choice->kept, type)
						    : choice_decide(choice, type, name);
}

/* Whether the rest of the event is what was asked for; true when nothing was. */
bool choice_event(const struct choice *choice, const struct event *event);

/* Whether choice_event has anything to ask. */
bool choice_looks_inside(const struct choice *choice);

void choice_free(struct choice *choice);

#endif

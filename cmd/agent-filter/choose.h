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

	/* Types repeat: what was decided of the last ones. There is room for all that
	 * agent-events(5) knows. The texts are owned. */
	struct {
		struct buffer type;
		bool keep;
	} decided[32];
	size_t latest, oldest;
};

/* Add the comma-separated patterns of `list`; false when there is none in it. */
bool patterns_add(struct patterns *patterns, const char *list);

/* Whether events of this type are kept. */
bool choice_type(struct choice *choice, struct span type);

/* Whether the rest of the event is what was asked for; true when nothing was. */
bool choice_event(const struct choice *choice, const struct event *event);

/* Whether choice_event has anything to ask. */
bool choice_looks_inside(const struct choice *choice);

void choice_free(struct choice *choice);

#endif

/*
 * choose: which events are kept by their type and tool name.
 */
#ifndef AGENT_FILTER_CHOOSE_H
#define AGENT_FILTER_CHOOSE_H

#include "base/patterns.h"
#include "event/event.h"

struct choice {
	struct patterns types, not_types, names;
	bool items_only; /* no *_chunk, no raw */
	/* private */
	event_set kept;      /* types of agent-events(5) */
	struct buffer other; /* the last type that agent-events(5) does not list */
	bool keeps_other;
};

/* The patterns are complete. */
void choice_begin(struct choice *choice);

/* Whether events of this type are kept. `name` is needed for EVENT_OTHER only (choice_other). */
bool choice_other(struct choice *choice, struct span name);
static inline bool choice_type(struct choice *choice, enum event_type type, struct span name)
{
	return type != EVENT_OTHER ? event_set_has(choice->kept, type) : choice_other(choice, name);
}

/* Whether the tool of the event is selected; true if there are no patterns. */
bool choice_tool(struct choice *choice, const struct event *event);

/* At the end of the input: warn about types and names that it does not have. */
void choice_warn(struct choice *choice);

void choice_free(struct choice *choice);

#endif

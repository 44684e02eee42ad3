/*
 * types: the event types of agent-events(5), each with a number and properties.
 *
 * To add a type: a number here, a row in types.c, its emitter in lib/run/emit.[ch], a case in
 * cmd/agent-collect/result.c (the compiler reports a missing one), its entry in agent-events(5) and
 * in share/agent/events.schema.json, which has the keys of its data.
 */
#ifndef EVENT_TYPES_H
#define EVENT_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/* In the order of agent-events(5). */
enum event_type {
	EVENT_AGENT_START,
	EVENT_AGENT_UPDATED,
	EVENT_PROGRESS,
	EVENT_ERROR,
	EVENT_AGENT_END,
	EVENT_LLM_START,
	EVENT_LLM_CHUNK,
	EVENT_THINKING_CHUNK,
	EVENT_TOOL_CALL_START,
	EVENT_TOOL_CALL_CHUNK,
	EVENT_TOOL_CALL_END,
	EVENT_OUTPUT_CHUNK,
	EVENT_LLM_RETRY,
	EVENT_LLM_END,
	EVENT_TOOL_START,
	EVENT_TOOL_CHUNK,
	EVENT_TOOL_END,
	EVENT_TOOL_APPROVAL,
	EVENT_RAW,
	EVENT_OTHER, /* any type that agent-events(5) does not list */
};

enum event_property {
	EVENT_IS_CHUNK = 1,    /* a piece of something unfinished; agent-filter --items drops it */
	EVENT_OF_TOOL = 2,     /* about one tool call */
	EVENT_OF_RESPONSE = 4, /* part of a response: what replay: and exec: models return */
	EVENT_OF_CONVERSATION = 8, /* needed to restore a conversation and the state of its run */
};

/* The number of the type `name`; EVENT_OTHER if it is unknown. */
enum event_type event_type_find(struct span name);

/* The same, faster for the most frequent type. */
static inline enum event_type event_type_of(struct span name)
{
	static const char most[] = "llm_chunk";

	if (name.len == sizeof(most) - 1 && memcmp(name.at, most, sizeof(most) - 1) == 0)
		return EVENT_LLM_CHUNK;
	return event_type_find(name);
}

/* The name of a type; NULL for EVENT_OTHER. */
const char *event_type_name(enum event_type type);

bool event_type_is(enum event_type type, enum event_property property);

/* ---- sets of types ---- */

typedef uint32_t event_set;

#define EVENT_BIT(type) (UINT32_C(1) << (type))
#define EVENT_ALL       UINT32_MAX

/* All types that have the property. */
event_set event_types(enum event_property property);

static inline bool event_set_has(event_set set, enum event_type type)
{
	return (set & EVENT_BIT(type)) != 0;
}

#endif

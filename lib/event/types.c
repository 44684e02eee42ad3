#include "event/types.h"

struct event_type_row {
	struct span name;
	unsigned properties;
};

#define CHUNK        EVENT_IS_CHUNK
#define TOOL         EVENT_OF_TOOL
#define RESPONSE     EVENT_OF_RESPONSE
#define CONVERSATION EVENT_OF_CONVERSATION

static const struct event_type_row rows[EVENT_OTHER] = {
    [EVENT_AGENT_START] = {SPAN_INIT("agent_start"), CONVERSATION},
    [EVENT_AGENT_UPDATED] = {SPAN_INIT("agent_updated"), CONVERSATION},
    [EVENT_PROGRESS] = {SPAN_INIT("progress"), CONVERSATION},
    [EVENT_ERROR] = {SPAN_INIT("error"), CONVERSATION | RESPONSE},
    [EVENT_AGENT_END] = {SPAN_INIT("agent_end"), CONVERSATION},
    [EVENT_LLM_START] = {SPAN_INIT("llm_start"), 0},
    [EVENT_LLM_CHUNK] = {SPAN_INIT("llm_chunk"), CHUNK | RESPONSE},
    [EVENT_THINKING_CHUNK] = {SPAN_INIT("thinking_chunk"), CHUNK | RESPONSE},
    [EVENT_TOOL_CALL_START] = {SPAN_INIT("tool_call_start"), TOOL | RESPONSE},
    [EVENT_TOOL_CALL_CHUNK] = {SPAN_INIT("tool_call_chunk"), TOOL | CHUNK | RESPONSE},
    [EVENT_TOOL_CALL_END] = {SPAN_INIT("tool_call_end"), TOOL | RESPONSE},
    [EVENT_OUTPUT_CHUNK] = {SPAN_INIT("output_chunk"), CHUNK},
    [EVENT_LLM_RETRY] = {SPAN_INIT("llm_retry"), 0},
    [EVENT_LLM_END] = {SPAN_INIT("llm_end"), CONVERSATION | RESPONSE},
    [EVENT_TOOL_START] = {SPAN_INIT("tool_start"), TOOL | CONVERSATION | RESPONSE},
    [EVENT_TOOL_CHUNK] = {SPAN_INIT("tool_chunk"), TOOL | CHUNK},
    [EVENT_TOOL_END] = {SPAN_INIT("tool_end"), TOOL | CONVERSATION | RESPONSE},
    [EVENT_TOOL_APPROVAL] = {SPAN_INIT("tool_approval"), TOOL},
    [EVENT_RAW] = {SPAN_INIT("raw"), CHUNK},
};

enum event_type event_type_find(struct span name)
{
	int type = 0;

	while (type < EVENT_OTHER && !span_equal(rows[type].name, name))
		type++;
	return (enum event_type)type;
}

const char *event_type_name(enum event_type type)
{
	return type < EVENT_OTHER ? rows[type].name.at : NULL;
}

bool event_type_is(enum event_type type, enum event_property property)
{
	return type < EVENT_OTHER && (rows[type].properties & property) != 0;
}

event_set event_types(enum event_property property)
{
	event_set set = 0;

	for (int type = 0; type < EVENT_OTHER; type++)
		if (event_type_is((enum event_type)type, property))
			set |= EVENT_BIT(type);
	return set;
}

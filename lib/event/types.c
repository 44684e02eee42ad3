#include "event/types.h"

struct event_type_row {
	struct span name;
	unsigned properties;
	const char *keys;
};

#define CHUNK        EVENT_IS_CHUNK
#define TOOL         EVENT_OF_TOOL
#define RESPONSE     EVENT_OF_RESPONSE
#define CONVERSATION EVENT_OF_CONVERSATION

static const struct event_type_row rows[EVENT_OTHER] = {
    [EVENT_AGENT_START] = {SPAN_INIT("agent_start"), CONVERSATION,
			   "agent_name model prompt tools schema_version"},
    [EVENT_AGENT_UPDATED] = {SPAN_INIT("agent_updated"), CONVERSATION,
			     "agent_name previous_agent model tool_call_id"},
    [EVENT_PROGRESS] = {SPAN_INIT("progress"), CONVERSATION,
			"iteration total_tokens total_cost_usd"},
    [EVENT_ERROR] = {SPAN_INIT("error"), CONVERSATION | RESPONSE, "error exception_type"},
    [EVENT_AGENT_END] = {SPAN_INIT("agent_end"), CONVERSATION,
			 "agent_name success status exit_status output finish_reason "
			 "total_iterations total_tokens usage total_cost_usd tool_calls "
			 "duration_seconds"},
    [EVENT_LLM_START] = {SPAN_INIT("llm_start"), 0, "iteration model attempt"},
    [EVENT_LLM_CHUNK] = {SPAN_INIT("llm_chunk"), CHUNK | RESPONSE, "text"},
    [EVENT_THINKING_CHUNK] = {SPAN_INIT("thinking_chunk"), CHUNK | RESPONSE, "text"},
    [EVENT_TOOL_CALL_START] = {SPAN_INIT("tool_call_start"), TOOL | RESPONSE,
			       "tool_call_id tool_name index"},
    [EVENT_TOOL_CALL_CHUNK] = {SPAN_INIT("tool_call_chunk"), TOOL | CHUNK | RESPONSE,
			       "tool_call_id tool_name args_delta"},
    [EVENT_TOOL_CALL_END] = {SPAN_INIT("tool_call_end"), TOOL | RESPONSE,
			     "tool_call_id tool_name args"},
    [EVENT_OUTPUT_CHUNK] = {SPAN_INIT("output_chunk"), CHUNK, "output"},
    [EVENT_LLM_RETRY] = {SPAN_INIT("llm_retry"), 0, "attempt wait_seconds reason discard"},
    [EVENT_LLM_END] = {SPAN_INIT("llm_end"), CONVERSATION | RESPONSE,
		       "iteration model finish_reason is_final usage message duration_seconds"},
    [EVENT_TOOL_START] = {SPAN_INIT("tool_start"), TOOL | CONVERSATION | RESPONSE,
			  "tool_call_id tool_name args iteration"},
    [EVENT_TOOL_CHUNK] = {SPAN_INIT("tool_chunk"), TOOL | CHUNK, "tool_call_id tool_name"},
    [EVENT_TOOL_END] = {SPAN_INIT("tool_end"), TOOL | CONVERSATION | RESPONSE,
			"tool_call_id tool_name result is_error duration_seconds"},
    [EVENT_TOOL_APPROVAL] = {SPAN_INIT("tool_approval"), TOOL,
			     "tool_call_id tool_name args decision by"},
    [EVENT_RAW] = {SPAN_INIT("raw"), CHUNK, "payload"},
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

const char *event_type_keys(enum event_type type)
{
	return type < EVENT_OTHER ? rows[type].keys : NULL;
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

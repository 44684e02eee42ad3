#include "collect.h"

static const char *const names[TYPE_OTHER] = {
    "agent_start",     "agent_updated",   "progress",      "error",
    "agent_end",       "llm_start",       "llm_chunk",     "thinking_chunk",
    "tool_call_start", "tool_call_chunk", "tool_call_end", "output_chunk",
    "llm_retry",       "llm_end",         "tool_start",    "tool_chunk",
    "tool_end",        "tool_approval",   "raw",
};

const char *type_name(enum event_type type)
{
	return names[type];
}

enum event_type type_of(struct span name)
{
	/* What most lines are, first. */
	if (span_is(name, "llm_chunk"))
		return TYPE_LLM_CHUNK;
	for (int type = 0; type < TYPE_OTHER; type++)
		if (span_is(name, names[type]))
			return (enum event_type)type;
	return TYPE_OTHER;
}

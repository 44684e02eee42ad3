/*
 * trace: which ids runs and tool calls have in a trace (W3C Trace Context). They follow from run_id
 * and tool_call_id alone.
 */
#ifndef TRACE_H
#define TRACE_H

#include "collect.h"

struct trace {
	char trace_id[33], agent_id[17], parent_id[17]; /* hex; parent_id is empty for a root */
};

/* Where a run stands: in the trace of trace_parent, in that of the run it is nested in, or in its
 * own. */
void trace_of(const struct collection *collection, const struct result *result,
	      struct trace *trace);

/* The trace of a run that stands in no other's: a UUID's digits, anything else hashed. */
void trace_run_id(char out[33], struct span run_id);

/* The span of a part of a run: "/agent", "/chat/0". Never zero. */
void trace_span_id(char out[17], struct span run_id, struct span what);

/* The span of a tool call, the same that agent-run tells the tool in TRACEPARENT; by its place in
 * the run where it has no tool_call_id. */
void trace_call_id(char out[17], const struct result *result, const struct call *call);

#endif

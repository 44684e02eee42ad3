/*
 * run_trace: which ids runs and tool calls have in a trace (W3C Trace Context). They follow from
 * run_id and tool_call_id alone.
 */
#ifndef RUN_TRACE_H
#define RUN_TRACE_H

#include "base/ids.h"
#include "collect.h"

struct trace {
	char trace_id[TRACE_ID_SIZE];
	char agent_id[TRACE_SPAN_ID_SIZE],
	    parent_id[TRACE_SPAN_ID_SIZE]; /* parent_id is empty for a root */
	struct span provider; /* OpenTelemetry's name of the provider; absent: none is known */
};

/* Where a run stands: in the trace of trace_parent, in that of the run it is nested in, or in its
 * own. */
void trace_of(const struct collection *collection, const struct result *result,
	      struct trace *trace);

/* The span of a tool call, the same that agent-run tells the tool in TRACEPARENT; by its place in
 * the run where it has no tool_call_id. */
void trace_call_id(char out[17], const struct result *result, const struct tool_call *call);

#endif

/*
 * trace: ids of W3C Trace Context (https://www.w3.org/TR/trace-context/) for runs and their parts.
 *
 * The ids follow from run_id and tool_call_id alone: agent-run gives a tool the same span in
 * TRACEPARENT that agent-collect exports for the call.
 */
#ifndef BASE_TRACE_H
#define BASE_TRACE_H

#include "base/span.h"

enum { TRACE_ID_SIZE = 33, TRACE_SPAN_ID_SIZE = 17 }; /* lower-case hex digits and a NUL */

/* Read a traceparent, "00-TRACE-SPAN-FLAGS" (section 3.2.2). Returns false, with nothing written,
 * if it is invalid (a wrong length, a digit that is not lower-case hex, an id of zeros, version
 * ff): the caller then starts a new trace. A later version may have more fields. */
bool trace_parent_read(struct span text, char trace_id[TRACE_ID_SIZE],
		       char span_id[TRACE_SPAN_ID_SIZE]);

/* The trace of a run that belongs to no other trace: the digits of its UUID, or a hash of any other
 * run_id. */
void trace_run_id(char out[TRACE_ID_SIZE], struct span run_id);

/* The span of a part of a run: "/agent", "/chat/0", or a tool_call_id. Never zero. */
void trace_span_id(char out[TRACE_SPAN_ID_SIZE], struct span run_id, struct span part);

#endif

/*
 * ids: the ids of runs, and those of W3C Trace Context (https://www.w3.org/TR/trace-context/) for
 * runs and their parts.
 *
 * The latter are derived from run_id and tool_call_id only, so that the span that agent-run passes
 * to a tool in TRACEPARENT is the one that agent-collect exports for the call.
 */
#ifndef BASE_IDS_H
#define BASE_IDS_H

#include "base/span.h"

/* A new UUIDv7 (RFC 9562, section 5.7), the id of a run: 36 characters and a NUL. */
enum { UUID_SIZE = 37 };
void uuid_v7(char out[UUID_SIZE]);

enum { TRACE_ID_SIZE = 33, TRACE_SPAN_ID_SIZE = 17 }; /* lower-case hex digits and a NUL */

/* Read a traceparent, "00-TRACE-SPAN-FLAGS" (section 3.2.2). Returns false, with nothing written,
 * if it is invalid (a wrong length, a digit that is not lower-case hex, an id of zeros, version
 * ff); the caller then starts a new trace. A later version may have additional fields. */
bool trace_parent_read(struct span text, char trace_id[TRACE_ID_SIZE],
		       char span_id[TRACE_SPAN_ID_SIZE]);

/* The trace id of a run without TRACEPARENT: the digits of the UUID in `run_id`, or a hash if
 * `run_id` is not a UUID. */
void trace_run_id(char out[TRACE_ID_SIZE], struct span run_id);

/* The span id of a part of a run: "/agent", "/chat/0" or a tool_call_id. It is never zero. */
void trace_span_id(char out[TRACE_SPAN_ID_SIZE], struct span run_id, struct span part);

#endif

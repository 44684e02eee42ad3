/*
 * repeats: calls of a run that lead nowhere: those that cannot be run, one after the other, and the
 * same call with the same result.
 */
#ifndef RUN_REPEATS_H
#define RUN_REPEATS_H

#include "run/response.h"
#include "tool/tool.h"

/* Zeroed: no calls. */
struct repeats {
	struct repeats_tool *tools;
	size_t tool_count;
	struct repeats_call *calls;
	size_t call_count;
};

/* A response has a call of `tool` (NULL: of a tool that does not exist); `faulty`: it cannot be
 * run. */
void repeats_add_fault(struct repeats *repeats, const struct tool *tool, bool faulty);

/* These were all calls of the response. Returns the most responses in a row, among its tools, in
 * which no call of the tool could be run; `tool` becomes that tool. */
int repeats_faults(struct repeats *repeats, const struct tool **tool);

/* A call has its result. Returns how many calls of the same tool with the same arguments have had
 * this result, one after the other. */
int64_t repeats_add_call(struct repeats *repeats, const struct response_call *call,
			 struct span result);

void repeats_free(struct repeats *repeats);

#endif

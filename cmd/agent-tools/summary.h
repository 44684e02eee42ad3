/*
 * summary: calls counted by tool, and the table of them.
 */
#ifndef AGENT_TOOLS_SUMMARY_H
#define AGENT_TOOLS_SUMMARY_H

#include "tools.h"

struct summary;

struct summary *summary_new(void);

void summary_add(struct summary *summary, const struct ended_call *ended);

/* A call of the tool `name` that never ended. */
void summary_add_unfinished(struct summary *summary, struct span name);

/* Append the table, or its rows as JSON objects or tab-separated values; the tool that took longest
 * comes first. */
void summary_write(const struct summary *summary, const struct tools_options *options,
		   struct buffer *out);

void summary_free(struct summary *summary);

#endif

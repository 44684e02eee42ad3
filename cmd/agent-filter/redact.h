/*
 * redact: an event without what a user, a model or a tool wrote.
 */
#ifndef AGENT_FILTER_REDACT_H
#define AGENT_FILTER_REDACT_H

#include "json/json.h"

/* Append the event `line`, a JSON object, with its keys, names, ids, statuses and numbers. Texts
 * become "[redacted]", and contents such as arguments become empty. Texts and objects under keys
 * that agent-events(5) does not list are redacted, too, and so are names that are no words. */
void redact(struct buffer *out, struct span line);

#endif

/*
 * translate: --from and --to, other agents' streams into events and events into other vocabularies.
 *
 * A format is a jq module, from_FORMAT.jq or to_FORMAT.jq (a "-" in the name is a "_" in the
 * file's), of the user's $XDG_CONFIG_HOME/agent/jq or of share/agent/jq. agent-filter(1) says what
 * it defines: start, step and finish.
 */
#ifndef AGENT_FILTER_TRANSLATE_H
#define AGENT_FILTER_TRANSLATE_H

#include "base/message.h"
#include "base/span.h"

struct translation;

/* `direction` is "from" or "to"; `sse` is told to the module. NULL with `e`: there is no such
 * format (the message lists those there are), or its module does not compile or start (the message
 * is jq's own, then). */
struct translation *translation_open(const char *direction, const char *format, bool sse,
				     struct error *e);

/* Translate a line, a JSON object or for "to" any value; absent: the input is at its end. False
 * with `e` when the module fails: nothing was made of the line. */
bool translation_take(struct translation *translation, struct span line, struct error *e);

/* What the line has given, one after the other: for "from" the line of an event, whose envelope is
 * complete, for "to" a value. Valid until the next call; absent with `e` filled: the module gave
 * something that is no event; absent without: there are no more. */
struct span translation_next(struct translation *translation, struct error *e);

void translation_close(struct translation *translation);

#endif

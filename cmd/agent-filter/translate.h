/*
 * translate: --from and --to, other agents' streams into events and events into other vocabularies.
 *
 * A format is a jq module, from_FORMAT.jq or to_FORMAT.jq (with "_" for each "-" of the name), in
 * the user's $XDG_CONFIG_HOME/agent/jq or in share/agent/jq. It defines start, step and finish as
 * described in agent-filter(1).
 */
#ifndef AGENT_FILTER_TRANSLATE_H
#define AGENT_FILTER_TRANSLATE_H

#include "base/error.h"
#include "base/span.h"

struct translation;

/* `direction` is "from" or "to"; `sse` is passed to the module. Returns NULL and sets `e` if the
 * format does not exist (the message lists those that do), or if its module does not compile or
 * start (the message is jq's own). */
struct translation *translation_open(const char *direction, const char *format, bool sse,
				     struct error *e);

/* Translate a line: a JSON object, or any value for "to". An absent line is the end of the input.
 * Returns false and sets `e` if the module fails; there is no translation of the line then. */
bool translation_take(struct translation *translation, struct span line, struct error *e);

/* Get the next result of the line: for "from" the line of an event with a complete envelope, for
 * "to" a value. It is valid until the next call. Returns an absent span if there are no more, or if
 * the module yields something that is not an event (then `e` is set). */
struct span translation_next(struct translation *translation, struct error *e);

void translation_close(struct translation *translation);

#endif

/*
 * The decoder of openai-responses against recordings of real servers.
 */
#define _GNU_SOURCE
#define PROTOCOL protocol_openai_responses
#include "recordings.h"

static const char *want_finish(struct span expected, struct span error)
{
	struct span finish = json_get(expected, "finish");
	bool calls = json_count(json_get(expected, "tool_calls")) > 0;

	if (error.len > 0)
		return "error";
	if (json_is(finish, "incomplete:content_filter"))
		return "content_filter";
	if (json_get(expected, "refusal").len > 2)
		return "refusal";
	if (!json_is(finish, "completed"))
		return "length";
	return calls ? "tool_calls" : "stop";
}

int main(void)
{
	static const struct recording_hooks hooks = {
	    .folders = "/responses-",
	    .finish = want_finish,
	};

	recordings_try(&hooks, 55);
	return unit_done();
}

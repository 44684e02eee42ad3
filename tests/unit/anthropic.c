/*
 * The decoder of anthropic against recordings of real servers. One recording is not among them: a
 * stream in which a second response begins within the first, of which expected.json makes one
 * (anthropic_quirks.c has it).
 */
#define _GNU_SOURCE
#define PROTOCOL protocol_anthropic
#include "recordings.h"

static const char *want_finish(struct span expected, struct span error)
{
	struct span finish = json_get(expected, "finish");

	if (error.len > 0)
		return "error";
	if (json_is(finish, "refusal"))
		return "refusal";
	if (json_is(finish, "max_tokens"))
		return "length";
	return json_is(finish, "tool_use") ? "tool_calls" : "stop";
}

/* The number behind the last `name` of the answer; -1: it is not there. */
static int64_t last_count(const char *name)
{
	struct span rest = recorded_response;
	const char *at, *last = NULL;

	while ((at = memmem(rest.at, rest.len, name, strlen(name))) != NULL) {
		last = at + strlen(name);
		rest.len -= (size_t)(last - rest.at);
		rest.at = last;
	}
	return last != NULL ? strtoll(last + strspn(last, ": "), NULL, 10) : -1;
}

/* expected.json has neither thinking nor what is written to the cache, and leaves what is read from
 * it out of the input. */
static void add_counts(struct span usage, struct model_usage *want)
{
	int64_t written = last_count("\"cache_creation_input_tokens\"");

	(void)usage;
	if (want->cached_input > 0)
		want->input += want->cached_input;
	if (want->input >= 0 && written > 0)
		want->input += written;
	want->reasoning = last_count("\"thinking_tokens\"");
}

/* The explanation in stop_details. */
static void add_explanation(struct buffer *refusal)
{
	const char *name = "\"explanation\":\"";
	const char *at = memmem(recorded_response.at, recorded_response.len, name, strlen(name));

	if (at != NULL)
		buffer_add(refusal, at + strlen(name), strcspn(at + strlen(name), "\""));
}

int main(void)
{
	static const struct recording_hooks hooks = {
	    .folders = "/messages-",
	    .finish = want_finish,
	    .usage = add_counts,
	    .refusal = add_explanation,
	};

	recordings_try(&hooks, 84);
	return unit_done();
}

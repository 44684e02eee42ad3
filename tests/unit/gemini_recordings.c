/*
 * The decoder of gemini against recordings of real servers.
 */
#define _GNU_SOURCE
#define PROTOCOL protocol_gemini
#include "recordings.h"

static bool is_one_of(struct span reason, const char *const *names)
{
	for (; *names != NULL; names++)
		if (json_is(reason, *names))
			return true;
	return false;
}

static const char *want_finish(struct span expected, struct span error)
{
	static const char *const filters[] = {
	    "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", NULL};
	struct span finish = json_get(expected, "finish");
	bool calls = json_count(json_get(expected, "tool_calls")) > 0;

	if (span_starts(error, "blocked: ") || is_one_of(finish, filters))
		return "content_filter";
	if (error.len > 0)
		return "error";
	if (json_is(finish, "MAX_TOKENS"))
		return "length";
	return calls ? "tool_calls" : "stop";
}

/* Thoughts are counted apart from the answer, and what tools read apart from the prompt: only the
 * total tells. */
static void want_usage(struct span usage, struct model_usage *want)
{
	int64_t total = json_int(json_get(usage, "total"), -1);
	int64_t output = want->output > 0 ? want->output : 0;

	if (want->reasoning >= 0)
		want->output = output + want->reasoning;
	output = want->output > 0 ? want->output : 0;
	if (want->input >= 0 && total > want->input + output)
		want->input = total - output;
}

/* The first sends a bare JSON error behind its events, which is no event: tests/gemini.bats has it.
 * The second stops without a finish reason, which is an answer that broke off: gemini.c has it. */
static bool skip(const char *folder)
{
	return strstr(folder, "/gen-fb-failure-error-mid-stream/") != NULL ||
	       strstr(folder, "/gen-fb-success-quotes-escaped/") != NULL;
}

int main(void)
{
	static const struct recording_hooks hooks = {
	    .folders = "/gen-",
	    .finish = want_finish,
	    .usage = want_usage,
	    .skip = skip,
	};

	recordings_try(&hooks, 77);
	return unit_done();
}

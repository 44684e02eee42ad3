/* lib/run/history: what is taken from logs and from arrays of messages. */
#include "run/history.h"
#include "unit.h"

/* The roles and texts of a conversation on one line, "user:hello assistant:..." */
static void summary(const struct conversation *c, struct buffer *out)
{
	for (size_t i = 0; i < c->count; i++) {
		struct json_walk walk = json_walk(json_get(c->messages[i]->json, "content"));

		if (i > 0)
			buffer_add_char(out, ' ');
		json_decode(json_get(c->messages[i]->json, "role"), out);
		while (json_next(&walk)) {
			buffer_add_char(out, ':');
			json_decode(json_get(walk.value, "text"), out);
			json_decode(json_get(walk.value, "tool_call_id"), out);
			if (json_is(json_get(walk.value, "type"), "tool_result")) {
				buffer_add_char(out, '=');
				json_decode(json_get(walk.value, "result"), out);
			}
		}
	}
}

static void loads(const char *text, const char *want, const char *name)
{
	struct history history = {0};
	struct buffer got = {0};
	struct error e = {0};

	if (history_load(&history, span_of(text), "FILE", &e)) {
		history_close(&history);
		summary(&history.conversation, &got);
	} else {
		buffer_add_text(&got, e.message);
	}
	unit_same(buffer_span(&got), span_of(want), name);
	error_clear(&e);
	buffer_free(&got);
	history_free(&history);
}

#define START(prompt)                                                                              \
	"{\"event_type\":\"agent_start\",\"run_id\":\"r\",\"seq\":0,\"data\":{\"prompt\":"         \
	"\"" prompt "\"}}\n"
#define ANSWER(text)                                                                               \
	"{\"event_type\":\"llm_end\",\"run_id\":\"r\",\"data\":{\"message\":{\"role\":"            \
	"\"assistant\","                                                                           \
	"\"content\":[{\"type\":\"text\",\"text\":\"" text "\"}]}}}\n"
#define CALLS                                                                                      \
	"{\"event_type\":\"llm_end\",\"run_id\":\"r\",\"data\":{\"message\":{\"role\":"            \
	"\"assistant\","                                                                           \
	"\"content\":[{\"type\":\"tool_call\",\"tool_call_id\":\"c1\",\"tool_name\":\"t\","        \
	"\"args\":{}},"                                                                            \
	"{\"type\":\"tool_call\",\"tool_call_id\":\"c2\",\"tool_name\":\"t\",\"args\":{}}]}}}\n"
#define RESULT(id, text)                                                                           \
	"{\"event_type\":\"tool_end\",\"run_id\":\"r\",\"data\":{\"tool_call_id\":\"" id           \
	"\",\"tool_name\":\"t\",\"result\":\"" text "\",\"is_error\":false}}\n"

int main(void)
{
	loads(START("hello") ANSWER("hi"), "user:hello assistant:hi", "a log of one answer");
	loads(START("a") CALLS RESULT("c2", "two") RESULT("c1", "one") ANSWER("done"),
	      "user:a assistant:c1:c2 tool:c1=one:c2=two assistant:done",
	      "results stand in the order of the calls");
	loads(START("a") CALLS RESULT("c2", "two"),
	      "user:a assistant:c1:c2 tool:c1=The call was interrupted before it had a "
	      "result.:c2=two",
	      "a call without a result gets one");
	loads(START("a") ANSWER("b") START("c") ANSWER("d"),
	      "user:a assistant:b user:c assistant:d", "runs follow each other");
	loads(
	    START(
		"a") "{\"event_type\":\"agent_start\",\"run_id\":\"n\",\"data\":{\"prompt\":\"x\","
		     "\"parent_run_id\":\"r\"}}\n"
		     "{\"event_type\":\"llm_end\",\"run_id\":\"n\",\"data\":{\"message\":{\"role\":"
		     "\"assistant\",\"content\":[]}}}\n" ANSWER("b"),
	    "user:a assistant:b", "nested runs are no part of the conversation");
	loads(START("a") ANSWER("b") "{\"event_type\":\"llm_ch", "user:a assistant:b",
	      "a torn last line is left out");
	loads(START("a") "garbage\n" ANSWER("b"), "user:a assistant:b",
	      "a damaged line is skipped");
	loads("garbage\n{}\n", "FILE:1: not an event; the log has none", "no event at all");
	loads(
	    "[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":[{\"type\":"
	    "\"text\",\"text\":\"b\"}]}]",
	    "user:a assistant:b", "an array of messages");
	loads("[{\"role\":\"user\"}]",
	      "FILE: message 1 is not {\"role\": \"user\", \"assistant\", \"system\" or \"tool\", "
	      "\"content\": ...}",
	      "a message without content");
	loads("[1", "FILE: byte 3: unexpected end of text", "an array that is cut off");
	loads("  ", "FILE: is empty; expected an event log or an array of messages",
	      "an empty file");
	return unit_done();
}

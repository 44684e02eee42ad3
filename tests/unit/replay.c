/*
 * replay: which requests a recorded run takes for its own, where agents hand over to each other and
 * runs lie within each other.
 */
#include "model/replay_log.h"
#include "messages.h"
#include "unit.h"

#define EVENT(run, type, data)                                                                     \
	"{\"event_type\":\"" type "\",\"run_id\":\"" run "\",\"seq\":0,\"data\":" data "}\n"

#define MESSAGE "{\"role\":\"assistant\",\"content\":[" CALL "]}"
#define CALL                                                                                       \
	"{\"type\":\"tool_call\",\"tool_call_id\":\"h\",\"tool_name\":\"transfer_to_b\",\"args\":" \
	"{}}"

/* Agent a hands over to b; a run lies between, which another agent is as a tool. */
static const char text[] = EVENT(
    "r", "agent_start", "{\"prompt\":\"go\",\"system\":\"I am a\",\"tools\":[\"transfer_to_b\"]}")
    EVENT("r", "llm_start", "{\"attempt\":1}") EVENT(
	"n", "agent_start", "{\"prompt\":\"inner\",\"parent_run_id\":\"r\",\"tools\":[]}")
	EVENT("n", "llm_start", "{\"attempt\":1}") EVENT("r", "llm_end",
							 "{\"message\":" MESSAGE "}")
	    EVENT("n", "llm_end", "{\"message\":{\"role\":\"assistant\",\"content\":[]}}") EVENT(
		"r", "tool_end", "{\"tool_call_id\":\"h\",\"result\":\"b\",\"is_error\":false}")
		EVENT("r", "agent_updated", "{\"agent_name\":\"b\",\"previous_agent\":\"a\"}")
		    EVENT("r", "llm_start", "{\"attempt\":1}") "{\"event_type\":\"llm_end\",\"run";

static const struct span prompt =
    SPAN("{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"go\"}]}");

static struct span result(const char *said, struct buffer *out)
{
	buffer_clear(out);
	buffer_add_format(
	    out,
	    "{\"role\":\"tool\",\"content\":[{\"type\":\"tool_result\",\"tool_call_id\":\"h\","
	    "\"tool_name\":\"transfer_to_b\",\"result\":\"%s\",\"is_error\":false}]}",
	    said);
	return buffer_span(out);
}

static void check(const struct replay_run *run, size_t response,
		  const struct model_request *request, const char *want, const char *name)
{
	struct replay_checked checked = {0};
	struct buffer why = {0};

	unit_ok(replay_check(run, &run->responses[response], request, &checked, &why) ==
		    (want[0] == '\0'),
		"%s", name);
	unit_same(buffer_span(&why), span_of(want), "and says what differs");
	replay_checked_free(&checked);
	buffer_free(&why);
}

static void test_handoff(const struct replay_run *run)
{
	struct buffer said = {0};
	struct model_tool tools[] = {{"transfer_to_b", "", SPAN("{}")}, {"own", "", SPAN("{}")}};
	struct span messages[] = {prompt, SPAN(MESSAGE), result("b", &said)};
	struct model_request request = {.system = "I am a",
					.messages = typed(messages, 3),
					.message_count = 1,
					.tools = tools,
					.tool_count = 1};

	check(run, 0, &request, "", "the first agent's request is the recorded one");
	request.tool_count = 2;
	check(run, 0, &request, "the tools: expected \"transfer_to_b\", got \"transfer_to_b, own\"",
	      "with another tool it is not");
	request.message_count = 3;
	request.system = "I am b";
	check(run, 1, &request, "", "the next agent has instructions and tools of its own");
	messages[2] = result("c", &said);
	request.messages = typed(messages, 3);
	check(run, 1, &request, "the result of transfer_to_b (h): expected \"b\", got \"c\"",
	      "what was said before must be the same for it");
	request.message_count = 2;
	check(run, 1, &request, "messages: expected 3, got 2", "and all of it");
	messages[1] =
	    SPAN("{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"x\"}]}");
	messages[2] = result("b", &said);
	request.messages = typed(messages, 3);
	request.message_count = 3;
	check(run, 1, &request, "an earlier response: expected \"\", got \"x\"", "its text too");
	messages[1] = SPAN("{\"role\":\"assistant\",\"content\":[]}");
	request.messages = typed(messages, 3);
	check(run, 1, &request, "an earlier call: expected transfer_to_b (h), got none",
	      "and its calls");
	buffer_free(&said);
}

int main(void)
{
	struct replay_log log = {0};

	buffer_add_text(&log.text, text);
	replay_log_read(&log, NULL);
	unit_ok(log.run_count == 2 && !log.runs[0].nested && log.runs[1].nested,
		"runs within each other are kept apart");
	unit_ok(log.runs[0].response_count == 2 && log.runs[0].responses[0].ended &&
		    !log.runs[0].responses[1].ended && log.runs[1].response_count == 1,
		"a torn last line is left out");
	test_handoff(&log.runs[0]);
	replay_log_free(&log);
	return unit_done();
}

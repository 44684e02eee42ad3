/*
 * A known member of a wrong JSON type makes the response invalid in every protocol; nothing of it
 * is left out silently.
 */
#define PROTOCOL (*protocol)
static const struct protocol *protocol;
#include "decoded.h"

#define CHAT(members)   "{\"choices\":[{\"index\":0,\"delta\":{" members "}}]}"
#define CALL(members)   CHAT("\"tool_calls\":[{\"index\":0,\"id\":\"c\",\"function\":{" members "}}]")
#define START(block)    "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{" block "}}"
#define GEMINI(parts)   "{\"candidates\":[{\"content\":{\"parts\":" parts "}}]}"
#define OLLAMA(members) "{\"message\":{" members "},\"done\":false}"
#define ITEM(members)                                                                              \
	"{\"type\":\"response.output_item.done\",\"output_index\":0,\"item\":{" members "}}"

static const struct {
	const struct protocol *protocol;
	const char *event; /* the name; NULL: none */
	const char *data;
	const char *fault; /* of the message: "prov sent a response in which FAULT" */
} rows[] = {
    {&protocol_openai_chat, NULL, "{\"choices\":{\"delta\":{}}}",
     "\"choices\" is of the type object instead of array"},
    {&protocol_openai_chat, NULL, "{\"choices\":[7]}",
     "\"choices[]\" is of the type number instead of object"},
    {&protocol_openai_chat, NULL, "{\"choices\":[{\"delta\":\"x\"}]}",
     "\"delta\" is of the type string instead of object"},
    {&protocol_openai_chat, NULL, "{\"choices\":[{\"message\":[\"x\"]}]}",
     "\"message\" is of the type array instead of object"},
    {&protocol_openai_chat, NULL, "{\"choices\":[{\"delta\":{},\"finish_reason\":1}]}",
     "\"finish_reason\" is of the type number instead of string"},
    {&protocol_openai_chat, NULL, CHAT("\"content\":7"),
     "\"content\" is of the type number instead of string or array"},
    {&protocol_openai_chat, NULL, CHAT("\"content\":{\"text\":\"x\"}"),
     "\"content\" is of the type object instead of string or array"},
    {&protocol_openai_chat, NULL, CHAT("\"content\":[\"x\"]"),
     "\"content[]\" is of the type string instead of object"},
    {&protocol_openai_chat, NULL, CHAT("\"content\":[{\"type\":\"text\",\"text\":[\"x\"]}]"),
     "\"text\" is of the type array instead of string"},
    {&protocol_openai_chat, NULL, CHAT("\"content\":[{\"type\":\"thinking\",\"thinking\":[7]}]"),
     "\"thinking[]\" is of the type number instead of object"},
    {&protocol_openai_chat, NULL, CHAT("\"reasoning_content\":[\"x\"]"),
     "\"reasoning_content\" is of the type array instead of string"},
    {&protocol_openai_chat, NULL, CHAT("\"refusal\":true"),
     "\"refusal\" is of the type boolean instead of string"},
    {&protocol_openai_chat, NULL, CHAT("\"tool_calls\":{\"index\":0}"),
     "\"tool_calls\" is of the type object instead of array"},
    {&protocol_openai_chat, NULL, CHAT("\"tool_calls\":[\"f\"]"),
     "\"tool_calls[]\" is of the type string instead of object"},
    {&protocol_openai_chat, NULL, CHAT("\"tool_calls\":[{\"function\":\"f\"}]"),
     "\"function\" is of the type string instead of object"},
    {&protocol_openai_chat, NULL, CALL("\"name\":1,\"arguments\":\"{}\""),
     "\"name\" is of the type number instead of string"},
    {&protocol_openai_chat, NULL, CALL("\"name\":\"f\",\"arguments\":true"),
     "\"arguments\" is of the type boolean instead of string or object"},
    {&protocol_openai_chat, NULL, CALL("\"name\":\"f\",\"arguments\":0"),
     "\"arguments\" is of the type number instead of string or object"},
    {&protocol_openai_chat, NULL, CALL("\"name\":\"f\",\"arguments\":[]"),
     "\"arguments\" is of the type array instead of string or object"},
    {&protocol_openai_chat, NULL, CALL("\"name\":\"f\",\"arguments\":[1]"),
     "\"arguments\" is of the type array instead of string or object"},
    {&protocol_openai_chat, NULL, CHAT("\"function_call\":\"f\""),
     "\"function_call\" is of the type string instead of object"},
    {&protocol_openai_chat, NULL, CHAT("\"function_call\":{\"name\":\"f\",\"arguments\":1}"),
     "\"arguments\" is of the type number instead of string or object"},
    {&protocol_openai_chat, NULL, "{\"choices\":[{\"index\":\"0\",\"delta\":{}}]}",
     "\"index\" is of the type string instead of number"},
    {&protocol_openai_chat, NULL, CHAT("\"tool_calls\":[{\"index\":true,\"id\":\"c\"}]"),
     "\"index\" is of the type boolean instead of number"},
    {&protocol_openai_chat, NULL, CHAT("\"content\":[{\"type\":1,\"text\":\"x\"}]"),
     "\"type\" is of the type number instead of string"},
    {&protocol_openai_chat, NULL, CHAT("\"reasoning_details\":\"x\""),
     "\"reasoning_details\" is of the type string instead of array"},
    {&protocol_openai_chat, NULL, CHAT("\"reasoning_details\":[\"x\"]"),
     "\"reasoning_details[]\" is of the type string instead of object"},
    {&protocol_openai_chat, NULL,
     CHAT("\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":[\"x\"]}]"),
     "\"text\" is of the type array instead of string"},
    {&protocol_openai_chat, NULL,
     CHAT("\"reasoning_details\":[{\"type\":\"reasoning.text\",\"signature\":1}]"),
     "\"signature\" is of the type number instead of string"},

    {&protocol_ollama, NULL, "{\"message\":\"x\"}",
     "\"message\" is of the type string instead of object"},
    {&protocol_ollama, NULL, OLLAMA("\"content\":[\"x\"]"),
     "\"content\" is of the type array instead of string"},
    {&protocol_ollama, NULL, OLLAMA("\"thinking\":{\"text\":\"x\"}"),
     "\"thinking\" is of the type object instead of string"},
    {&protocol_ollama, NULL, OLLAMA("\"tool_calls\":\"f\""),
     "\"tool_calls\" is of the type string instead of array"},
    {&protocol_ollama, NULL, OLLAMA("\"tool_calls\":[1]"),
     "\"tool_calls[]\" is of the type number instead of object"},
    {&protocol_ollama, NULL, OLLAMA("\"tool_calls\":[{\"function\":[\"f\"]}]"),
     "\"function\" is of the type array instead of object"},
    {&protocol_ollama, NULL,
     OLLAMA("\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":3}}]"),
     "\"arguments\" is of the type number instead of string or object"},
    {&protocol_ollama, NULL, "{\"done\":true,\"done_reason\":[1]}",
     "\"done_reason\" is of the type array instead of string"},

    {&protocol_gemini, NULL, "{\"candidates\":{\"content\":{}}}",
     "\"candidates\" is of the type object instead of array"},
    {&protocol_gemini, NULL, "[{\"candidates\":[[1]]}]",
     "\"candidates[]\" is of the type array instead of object"},
    {&protocol_gemini, NULL, "{\"candidates\":[{\"content\":\"x\"}]}",
     "\"content\" is of the type string instead of object"},
    {&protocol_gemini, NULL, GEMINI("{\"text\":\"x\"}"),
     "\"parts\" is of the type object instead of array"},
    {&protocol_gemini, NULL, GEMINI("[\"x\"]"),
     "\"parts[]\" is of the type string instead of object"},
    {&protocol_gemini, NULL, GEMINI("[{\"text\":[\"x\"]}]"),
     "\"text\" is of the type array instead of string"},
    {&protocol_gemini, NULL, GEMINI("[{\"functionCall\":\"f\"}]"),
     "\"functionCall\" is of the type string instead of object"},
    {&protocol_gemini, NULL, GEMINI("[{\"functionCall\":{\"name\":\"f\",\"args\":1}}]"),
     "\"args\" is of the type number instead of string or object"},
    {&protocol_gemini, NULL,
     GEMINI("[{\"functionCall\":{\"name\":\"f\",\"partialArgs\":{\"a\":1}}}]"),
     "\"partialArgs\" is of the type object instead of array"},
    {&protocol_gemini, NULL,
     GEMINI("[{\"functionCall\":{\"name\":\"f\",\"partialArgs\":"
	    "[{\"jsonPath\":\"$.a\",\"stringValue\":1}]}}]"),
     "\"stringValue\" is of the type number instead of string"},
    {&protocol_gemini, NULL, GEMINI("[{\"executableCode\":\"1+1\"}]"),
     "\"executableCode\" is of the type string instead of object"},
    {&protocol_gemini, NULL, GEMINI("[{\"text\":\"x\",\"thought\":\"true\"}]"),
     "\"thought\" is of the type string instead of boolean"},
    {&protocol_gemini, NULL, GEMINI("[{\"thought\":{\"a\":1},\"text\":\"x\"}]"),
     "\"thought\" is of the type object instead of boolean"},
    {&protocol_gemini, NULL, GEMINI("[{\"text\":\"x\",\"thoughtSignature\":7}]"),
     "\"thoughtSignature\" is of the type number instead of string"},
    {&protocol_gemini, NULL, "{\"candidates\":[{\"index\":\"0\",\"content\":{}}]}",
     "\"index\" is of the type string instead of number"},
    {&protocol_gemini, NULL, "{\"candidates\":[{\"finishReason\":[\"STOP\"]}]}",
     "\"finishReason\" is of the type array instead of string or number"},

    {&protocol_anthropic, NULL, "{\"type\":\"message_start\",\"message\":\"x\"}",
     "\"message\" is of the type string instead of object"},
    {&protocol_anthropic, NULL, "{\"type\":\"message_start\",\"message\":{\"content\":\"x\"}}",
     "\"content\" is of the type string instead of array"},
    {&protocol_anthropic, NULL, "{\"type\":\"message_start\",\"message\":{\"content\":[\"x\"]}}",
     "\"content[]\" is of the type string instead of object"},
    {&protocol_anthropic, NULL,
     "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":[\"x\"]}",
     "\"content_block\" is of the type array instead of object"},
    {&protocol_anthropic, NULL, START("\"type\":\"text\",\"text\":7"),
     "\"text\" is of the type number instead of string"},
    {&protocol_anthropic, NULL, START("\"type\":\"thinking\",\"thinking\":{\"a\":1}"),
     "\"thinking\" is of the type object instead of string"},
    {&protocol_anthropic, NULL,
     "{\"type\":\"message_start\",\"message\":{\"content\":[{\"type\":\"tool_use\",\"id\":"
     "\"t\",\"name\":\"f\",\"input\":[1]}]}}",
     "\"input\" is of the type array instead of string or object"},
    {&protocol_anthropic, NULL, "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":\"x\"}",
     "\"delta\" is of the type string instead of object"},
    {&protocol_anthropic, NULL,
     "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":"
     "[\"x\"]}}",
     "\"text\" is of the type array instead of string"},
    {&protocol_anthropic, NULL,
     "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_delta\","
     "\"partial_json\":1}}",
     "\"partial_json\" is of the type number instead of string or object"},
    {&protocol_anthropic, NULL, "{\"type\":\"message_delta\",\"delta\":[1]}",
     "\"delta\" is of the type array instead of object"},
    {&protocol_anthropic, NULL,
     "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":[\"max_tokens\"]}}",
     "\"stop_reason\" is of the type array instead of string"},
    {&protocol_anthropic, NULL, "{\"type\":[\"content_block_delta\"],\"delta\":{}}",
     "\"type\" is of the type array instead of string"},
    {&protocol_anthropic, NULL, START("\"type\":7,\"text\":\"x\""),
     "\"type\" is of the type number instead of string"},
    {&protocol_anthropic, NULL, START("\"type\":\"thinking\",\"thinking\":\"x\",\"signature\":[1]"),
     "\"signature\" is of the type array instead of string"},
    {&protocol_anthropic, NULL,
     "{\"type\":\"content_block_delta\",\"index\":\"1\",\"delta\":{\"type\":\"text_delta\"}}",
     "\"index\" is of the type string instead of number"},

    {&protocol_bedrock, "contentBlockStart", "{\"contentBlockIndex\":0,\"start\":[1]}",
     "\"start\" is of the type array instead of object"},
    {&protocol_bedrock, "contentBlockStart",
     "{\"contentBlockIndex\":0,\"start\":{\"toolUse\":\"f\"}}",
     "\"toolUse\" is of the type string instead of object"},
    {&protocol_bedrock, "contentBlockDelta", "{\"contentBlockIndex\":0,\"delta\":\"x\"}",
     "\"delta\" is of the type string instead of object"},
    {&protocol_bedrock, "contentBlockDelta", "{\"contentBlockIndex\":0,\"delta\":{\"text\":1}}",
     "\"text\" is of the type number instead of string"},
    {&protocol_bedrock, "contentBlockDelta",
     "{\"contentBlockIndex\":0,\"delta\":{\"reasoningContent\":{\"text\":[1]}}}",
     "\"text\" is of the type array instead of string"},
    {&protocol_bedrock, "contentBlockDelta", "{\"contentBlockIndex\":true,\"delta\":{}}",
     "\"contentBlockIndex\" is of the type boolean instead of number"},
    {&protocol_bedrock, "messageStop", "{\"stopReason\":[\"max_tokens\"]}",
     "\"stopReason\" is of the type array instead of string"},

    {&protocol_openai_responses, NULL, "{\"type\":\"response.output_item.done\",\"item\":\"x\"}",
     "\"item\" is of the type string instead of object"},
    {&protocol_openai_responses, NULL, ITEM("\"type\":\"message\",\"content\":\"x\""),
     "\"content\" is of the type string instead of array"},
    {&protocol_openai_responses, NULL, ITEM("\"type\":\"message\",\"content\":[\"x\"]"),
     "\"content[]\" is of the type string instead of object"},
    {&protocol_openai_responses, NULL,
     ITEM("\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":1}]"),
     "\"text\" is of the type number instead of string"},
    {&protocol_openai_responses, NULL,
     ITEM("\"type\":\"function_call\",\"name\":\"f\",\"arguments\":false"),
     "\"arguments\" is of the type boolean instead of string or object"},
    {&protocol_openai_responses, NULL,
     "{\"type\":\"response.function_call_arguments.done\",\"output_index\":0,\"arguments\":1}",
     "\"arguments\" is of the type number instead of string or object"},
    {&protocol_openai_responses, NULL,
     "{\"type\":\"response.completed\",\"response\":{\"status\":\"completed\",\"output\":{\"a\":1}}"
     "}",
     "\"output\" is of the type object instead of array"},
    {&protocol_openai_responses, NULL,
     "{\"type\":\"response.refusal.delta\",\"output_index\":0,\"delta\":[1]}",
     "\"delta\" is of the type array instead of string"},
    {&protocol_openai_responses, NULL, "{\"type\":7,\"delta\":\"x\"}",
     "\"type\" is of the type number instead of string"},
    {&protocol_openai_responses, NULL, ITEM("\"type\":[\"message\"],\"content\":[]"),
     "\"type\" is of the type array instead of string"},
    {&protocol_openai_responses, NULL,
     ITEM("\"type\":\"message\",\"content\":[{\"type\":1,\"text\":\"x\"}]"),
     "\"type\" is of the type number instead of string"},
    {&protocol_openai_responses, NULL,
     "{\"type\":\"response.output_text.delta\",\"output_index\":\"0\",\"delta\":\"x\"}",
     "\"output_index\" is of the type string instead of number"},
    {&protocol_openai_responses, NULL,
     "{\"type\":\"response.completed\",\"response\":{\"status\":7,\"output\":[]}}",
     "\"status\" is of the type number instead of string"},
    {&protocol_openai_responses, NULL,
     "{\"type\":\"response.incomplete\",\"response\":{\"incomplete_details\":\"x\",\"output\":[]}}",
     "\"incomplete_details\" is of the type string instead of object"},
};

static void row(size_t i)
{
	struct buffer want = {0};
	struct decoded a;

	protocol = rows[i].protocol;
	decoded_begin(&a, "prov");
	decoder_event(a.decoder, rows[i].event != NULL ? span_of(rows[i].event) : (struct span){0},
		      span_of(rows[i].data));
	decoder_end(a.decoder, &a.outcome);
	buffer_add_format(&want, "prov sent a response in which %s", rows[i].fault);
	unit_same(span_of(a.outcome.error.message != NULL ? a.outcome.error.message : "no error"),
		  buffer_span(&want), rows[i].data);
	unit_ok(a.outcome.error.kind == ERROR_INVALID_RESPONSE && a.outcome.error.retryable,
		"and the request is repeated");
	buffer_free(&want);
	decoded_free(&a);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		row(i);
	return unit_done();
}

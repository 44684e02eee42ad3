/* lib/run/response: deltas become one neutral message. */
#include "run/response.h"
#include "unit.h"

static void feed(struct response *response, enum model_delta_type type, int index, const char *text)
{
	struct model_delta delta = {.type = type, .index = index, .text = span_of(text)};

	if (type == MODEL_TOOL_CALL)
		delta.name = delta.text;
	delta.id = SPAN("id");
	response_add(response, &delta, "id");
}

static void message_is(struct response *response, const char *want, const char *name)
{
	struct buffer got = {0};

	response_finish(response);
	response_write_message(response, "p", "m", NULL, &got);
	unit_same(buffer_span(&got), span_of(want), name);
	unit_ok(json_check(buffer_span(&got), NULL), "%s: is JSON", name);
	buffer_free(&got);
	response_clear(response);
}

#define HEAD "{\"role\":\"assistant\",\"content\":["
#define TAIL "],\"provider\":\"p\",\"model\":\"m\""

int main(void)
{
	struct response response = {0};

	feed(&response, MODEL_THINKING, -1, "hm");
	feed(&response, MODEL_PART_DATA, -1, "{\"signature\":\"s\"}");
	feed(&response, MODEL_TEXT, -1, "Hel");
	feed(&response, MODEL_TEXT, -1, "lo");
	message_is(
	    &response,
	    HEAD "{\"type\":\"thinking\",\"text\":\"hm\",\"provider_data\":{\"signature\":\"s\"}},"
		 "{\"type\":\"text\",\"text\":\"Hello\"}" TAIL "}",
	    "pieces of one kind are joined");

	feed(&response, MODEL_TOOL_CALL, 0, "a");
	feed(&response, MODEL_TOOL_CALL, 1, "b");
	feed(&response, MODEL_TOOL_ARGS, 1, "{\"x\": 1.10,");
	feed(&response, MODEL_TOOL_ARGS, 1, "\"id\":1234567890123456789}");
	message_is(
	    &response,
	    HEAD "{\"type\":\"tool_call\",\"tool_call_id\":\"id\",\"tool_name\":\"a\",\"args\":{}},"
		 "{\"type\":\"tool_call\",\"tool_call_id\":\"id\",\"tool_name\":\"b\",\"args\":"
		 "{\"x\": 1.10,\"id\":1234567890123456789}}" TAIL "}",
	    "arguments keep their bytes, and none are an empty object");

	feed(&response, MODEL_TOOL_CALL, 0, "a");
	feed(&response, MODEL_TOOL_ARGS, 0, "{\n \"a\b");
	message_is(
	    &response,
	    HEAD "{\"type\":\"tool_call\",\"tool_call_id\":\"id\",\"tool_name\":\"a\",\"args\":{},"
		 "\"invalid_args\":\"{\\n \\\"a\\b\"}" TAIL "}",
	    "invalid arguments are kept as text");

	feed(&response, MODEL_TOOL_CALL, 0, "a");
	feed(&response, MODEL_TOOL_ARGS, 0, " {\n\t\"a b\": [1,\r\n 2]}\n");
	message_is(&response,
		   HEAD
		   "{\"type\":\"tool_call\",\"tool_call_id\":\"id\",\"tool_name\":\"a\",\"args\":"
		   "{\"a b\":[1,2]}}" TAIL "}",
		   "line breaks between tokens go, so that an event is one line");

	feed(&response, MODEL_TOOL_CALL, 0, "a");
	feed(&response, MODEL_TOOL_ARGS, 0, " {\n\"a b\": 1e400,\t\"c\": -0} ");
	response_finish(&response);
	unit_same(response_args(&response.calls[0]), SPAN("{\"a b\":1e400,\"c\":-0}"),
		  "the tool gets the bytes that are logged");
	response_clear(&response);

	feed(&response, MODEL_TOOL_CALL, 0, "a");
	feed(&response, MODEL_TOOL_ARGS, 0, "{\"x\":[{\"y\":1,\"\\u0079\":2}]}");
	message_is(
	    &response,
	    HEAD "{\"type\":\"tool_call\",\"tool_call_id\":\"id\",\"tool_name\":\"a\",\"args\":{},"
		 "\"invalid_args\":\"{\\\"x\\\":[{\\\"y\\\":1,\\\"\\\\u0079\\\":2}]}\"}" TAIL "}",
	    "a key that is there twice makes arguments invalid");

	feed(&response, MODEL_MESSAGE_DATA, -1, "{\"k\":1}");
	message_is(&response, HEAD TAIL ",\"provider_data\":{\"k\":1}}",
		   "data of the whole message");
	response_free(&response);
	return unit_done();
}

/* replay: a response written as events, in a log or a program. */
#include "fuzz.h"
#include "model/event_response.h"
#include "net/ndjson.h"

struct replay {
	struct event_response response;
	int call_count;
	bool over;
};

static void on_delta(void *context, const struct model_delta *delta)
{
	struct replay *r = context;

	must(is_utf8(delta->text));
	if (delta->type == MODEL_TOOL_CALL) {
		must(delta->index == r->call_count && delta->name.len > 0);
		r->call_count++;
	} else if (delta->type == MODEL_TOOL_ARGS) {
		must(delta->index >= 0 && delta->index < r->call_count);
	}
}

static void on_line(void *context, struct span line)
{
	struct replay *r = context;

	if (!r->over && json_type(json_trim(line)) == JSON_OBJECT && json_check(line, NULL))
		r->over = !event_response_read(&r->response, json_trim(line));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer copy = fuzz_copy(data, size);
	struct replay r = {0};
	struct model_handler handler = {.context = &r, .delta = on_delta};
	struct model_outcome outcome = {0};
	struct ndjson ndjson;

	event_response_init(&r.response, &handler);
	ndjson_init(&ndjson, on_line, &r);
	ndjson_feed(&ndjson, buffer_span(&copy));
	ndjson_end(&ndjson);
	ndjson_free(&ndjson);
	event_response_outcome(&r.response, &outcome);
	must(!r.over || outcome.error.kind != ERROR_NONE);
	event_response_free(&r.response);
	buffer_free(&copy);
	return 0;
}

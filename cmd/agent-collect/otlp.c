/*
 * Traces for OpenTelemetry: OTLP in its JSON encoding (one ExportTraceServiceRequest for the whole
 * input), named by the semantic conventions for generative AI, version 1.41. A run is a span
 * invoke_agent; below it are a span chat for every response of the model, all its attempts
 * together, and a span execute_tool for every tool call. Message content is not exported, only
 * error messages.
 *
 * Ids follow from run_id and tool_call_id alone: collecting a log twice gives the same trace.
 */
#include "collect.h"

#include <stdio.h>
#include <stdlib.h>

#include "model/provider_files.h"

enum { KIND_INTERNAL = 1, KIND_CLIENT = 3, STATUS_CODE_ERROR = 2, MAX_MESSAGE = 500 };

/* ---- the JSON encoding ---- */

/* Attributes. One without a value, such as a negative number, is left out. Strings of the log are
 * decoded and written anew, as a lone surrogate is no protobuf string. */

static void text_attribute(struct buffer *out, const char *key, struct span text)
{
	if (text.at != NULL)
		json_pack(out, "{'key':%t,'value':{'stringValue':%s}}", key, text);
}

static void string_attribute(struct buffer *out, const char *key, struct span json)
{
	struct buffer scratch = {0};

	text_attribute(out, key, json_string_text(json, &scratch));
	buffer_free(&scratch);
}

/* A list of one string. */
static void list_attribute(struct buffer *out, const char *key, struct span json)
{
	struct buffer text = {0};

	if (json_decode(json, &text))
		json_pack(out, "{'key':%t,'value':{'arrayValue':{'values':[{'stringValue':%s}]}}}",
			  key, buffer_span(&text));
	buffer_free(&text);
}

/* 64-bit integers are strings in this encoding. */
static void count_attribute(struct buffer *out, const char *key, int64_t count)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%lld", (long long)count);
	if (count >= 0)
		json_pack(out, "{'key':%t,'value':{'intValue':%t}}", key, digits);
}

static void double_attribute(struct buffer *out, const char *key, double number)
{
	if (number >= 0)
		json_pack(out, "{'key':%t,'value':{'doubleValue':%g}}", key, number);
}

/* Write a time in microseconds since 1970 as nanoseconds, which have 64 bits in this encoding: they
 * end in the year 2554. */
static void put_time(struct buffer *out, const char *key, int64_t microseconds)
{
	uint64_t most = UINT64_MAX / 1000;
	uint64_t time = microseconds > 0 ? (uint64_t)microseconds : 0;
	char digits[24];

	snprintf(digits, sizeof(digits), "%llu",
		 (unsigned long long)(time < most ? time : most) * 1000);
	json_pack(out, "%t:%t", key, digits);
}

struct span_head {
	const char *trace_id, *id, *parent_id;
	const char *operation;
	struct span subject; /* JSON: what the operation is about, for the name */
	int kind;
	int64_t start, end; /* microseconds */
};

static void begin_span(struct buffer *out, const struct span_head *head)
{
	struct buffer name = {0};

	buffer_add_text(&name, head->operation);
	if (json_type(head->subject) == JSON_STRING) {
		buffer_add_char(&name, ' ');
		json_decode(head->subject, &name);
	}
	json_pack(out, "{'traceId':%t,'spanId':%t,'parentSpanId':%t,'name':%s,'kind':%d",
		  head->trace_id, head->id, head->parent_id[0] != '\0' ? head->parent_id : NULL,
		  buffer_span(&name), (int64_t)head->kind);
	put_time(out, "startTimeUnixNano", head->start);
	put_time(out, "endTimeUnixNano", head->end > head->start ? head->end : head->start);
	json_pack(out, "'attributes':[");
	text_attribute(out, "gen_ai.operation.name", span_of(head->operation));
	buffer_free(&name);
}

/* End a span, with the status of an error, described by the first line of the string `message`, if
 * it `failed`. */
static void end_span(struct buffer *out, bool failed, struct span message)
{
	struct buffer text = {0};
	struct span line = {0};

	if (failed && json_decode(message, &text)) {
		line = (struct span){buffer_string(&text), strcspn(buffer_string(&text), "\n")};
		line = cut_text(line, MAX_MESSAGE);
	}
	json_pack(out, failed ? "'status':{'message':%s,'code':%d}}" : "}", line,
		  (int64_t)STATUS_CODE_ERROR);
	buffer_free(&text);
}

static void begin_event(struct buffer *out, const char *name, int64_t time)
{
	json_open(out, '{');
	put_time(out, "timeUnixNano", time);
	json_pack(out, "'name':%t,'attributes':[", name);
}

/* ---- names of providers ---- */

/* Most runs of a log have the same provider as the previous one. */
struct otlp_providers {
	struct provider_files files;
	struct buffer json, otel_name; /* of the previous run */
};

static struct otlp_providers *providers_new(void)
{
	struct otlp_providers *providers = mem_zero(sizeof(*providers));
	struct error e = {0};

	if (!provider_files_read(&providers->files, &e))
		warn("%s", e.message);
	error_clear(&e);
	return providers;
}

static void providers_free(struct otlp_providers *providers)
{
	provider_files_free(&providers->files);
	buffer_free(&providers->json);
	buffer_free(&providers->otel_name);
	free(providers);
}

/* OpenTelemetry's name of the provider that the string `json` names; absent if it is no string. */
static struct span otel_name(struct otlp_providers *providers, struct span json)
{
	char *name = json_text(json);

	if (name == NULL)
		return (struct span){0};
	if (!span_equal(json, buffer_span(&providers->json))) {
		buffer_clear(&providers->json);
		buffer_add_span(&providers->json, json);
		buffer_clear(&providers->otel_name);
		provider_files_otel_name(&providers->files, name, &providers->otel_name);
	}
	free(name);
	return buffer_span(&providers->otel_name);
}

static void usage_attributes(struct buffer *out, const int64_t usage[USAGE_KEYS])
{
	count_attribute(out, "gen_ai.usage.input_tokens", usage[USAGE_INPUT]);
	count_attribute(out, "gen_ai.usage.output_tokens", usage[USAGE_OUTPUT]);
	count_attribute(out, "gen_ai.usage.cache_read.input_tokens", usage[USAGE_CACHED]);
	count_attribute(out, "gen_ai.usage.cache_creation.input_tokens", usage[USAGE_CACHE_WRITE]);
	count_attribute(out, "gen_ai.usage.reasoning.output_tokens", usage[USAGE_REASONING]);
}

/* ---- spans ---- */

static void put_exceptions(struct buffer *out, const struct result *result)
{
	const struct kept *error = NULL;

	json_pack(out, "'events':[");
	while ((error = result_next(result, error, EVENT_BIT(EVENT_ERROR))) != NULL) {
		begin_event(out, "exception", error->time);
		string_attribute(out, "exception.type", json_get(error->data, "exception_type"));
		string_attribute(out, "exception.message", json_get(error->data, "error"));
		json_pack(out, "]}");
	}
	json_close(out, ']');
}

/* A run that resumes another one points to that run. */
static void put_link(struct buffer *out, const struct result *result)
{
	char trace_id[TRACE_ID_SIZE], agent_id[TRACE_SPAN_ID_SIZE];
	struct buffer id = {0};

	if (json_decode(result_start(result, START_RESUMED_FROM), &id)) {
		trace_run_id(trace_id, buffer_span(&id));
		trace_span_id(agent_id, buffer_span(&id), SPAN("/agent"));
		json_pack(out, "'links':[{'traceId':%t,'spanId':%t}]", trace_id, agent_id);
	}
	buffer_free(&id);
}

/* The attributes that the spans of runs and of responses share. `agent_name` and `model` are JSON.
 */
static void put_common(struct buffer *out, const struct trace *trace, const struct result *result,
		       struct span agent_name, struct span model)
{
	text_attribute(out, "gen_ai.provider.name", trace->provider);
	string_attribute(out, "gen_ai.agent.name", agent_name);
	string_attribute(out, "gen_ai.request.model", model);
	if (result->run->id[0] != '\0')
		text_attribute(out, "gen_ai.conversation.id", span_of(result->run->id));
}

static void put_agent(struct buffer *out, const struct trace *trace, const struct result *result)
{
	struct span error = result_last_error(result), type = json_get(error, "exception_type");

	begin_span(out, &(struct span_head){trace->trace_id, trace->agent_id, trace->parent_id,
					    "invoke_agent", result->agent_name, KIND_INTERNAL,
					    result->first_time, result->last_time});
	put_common(out, trace, result, result->agent_name, result->model);
	list_attribute(out, "gen_ai.response.finish_reasons",
		       result_end(result, END_FINISH_REASON));
	if (result_end(result, END_OUTPUT_JSON).at != NULL)
		text_attribute(out, "gen_ai.output.type", SPAN("json"));
	usage_attributes(out, &result->facts.counts[COUNT_TOKENS]);
	double_attribute(out, "agent.cost_usd", result->facts.cost.value);
	text_attribute(out, "agent.status", buffer_span(&result->status));
	if (!result->success && json_type(type) == JSON_STRING)
		string_attribute(out, "error.type", type);
	else if (!result->success)
		text_attribute(out, "error.type", buffer_span(&result->status));
	json_close(out, ']');
	put_exceptions(out, result);
	put_link(out, result);
	end_span(out, !result->success, json_get(error, "error"));
}

static void put_retries(struct buffer *out, const struct result_response *response)
{
	json_pack(out, "'events':[");
	for (const struct kept *kept = response->first; kept < response->after; kept++) {
		if (kept->type != EVENT_LLM_RETRY)
			continue;
		begin_event(out, "retry", kept->time);
		string_attribute(out, "reason", json_get(kept->data, "reason"));
		double_attribute(out, "wait_seconds",
				 json_double(json_get(kept->data, "wait_seconds"), -1));
		json_pack(out, "]}");
	}
	json_close(out, ']');
}

static void put_response_attributes(struct buffer *out, struct span data)
{
	int64_t counts[USAGE_KEYS];

	usage_counts(json_get(data, "usage"), counts);
	string_attribute(out, "gen_ai.response.model", json_get(data, "model"));
	string_attribute(out, "gen_ai.response.id", json_get(data, "response_id"));
	list_attribute(out, "gen_ai.response.finish_reasons", json_get(data, "finish_reason"));
	double_attribute(out, "gen_ai.response.time_to_first_chunk",
			 json_double(json_get(data, "time_to_first_chunk_seconds"), -1));
	usage_attributes(out, counts);
}

static void put_chat(struct buffer *out, const struct trace *trace, const struct result *result,
		     const struct result_response *response)
{
	struct span error = response->end == NULL ? result_last_error(result) : (struct span){0};
	struct span model = json_get(response->first->data, "model");
	struct buffer what = {0};
	char id[TRACE_SPAN_ID_SIZE];

	buffer_add_format(&what, "/chat/%lld", (long long)response->number - 1);
	trace_span_id(id, span_of(result->run->id), buffer_span(&what));
	buffer_free(&what);
	begin_span(out,
		   &(struct span_head){trace->trace_id, id, trace->agent_id, "chat", model,
				       KIND_CLIENT, response->first->time, response->end_time});
	put_common(out, trace, result, (struct span){0}, model);
	if (response->end != NULL)
		put_response_attributes(out, response->end->data);
	else if (result->errors > 0)
		string_attribute(out, "error.type", json_get(error, "exception_type"));
	else
		text_attribute(out, "error.type", SPAN("incomplete"));
	json_close(out, ']');
	put_retries(out, response);
	end_span(out, response->end == NULL, json_get(error, "error"));
}

static void put_call(struct buffer *out, const struct trace *trace, const struct result *result,
		     const struct result_call *call)
{
	bool ended = call->end.order != 0, failed = !ended || call->failed;
	char id[TRACE_SPAN_ID_SIZE];

	trace_call_id(id, result, call);
	begin_span(out, &(struct span_head){trace->trace_id, id, trace->agent_id, "execute_tool",
					    call->name, KIND_INTERNAL, call->start.time,
					    ended ? call->end.time : result->last_time});
	string_attribute(out, "gen_ai.tool.name", call->name);
	string_attribute(out, "gen_ai.tool.call.id", call->id);
	text_attribute(out, "gen_ai.tool.type",
		       event_is_hosted(call->start.data) ? SPAN("extension") : SPAN("function"));
	if (failed)
		text_attribute(out, "error.type", ended ? SPAN("tool_error") : SPAN("incomplete"));
	json_close(out, ']');
	end_span(out, failed, call->result);
}

/* ---- the document ---- */

static void begin_document(struct collection *collection)
{
	struct buffer *out = &collection->output.pending;
	const char *service = getenv("OTEL_SERVICE_NAME");

	collection->providers = providers_new();
	json_pack(out, "{'resourceSpans':[{'resource':{'attributes':[");
	text_attribute(out, "service.name",
		       span_of(service != NULL && service[0] != '\0' ? service : "agent-run"));
	json_pack(out, "]},'scopeSpans':[{'scope':{'name':'agent-collect','version':'" VERSION
		       "'},'spans':[");
}

static void write_spans(struct collection *collection, const struct result *result)
{
	struct buffer *out = &collection->output.pending;
	struct result_response response = {0};
	struct trace trace;

	trace_of(collection, result, &trace);
	trace.provider = otel_name(collection->providers, result_start(result, START_PROVIDER));
	if (collection->first_done)
		buffer_add_char(out, ',');
	collection->first_done = true;
	put_agent(out, &trace, result);
	while (result_next_response(result, &response))
		put_chat(out, &trace, result, &response);
	for (size_t i = 0; i < result->calls.count; i++)
		put_call(out, &trace, result, result->calls.at[i]);
}

static void end_document(struct collection *collection)
{
	buffer_add_text(&collection->output.pending,
			"],\"schemaUrl\":\"https://opentelemetry.io/schemas/1.41.0\"}]}]}\n");
	providers_free(collection->providers);
}

const struct format format_otlp = {
    .name = "otlp",
    .wants = {.calls = true,
	      .types = EVENT_BIT(EVENT_LLM_START) | EVENT_BIT(EVENT_LLM_RETRY) |
		       EVENT_BIT(EVENT_LLM_END) | EVENT_BIT(EVENT_ERROR)},
    .is_json = true,
    .begin = begin_document,
    .result = write_spans,
    .end = end_document,
};

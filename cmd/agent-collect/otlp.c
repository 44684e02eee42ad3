/*
 * Traces for OpenTelemetry: OTLP in its JSON encoding (one ExportTraceServiceRequest for the whole
 * input), named by the semantic conventions for generative AI, version 1.41. A run is a span
 * invoke_agent; below it are a span chat for every response of the model, all its attempts
 * together, and a span execute_tool for every tool call. Of the conversation nothing but the
 * sentences of errors is in a trace.
 *
 * Ids follow from run_id and tool_call_id alone: collecting a log twice gives the same trace.
 */
#include "run_trace.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "model/provider_files.h"

enum { KIND_INTERNAL = 1, KIND_CLIENT = 3, STATUS_CODE_ERROR = 2, MAX_MESSAGE = 500 };

/* ---- the JSON encoding ---- */

/* A string that came from outside: written anew, as a lone surrogate is no protobuf string. */
static void put_string(struct buffer *out, const char *key, struct span json)
{
	struct buffer text = {0};

	json_decode(json, &text);
	json_put_string(out, key, buffer_span(&text));
	buffer_free(&text);
}

static void begin_attribute(struct buffer *out, const char *key)
{
	json_open(out, '{');
	json_put_text(out, "key", key);
	json_key(out, "value");
	json_open(out, '{');
}

static void end_attribute(struct buffer *out)
{
	json_close(out, '}');
	json_close(out, '}');
}

static void span_attribute(struct buffer *out, const char *key, struct span text)
{
	begin_attribute(out, key);
	json_put_string(out, "stringValue", text);
	end_attribute(out);
}

static void text_attribute(struct buffer *out, const char *key, const char *text)
{
	span_attribute(out, key, span_of(text));
}

/* Nothing when `json` is no string. */
static void string_attribute(struct buffer *out, const char *key, struct span json)
{
	if (json_type(json) != JSON_STRING)
		return;
	begin_attribute(out, key);
	put_string(out, "stringValue", json);
	end_attribute(out);
}

/* Nothing when `count` is negative. 64-bit integers are strings in this encoding. */
static void int_attribute(struct buffer *out, const char *key, int64_t count)
{
	if (count < 0)
		return;
	begin_attribute(out, key);
	json_key(out, "intValue");
	buffer_add_char(out, '"');
	json_write_int(out, count);
	buffer_add_char(out, '"');
	end_attribute(out);
}

static void double_attribute(struct buffer *out, const char *key, double number)
{
	if (!(number >= 0))
		return;
	begin_attribute(out, key);
	json_put_double(out, "doubleValue", number);
	end_attribute(out);
}

static void strings_attribute(struct buffer *out, const char *key, struct span json)
{
	if (json_type(json) != JSON_STRING)
		return;
	begin_attribute(out, key);
	json_key(out, "arrayValue");
	json_open(out, '{');
	json_key(out, "values");
	json_open(out, '[');
	json_open(out, '{');
	put_string(out, "stringValue", json);
	json_close(out, '}');
	json_close(out, ']');
	json_close(out, '}');
	end_attribute(out);
}

static void put_time(struct buffer *out, const char *key, int64_t microseconds)
{
	/* Nanoseconds since 1970 have 64 bits in this encoding: they end in the year 2554. */
	if (microseconds > (int64_t)(UINT64_MAX / 1000))
		microseconds = (int64_t)(UINT64_MAX / 1000);
	json_key(out, key);
	buffer_add_char(out, '"');
	json_write_int(out, microseconds > 0 ? microseconds : 0);
	buffer_add_text(out, microseconds > 0 ? "000\"" : "\"");
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
	json_open(out, '{');
	json_put_text(out, "traceId", head->trace_id);
	json_put_text(out, "spanId", head->id);
	if (head->parent_id[0] != '\0')
		json_put_text(out, "parentSpanId", head->parent_id);
	json_put_string(out, "name", buffer_span(&name));
	json_put_int(out, "kind", head->kind);
	put_time(out, "startTimeUnixNano", head->start);
	put_time(out, "endTimeUnixNano", head->end > head->start ? head->end : head->start);
	json_key(out, "attributes");
	json_open(out, '[');
	text_attribute(out, "gen_ai.operation.name", head->operation);
	buffer_free(&name);
}

/* After the attributes: the status, an error with the first line of the string `message`. */
static void put_error_status(struct buffer *out, struct span message)
{
	struct buffer text = {0};
	const char *newline;

	json_key(out, "status");
	json_open(out, '{');
	if (json_decode(message, &text)) {
		newline = memchr(text.at, '\n', text.len);
		if (newline != NULL)
			text.len = (size_t)(newline - text.at);
		if (text.len > MAX_MESSAGE) {
			text.len = MAX_MESSAGE;
			text.len -= utf8_incomplete_tail(buffer_span(&text));
		}
		json_put_string(out, "message", buffer_span(&text));
	}
	buffer_free(&text);
	json_put_int(out, "code", STATUS_CODE_ERROR);
	json_close(out, '}');
}

static void begin_event(struct buffer *out, const char *name, int64_t time)
{
	json_open(out, '{');
	put_time(out, "timeUnixNano", time);
	json_put_text(out, "name", name);
	json_key(out, "attributes");
	json_open(out, '[');
}

static void end_event(struct buffer *out)
{
	json_close(out, ']');
	json_close(out, '}');
}

/* ---- names of providers ---- */

/* Most runs of a log have the same provider as the one before. */
struct otlp_providers {
	struct provider_files files;
	struct buffer name, otel_name; /* of the last one */
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
	buffer_free(&providers->name);
	buffer_free(&providers->otel_name);
	free(providers);
}

/* OpenTelemetry's name of the provider that the string `json` names; absent when it is no string.
 */
static struct span otel_name(struct otlp_providers *providers, struct span json)
{
	struct buffer name = {0};

	if (!json_decode(json, &name))
		return (struct span){0};
	if (providers->otel_name.at == NULL ||
	    !span_equal(buffer_span(&name), buffer_span(&providers->name))) {
		buffer_clear(&providers->otel_name);
		provider_files_otel_name(&providers->files, buffer_string(&name),
					 &providers->otel_name);
		buffer_free(&providers->name);
		providers->name = name;
	} else {
		buffer_free(&name);
	}
	return buffer_span(&providers->otel_name);
}

static void provider_attribute(struct buffer *out, const struct trace *trace)
{
	if (trace->provider.at != NULL)
		span_attribute(out, "gen_ai.provider.name", trace->provider);
}

static void usage_attributes(struct buffer *out, const int64_t usage[USAGE_KEYS])
{
	int_attribute(out, "gen_ai.usage.input_tokens", usage[USAGE_INPUT]);
	int_attribute(out, "gen_ai.usage.output_tokens", usage[USAGE_OUTPUT]);
	int_attribute(out, "gen_ai.usage.cache_read.input_tokens", usage[USAGE_CACHED]);
	int_attribute(out, "gen_ai.usage.cache_creation.input_tokens", usage[USAGE_CACHE_WRITE]);
	int_attribute(out, "gen_ai.usage.reasoning.output_tokens", usage[USAGE_REASONING]);
}

/* ---- spans ---- */

/* The error that ended the run: the last one. */
static const struct kept *last_error(const struct result *result)
{
	size_t count = result->errors.count;

	return count > 0 ? &result->errors.at[count - 1] : NULL;
}

static void put_exceptions(struct buffer *out, const struct result *result)
{
	json_key(out, "events");
	json_open(out, '[');
	for (size_t i = 0; i < result->errors.count; i++) {
		const struct kept *error = &result->errors.at[i];

		begin_event(out, "exception", error->time);
		string_attribute(out, "exception.type", json_get(error->data, "exception_type"));
		string_attribute(out, "exception.message", json_get(error->data, "error"));
		end_event(out);
	}
	json_close(out, ']');
}

/* A run that went on with another's log points to that run. */
static void put_link(struct buffer *out, const struct result *result)
{
	struct buffer id = {0};
	char trace_id[33], agent_id[17];

	if (json_decode(result_start(result, "resumed_from"), &id)) {
		trace_run_id(trace_id, buffer_span(&id));
		trace_span_id(agent_id, buffer_span(&id), SPAN("/agent"));
		json_key(out, "links");
		json_open(out, '[');
		json_open(out, '{');
		json_put_text(out, "traceId", trace_id);
		json_put_text(out, "spanId", agent_id);
		json_close(out, '}');
		json_close(out, ']');
	}
	buffer_free(&id);
}

static void put_agent(struct buffer *out, const struct trace *trace, const struct result *result)
{
	const struct kept *error = last_error(result);
	int64_t usage[USAGE_KEYS];
	struct buffer scratch = {0};
	struct span status = result_status(result, &scratch);
	struct span type =
	    error != NULL ? json_get(error->data, "exception_type") : (struct span){0};

	for (int i = 0; i < USAGE_KEYS; i++)
		usage[i] = result_tokens(result, (enum usage_key)i);
	begin_span(out, &(struct span_head){trace->trace_id, trace->agent_id, trace->parent_id,
					    "invoke_agent", result->agent_name, KIND_INTERNAL,
					    result->first_time, result->last_time});
	provider_attribute(out, trace);
	string_attribute(out, "gen_ai.agent.name", result->agent_name);
	string_attribute(out, "gen_ai.request.model", result->model);
	if (result->run->id[0] != '\0')
		text_attribute(out, "gen_ai.conversation.id", result->run->id);
	strings_attribute(out, "gen_ai.response.finish_reasons",
			  result_end(result, "finish_reason"));
	if (result_end(result, "output_json").at != NULL)
		text_attribute(out, "gen_ai.output.type", "json");
	usage_attributes(out, usage);
	double_attribute(out, "agent.cost_usd", json_double(result_cost(result), -1));
	span_attribute(out, "agent.status", status);
	if (!result_success(result) && json_type(type) == JSON_STRING)
		string_attribute(out, "error.type", type);
	else if (!result_success(result))
		span_attribute(out, "error.type", status);
	json_close(out, ']');
	put_exceptions(out, result);
	put_link(out, result);
	if (!result_success(result))
		put_error_status(out,
				 error != NULL ? json_get(error->data, "error") : (struct span){0});
	json_close(out, '}');
	buffer_free(&scratch);
}

/* One response: the events from its first llm_start on; `end` is NULL when it never was complete.
 */
struct chat {
	const struct kept *first, *last; /* kept events, `last` not included */
	const struct kept *end;
	int64_t end_time;
	int64_t index;
};

static void put_retries(struct buffer *out, const struct chat *chat)
{
	json_key(out, "events");
	json_open(out, '[');
	for (const struct kept *kept = chat->first; kept < chat->last; kept++) {
		if (kept->type != EVENT_LLM_RETRY)
			continue;
		begin_event(out, "retry", kept->time);
		string_attribute(out, "reason", json_get(kept->data, "reason"));
		double_attribute(out, "wait_seconds",
				 json_double(json_get(kept->data, "wait_seconds"), -1));
		end_event(out);
	}
	json_close(out, ']');
}

static void put_answer_attributes(struct buffer *out, struct span data)
{
	struct span usage = json_get(data, "usage");
	int64_t counts[USAGE_KEYS];

	for (int i = 0; i < USAGE_KEYS; i++)
		counts[i] = json_int(json_get(usage, usage_names[i]), -1);
	string_attribute(out, "gen_ai.response.model", json_get(data, "model"));
	string_attribute(out, "gen_ai.response.id", json_get(data, "response_id"));
	strings_attribute(out, "gen_ai.response.finish_reasons", json_get(data, "finish_reason"));
	double_attribute(out, "gen_ai.response.time_to_first_chunk",
			 json_double(json_get(data, "time_to_first_chunk_seconds"), -1));
	usage_attributes(out, counts);
}

static void put_chat(struct buffer *out, const struct trace *trace, const struct result *result,
		     const struct chat *chat)
{
	const struct kept *error = last_error(result);
	struct span model = json_get(chat->first->data, "model");
	struct buffer what = {0};
	char id[17];

	buffer_add_format(&what, "/chat/%lld", (long long)chat->index);
	trace_span_id(id, span_of(result->run->id), buffer_span(&what));
	buffer_free(&what);
	begin_span(out, &(struct span_head){trace->trace_id, id, trace->agent_id, "chat", model,
					    KIND_CLIENT, chat->first->time, chat->end_time});
	provider_attribute(out, trace);
	string_attribute(out, "gen_ai.request.model", model);
	if (result->run->id[0] != '\0')
		text_attribute(out, "gen_ai.conversation.id", result->run->id);
	if (chat->end != NULL)
		put_answer_attributes(out, chat->end->data);
	else if (error != NULL)
		string_attribute(out, "error.type", json_get(error->data, "exception_type"));
	else
		text_attribute(out, "error.type", "incomplete");
	json_close(out, ']');
	put_retries(out, chat);
	if (chat->end == NULL)
		put_error_status(out,
				 error != NULL ? json_get(error->data, "error") : (struct span){0});
	json_close(out, '}');
}

static void put_chats(struct buffer *out, const struct trace *trace, const struct result *result)
{
	const struct kept *kept = result->kept.at, *end = kept + result->kept.count;
	struct chat chat = {0};

	for (; kept < end; kept++) {
		bool begins = kept->type == EVENT_LLM_START && chat.first != NULL &&
			      json_int(json_get(kept->data, "iteration"), 0) !=
				  json_int(json_get(chat.first->data, "iteration"), 0);

		if (begins) { /* the one before never came to its end */
			chat.last = kept;
			chat.end_time = kept->time;
			put_chat(out, trace, result, &chat);
			chat = (struct chat){.index = chat.index + 1};
		}
		if (chat.first == NULL && kept->type != EVENT_LLM_RETRY)
			chat.first = kept;
		if (kept->type == EVENT_LLM_END) {
			chat.last = chat.end = kept;
			chat.end_time = kept->time;
			put_chat(out, trace, result, &chat);
			chat = (struct chat){.index = chat.index + 1};
		}
	}
	if (chat.first != NULL) {
		chat.last = end;
		chat.end_time = result->last_time;
		put_chat(out, trace, result, &chat);
	}
}

static void put_call(struct buffer *out, const struct trace *trace, const struct result *result,
		     const struct tool_call *call)
{
	struct span name = json_get(call->start.data, "tool_name");
	bool failed = call->end.order == 0 || call_failed(call);
	char id[17];

	trace_call_id(id, result, call);
	begin_span(out,
		   &(struct span_head){trace->trace_id, id, trace->agent_id, "execute_tool", name,
				       KIND_INTERNAL, call->start.time,
				       call->end.order != 0 ? call->end.time : result->last_time});
	string_attribute(out, "gen_ai.tool.name", name);
	string_attribute(out, "gen_ai.tool.call.id", json_get(call->start.data, "tool_call_id"));
	text_attribute(out, "gen_ai.tool.type",
		       event_is_hosted(call->start.data) ? "extension" : "function");
	if (failed)
		text_attribute(out, "error.type",
			       call->end.order != 0 ? "tool_error" : "incomplete");
	json_close(out, ']');
	if (failed)
		put_error_status(out, json_get(call->end.data, "result"));
	json_close(out, '}');
}

/* ---- the document ---- */

static void begin_document(struct collection *collection)
{
	struct buffer *out = &collection->output.pending;
	const char *service = getenv("OTEL_SERVICE_NAME");

	collection->providers = providers_new();
	buffer_add_text(out, "{\"resourceSpans\":[{\"resource\":{\"attributes\":[");
	text_attribute(out, "service.name",
		       service != NULL && service[0] != '\0' ? service : "agent-run");
	buffer_add_text(out,
			"]},\"scopeSpans\":[{\"scope\":{\"name\":\"agent-collect\",\"version\":"
			"\"" VERSION "\"},\"spans\":[");
}

static void write_spans(struct collection *collection, const struct result *result)
{
	struct buffer *out = &collection->output.pending;
	struct trace trace;

	trace_of(collection, result, &trace);
	trace.provider = otel_name(collection->providers, result_start(result, "provider"));
	if (collection->first_done)
		buffer_add_char(out, ',');
	collection->first_done = true;
	put_agent(out, &trace, result);
	put_chats(out, &trace, result);
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
	      .errors = true,
	      .types = EVENT_BIT(EVENT_LLM_START) | EVENT_BIT(EVENT_LLM_RETRY) |
		       EVENT_BIT(EVENT_LLM_END)},
    .is_json = true,
    .begin = begin_document,
    .result = write_spans,
    .end = end_document,
};

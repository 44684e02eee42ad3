/*
 * One self-contained page: share/agent/report.html with the runs put in as data.
 *
 * A run is a <script type="application/json"> that the page's own script reads, in which no byte
 * can end the element, and a <noscript> with the essentials. JSON from a model or a tool is carried
 * as text, so that the page shows it digit for digit.
 */
#include "collect.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/utf8.h"
#include "event/terminal.h"

/* Where the template takes the runs. */
#define PLACE_FOR_RUNS "<!-- runs -->"

/* Texts beyond this make a page that no browser scrolls; the log has all of them. */
enum { MAX_TEXT = 1024 * 1024 };

/* ---- data ---- */

static void put_time(struct buffer *out, const char *key, int64_t time)
{
	if (time >= 0)
		json_put_int(out, key, time);
	else
		json_put_null(out, key);
}

static struct span cut(struct span text)
{
	if (text.len > MAX_TEXT) {
		text.len = MAX_TEXT;
		text.len -= utf8_incomplete_tail(text);
	}
	return text;
}

/* A JSON string as it is, unless it is very long; null for anything else. */
static void put_text(struct buffer *out, const char *key, struct span json)
{
	struct buffer text = {0};

	if (json_type(json) != JSON_STRING) {
		json_put_null(out, key);
	} else if (json.len <= MAX_TEXT) {
		json_put_raw(out, key, json);
	} else {
		json_decode(json, &text);
		json_put_string(out, key, cut(buffer_span(&text)));
		json_put_int(out, "cut", (int64_t)(text.len - cut(buffer_span(&text)).len));
		buffer_free(&text);
	}
}

/* Any JSON as text. */
static void put_source(struct buffer *out, const char *key, struct span json)
{
	if (json.at != NULL)
		json_put_string(out, key, cut(json));
	else
		json_put_null(out, key);
}

static void put_parts(struct buffer *out, struct span message)
{
	struct json_walk walk = json_walk(json_get(message, "content"));

	json_key(out, "parts");
	json_open(out, '[');
	while (json_next(&walk)) {
		struct span type = json_get(walk.value, "type");

		json_open(out, '{');
		json_put_raw(out, "type", type);
		if (json_is(type, "tool_call")) {
			json_put_raw(out, "id", json_get(walk.value, "tool_call_id"));
			json_put_raw(out, "name", json_get(walk.value, "tool_name"));
			put_source(out, "args", json_get(walk.value, "args"));
		} else if (json_is(type, "text") || json_is(type, "thinking")) {
			put_text(out, "text", json_get(walk.value, "text"));
		} else {
			put_source(out, "source", walk.value);
		}
		json_close(out, '}');
	}
	json_close(out, ']');
}

static void put_usage(struct buffer *out, struct span usage)
{
	for (int i = 0; i < USAGE_KEYS; i++) {
		struct span count = json_get(usage, usage_names[i]);

		if (json_type(count) == JSON_NUMBER)
			json_put_raw(out, usage_names[i], count);
	}
}

/* A response of the model, from `first` (llm_start, or llm_end where there is no start). */
static void put_request(struct buffer *out, const struct kept *first, const struct kept *end,
			int64_t end_time, struct span total_cost)
{
	struct span data = end != NULL ? end->data : (struct span){0};

	json_open(out, '{');
	json_put_text(out, "kind", "request");
	json_put_int(out, "order", (int64_t)first->order);
	if (end != NULL)
		json_put_int(out, "said", (int64_t)end->order);
	put_time(out, "start", first->time);
	put_time(out, "end", end_time);
	json_put_bool(out, "complete", end != NULL);
	json_put_raw(out, "iteration", json_get(first->data, "iteration"));
	json_put_raw(out, "model", json_get(end != NULL ? data : first->data, "model"));
	json_put_raw(out, "finish_reason", json_get(data, "finish_reason"));
	json_put_raw(out, "seconds", json_get(data, "duration_seconds"));
	json_put_raw(out, "first_chunk", json_get(data, "time_to_first_chunk_seconds"));
	json_put_raw(out, "total_cost", total_cost);
	put_usage(out, json_get(data, "usage"));
	put_parts(out, json_get(data, "message"));
	json_close(out, '}');
}

static void put_note(struct buffer *out, const struct kept *kept)
{
	static const char *const keys[] = {
	    "error",          "exception_type", "fatal",        "http_status", "attempt",
	    "wait_seconds",   "reason",         "discard",      "model",       "agent_name",
	    "previous_agent", "tool_name",      "tool_call_id", "decision",    "by",
	};

	json_open(out, '{');
	json_put_text(out, "kind", event_type_name(kept->type));
	json_put_int(out, "order", (int64_t)kept->order);
	put_time(out, "start", kept->time);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct span value = json_get(kept->data, keys[i]);
		enum json_type type = json_type(value);

		if (type == JSON_STRING)
			put_text(out, keys[i], value);
		else if (type == JSON_NUMBER || type == JSON_BOOL)
			json_put_raw(out, keys[i], value);
	}
	json_close(out, '}');
}

static void put_call(struct buffer *out, const struct tool_call *call, const struct result *result)
{
	bool ended = call->end.order != 0;

	json_open(out, '{');
	json_put_text(out, "kind", "tool");
	json_put_int(out, "order", (int64_t)call->start.order);
	put_time(out, "start", call->start.time);
	put_time(out, "end", ended ? call->end.time : result->last_time);
	json_put_bool(out, "complete", ended);
	json_put_raw(out, "id", json_get(call->start.data, "tool_call_id"));
	json_put_raw(out, "name", json_get(call->start.data, "tool_name"));
	put_source(out, "args", json_get(call->start.data, "args"));
	put_text(out, "result", json_get(call->end.data, "result"));
	json_put_bool(out, "is_error", call_failed(call));
	write_seconds(out, "seconds", call_duration(call));
	if (call->iteration > 0)
		json_put_int(out, "iteration", call->iteration);
	json_close(out, '}');
}

/* The total cost that the first progress event after `kept` tells; absent when another response
 * comes before it. */
static struct span cost_after(const struct kept *kept, const struct kept *end)
{
	for (; kept < end && kept->type != EVENT_LLM_START && kept->type != EVENT_LLM_END; kept++)
		if (kept->type == EVENT_PROGRESS)
			return json_get(kept->data, "total_cost_usd");
	return (struct span){0};
}

static void put_items(struct buffer *out, const struct result *result)
{
	const struct kept *kept = result->kept.at, *end = kept + result->kept.count;
	const struct kept *first = NULL; /* of the response that is open */

	for (; kept < end; kept++) {
		switch (kept->type) {
		case EVENT_LLM_START:
			if (first == NULL)
				first = kept;
			break;
		case EVENT_LLM_END:
			put_request(out, first != NULL ? first : kept, kept, kept->time,
				    cost_after(kept + 1, end));
			first = NULL;
			break;
		case EVENT_PROGRESS:
			break;
		default:
			put_note(out, kept);
		}
	}
	if (first != NULL)
		put_request(out, first, NULL, result->last_time, (struct span){0});
	for (size_t i = 0; i < result->calls.count; i++)
		put_call(out, result->calls.at[i], result);
}

/* What went with the prompt: of each thing what it is, and not the thing itself. */
static void put_attachments(struct buffer *out, struct span attachments)
{
	struct json_walk walk = json_walk(attachments);

	json_key(out, "attachments");
	json_open(out, '[');
	while (json_type(attachments) == JSON_ARRAY && json_next(&walk)) {
		json_open(out, '{');
		put_text(out, "type", json_get(walk.value, "type"));
		put_text(out, "name", json_get(walk.value, "name"));
		put_text(out, "media_type", json_get(walk.value, "media_type"));
		put_text(out, "text", json_get(walk.value, "text"));
		json_close(out, '}');
	}
	json_close(out, ']');
}

static void put_facts(struct buffer *out, const struct result *result, struct span status)
{
	json_put_text(out, "run_id", result->run->id);
	json_put_text(out, "parent_run_id", result->run->parent_id);
	put_text(out, "agent_name", result->agent_name);
	put_text(out, "model", result->model);
	put_text(out, "provider", result_start(result, "provider"));
	json_put_bool(out, "success", result_success(result));
	json_put_string(out, "status", status);
	json_put_bool(out, "complete", result_complete(result));
	put_text(out, "finish_reason", result_end(result, "finish_reason"));
	put_time(out, "start", result->first_time);
	put_time(out, "end", result->last_time);
	json_put_text(out, "started", result->started);
	write_seconds(out, "seconds", result_duration(result));
	write_seconds(out, "first_chunk", result_first_chunk(result));
	json_put_raw(out, "total_cost", result_cost(result));
	json_put_int(out, "iterations", result_iterations(result));
	json_put_int(out, "requests", result_requests(result));
	json_put_int(out, "tool_calls", result_tool_calls(result));
	json_put_int(out, "tool_errors", result->calls_failed);
	for (int i = 0; i < USAGE_KEYS; i++)
		if (result_tokens(result, (enum usage_key)i) >= 0)
			json_put_int(out, usage_names[i], result_tokens(result, (enum usage_key)i));
	put_text(out, "system", result_start(result, "system"));
	put_text(out, "prompt", result_start(result, "prompt"));
	put_attachments(out, result_start(result, "attachments"));
	put_source(out, "tools", result_start(result, "tools"));
	put_source(out, "output_json", result_end(result, "output_json"));
}

static void put_run(struct buffer *out, const struct result *result)
{
	struct buffer scratch = {0}, text = {0};

	json_open(out, '{');
	put_facts(out, result, result_status(result, &scratch));
	if (result_output(result, &text))
		json_put_string(out, "output", cut(buffer_span(&text)));
	json_key(out, "items");
	json_open(out, '[');
	put_items(out, result);
	json_close(out, ']');
	json_close(out, '}');
	buffer_free(&scratch);
	buffer_free(&text);
}

/* ---- the page ---- */

/* JSON in which no byte means anything to HTML: what could is in strings, where an escape stands
 * for it as well. */
static void put_script_data(struct buffer *out, struct span json)
{
	struct buffer safe = {0};

	terminal_add_json(&safe, json);
	for (size_t i = 0; i < safe.len; i++) {
		char c = safe.at[i];

		if (c == '<' || c == '>' || c == '&')
			buffer_add_format(out, "\\u%04x", c);
		else
			buffer_add_char(out, c);
	}
	buffer_free(&safe);
}

/* Text with its markup escaped, and what could turn the direction of others' text made visible. */
static void put_html(struct buffer *out, struct span text)
{
	struct buffer shown = {0};

	terminal_add(&shown, text);
	for (size_t i = 0; i < shown.len; i++) {
		char c = shown.at[i];

		if (c == '<' || c == '>' || c == '&' || c == '"' || c == '\'')
			buffer_add_format(out, "&#%d;", c);
		else
			buffer_add_char(out, c);
	}
	buffer_free(&shown);
}

static void put_noscript(struct buffer *out, const struct result *result)
{
	struct buffer text = {0};

	buffer_add_text(out, "<noscript><section class=\"run plain\"><h2>");
	if (json_decode(result->agent_name, &text))
		put_html(out, buffer_span(&text));
	buffer_add_text(out, ": ");
	put_html(out, result_status(result, &text));
	buffer_add_text(out, "</h2><p>");
	buffer_clear(&text);
	if (json_decode(result->model, &text))
		put_html(out, buffer_span(&text));
	buffer_add_text(out, ", ");
	write_duration(out, result_duration(result));
	buffer_add_text(out, ", cost ");
	write_cost(out, result_cost(result));
	buffer_add_format(out,
			  ", %lld tool calls. The conversation and its time line need "
			  "JavaScript.</p><pre>",
			  (long long)result_tool_calls(result));
	buffer_clear(&text);
	if (result_output(result, &text))
		put_html(out, cut(buffer_span(&text)));
	buffer_add_text(out, "</pre></section></noscript>\n");
	buffer_free(&text);
}

/* The template, split where the runs go. */
static void load_template(struct buffer *text, struct span *before, struct span *after)
{
	char *path = share_path("report.html");
	struct error e = {0};
	const char *place;

	if (!file_read(path, text, &e))
		die(STATUS_USAGE, "%s (set AGENT_SHARE to the folder of this installation's data)",
		    e.message);
	place = strstr(buffer_string(text), PLACE_FOR_RUNS);
	if (place != NULL) {
		*before = (struct span){text->at, (size_t)(place - text->at)};
		*after = span_from(buffer_span(text), before->len + strlen(PLACE_FOR_RUNS));
	} else {
		die(STATUS_USAGE, "%s: has no line %s", path, PLACE_FOR_RUNS);
	}
	free(path);
}

static void begin_page(struct collection *collection)
{
	struct buffer text = {0};
	struct span before, after;

	load_template(&text, &before, &after);
	buffer_add_span(&collection->output.pending, before);
	buffer_free(&text);
}

static void write_run(struct collection *collection, const struct result *result)
{
	struct buffer *out = &collection->output.pending;
	struct buffer json = {0};

	put_noscript(out, result);
	put_run(&json, result);
	buffer_add_text(out, "<script type=\"application/json\" class=\"run-data\">");
	put_script_data(out, buffer_span(&json));
	buffer_add_text(out, "</script>\n");
	buffer_free(&json);
}

static void write_total(struct collection *collection, const struct total *total)
{
	struct buffer *out = &collection->output.pending;
	struct buffer json = {0};

	total_write(total, &json);
	buffer_add_text(out, "<script type=\"application/json\" id=\"total-data\">");
	buffer_add_span(out, buffer_span(&json));
	buffer_add_text(out, "</script>\n");
	buffer_free(&json);
}

static void end_page(struct collection *collection)
{
	struct buffer text = {0};
	struct span before, after;

	load_template(&text, &before, &after);
	buffer_add_span(&collection->output.pending, after);
	buffer_free(&text);
}

const struct format format_html = {
    .name = "html",
    .wants = {.calls = true,
	      .types = EVENT_BIT(EVENT_LLM_START) | EVENT_BIT(EVENT_LLM_END) |
		       EVENT_BIT(EVENT_LLM_RETRY) | EVENT_BIT(EVENT_PROGRESS) |
		       EVENT_BIT(EVENT_ERROR) | EVENT_BIT(EVENT_AGENT_UPDATED) |
		       EVENT_BIT(EVENT_TOOL_APPROVAL)},
    .begin = begin_page,
    .result = write_run,
    .total = write_total,
    .end = end_page,
};

/*
 * One self-contained page: share/agent/report.html with the runs put in as data.
 *
 * A run is a <script type="application/json"> that the page's own script reads, and a <noscript>
 * with the essentials. No byte of the data can end the script element. JSON from a model or a tool
 * is a string in the data, so that the page shows it digit for digit.
 */
#include "base/number.h"
#include "collect.h"

#include <stdlib.h>

#include "base/file.h"
#include "event/terminal.h"

/* The place of the runs in the template. */
#define PLACE_FOR_RUNS "<!-- runs -->"

/* Longer texts are cut: no browser scrolls such a page. The log has the whole text. */
enum { MAX_TEXT = 1024 * 1024 };

/* Events that are shown as parts of a response. */
static const event_set of_responses =
    EVENT_BIT(EVENT_LLM_START) | EVENT_BIT(EVENT_LLM_END) | EVENT_BIT(EVENT_PROGRESS);

/* ---- data ---- */

/* A JSON string as it is, unless it is very long; null for anything else. */
static void put_text(struct buffer *out, const char *key, struct span json)
{
	struct buffer text = {0};
	struct span shown;

	if (json_type(json) != JSON_STRING || json.len <= MAX_TEXT) {
		json_put_raw(out, key, json_type(json) == JSON_STRING ? json : (struct span){0});
		return;
	}
	json_decode(json, &text);
	shown = cut_text(buffer_span(&text), MAX_TEXT);
	json_pack(out, "%t:%s,'cut':%d", key, shown, (int64_t)(text.len - shown.len));
	buffer_free(&text);
}

/* Any JSON as text. */
static void put_source(struct buffer *out, const char *key, struct span json)
{
	json_pack(out, "%t:%S", key, cut_text(json, MAX_TEXT));
}

static void put_parts(struct buffer *out, struct span message)
{
	json_pack(out, "'parts':[");
	for (struct json_walk walk = json_walk(json_get(message, "content")); json_next(&walk);) {
		struct span part = walk.value, type = json_get(part, "type");

		json_pack(out, "{'type':%J", type);
		if (json_is(type, "tool_call")) {
			json_pack(out, "'id':%J,'name':%J", json_get(part, "tool_call_id"),
				  json_get(part, "tool_name"));
			put_source(out, "args", json_get(part, "args"));
		} else if (json_is(type, "text") || json_is(type, "thinking")) {
			put_text(out, "text", json_get(part, "text"));
		} else {
			put_source(out, "source", part);
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

/* The total cost in the first progress event after a response; absent if another response comes
 * first. */
static struct span cost_after(const struct result *result, const struct result_response *response)
{
	const struct kept *next = NULL;

	if (response->end != NULL)
		next = result_next(result, response->end, of_responses);
	return next != NULL && next->type == EVENT_PROGRESS ? json_get(next->data, "total_cost_usd")
							    : (struct span){0};
}

static void put_request(struct buffer *out, const struct result *result,
			const struct result_response *response)
{
	const struct kept *first = response->first, *end = response->end;
	struct span data = end != NULL ? end->data : (struct span){0};

	json_pack(out, "{'kind':'request','order':%d,'said':%u,'start':%U,'end':%U,'complete':%b",
		  (int64_t)first->order, end != NULL ? (int64_t)end->order : -1, first->time,
		  response->end_time, end != NULL);
	json_pack(out, "'iteration':%J,'model':%J,'finish_reason':%J,'seconds':%J",
		  json_get(first->data, "iteration"),
		  json_get(end != NULL ? data : first->data, "model"),
		  json_get(data, "finish_reason"), json_get(data, "duration_seconds"));
	json_pack(out, "'first_chunk':%J,'total_cost':%J",
		  json_get(data, "time_to_first_chunk_seconds"), cost_after(result, response));
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

	json_pack(out, "{'kind':%t,'order':%d,'start':%U", event_type_name(kept->type),
		  (int64_t)kept->order, kept->time);
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

static void put_call(struct buffer *out, const struct result_call *call,
		     const struct result *result)
{
	bool ended = call->end.order != 0;

	json_pack(out,
		  "{'kind':'tool','order':%d,'start':%U,'end':%U,'complete':%b,'id':%J,"
		  "'name':%J",
		  (int64_t)call->start.order, call->start.time,
		  ended ? call->end.time : result->last_time, ended, call->id, call->name);
	put_source(out, "args", call->args);
	put_text(out, "result", call->result);
	json_pack(out, "'is_error':%b,'seconds':%G,'iteration':%u}", call->failed,
		  call->seconds.value, call->iteration > 0 ? call->iteration : -1);
}

/* The notes among the kept events up to `last`, not included. */
static void put_notes(struct buffer *out, const struct kept *kept, const struct kept *last)
{
	for (; kept < last; kept++)
		if (!event_set_has(of_responses, kept->type))
			put_note(out, kept);
}

static void put_items(struct buffer *out, const struct result *result)
{
	const struct kept *kept = result->kept.at;
	struct result_response response = {0};

	while (result_next_response(result, &response)) {
		put_notes(out, kept, response.after);
		put_request(out, result, &response);
		kept = response.after;
	}
	put_notes(out, kept, result->kept.at + result->kept.count);
	for (size_t i = 0; i < result->calls.count; i++)
		put_call(out, result->calls.at[i], result);
}

/* The attachments of the prompt, without the contents of images and files. */
static void put_attachments(struct buffer *out, struct span attachments)
{
	static const char *const keys[] = {"type", "name", "media_type", "text"};
	struct json_walk walk = json_walk(attachments);

	json_pack(out, "'attachments':[");
	while (json_type(attachments) == JSON_ARRAY && json_next(&walk)) {
		json_open(out, '{');
		for (size_t i = 0; i < ARRAY_LEN(keys); i++)
			put_text(out, keys[i], json_get(walk.value, keys[i]));
		json_close(out, '}');
	}
	json_close(out, ']');
}

static void put_facts(struct buffer *out, const struct result *result)
{
	const struct facts *facts = &result->facts;

	json_pack(out, "'run_id':%t,'parent_run_id':%T", result->run->id, result->run->parent_id);
	put_text(out, "id", result_start(result, START_ID));
	put_text(out, "agent_name", result->agent_name);
	put_text(out, "model", result->model);
	put_text(out, "provider", result_start(result, START_PROVIDER));
	json_pack(out, "'success':%b,'status':%s,'complete':%b", result->success,
		  buffer_span(&result->status), result->complete);
	put_text(out, "finish_reason", result_end(result, END_FINISH_REASON));
	json_pack(out,
		  "'start':%U,'end':%U,'started':%T,'seconds':%G,'first_chunk':%G,'total_cost':%J",
		  result->first_time, result->last_time, result->started, facts->seconds.value,
		  facts->first_chunk.value, facts->cost.json);
	for (int i = 0; i < COUNTS; i++)
		json_pack(out, "%t:%u", count_names[i], facts->counts[i]);
	put_text(out, "system", result_start(result, START_SYSTEM));
	put_text(out, "prompt", result_start(result, START_PROMPT));
	put_attachments(out, result_start(result, START_ATTACHMENTS));
	put_source(out, "tools", result_start(result, START_TOOLS));
	put_source(out, "output_json", result_end(result, END_OUTPUT_JSON));
}

static void put_run(struct buffer *out, const struct result *result)
{
	struct buffer text = {0};

	json_open(out, '{');
	put_facts(out, result);
	if (result_output(result, &text))
		json_put_string(out, "output", cut_text(buffer_span(&text), MAX_TEXT));
	json_pack(out, "'items':[");
	put_items(out, result);
	json_pack(out, "]}");
	buffer_free(&text);
}

/* ---- the page ---- */

/* Write JSON without a byte that means something to HTML: such bytes occur in strings only, where
 * they are escaped. */
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

static void put_noscript(struct buffer *out, const struct result *result)
{
	int64_t calls = result->facts.counts[COUNT_TOOL_CALLS];
	struct buffer text = {0};

	buffer_add_text(out, "<noscript><section class=\"run plain\"><h2>");
	write_html(out, json_string_text(result->agent_name, &text));
	if (result_start(result, START_ID).at != NULL)
		buffer_add_text(out, ": ");
	write_html(out, json_string_text(result_start(result, START_ID), &text));
	buffer_add_text(out, ": ");
	write_html(out, buffer_span(&result->status));
	buffer_add_text(out, "</h2><p>");
	write_html(out, json_string_text(result->model, &text));
	buffer_add_text(out, ", ");
	write_duration(out, result->facts.seconds.value);
	buffer_add_text(out, ", cost ");
	write_cost(out, result->facts.cost.value);
	buffer_add_format(out,
			  ", %lld tool call%s. The conversation and its time line need "
			  "JavaScript.</p><pre>",
			  (long long)calls, plural((double)calls));
	buffer_clear(&text);
	if (result_output(result, &text))
		write_html(out, cut_text(buffer_span(&text), MAX_TEXT));
	buffer_add_text(out, "</pre></section></noscript>\n");
	buffer_free(&text);
}

/* Write the part of the template before or behind the place where the runs go. */
static void write_template(struct collection *collection, bool before)
{
	char *path = share_path("report.html");
	struct buffer text = {0};
	struct error e = {0};
	const char *place;

	if (!file_read(path, &text, &e))
		die(STATUS_USAGE, "%s (set AGENT_SHARE to the folder of this installation's data)",
		    e.message);
	place = strstr(buffer_string(&text), PLACE_FOR_RUNS);
	if (place == NULL)
		die(STATUS_USAGE, "%s: has no line %s", path, PLACE_FOR_RUNS);
	if (before)
		buffer_add(&collection->output.pending, text.at, (size_t)(place - text.at));
	else
		buffer_add_text(&collection->output.pending, place + strlen(PLACE_FOR_RUNS));
	buffer_free(&text);
	free(path);
}

static void begin_page(struct collection *collection)
{
	write_template(collection, true);
}

static void end_page(struct collection *collection)
{
	write_template(collection, false);
}

static void put_script(struct buffer *out, const char *attributes, struct span json)
{
	buffer_add_format(out, "<script type=\"application/json\" %s>", attributes);
	put_script_data(out, json);
	buffer_add_text(out, "</script>\n");
}

static void write_run(struct collection *collection, const struct result *result)
{
	struct buffer json = {0};

	put_noscript(&collection->output.pending, result);
	put_run(&json, result);
	put_script(&collection->output.pending, "class=\"run-data\"", buffer_span(&json));
	buffer_free(&json);
}

static void write_total(struct collection *collection, const struct total *total)
{
	struct buffer json = {0};

	total_write(total, &json);
	put_script(&collection->output.pending, "id=\"total-data\"", buffer_span(&json));
	buffer_free(&json);
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

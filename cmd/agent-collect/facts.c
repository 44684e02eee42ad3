/* The facts of a result: as agent_end has them, else computed from the events. */
#include "collect.h"

#include <math.h>
#include <stdio.h>

#include "base/utf8.h"
#include "event/terminal.h"

const char *const count_names[COUNTS] = {
    "iterations",       "tool_calls",    "tool_errors",         "errors",
    "input_tokens",     "output_tokens", "cached_input_tokens", "cache_write_tokens",
    "reasoning_tokens", "requests",
};

static struct span present(struct span value)
{
	return json_type(value) != JSON_NULL ? value : (struct span){0};
}

struct span result_start(const struct result *result, enum start_key key)
{
	return present(result->start_values[key]);
}

struct span result_end(const struct result *result, enum end_key key)
{
	return present(result->end_values[key]);
}

struct span result_last_error(const struct result *result)
{
	const struct kept *kept = NULL;
	struct span data = {0};

	while ((kept = result_next(result, kept, EVENT_BIT(EVENT_ERROR))) != NULL)
		data = kept->data;
	return data;
}

bool result_output(const struct result *result, struct buffer *out)
{
	struct span output = result->end_values[END_OUTPUT];

	if (json_decode(output, out))
		return true;
	if (json_type(output) == JSON_NULL)
		return false;
	if (output.at == NULL)
		output = buffer_span(&result->response);
	buffer_add_span(out, output); /* if it is not text: as it is */
	return output.len > 0;
}

double seconds_between(int64_t from, int64_t to)
{
	return from >= 0 && to >= from ? (double)(to - from) / 1e6 : -1;
}

/* ---- numbers ---- */

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

void usage_counts(struct span usage, int64_t counts[USAGE_KEYS])
{
	for (int i = 0; i < USAGE_KEYS; i++)
		counts[i] = json_int(json_get(usage, usage_names[i]), -1);
}

static void settle_counts(struct result *result)
{
	int64_t *counts = result->facts.counts;
	struct span usage = result_end(result, END_USAGE);

	counts[COUNT_ITERATIONS] = json_int(result_end(result, END_ITERATIONS),
					    larger(result->iteration, result->responses));
	counts[COUNT_TOOL_CALLS] =
	    json_int(result_end(result, END_TOOL_CALLS), result->calls_started);
	counts[COUNT_TOOL_ERRORS] = result->calls_failed;
	counts[COUNT_ERRORS] = result->errors;
	memcpy(&counts[COUNT_TOKENS], result->usage, sizeof(result->usage));
	if (json_type(usage) == JSON_OBJECT)
		usage_counts(usage, &counts[COUNT_TOKENS]);
	counts[COUNT_REQUESTS] =
	    json_int(json_get(usage, "requests"), larger(result->requests, result->responses));
}

/* Whether the run has used no tokens: it received no response, not even the beginning of one. */
static bool used_nothing(const struct result *result)
{
	const int64_t *counts = &result->facts.counts[COUNT_TOKENS];
	struct span requests = json_get(result_end(result, END_USAGE), "requests");

	if (result->event_counts[EVENT_LLM_CHUNK] + result->event_counts[EVENT_THINKING_CHUNK] +
		result->event_counts[EVENT_TOOL_CALL_START] >
	    0)
		return false;
	if (!result->complete)
		return result->event_counts[EVENT_LLM_START] == 0 && result->responses == 0;
	return json_int(requests, -1) == 0 ||
	       (counts[USAGE_INPUT] == 0 && counts[USAGE_OUTPUT] == 0);
}

struct amount amount_of(struct span json, double computed)
{
	return (struct amount){json_double(json, computed),
			       json_type(json) == JSON_NUMBER ? json : (struct span){0}};
}

static void settle_status(struct result *result)
{
	struct span success = result_end(result, END_SUCCESS);

	result->complete = result->end.order != 0;
	result->success = json_type(success) == JSON_BOOL
			      ? json_true(success)
			      : result->complete && result->run->exit_status == STATUS_OK;
	buffer_clear(&result->status);
	if (!result->complete)
		buffer_add_text(&result->status, "incomplete");
	else if (!json_decode(result_end(result, END_STATUS), &result->status))
		buffer_add_text(&result->status, result->success ? "success" : "error");
}

void result_settle(struct result *result)
{
	struct span cost = result->end_values[END_COST];

	result_settle_time(result);
	settle_status(result);
	settle_counts(result);
	result->facts.cost =
	    amount_of(cost.at != NULL ? cost : result->cost, used_nothing(result) ? 0 : -1);
	result->facts.seconds = amount_of(result_end(result, END_SECONDS),
					  seconds_between(result->piece_time, result->last_time));
	if (result->earlier_seconds > 0)
		result->facts.seconds = (struct amount){
		    .value = result->earlier_seconds + fmax(result->facts.seconds.value, 0)};
	result->facts.first_chunk =
	    amount_of(result_end(result, END_FIRST_CHUNK),
		      seconds_between(result->first_time, result->first_chunk_time));
}

struct span amount_json(const struct amount *amount, struct buffer *scratch)
{
	if (amount->json.at != NULL || !(amount->value >= 0))
		return amount->json;
	buffer_clear(scratch);
	json_write_double(scratch, amount->value);
	return buffer_span(scratch);
}

/* ---- for people ---- */

void write_count(struct buffer *out, int64_t count)
{
	char digits[32];
	int len = snprintf(digits, sizeof(digits), "%lld", (long long)count);

	for (int i = 0; i < len; i++) {
		buffer_add_char(out, digits[i]);
		if (i < len - 1 && digits[i] != '-' && (len - 1 - i) % 3 == 0)
			buffer_add_char(out, ',');
	}
}

void write_cost(struct buffer *out, double usd)
{
	if (!(usd >= 0))
		buffer_add_text(out, "unknown");
	else if (usd >= 0.01 || usd == 0)
		buffer_add_format(out, "$%.2f", usd);
	else
		buffer_add_format(out, usd >= 0.0001 ? "$%.3g" : "$%.8f", usd);
}

void write_duration(struct buffer *out, double seconds)
{
	int64_t whole;

	if (!(seconds >= 0) || seconds > 1e15) {
		buffer_add_text(out, "unknown");
	} else if (seconds < 0.9995) {
		buffer_add_format(out, "%.0f ms", seconds * 1000);
	} else if (seconds < 59.995) {
		buffer_add_format(out, "%.2f s", seconds);
	} else {
		whole = (int64_t)(seconds + 0.5);
		if (whole >= 3600)
			buffer_add_format(out, "%lld h ", (long long)(whole / 3600));
		buffer_add_format(out, "%lld min %02lld s", (long long)(whole / 60 % 60),
				  (long long)(whole % 60));
	}
}

struct span cut_text(struct span text, size_t max)
{
	if (text.len > max) {
		text.len = max;
		text.len -= utf8_incomplete_tail(text);
	}
	return text;
}

void write_html(struct buffer *out, struct span text)
{
	struct buffer shown = {0};

	terminal_add(&shown, text);
	for (size_t i = 0; i < shown.len; i++) {
		if (shown.at[i] != '\0' && strchr("<>&\"'", shown.at[i]) != NULL)
			buffer_add_format(out, "&#%d;", shown.at[i]);
		else
			buffer_add_char(out, shown.at[i]);
	}
	buffer_free(&shown);
}

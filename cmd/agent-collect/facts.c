/* What a result says, whether the run told it or it has to be found out. */
#include "collect.h"

#include <stdio.h>

static struct span present(struct span value)
{
	return json_type(value) != JSON_NULL ? value : (struct span){0};
}

bool result_complete(const struct result *result)
{
	return result->end.order != 0;
}

struct span result_end(const struct result *result, const char *key)
{
	return present(json_get(result->end.data, key));
}

struct span result_start(const struct result *result, const char *key)
{
	return present(json_get(result->start.data, key));
}

bool result_success(const struct result *result)
{
	struct span success = result_end(result, "success");

	if (json_type(success) == JSON_BOOL)
		return json_true(success);
	return result_complete(result) && result->run->exit_status == STATUS_OK;
}

struct span result_status(const struct result *result, struct buffer *scratch)
{
	if (!result_complete(result))
		return SPAN("incomplete");
	buffer_clear(scratch);
	if (json_decode(result_end(result, "status"), scratch))
		return buffer_span(scratch);
	return result_success(result) ? SPAN("success") : SPAN("error");
}

bool result_output(const struct result *result, struct buffer *out)
{
	struct span output = json_get(result->end.data, "output");

	if (json_decode(output, out))
		return true;
	if (output.at != NULL && json_type(output) == JSON_NULL)
		return false;
	if (output.at != NULL) /* not text: as it is */
		buffer_add_span(out, output);
	else
		buffer_add_span(out, buffer_span(&result->answer));
	return output.at != NULL || result->answer.len > 0;
}

struct span result_cost(const struct result *result)
{
	struct span cost = json_get(result->end.data, "total_cost_usd");

	if (cost.at == NULL)
		cost = result->cost;
	return json_type(cost) == JSON_NUMBER ? cost : (struct span){0};
}

int64_t result_tokens(const struct result *result, enum usage_key key)
{
	struct span usage = result_end(result, "usage");

	return json_type(usage) == JSON_OBJECT ? json_int(json_get(usage, usage_names[key]), -1)
					       : result->usage[key];
}

int64_t result_requests(const struct result *result)
{
	int64_t counted =
	    result->requests > result->responses ? result->requests : result->responses;

	return json_int(json_get(result_end(result, "usage"), "requests"), counted);
}

int64_t result_iterations(const struct result *result)
{
	int64_t counted =
	    result->iteration > result->responses ? result->iteration : result->responses;

	return json_int(result_end(result, "total_iterations"), counted);
}

int64_t result_tool_calls(const struct result *result)
{
	return json_int(result_end(result, "tool_calls"), result->calls_started);
}

static double between(int64_t from, int64_t to)
{
	return from >= 0 && to >= from ? (double)(to - from) / 1e6 : -1;
}

double result_duration(const struct result *result)
{
	return json_double(result_end(result, "duration_seconds"),
			   between(result->first_time, result->last_time));
}

double result_first_chunk(const struct result *result)
{
	return json_double(result_end(result, "time_to_first_chunk_seconds"),
			   between(result->first_time, result->first_chunk_time));
}

double call_duration(const struct tool_call *call)
{
	if (call->end.order == 0)
		return -1;
	return json_double(call->duration, between(call->start.time, call->end.time));
}

bool call_failed(const struct tool_call *call)
{
	return json_true(call->is_error);
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

void write_cost(struct buffer *out, struct span cost)
{
	double usd = json_double(cost, -1);

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

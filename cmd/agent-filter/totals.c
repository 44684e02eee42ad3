#include "totals.h"

/* A longer answer is cut, because an event has at most EVENT_MAX_LINE bytes. */
enum { MAX_TEXT = EVENT_MAX_LINE / 2 };

/* ---- adding ---- */

static void clear_text(struct totals *t)
{
	buffer_clear(&t->text);
	t->is_over = t->is_cut = false;
}

static void add_text(struct totals *t, struct span string)
{
	if (json_type(string) != JSON_STRING)
		return;
	t->is_cut = t->is_cut || t->text.len + string.len > MAX_TEXT;
	if (!t->is_cut)
		buffer_add(&t->text, string.at + 1, string.len - 2);
}

static void note_iteration(struct totals *t, struct span data)
{
	int64_t iteration = json_int(json_get(data, "iteration"), 0);

	t->iterations = iteration > t->iterations ? iteration : t->iterations;
}

static void add_progress(struct totals *t, struct span data)
{
	struct span cost = json_get(data, "total_cost_usd");

	note_iteration(t, data);
	t->tokens = json_int(json_get(data, "total_tokens"), t->tokens);
	if (json_type(cost) == JSON_NUMBER) {
		buffer_clear(&t->cost);
		buffer_add_span(&t->cost, cost);
	}
}

static void add_response(struct totals *t, struct span data)
{
	struct span message = json_get(data, "message"), usage = json_get(data, "usage");

	note_iteration(t, data);
	for (int i = 0; i < USAGE_KEYS; i++)
		usage_add_count(&t->usage[i], json_int(json_get(usage, usage_names[i]), -1));
	if (t->is_over || t->text.len == 0) {
		clear_text(t);
		for (struct json_walk walk = json_walk(json_get(message, "content"));
		     json_next(&walk);)
			if (json_is(json_get(walk.value, "type"), "text"))
				add_text(t, json_get(walk.value, "text"));
	}
	t->is_over = true;
}

void totals_add(struct totals *t, struct span type, struct span data, int64_t time)
{
	if (t->first_time == 0) {
		t->first_time = time;
		for (int i = 0; i < USAGE_KEYS; i++)
			t->usage[i] = -1;
	}
	switch (event_type_find(json_plain(type))) {
	case EVENT_LLM_START:
		clear_text(t);
		break;
	case EVENT_LLM_RETRY:
		if (json_true(json_get(data, "discard")))
			clear_text(t);
		break;
	case EVENT_LLM_CHUNK:
		if (t->is_over)
			clear_text(t);
		add_text(t, json_get(data, "text"));
		break;
	case EVENT_LLM_END:
		add_response(t, data);
		break;
	case EVENT_PROGRESS:
		add_progress(t, data);
		break;
	case EVENT_TOOL_START:
		t->calls++;
		break;
	default:
		break;
	}
}

/* ---- completing ---- */

static void put_count(struct buffer *out, struct span value, int64_t known)
{
	if (known > 0)
		json_write_int(out, known);
	else
		json_write_line(out, value);
}

static void put_usage(const struct totals *t, struct span usage, struct buffer *out)
{
	json_open(out, '{');
	for (struct json_walk walk = json_walk(usage); json_next(&walk);) {
		int64_t known = -1;

		for (int i = 0; i < USAGE_KEYS; i++)
			if (json_is(walk.key, usage_names[i]) && json_type(walk.value) == JSON_NULL)
				known = t->usage[i];
		json_copy_key(out, walk.key);
		put_count(out, walk.value, known);
	}
	json_close(out, '}');
}

static void put_output(const struct totals *t, struct buffer *out)
{
	buffer_add_char(out, '"');
	buffer_add_span(out, buffer_span(&t->text));
	buffer_add_char(out, '"');
	if (t->is_cut)
		json_pack(out, "'output_truncated':%b,'output_in':%t", true, "llm_chunk");
}

static void put_member(const struct totals *t, struct span key, struct span value, int64_t time,
		       struct buffer *out)
{
	bool is_null = json_type(value) == JSON_NULL;

	json_copy_key(out, key);
	if (json_is(key, "output") && (is_null || json_is(value, "")) && t->text.len > 0)
		put_output(t, out);
	else if (json_is(key, "usage"))
		put_usage(t, value, out);
	else if (json_is(key, "total_cost_usd") && is_null && t->cost.len > 0)
		buffer_add_span(out, buffer_span(&t->cost));
	else if (json_is(key, "total_tokens") && is_null)
		put_count(out, value, t->tokens);
	else if (json_is(key, "total_iterations") && json_int(value, 0) < t->iterations)
		put_count(out, value, t->iterations);
	else if (json_is(key, "tool_calls") && json_int(value, 0) == 0)
		put_count(out, value, t->calls);
	else if (json_is(key, "duration_seconds") && is_null && time >= t->first_time)
		json_write_double(out, (double)(time - t->first_time) / 1e6);
	else
		json_write_line(out, value);
}

void totals_complete(const struct totals *t, struct span data, int64_t time, struct buffer *out)
{
	json_open(out, '{');
	for (struct json_walk walk = json_walk(data); json_next(&walk);)
		put_member(t, walk.key, walk.value, time, out);
	json_close(out, '}');
}

void totals_free(struct totals *t)
{
	buffer_free(&t->text);
	buffer_free(&t->cost);
}

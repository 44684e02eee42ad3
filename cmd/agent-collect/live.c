/*
 * The live line: what the run with the last event is doing, the sums over all runs, and the time.
 *
 * It is cleared before anything else is written to the screen, so that it never mixes with messages
 * or results.
 */
#include "collect.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/live_line.h"
#include "event/terminal.h"

#define TICK_NS INT64_C(1000000000)

struct collect_live {
	struct live_line line;
	int64_t event_at; /* of the last event */
	int64_t now;      /* log time in microseconds at event_at; -1: unknown */
	int64_t started;  /* of the first run */
	const struct runs *runs;
	const struct result *current; /* of the run with the last event; NULL: it has ended */
	enum event_type doing;
	double wait_seconds;
	struct buffer name; /* the tool that is being called, JSON */
	int64_t ended_tokens;
	double ended_cost;
};

struct collect_live *collect_live_new(void)
{
	struct collect_live *live = mem_zero(sizeof(*live));

	live_line_open(&live->line, STDERR_FILENO, NULL);
	live_line_clear_at_signals(&live->line);
	live->now = live->started = -1;
	return live;
}

static int64_t tokens_of(const struct result *result)
{
	int64_t in = result->facts.counts[COUNT_TOKENS + USAGE_INPUT],
		out = result->facts.counts[COUNT_TOKENS + USAGE_OUTPUT];

	return (in > 0 ? in : 0) + (out > 0 ? out : 0);
}

static double cost_of(const struct result *result)
{
	return result->facts.cost.value > 0 ? result->facts.cost.value : 0;
}

void collect_live_event(struct collect_live *live, const struct event *event,
			const struct result *result, const struct runs *runs)
{
	const event_set pieces = EVENT_BIT(EVENT_LLM_CHUNK) | EVENT_BIT(EVENT_THINKING_CHUNK) |
				 EVENT_BIT(EVENT_TOOL_CALL_CHUNK);
	const event_set silent = EVENT_BIT(EVENT_PROGRESS) | EVENT_BIT(EVENT_RAW) |
				 EVENT_BIT(EVENT_OTHER) | EVENT_BIT(EVENT_TOOL_CHUNK) |
				 EVENT_BIT(EVENT_OUTPUT_CHUNK);
	enum event_type type = event->type;

	live->runs = runs;
	live->current = result;
	live->event_at = clock_monotonic();
	live->now = result->last_time;
	if (live->started < 0 || result->first_time < live->started)
		live->started = result->first_time;
	if (type == live->doing && event_set_has(pieces, type))
		return;
	live->line.changed = true;
	if (type == EVENT_AGENT_END) {
		live->ended_tokens += tokens_of(result);
		live->ended_cost += cost_of(result);
		live->current = NULL;
	}
	if (type == EVENT_LLM_RETRY)
		live->wait_seconds = json_double(json_get(event->data, "wait_seconds"), 0);
	if (type == EVENT_TOOL_CALL_START) {
		buffer_clear(&live->name);
		buffer_add_span(&live->name, json_get(event->data, "tool_name"));
	}
	if (!event_set_has(silent, type))
		live->doing = type;
}

/* ---- the line ---- */

static void add_json(struct buffer *line, struct span json)
{
	struct buffer scratch = {0};

	terminal_add_line(line, json_string_text(json, &scratch));
	buffer_free(&scratch);
}

static void add_tools(struct buffer *line, const struct call_list *open)
{
	enum { SHOWN = 3 };

	buffer_add_text(line, "running ");
	for (size_t i = 0; i < open->count && i < SHOWN; i++) {
		if (i > 0)
			buffer_add_text(line, ", ");
		add_json(line, open->at[i]->name);
	}
	if (open->count > SHOWN)
		buffer_add_format(line, " and %zu more", open->count - SHOWN);
}

static void add_doing(const struct collect_live *live, struct buffer *line)
{
	const struct result *run = live->current;

	if (run != NULL && run->open.count > 0) {
		add_tools(line, &run->open);
		return;
	}
	switch (live->doing) {
	case EVENT_LLM_CHUNK:
		buffer_add_text(line, "answering");
		break;
	case EVENT_THINKING_CHUNK:
		buffer_add_text(line, "thinking");
		break;
	case EVENT_TOOL_CALL_START:
	case EVENT_TOOL_CALL_CHUNK:
		buffer_add_text(line, "calling ");
		add_json(line, buffer_span(&live->name));
		break;
	case EVENT_LLM_RETRY:
		buffer_add_format(line, "asking again in %.1f s", live->wait_seconds);
		break;
	case EVENT_AGENT_END:
		buffer_add_text(line, "ended");
		break;
	case EVENT_ERROR:
		buffer_add_text(line, "error");
		break;
	default:
		buffer_add_text(line, "waiting");
		if (run != NULL && json_type(run->model) == JSON_STRING) {
			buffer_add_text(line, " for ");
			add_json(line, run->model);
		}
	}
}

static void add_sums(const struct collect_live *live, struct buffer *line)
{
	int64_t tokens = live->ended_tokens;
	double cost = live->ended_cost;

	for (const struct run *run = NULL; (run = runs_next(live->runs, run)) != NULL;) {
		const struct result *result = run->state;

		if (result == NULL || run->ended)
			continue;
		tokens += tokens_of(result);
		cost += cost_of(result);
	}
	if (tokens > 0) {
		buffer_add_text(line, " · ");
		write_count(line, tokens);
		buffer_add_text(line, " tokens");
	}
	if (cost > 0) {
		buffer_add_text(line, " · ");
		write_cost(line, cost);
	}
}

/* The log time from the first run's start to the last event, and the real time since then. */
static double elapsed(const struct collect_live *live, int64_t now)
{
	double since_event = (double)(now - live->event_at) / 1e9;

	if (live->started < 0 || live->now < live->started)
		return since_event;
	return (double)(live->now - live->started) / 1e6 + since_event;
}

static void compose(const struct collect_live *live, struct buffer *line, int64_t now)
{
	uint64_t open = runs_open(live->runs), ended = runs_ended(live->runs);
	double seconds = elapsed(live, now);

	if (open + ended > 1)
		buffer_add_format(line, "%llu of %llu runs · ", (unsigned long long)ended,
				  (unsigned long long)open + ended);
	add_doing(live, line);
	if (live->current != NULL && live->current->facts.counts[COUNT_ITERATIONS] > 0)
		buffer_add_format(line, " · iteration %lld",
				  (long long)live->current->facts.counts[COUNT_ITERATIONS]);
	add_sums(live, line);
	buffer_add_text(line, " · ");
	if (seconds < 60)
		buffer_add_format(line, "%d s", (int)seconds);
	else
		write_duration(line, (double)(int64_t)seconds);
}

int64_t collect_live_draw(struct collect_live *live)
{
	struct buffer line = {0};
	int64_t next;

	if (live->event_at == 0)
		return 0;
	if (live_line_is_due(&live->line, TICK_NS, &next)) {
		compose(live, &line, clock_monotonic());
		live_line_write(&live->line, SPAN(""), false, buffer_span(&line));
		buffer_free(&line);
	}
	return next;
}

void collect_live_clear(struct collect_live *live)
{
	if (live != NULL)
		live_line_clear(&live->line);
}

void collect_live_free(struct collect_live *live)
{
	if (live == NULL)
		return;
	collect_live_clear(live);
	live_line_close(&live->line);
	buffer_free(&live->name);
	free(live);
}

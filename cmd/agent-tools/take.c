/* What the events say of calls, for the view that shows them. */
#include <fnmatch.h>
#include <math.h>

#include "base/clock.h"
#include "event/log.h"
#include "event/runs.h"
#include "tools_program.h"

enum { FLUSH_SIZE = 64 * 1024 };

static bool is_asked_name(const struct tools_options *options, const char *name)
{
	for (size_t i = 0; i < options->name_count; i++)
		if (fnmatch(options->names[i], name, 0) == 0)
			return true;
	return options->name_count == 0;
}

/* The open call that the event is about; NULL: there is none. */
static struct call *find_call(struct tools_program *p, const struct run *run,
			      const struct event *event)
{
	buffer_clear(&p->key);
	calls_key(event, &p->key);
	return calls_find(p->calls, run, buffer_span(&p->key));
}

/* Whether the event's tool is asked for; its name is in p->name then. */
static bool is_asked(struct tools_program *p, const struct event *event)
{
	buffer_clear(&p->name);
	if (!json_decode(json_get(event->data, "tool_name"), &p->name))
		buffer_add_char(&p->name, '?');
	return is_asked_name(&p->options, buffer_string(&p->name));
}

/* Open the call whose key and name are at hand. */
static struct call *open_call(struct tools_program *p, const struct run *run)
{
	return calls_open(p->calls, run, buffer_span(&p->key), buffer_span(&p->name));
}

/* The open call; it is opened where there is none. NULL: its tool is not asked for. */
static struct call *find_or_open(struct tools_program *p, const struct run *run,
				 const struct event *event)
{
	struct call *call = find_call(p, run, event);

	return call != NULL || !is_asked(p, event) ? call : open_call(p, run);
}

static void take_args(struct tools_program *p, const struct run *run, const struct event *event)
{
	struct call *call;

	if (event->type == EVENT_TOOL_CALL_END) {
		live_args_end(p->live);
		return;
	}
	call = find_or_open(p, run, event);
	if (call != NULL && event->type == EVENT_TOOL_CALL_CHUNK)
		live_args(p->live, call, json_get(event->data, "args_delta"));
}

static void take_start(struct tools_program *p, const struct run *run, const struct event *event)
{
	struct call *call = find_or_open(p, run, event);

	if (call == NULL)
		return;
	if (call->running && run->resumed)
		return; /* it was interrupted, and runs again */
	if (call->running) {
		reader_warn(p->main.reader, "call %.*s of '%s' starts again; the event is ignored",
			    SPAN_ARG(buffer_span(&call->key)), buffer_string(&call->name));
		return;
	}
	call->running = true;
	call->iteration = json_int(json_get(event->data, "iteration"), -1);
	if (event->timestamp.at != NULL)
		call->log_time = clock_parse_timestamp(event->timestamp);
	if (p->options.redraw)
		call->seen_at = clock_monotonic();
	if (p->summary == NULL && json_get(event->data, "args").at != NULL)
		json_write_line(&call->args, json_get(event->data, "args"));
	if (p->live != NULL && !p->options.errors_only)
		live_start(p->live, call);
}

/* How long the call took, by its own word or by the log's clock; negative: not known. */
static double seconds_of(const struct call *call, const struct event *event)
{
	double seconds = json_double(json_get(event->data, "duration_seconds"), -1);
	int64_t now;

	if (seconds >= 0 && isfinite(seconds))
		return seconds;
	if (call == NULL || call->log_time < 0 || event->timestamp.at == NULL)
		return -1;
	now = clock_parse_timestamp(event->timestamp);
	return now >= call->log_time ? (double)(now - call->log_time) / 1e6 : -1;
}

/* Whether a tool_end that no tool_start came before may count; says what is wrong with it. In a
 * stream that begins in the middle of a run, or was filtered, nothing is. */
static bool check_lone_end(struct tools_program *p, const struct run *run)
{
	bool again = calls_was_closed(p->calls, run, buffer_span(&p->key));

	if (again)
		reader_warn(p->main.reader, "a second tool_end of call %.*s; it is ignored",
			    SPAN_ARG(buffer_span(&p->key)));
	else if (run->started)
		reader_warn(p->main.reader, "a tool_end of call %.*s without its tool_start",
			    SPAN_ARG(buffer_span(&p->key)));
	return !again;
}

static void show_ended(struct tools_program *p, const struct ended_call *ended)
{
	if (p->options.errors_only && !ended->is_error)
		return;
	if (p->summary != NULL) {
		summary_add(p->summary, ended);
	} else if (p->live != NULL) {
		if (p->options.errors_only && ended->call != NULL)
			live_start(p->live, ended->call);
		live_end(p->live, ended);
	} else if (p->options.form == FORM_JSON) {
		record_json(&p->out, ended);
	} else {
		record_tsv(&p->out, ended);
	}
	if (p->out.len >= FLUSH_SIZE)
		output_flush(p);
}

static void take_end(struct tools_program *p, const struct run *run, const struct event *event)
{
	struct call *call = find_call(p, run, event);
	struct ended_call ended = {
	    .run = run,
	    .id = json_get(event->data, "tool_call_id"),
	    .result = json_get(event->data, "result"),
	    .is_error = json_true(json_get(event->data, "is_error")),
	    .seconds = seconds_of(call, event),
	};

	if (call == NULL && !is_asked(p, event))
		return;
	if ((call == NULL || !call->running) && !check_lone_end(p, run))
		return;
	if (call == NULL)
		call = open_call(p, run);
	ended.call = call;
	ended.name = buffer_span(&call->name);
	ended.iteration = json_int(json_get(event->data, "iteration"), call->iteration);
	if (call->args.len > 0)
		ended.args = buffer_span(&call->args);
	show_ended(p, &ended);
	calls_close(p->calls, call);
}

static void take_approval(struct tools_program *p, const struct run *run, const struct event *event)
{
	if (json_is(json_get(event->data, "decision"), "denied") && is_asked(p, event))
		live_denied(p->live, run, buffer_span(&p->name), json_get(event->data, "by"));
}

/* ---- the end of a run ---- */

static void say_unfinished(struct tools_program *p, const struct call *call)
{
	struct buffer text = {0};

	add_one_line(&text, buffer_span(&call->name), true);
	output_clear(p);
	warn("a call of %s never ended", buffer_string(&text));
	buffer_free(&text);
}

/* The call will not end any more; one that was only written by the model was not to run. */
static void give_up(struct tools_program *p, struct call *call)
{
	if (p->live != NULL)
		live_args_end(p->live);
	if (call->running && p->summary != NULL)
		summary_add_unfinished(p->summary, buffer_span(&call->name));
	else if (call->running && p->live != NULL)
		live_unfinished(p->live, call);
	else if (call->running)
		say_unfinished(p, call);
	calls_close(p->calls, call);
}

/* The calls of `run` (NULL: of every run) that are still open; or only the written ones. */
static void give_up_calls(struct tools_program *p, const struct run *run, bool written_only)
{
	struct call *next = calls_next(p->calls, NULL), *call;

	while ((call = next) != NULL) {
		next = calls_next(p->calls, call);
		if ((run == NULL || call->run == run) && !(written_only && call->running))
			give_up(p, call);
	}
}

static void say_failure(struct tools_program *p, struct run *run, const struct event *event)
{
	struct buffer sentence = {0};

	if (run->parent_id == NULL && run_error_sentence(p->main.runs, run, event, &sentence)) {
		output_clear(p);
		warn("%s", buffer_string(&sentence));
	}
	buffer_free(&sentence);
}

void take_event(void *self, struct run *run, const struct event *event)
{
	struct tools_program *p = self;

	if (p->live != NULL)
		live_run(p->live, run);
	switch (event->type) {
	case EVENT_TOOL_START:
		take_start(p, run, event);
		break;
	case EVENT_TOOL_END:
		take_end(p, run, event);
		break;
	case EVENT_TOOL_CALL_START:
	case EVENT_TOOL_CALL_CHUNK:
	case EVENT_TOOL_CALL_END:
		if (p->live != NULL && p->options.args)
			take_args(p, run, event);
		break;
	case EVENT_TOOL_APPROVAL:
		if (p->live != NULL)
			take_approval(p, run, event);
		break;
	case EVENT_LLM_RETRY:
		if (event_discards(event))
			give_up_calls(p, run, true);
		break;
	case EVENT_ERROR:
		say_failure(p, run, event);
		break;
	case EVENT_AGENT_END:
		give_up_calls(p, run, false);
		say_failure(p, run, event);
		runs_forget(p->main.runs, run);
		break;
	case EVENT_AGENT_START:
	case EVENT_AGENT_UPDATED:
	case EVENT_PROGRESS:
	case EVENT_LLM_START:
	case EVENT_LLM_CHUNK:
	case EVENT_THINKING_CHUNK:
	case EVENT_OUTPUT_CHUNK:
	case EVENT_LLM_END:
	case EVENT_TOOL_CHUNK:
	case EVENT_RAW:
	case EVENT_OTHER:
		break;
	}
}

void take_end_of_input(struct tools_program *p)
{
	give_up_calls(p, NULL, false);
}

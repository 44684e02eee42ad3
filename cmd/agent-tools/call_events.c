/* Follow the calls through the events, and give them to the view that shows them. */
#include <math.h>

#include "base/clock.h"
#include "event/runs.h"
#include "calls.h"

enum { FLUSH_SIZE = 64 * 1024 };

/* The open call that the event is about; NULL: there is none. */
static struct call *find_call(struct tools_program *p, const struct run *run,
			      const struct event *event)
{
	calls_key(run, event, &p->key);
	return calls_find(&p->calls, &p->key);
}

/* Whether --name selects the event's tool; its name is in p->name then. */
static bool is_selected(struct tools_program *p, const struct event *event)
{
	struct patterns *names = &p->options.names;

	buffer_clear(&p->name);
	if (!json_decode(json_get(event->data, "tool_name"), &p->name))
		buffer_add_char(&p->name, '?');
	patterns_note(names, buffer_string(&p->name));
	return names->count == 0 || patterns_match(names, buffer_string(&p->name));
}

/* Open the call whose key and name are in `p`. */
static struct call *open_call(struct tools_program *p, struct run *run)
{
	return calls_open(&p->calls, run, &p->key, buffer_span(&p->name));
}

/* Find or open the call; NULL: --name does not select its tool. */
static struct call *find_or_open(struct tools_program *p, struct run *run,
				 const struct event *event)
{
	struct call *call = find_call(p, run, event);

	return call != NULL || !is_selected(p, event) ? call : open_call(p, run);
}

static void on_args(struct tools_program *p, struct run *run, const struct event *event)
{
	struct call *call;

	if (event->type == EVENT_TOOL_CALL_END) {
		tools_live_args_end(p->live);
		return;
	}
	call = find_or_open(p, run, event);
	if (call != NULL && event->type == EVENT_TOOL_CALL_CHUNK)
		tools_live_args(p->live, call, json_get(event->data, "args_delta"));
}

static void on_start(struct tools_program *p, struct run *run, const struct event *event)
{
	struct call *call = find_or_open(p, run, event);

	if (call == NULL)
		return;
	if (call->running && run->resumed) { /* it was interrupted, and runs again */
		call->stopped = false;
		return;
	}
	if (call->running) {
		reader_warn(p->main.reader, "call %.*s of '%s' starts again; the event is ignored",
			    SPAN_ARG(calls_id(&call->key)), buffer_string(&call->name));
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
		tools_live_start(p->live, call);
}

/* The duration from duration_seconds, else from the timestamps; negative: unknown. */
static double seconds_of(const struct call *call, const struct event *event)
{
	double seconds = json_double(json_get(event->data, "duration_seconds"), -1);
	int64_t now;

	if (seconds >= 0 && isfinite(seconds))
		return seconds;
	if (call->log_time < 0 || event->timestamp.at == NULL)
		return -1;
	now = clock_parse_timestamp(event->timestamp);
	return now >= call->log_time ? (double)(now - call->log_time) / 1e6 : -1;
}

/* Whether a tool_end of a call that does not run counts; warns unless the stream begins in the
 * middle of the run, or was filtered. */
static bool check_lone_end(struct tools_program *p, const struct run *run)
{
	bool again = calls_was_closed(&p->calls, &p->key);
	struct span id = calls_id(&p->key);

	if (again)
		reader_warn(p->main.reader, "a second tool_end of call %.*s; it is ignored",
			    SPAN_ARG(id));
	else if (run->started && !run->resumes)
		reader_warn(p->main.reader, "a tool_end of call %.*s without its tool_start",
			    SPAN_ARG(id));
	return !again;
}

static void show_ended(struct tools_program *p, const struct call *call)
{
	if (p->options.errors_only && !call->is_error)
		return;
	if (p->summary != NULL) {
		summary_add(p->summary, call);
	} else if (p->live != NULL) {
		if (p->options.errors_only)
			tools_live_start(p->live, call);
		tools_live_end(p->live, call);
	} else if (p->options.form == RECORD_JSON) {
		record_json(&p->out, call);
	} else {
		record_tsv(&p->out, call);
	}
	if (p->out.len >= FLUSH_SIZE)
		tools_flush(p);
}

/* Whether another run of the input may resume the run. */
static bool can_be_resumed(const struct tools_program *p, const struct run *run)
{
	return run->parent_id == NULL && run->id[0] != '\0' && !p->main.follows_forever;
}

static void on_end(struct tools_program *p, struct run *run, const struct event *event)
{
	struct call *call = find_call(p, run, event);

	if (call == NULL && !is_selected(p, event))
		return;
	if ((call == NULL || !call->running) && !check_lone_end(p, run))
		return;
	if (call == NULL)
		call = open_call(p, run);
	call->id = json_get(event->data, "tool_call_id");
	call->result = json_get(event->data, "result");
	call->reason = json_get(event->data, "reason");
	call->is_error = json_true(json_get(event->data, "is_error"));
	call->exit_status = json_int(json_get(event->data, "exit_status"), -1);
	call->seconds = seconds_of(call, event);
	call->iteration = json_int(json_get(event->data, "iteration"), call->iteration);
	call->stopped = event_is_stopped_call(event->data) && can_be_resumed(p, run);
	if (call->stopped)
		return;
	show_ended(p, call);
	calls_close(&p->calls, call);
}

static void on_approval(struct tools_program *p, const struct run *run, const struct event *event)
{
	if (json_is(json_get(event->data, "decision"), "denied") && is_selected(p, event))
		tools_live_denied(p->live, run, buffer_span(&p->name), event->data);
}

/* ---- the end of a run ---- */

static void warn_unfinished(struct tools_program *p, const struct call *call)
{
	struct buffer text = {0};

	add_one_line(&text, buffer_span(&call->name), true);
	tools_clear(p);
	warn("a call of %s never ended", buffer_string(&text));
	buffer_free(&text);
}

/* A call was stopped with its run, which is not resumed. */
static void show_stopped(struct tools_program *p, struct call *call)
{
	call->id = calls_id(&call->key);
	call->result = SPAN("\"" EVENT_STOPPED_RESULT "\"");
	call->reason = (struct span){0};
	show_ended(p, call);
}

/* Close a call that will not end. A call that the model only wrote was not to run. Of a run without
 * agent_start, a filter may have left out the end of the call. */
static void give_up(struct tools_program *p, struct call *call)
{
	if (p->live != NULL)
		tools_live_args_end(p->live);
	if (call->stopped)
		show_stopped(p, call);
	else if (call->running && p->summary != NULL)
		summary_add_unfinished(p->summary, buffer_span(&call->name));
	else if (call->running && call->run->started && p->live != NULL)
		tools_live_unfinished(p->live, call);
	else if (call->running && call->run->started)
		warn_unfinished(p, call);
	calls_close(&p->calls, call);
}

/* Give up the open calls of `run` (NULL: of every run); `written_only`: not the running ones.
 * Those that were stopped wait for the end of the input, because the run may be resumed. */
static void give_up_calls(struct tools_program *p, const struct run *run, bool written_only)
{
	for (struct call *call = p->calls.first, *next; call != NULL; call = next) {
		next = call->next;
		if (run == NULL ||
		    (call->run == run && !call->stopped && !(written_only && call->running)))
			give_up(p, call);
	}
}

static void warn_failure(struct tools_program *p, struct run *run, const struct event *event)
{
	struct buffer sentence = {0};

	if (!run->nested && run_error_sentence(p->main.runs, run, event, &sentence)) {
		tools_clear(p);
		warn("%s", buffer_string(&sentence));
	}
	buffer_free(&sentence);
}

void call_event(void *self, struct run *run, const struct event *event)
{
	struct tools_program *p = self;

	if (p->live != NULL)
		tools_live_run(p->live, run);
	event_note_tools(event, &p->options.names);
	switch (event->type) {
	case EVENT_TOOL_START:
		on_start(p, run, event);
		break;
	case EVENT_TOOL_END:
		on_end(p, run, event);
		break;
	case EVENT_TOOL_CALL_START:
	case EVENT_TOOL_CALL_CHUNK:
	case EVENT_TOOL_CALL_END:
		if (p->live != NULL && p->options.args)
			on_args(p, run, event);
		break;
	case EVENT_TOOL_APPROVAL:
		if (p->live != NULL)
			on_approval(p, run, event);
		break;
	case EVENT_LLM_RETRY:
		if (event_discards(event))
			give_up_calls(p, run, true);
		break;
	case EVENT_ERROR:
		warn_failure(p, run, event);
		break;
	case EVENT_AGENT_END:
		give_up_calls(p, run, false);
		warn_failure(p, run, event);
		run->kept = run->state != NULL; /* calls were stopped with it */
		if (!run->kept)
			runs_forget(p->main.runs, run);
		break;
	default:
		break; /* other types are ignored */
	}
}

void call_events_end(struct tools_program *p)
{
	give_up_calls(p, NULL, false);
}

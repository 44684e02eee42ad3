#include "tool/tool.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "loop/process.h"
#include "tool/command.h"
#include "tool/excerpt.h"

/* Maximum bytes from the end of stderr in an error result. */
enum { MAX_ERRORS = 4 * 1024 };

/* stdout or stderr of the program: repaired text, of which the beginning and the end are stored. */
struct output_pipe {
	struct buffer held; /* the start of an incomplete code point */
	struct excerpt kept;
};

struct program_call {
	struct tool_call base;
	struct tool_handler handler;
	struct process *process;
	struct loop_timer *timer; /* for a call that could not start */
	struct output_pipe out, err;
	double timeout;
	size_t streamed;        /* bytes passed to the handler */
	bool cut;               /* the handler gets no more */
	struct buffer program;  /* for messages */
	struct buffer why;      /* why the call could not start */
	bool ending, cancelled; /* cancelled: by the callback for the last output */
};

/* ---- output ---- */

/* Pass a piece to the handler, up to TOOL_MAX_STREAMED bytes of a call. */
static void stream(struct program_call *call, bool errors, struct span text)
{
	void (*piece)(void *context, struct span text) =
	    errors ? call->handler.errors : call->handler.output;
	size_t room = TOOL_MAX_STREAMED - call->streamed;
	struct span shown = text;

	if (piece == NULL || text.len == 0 || call->cut)
		return;
	call->cut = text.len > room;
	if (call->cut) {
		shown.len = room;
		shown.len -= utf8_incomplete_tail(shown);
	}
	call->streamed += shown.len;
	if (shown.len > 0)
		piece(call->handler.context, shown);
	if (call->cut && !call->cancelled)
		piece(call->handler.context, SPAN("\n[... the rest is not shown ...]\n"));
}

static void keep(struct program_call *call, struct output_pipe *output, struct span text)
{
	excerpt_add(&output->kept, text);
	stream(call, output == &call->err, text);
}

/* Add output of the program. `last`: nothing follows that could complete a code point. */
static void take(struct program_call *call, struct output_pipe *output, struct span bytes,
		 bool last)
{
	struct buffer joined = {0}, repaired = {0};
	size_t held;

	if (output->held.len > 0) {
		joined = output->held;
		output->held = (struct buffer){0};
		buffer_add_span(&joined, bytes);
		bytes = buffer_span(&joined);
	}
	held = last ? 0 : utf8_incomplete_tail(bytes);
	bytes.len -= held;
	buffer_add(&output->held, bytes.at + bytes.len, held);
	if (utf8_valid(bytes) < bytes.len) {
		utf8_add(&repaired, bytes);
		bytes = buffer_span(&repaired);
	}
	keep(call, output, bytes);
	buffer_free(&joined);
	buffer_free(&repaired);
}

static void printed(void *context, struct span bytes)
{
	struct program_call *call = context;

	take(call, &call->out, bytes, false);
}

static void complained(void *context, struct span bytes)
{
	struct program_call *call = context;

	take(call, &call->err, bytes, false);
}

static void output_free(struct output_pipe *output)
{
	buffer_free(&output->held);
	excerpt_free(&output->kept);
}

/* ---- the end ---- */

static void call_free(struct program_call *call)
{
	loop_timer_remove(call->timer);
	output_free(&call->out);
	output_free(&call->err);
	buffer_free(&call->program);
	buffer_free(&call->why);
	free(call);
}

static void end_line(struct buffer *text)
{
	if (text->len > 0 && text->at[text->len - 1] != '\n')
		buffer_add_char(text, '\n');
}

/* The result of a failed call for the model: the output, and why the program ended. */
static void write_failure(struct program_call *call, const struct process_end *end,
			  struct buffer *text)
{
	end_line(text);
	excerpt_write(&call->err.kept, text);
	end_line(text);
	if (end->outcome == PROCESS_NOT_STARTED)
		buffer_add_format(text, "%s ", buffer_string(&call->program));
	process_describe_end(text, end, call->timeout);
}

static void ended(void *context, const struct process_end *end)
{
	struct program_call *call = context;
	struct tool_handler handler = call->handler;
	struct tool_result result = {.exit_status = -1, .seconds = end->seconds};
	struct buffer text = {0};

	call->ending = true;
	take(call, &call->out, SPAN(""), true);
	take(call, &call->err, SPAN(""), true);
	if (call->cancelled) {
		call_free(call);
		return;
	}
	result.truncated = excerpt_write(&call->out.kept, &text);
	if (end->outcome == PROCESS_EXITED)
		result.exit_status = end->value;
	result.is_error = result.exit_status != 0;
	if (result.is_error)
		write_failure(call, end, &text);
	result.text = buffer_span(&text);
	call_free(call);
	handler.done(handler.context, &result);
	buffer_free(&text);
}

static void could_not_begin(void *context)
{
	struct program_call *call = context;
	struct tool_handler handler = call->handler;
	struct buffer why = call->why;
	struct tool_result result = {
	    .text = buffer_span(&why), .is_error = true, .exit_status = -1};

	call->timer = NULL;
	call->why = (struct buffer){0};
	call_free(call);
	handler.done(handler.context, &result);
	buffer_free(&why);
}

/* ---- the beginning ---- */

static struct tool_call *start(const struct tool *tool, const struct tool_request *request,
			       const struct tool_handler *handler)
{
	struct program_call *call = mem_zero(sizeof(*call));
	struct process_handler callbacks = {call, printed, complained, ended};
	struct process_command command = {.environment = request->environment};
	char **argv = command_build(tool, request->args, &call->why);

	call->base.kind = &tool_program;
	call->handler = *handler;
	call->timeout = tool->timeout > 0 ? tool->timeout : request->limits.timeout;
	call->out.kept.head_max = request->limits.max_result / 2;
	call->out.kept.tail_max = request->limits.max_result - call->out.kept.head_max;
	call->err.kept.tail_max = MAX_ERRORS;
	if (argv == NULL) {
		call->timer = loop_timer_add(request->loop, 0, could_not_begin, call);
		return &call->base;
	}
	buffer_add_text(&call->program, argv[0]);
	command.argv = argv;
	command.timeout = call->timeout;
	if (tool->stdin_args)
		command.input = request->args;
	call->process = process_start(request->loop, &command, &callbacks);
	command_free(argv);
	return &call->base;
}

static void cancel(struct tool_call *base, double grace)
{
	struct program_call *call = (struct program_call *)base;

	call->cancelled = true;
	if (call->ending)
		return;
	process_cancel(call->process, grace);
	call_free(call);
}

const struct tool_kind tool_program = {.is_external = true, .start = start, .cancel = cancel};

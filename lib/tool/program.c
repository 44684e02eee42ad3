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
	struct process *process; /* NULL: it has ended */
	struct output_pipe out, err;
	size_t streamed;       /* bytes passed to the handler */
	bool cut;              /* the handler gets no more */
	struct buffer program; /* for messages */
	const char *withheld;  /* variables; NULL: none */
	bool busy;             /* the handler is called: free later */
	bool cancelled;
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

/* Add output of the program. `last`: nothing follows that could complete a code point. */
static void take(struct program_call *call, struct output_pipe *output, struct span bytes,
		 bool last)
{
	struct buffer *held = &output->held, text = {0};
	size_t tail, complete;

	buffer_add_span(held, bytes);
	tail = last ? 0 : utf8_incomplete_tail(buffer_span(held));
	complete = held->len - tail;
	utf8_add(&text, (struct span){held->at, complete});
	buffer_drop(held, complete);
	excerpt_add(&output->kept, buffer_span(&text));
	stream(call, output == &call->err, buffer_span(&text));
	buffer_free(&text);
}

static void call_free(struct program_call *call)
{
	buffer_free(&call->out.held);
	excerpt_free(&call->out.kept);
	buffer_free(&call->err.held);
	excerpt_free(&call->err.kept);
	buffer_free(&call->program);
	free(call);
}

static void received(struct program_call *call, struct output_pipe *output, struct span bytes)
{
	call->busy = true;
	take(call, output, bytes, false);
	call->busy = false;
	if (call->cancelled)
		call_free(call);
}

static void received_output(void *context, struct span bytes)
{
	struct program_call *call = context;

	received(call, &call->out, bytes);
}

static void received_errors(void *context, struct span bytes)
{
	struct program_call *call = context;

	received(call, &call->err, bytes);
}

/* ---- the end ---- */

static void end_line(struct buffer *text)
{
	if (text->len > 0 && text->at[text->len - 1] != '\n')
		buffer_add_char(text, '\n');
}

/* The result of a failed call for the model: the output, and why the program ended. Returns the
 * place of the latter. */
static struct span write_failure(struct program_call *call, const struct process_end *end,
				 struct buffer *text)
{
	size_t at, len;

	end_line(text);
	excerpt_write(&call->err.kept, text);
	end_line(text);
	at = text->len;
	if (end->outcome == PROCESS_NOT_STARTED)
		buffer_add_format(text, "%s ", buffer_string(&call->program));
	process_describe_end(text, end);
	len = text->len - at;
	if (call->withheld != NULL)
		buffer_add_format(text,
				  "\nThe tool did not get these environment variables, which look "
				  "like secrets: %s (agent-run --env NAME passes one).",
				  call->withheld);
	return (struct span){text->at + at, len};
}

/* Precedes the output of a call that process_end.held describes. */
static const char held[] =
    "[A background process that held the output open was stopped. To keep one "
    "running, redirect its output.]\n";

static void ended(void *context, const struct process_end *end)
{
	struct program_call *call = context;
	struct tool_handler handler = call->handler;
	struct tool_result result = {.exit_status = -1, .seconds = end->seconds};
	struct buffer text = {0};

	call->process = NULL;
	call->busy = true;
	take(call, &call->out, SPAN(""), true);
	take(call, &call->err, SPAN(""), true);
	if (call->cancelled) {
		call_free(call);
		return;
	}
	if (end->held)
		buffer_add_text(&text, held);
	result.truncated = excerpt_write(&call->out.kept, &text);
	if (end->outcome == PROCESS_EXITED)
		result.exit_status = end->value;
	result.is_error = result.exit_status != 0;
	if (result.is_error)
		result.reason = write_failure(call, end, &text);
	result.text = buffer_span(&text);
	call_free(call);
	handler.done(handler.context, &result);
	buffer_free(&text);
}

/* ---- the beginning ---- */

/* Report that the call cannot be started. */
static void refuse(const struct tool_handler *handler, struct buffer *why)
{
	struct tool_result result = {.text = buffer_span(why), .is_error = true, .exit_status = -1};

	handler->done(handler->context, &result);
	buffer_free(why);
}

static struct tool_call *start(const struct tool *tool, const struct tool_request *request,
			       const struct tool_handler *handler)
{
	struct buffer why = {0};
	char **argv = command_build(tool, request->args, &why);
	size_t max = request->limits.max_result;
	struct process_command command = {
	    .argv = argv,
	    .environment = request->environment,
	    .timeout = tool->timeout > 0 ? tool->timeout : request->limits.timeout,
	    .idle_timeout = tool->idle_timeout,
	};
	struct process_handler callbacks = {NULL, received_output, received_errors, ended};
	struct program_call *call;

	if (argv == NULL) {
		refuse(handler, &why);
		return NULL;
	}
	call = mem_zero(sizeof(*call));
	call->base.kind = &tool_program;
	call->handler = *handler;
	call->withheld = request->withheld;
	call->out.kept = (struct excerpt){.head_max = max / 2, .tail_max = max - max / 2};
	call->err.kept.tail_max = MAX_ERRORS;
	buffer_add_text(&call->program, argv[0]);
	callbacks.context = call;
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
	process_cancel(call->process, grace);
	if (!call->busy)
		call_free(call);
}

const struct tool_kind tool_program = {.is_external = true, .start = start, .cancel = cancel};

#include "model/protocol/ollama.h"

#include <stdlib.h>

#include "model/failure.h"
#include "model/protocol/joint.h"
#include "model/protocol/think.h"

struct ollama_decoder {
	struct decoder base;
	struct buffer model, reason, args, id, name;
	struct pieces pieces;
	struct joint text_joint, thinking_joint;
	struct think think;
	int call_count;
	int64_t input, output; /* tokens; -1: not said */
	bool torn;             /* the last line was the beginning of one */
	bool done;             /* the line with "done" was seen */
	struct failure failure;
};

/* ---- what a line says ---- */

static void emit(struct ollama_decoder *d, const struct model_delta *delta)
{
	d->base.handler->delta(d->base.handler->context, delta);
}

static void emit_text(void *context, bool thinking, struct span text)
{
	struct model_delta delta = {.type = thinking ? MODEL_THINKING : MODEL_TEXT, .text = text};

	delta.index = -1;
	if (text.len > 0)
		emit(context, &delta);
}

/* Each of the two ends the other one's text: nothing that waits may come out behind it. */
static void read_text(struct ollama_decoder *d, struct span thinking, struct span content)
{
	struct span text = pieces_text(&d->pieces, &d->thinking_joint, thinking);

	emit_text(d, true, text);
	text = pieces_text(&d->pieces, &d->text_joint, content);
	if (text.len == 0)
		return;
	emit_text(d, true, joint_end(&d->thinking_joint));
	think_feed(&d->think, text);
}

static void end_text(struct ollama_decoder *d)
{
	emit_text(d, true, joint_end(&d->thinking_joint));
	think_feed(&d->think, joint_end(&d->text_joint));
	think_end(&d->think);
}

/* The arguments as text: an object, as the protocol says, or the text of one; never nothing. */
static struct span read_args(struct ollama_decoder *d, struct span value)
{
	buffer_clear(&d->args);
	if (json_type(value) == JSON_STRING)
		json_decode(value, &d->args);
	else if (json_type(value) != JSON_ABSENT && json_type(value) != JSON_NULL)
		json_write_compact(&d->args, value);
	if (d->args.len == 0)
		buffer_add_text(&d->args, "{}");
	return pieces_repair(&d->pieces, buffer_span(&d->args));
}

static bool read_call(struct ollama_decoder *d, struct span call)
{
	struct span function = json_get(call, "function");
	struct model_delta delta = {.index = d->call_count};

	buffer_clear(&d->id);
	buffer_clear(&d->name);
	json_decode(json_get(call, "id"), &d->id);
	json_decode(json_get(function, "name"), &d->name);
	if (d->name.len == 0)
		return failure_set(&d->failure, "invalid_response", true,
				   "%s sent a tool call without a name", d->base.provider->name);
	end_text(d);
	d->call_count++;
	delta.type = MODEL_TOOL_CALL;
	delta.id = buffer_span(&d->id);
	delta.name = buffer_span(&d->name);
	emit(d, &delta);
	delta.type = MODEL_TOOL_ARGS;
	delta.text = read_args(d, json_get(function, "arguments"));
	emit(d, &delta);
	return true;
}

static bool read_line(struct ollama_decoder *d, struct span line)
{
	struct span message = json_get(line, "message"), error = json_get(line, "error");
	struct json_walk calls = json_walk(json_get(message, "tool_calls"));

	if (error.at != NULL && json_type(error) != JSON_NULL)
		return failure_read(&d->failure, d->base.provider, 0, line);
	if (json_type(line) != JSON_OBJECT)
		return failure_set(&d->failure, "invalid_response", true,
				   "%s sent a line that is no object", d->base.provider->name);
	if (d->model.len == 0)
		json_decode(json_get(line, "model"), &d->model);
	read_text(d, json_get(message, "thinking"), json_get(message, "content"));
	while (json_next(&calls))
		if (!read_call(d, calls.value))
			return false;
	d->input = model_tokens(json_get(line, "prompt_eval_count"), d->input);
	d->output = model_tokens(json_get(line, "eval_count"), d->output);
	if (json_true(json_get(line, "done"))) {
		d->done = true;
		json_decode(json_get(line, "done_reason"), &d->reason);
	}
	return true;
}

/* ---- the protocol ---- */

static bool ollama_event(struct decoder *decoder, struct span name, struct span data)
{
	struct ollama_decoder *d = (struct ollama_decoder *)decoder;
	struct json_fault fault;

	(void)name;
	data = json_trim(data);
	if (d->failure.kind != NULL)
		return false;
	if (data.len == 0 || d->done)
		return true;
	if (d->torn)
		return failure_set(&d->failure, "invalid_response", true,
				   "%s sent half a line in the middle of its answer",
				   d->base.provider->name);
	if (pieces_check(&d->pieces, data, &fault))
		return read_line(d, data);
	/* The last line of a stream that broke off: `end` says so. */
	d->torn = fault.offset >= data.len;
	if (d->torn)
		return true;
	return failure_set(&d->failure, "invalid_response", true,
			   "%s sent a line that is not JSON (%s at byte %zu)",
			   d->base.provider->name, fault.what, fault.offset);
}

static bool ollama_document(struct decoder *decoder, struct span json)
{
	return ollama_event(decoder, (struct span){0}, json);
}

/* done_reason stays "stop" after calls. */
static enum model_finish finish_of(struct ollama_decoder *d)
{
	if (span_is(buffer_span(&d->reason), "length"))
		return MODEL_LENGTH;
	return d->call_count > 0 ? MODEL_TOOL_CALLS : MODEL_STOP;
}

/* Whether the bytes broke off does not matter: either the answer had ended before, or not. */
static void ollama_end(struct decoder *decoder, bool cut, struct model_outcome *outcome)
{
	struct ollama_decoder *d = (struct ollama_decoder *)decoder;

	(void)cut;
	end_text(d);
	if (!d->done)
		failure_set(&d->failure, "stream_truncated", true,
			    "%s broke off in the middle of its answer", d->base.provider->name);
	*outcome = (struct model_outcome){
	    .usage = MODEL_USAGE_NONE,
	    .model = d->model.len > 0 ? buffer_string(&d->model) : NULL,
	    .error.retry_after_seconds = -1,
	};
	outcome->usage.input = d->input;
	outcome->usage.output = d->output;
	if (d->failure.kind != NULL)
		failure_report(&d->failure, d->base.provider, outcome);
	else
		outcome->finish = finish_of(d);
}

static struct decoder *ollama_decoder_new(const struct model_request *request)
{
	struct ollama_decoder *d = mem_zero(sizeof(*d));

	(void)request;
	d->base.protocol = &protocol_ollama;
	d->think.emit = emit_text;
	d->think.context = d;
	d->input = -1;
	d->output = -1;
	return &d->base;
}

static void ollama_decoder_free(struct decoder *decoder)
{
	struct ollama_decoder *d = (struct ollama_decoder *)decoder;

	buffer_free(&d->model);
	buffer_free(&d->reason);
	buffer_free(&d->args);
	buffer_free(&d->id);
	buffer_free(&d->name);
	buffer_free(&d->think.held);
	pieces_free(&d->pieces);
	failure_free(&d->failure);
	free(d);
}

/* A model that is not there can be had. */
static void ollama_advise(const struct provider *provider, const char *model,
			  struct failure *failure)
{
	if (strcmp(failure->kind, "not_found") == 0 &&
	    strstr(buffer_string(&failure->message), "model") != NULL &&
	    strstr(provider->base_url, "ollama.com") == NULL)
		buffer_add_format(&failure->message, "; get it with: ollama pull %s", model);
}

const struct protocol protocol_ollama = {
    .name = "ollama",
    .framing = FRAMING_NDJSON,
    .request = ollama_request,
    .answers_by_tool = ollama_answers_by_tool,
    .decoder_new = ollama_decoder_new,
    .event = ollama_event,
    .document = ollama_document,
    .end = ollama_end,
    .decoder_free = ollama_decoder_free,
    .list_request = ollama_list_request,
    .list_read = ollama_list_read,
    .advise = ollama_advise,
};

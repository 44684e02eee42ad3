#include <ctype.h>
#include <stdlib.h>

#include "model/protocol/gemini.h"

void gemini_say(struct gemini_decoder *d, struct model_delta delta)
{
	d->some = true;
	d->base.handler->delta(d->base.handler->context, &delta);
}

/* JSON that is kept for the provider: as it came, on one line. */
static void say_data(struct gemini_decoder *d, enum model_delta_type type, int index,
		     struct span json)
{
	struct buffer line = {0};

	json_write_line(&line, pieces_repair(&d->pieces, json));
	gemini_say(d,
		   (struct model_delta){.type = type, .index = index, .text = buffer_span(&line)});
	buffer_free(&line);
}

/* ---- text and thoughts ---- */

static void say_text(struct gemini_decoder *d, enum gemini_text kind, struct span text)
{
	gemini_say(d,
		   (struct model_delta){.type = kind == TEXT_THOUGHT ? MODEL_THINKING : MODEL_TEXT,
					.index = -1,
					.text = text});
}

/* What comes next is no more of the text that grows. */
static void end_text(struct gemini_decoder *d)
{
	struct span rest = joint_end(&d->joints[d->growing]);

	if (rest.len > 0)
		say_text(d, d->growing, rest);
	d->growing = TEXT_NONE;
	d->grown = false;
}

static bool is_signature(struct span value)
{
	return json_type(value) == JSON_STRING && value.len > 2;
}

static void say_signature(struct gemini_decoder *d, int index, struct span signature)
{
	struct buffer data = {0};

	if (!is_signature(signature))
		return;
	json_open(&data, '{');
	json_put_raw(&data, "thoughtSignature", signature);
	json_close(&data, '}');
	say_data(d, MODEL_PART_DATA, index, buffer_span(&data));
	buffer_free(&data);
}

/* Parts of text are pieces of one text, but one that is signed goes back alone, even if it is
 * empty. */
static void read_text(struct gemini_decoder *d, struct span part, struct span value, bool is_signed)
{
	enum gemini_text kind = json_true(json_get(part, "thought")) ? TEXT_THOUGHT : TEXT_ANSWER;
	bool some = json_type(value) == JSON_STRING && value.len > 2;
	struct span text;

	if (!some && !is_signed)
		return;
	if (d->growing != kind)
		end_text(d);
	d->growing = kind;
	text = pieces_text(&d->pieces, &d->joints[kind], value);
	if (is_signed && d->grown)
		say_data(d, MODEL_PART_DATA, -1, SPAN("{}"));
	if (is_signed || text.len > 0) {
		say_text(d, kind, text);
		d->grown = true;
	}
	if (is_signed) {
		end_text(d);
		say_signature(d, -1, json_get(part, "thoughtSignature"));
	}
}

/* ---- calls ---- */

int gemini_start_call(struct gemini_decoder *d, struct span id, struct span name,
		      enum gemini_runner runner)
{
	int index = d->call_count++;
	struct gemini_call *call;
	struct buffer name_text = {0};

	d->calls = mem_resize(d->calls, (size_t)d->call_count * sizeof(*d->calls));
	call = &d->calls[index];
	*call = (struct gemini_call){.runner = runner};
	json_decode(id, &call->id);
	if (!json_decode(name, &name_text))
		buffer_add_span(&name_text, name);
	d->calls_here += runner == RUN_HERE;
	gemini_say(d, (struct model_delta){.type = MODEL_TOOL_CALL,
					   .index = index,
					   .id = buffer_span(&call->id),
					   .name = buffer_span(&name_text),
					   .by_provider = runner != RUN_HERE});
	buffer_free(&name_text);
	return index;
}

static void say_args(struct gemini_decoder *d, int index, struct span args)
{
	gemini_say(d, (struct model_delta){.type = MODEL_TOOL_ARGS,
					   .index = index,
					   .text = pieces_repair(&d->pieces, args)});
}

/* No more arguments will come for the call that is open. */
static void close_call(struct gemini_decoder *d, bool complete)
{
	struct span args;

	if (d->open < 0)
		return;
	gemini_args_end(&d->args);
	args = buffer_span(&d->args.json);
	args.len -= complete ? 0 : 1;
	say_args(d, d->open, args);
	gemini_args_free(&d->args);
	d->args = (struct gemini_args){0};
	d->open = -1;
}

/* Whether `call`, which has a name, is a further piece of the call that is open. */
static bool goes_on(struct gemini_decoder *d, struct span call)
{
	struct span id = json_get(call, "id");

	return d->open >= 0 && d->calls[d->open].id.len > 0 &&
	       json_is(id, buffer_string(&d->calls[d->open].id));
}

static bool has_args(struct span call)
{
	return json_count(json_get(call, "args")) > 0 ||
	       json_count(json_get(call, "partialArgs")) > 0;
}

/* A call as a whole, or, when arguments are streamed, its name, then its arguments in pieces, then
 * {}: that last one may be missing. */
static bool read_call(struct gemini_decoder *d, struct span part, struct span call)
{
	struct span name = json_get(call, "name");

	if (json_type(name) == JSON_STRING && name.len > 2) {
		if (!goes_on(d, call)) {
			close_call(d, true);
			d->open = gemini_start_call(d, json_get(call, "id"), name, RUN_HERE);
		}
	} else if (d->open < 0 && has_args(call)) {
		return failure_set(&d->failure, "invalid_response", true,
				   "%s sent a function call without a name",
				   d->base.provider->name);
	} else if (d->open < 0) {
		return true;
	}
	say_signature(d, d->open, json_get(part, "thoughtSignature"));
	gemini_args_add(&d->args, json_get(call, "args"));
	gemini_args_patch(&d->args, json_get(call, "partialArgs"));
	if (!json_true(json_get(call, "willContinue")))
		close_call(d, true);
	return true;
}

/* ---- calls that the provider runs ---- */

void gemini_run_call(struct gemini_decoder *d, int index, struct span args)
{
	say_args(d, index, args);
	gemini_say(d, (struct model_delta){.type = MODEL_TOOL_RUNNING, .index = index});
}

void gemini_end_call(struct gemini_decoder *d, int index, struct span result, bool is_error)
{
	d->calls[index].over = true;
	gemini_say(d, (struct model_delta){.type = MODEL_TOOL_RESULT,
					   .index = index,
					   .text = pieces_repair(&d->pieces, result),
					   .is_error = is_error});
}

/* The call whose result this is: by its id, or the last one that waits; -1: none. */
static int waiting_call(struct gemini_decoder *d, enum gemini_runner runner, struct span id)
{
	for (int i = d->call_count; i-- > 0;) {
		struct gemini_call *call = &d->calls[i];

		if (call->runner == runner && !call->over &&
		    (id.at == NULL || call->id.len == 0 || json_is(id, buffer_string(&call->id))))
			return i;
	}
	return -1;
}

/* {"language":"PYTHON","code":"..."} */
static void read_code(struct gemini_decoder *d, struct span part, struct span code)
{
	int index = gemini_start_call(d, json_get(code, "id"), SPAN("code_execution"), RUN_AS_CODE);
	struct json_walk walk = json_walk(code);
	struct buffer args = {0};

	json_open(&args, '{');
	while (json_next(&walk)) {
		if (json_is(walk.key, "id"))
			continue;
		json_comma(&args);
		buffer_add_span(&args, walk.key);
		buffer_add_char(&args, ':');
		json_write_line(&args, walk.value);
	}
	json_close(&args, '}');
	say_data(d, MODEL_PART_DATA, index, part);
	gemini_run_call(d, index, buffer_span(&args));
	buffer_free(&args);
}

/* {"outcome":"OUTCOME_OK","output":"..."} */
static void read_code_result(struct gemini_decoder *d, struct span part, struct span given)
{
	int index = waiting_call(d, RUN_AS_CODE, json_get(given, "id"));
	struct span outcome = json_get(given, "outcome");
	struct buffer output = {0};

	json_decode(json_get(given, "output"), &output);
	if (index >= 0)
		gemini_end_call(d, index, buffer_span(&output),
				outcome.at != NULL && !json_is(outcome, "OUTCOME_OK") &&
				    json_int(outcome, 0) != 1);
	say_data(d, MODEL_OPAQUE, -1, part);
	buffer_free(&output);
}

/* {"toolType":"GOOGLE_SEARCH_WEB","args":{...},"id":"..."} */
static void read_tool(struct gemini_decoder *d, struct span part, struct span call)
{
	struct span given = json_get(call, "args");
	struct buffer name = {0}, args = {0};
	int index;

	json_decode(json_get(call, "toolType"), &name);
	for (size_t i = 0; i < name.len; i++)
		name.at[i] = (char)tolower((unsigned char)name.at[i]);
	index = gemini_start_call(d, json_get(call, "id"),
				  name.len > 0 ? buffer_span(&name) : SPAN("tool"), RUN_AS_TOOL);
	json_write_line(&args, json_type(given) == JSON_OBJECT ? given : SPAN("{}"));
	say_data(d, MODEL_PART_DATA, index, part);
	gemini_run_call(d, index, buffer_span(&args));
	buffer_free(&name);
	buffer_free(&args);
}

static void read_tool_response(struct gemini_decoder *d, struct span part, struct span given)
{
	int index = waiting_call(d, RUN_AS_TOOL, json_get(given, "id"));
	struct span response = json_get(given, "response");
	struct buffer result = {0};

	if (!json_decode(response, &result) && response.at != NULL)
		json_write_line(&result, response);
	if (index >= 0)
		gemini_end_call(d, index, buffer_span(&result), false);
	say_data(d, MODEL_OPAQUE, -1, part);
	buffer_free(&result);
}

/* ---- parts ---- */

/* The members of a part that say what it is. */
struct kinds {
	struct span text, call, code, code_result, tool, tool_response;
	bool other; /* something that goes back as it came: an image, or what nobody knows yet */
};

static struct kinds read_kinds(struct span part)
{
	struct json_walk walk = json_walk(part);
	struct kinds k = {0};

	while (json_next(&walk)) {
		struct span key = json_plain(walk.key);
		bool object = json_type(walk.value) == JSON_OBJECT;

		if (span_is(key, "text"))
			k.text = walk.value;
		else if (span_is(key, "functionCall") && object)
			k.call = walk.value;
		else if (span_is(key, "executableCode") && object)
			k.code = walk.value;
		else if (span_is(key, "codeExecutionResult") && object)
			k.code_result = walk.value;
		else if (span_is(key, "toolCall") && object)
			k.tool = walk.value;
		else if (span_is(key, "toolResponse") && object)
			k.tool_response = walk.value;
		else if (object)
			k.other = true;
	}
	return k;
}

bool gemini_part(struct gemini_decoder *d, struct span part)
{
	struct kinds k = read_kinds(part);
	bool only_text = k.call.at == NULL && k.code.at == NULL && k.code_result.at == NULL &&
			 k.tool.at == NULL && k.tool_response.at == NULL && !k.other;

	read_text(d, part, k.text, only_text && is_signature(json_get(part, "thoughtSignature")));
	if (only_text)
		return true;
	end_text(d);
	if (k.call.at != NULL)
		return read_call(d, part, k.call);
	if (k.code.at != NULL)
		read_code(d, part, k.code);
	else if (k.code_result.at != NULL)
		read_code_result(d, part, k.code_result);
	else if (k.tool.at != NULL)
		read_tool(d, part, k.tool);
	else if (k.tool_response.at != NULL)
		read_tool_response(d, part, k.tool_response);
	else
		say_data(d, MODEL_OPAQUE, -1, part);
	return true;
}

/* A call whose end was never said is complete if the answer is; else it must not run, and so its
 * arguments stay without their end. */
void gemini_parts_end(struct gemini_decoder *d, bool complete)
{
	end_text(d);
	close_call(d, complete);
}

void gemini_parts_free(struct gemini_decoder *d)
{
	for (int i = 0; i < d->call_count; i++)
		buffer_free(&d->calls[i].id);
	free(d->calls);
	gemini_args_free(&d->args);
}

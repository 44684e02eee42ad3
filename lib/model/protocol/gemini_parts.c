#include <ctype.h>
#include <stdlib.h>

#include "model/protocol/gemini.h"

/* Deepest path that is followed. */
enum { MAX_STEPS = 100 };

/* ---- paths: $.a.b, $.list[0].c, $['a b'] ---- */

struct step {
	enum { STEP_END, STEP_BAD, STEP_KEY, STEP_INDEX } type;
	struct buffer key;
	size_t index;
};

/* ['key'] or [12]; `at` points after the bracket. Returns where the next step begins. */
static const char *read_bracket(const char *at, struct step *step)
{
	char quote = *at;
	char *end;

	if (quote == '\'' || quote == '"') {
		step->type = STEP_KEY;
		for (at++; *at != '\0' && *at != quote; at++) {
			if (*at == '\\' && at[1] != '\0')
				at++;
			buffer_add_char(&step->key, *at);
		}
		at += *at == quote;
	} else if (isdigit((unsigned char)quote)) {
		step->type = STEP_INDEX;
		step->index = strtoul(at, &end, 10);
		at = end;
	}
	if (*at != ']')
		step->type = STEP_BAD;
	return at + (*at == ']');
}

/* The step at `at`; the caller frees its key. Returns where the next one begins. */
static const char *read_step(const char *at, struct step *step)
{
	size_t len;

	*step = (struct step){.type = STEP_BAD};
	if (*at == '\0') {
		step->type = STEP_END;
	} else if (*at == '[') {
		return read_bracket(at + 1, step);
	} else if (*at == '.') {
		len = strcspn(at + 1, ".[");
		if (len > 0)
			step->type = STEP_KEY;
		buffer_add(&step->key, at + 1, len);
		return at + 1 + len;
	}
	return at;
}

/* Where the first step begins; NULL when this is no path into an object. */
static const char *path_start(const char *path)
{
	const char *start = *path == '$' ? path + 1 : path, *at = start;
	struct step step;
	int steps = 0;
	bool good = true;

	do {
		at = read_step(at, &step);
		good &= step.type != STEP_BAD && (steps > 0 || step.type == STEP_KEY);
		buffer_free(&step.key);
	} while (good && step.type != STEP_END && ++steps <= MAX_STEPS);
	return good && steps <= MAX_STEPS ? start : NULL;
}

/* ---- putting a value where a path says ---- */

static void put(struct span base, const char *path, struct span value, struct buffer *out);

static void put_member(struct span base, struct span key, const char *rest, struct span value,
		       struct buffer *out)
{
	struct json_walk walk = json_walk(json_type(base) == JSON_OBJECT ? base : (struct span){0});
	struct buffer text = {0};
	bool found = false;

	json_open(out, '{');
	while (json_next(&walk)) {
		bool here;

		buffer_clear(&text);
		json_decode(walk.key, &text);
		here = !found && span_equal(buffer_span(&text), key);
		found |= here;
		json_copy_key(out, walk.key);
		if (here)
			put(walk.value, rest, value, out);
		else
			buffer_add_span(out, walk.value);
	}
	if (!found) {
		json_comma(out);
		json_write_string(out, key);
		buffer_add_char(out, ':');
		put((struct span){0}, rest, value, out);
	}
	json_close(out, '}');
	buffer_free(&text);
}

/* An index beyond the end appends an element: lists arrive in order. */
static void put_element(struct span base, size_t index, const char *rest, struct span value,
			struct buffer *out)
{
	struct json_walk walk = json_walk(json_type(base) == JSON_ARRAY ? base : (struct span){0});
	bool found = false;

	json_open(out, '[');
	for (size_t i = 0; json_next(&walk); i++) {
		json_comma(out);
		found |= i == index;
		if (i == index)
			put(walk.value, rest, value, out);
		else
			buffer_add_span(out, walk.value);
	}
	if (!found) {
		json_comma(out);
		put((struct span){0}, rest, value, out);
	}
	json_close(out, ']');
}

static void put(struct span base, const char *path, struct span value, struct buffer *out)
{
	struct step step;
	const char *rest = read_step(path, &step);

	if (step.type == STEP_KEY)
		put_member(base, buffer_span(&step.key), rest, value, out);
	else if (step.type == STEP_INDEX)
		put_element(base, step.index, rest, value, out);
	else
		buffer_add_span(out, value);
	buffer_free(&step.key);
}

static void set_value(struct gemini_args *args, const char *path, struct span value)
{
	struct buffer changed = {0};

	put(buffer_span(&args->json), path, value, &changed);
	buffer_free(&args->json);
	args->json = changed;
}

/* The value at `path` in `base`; absent if there is none. */
static struct span value_at(struct span base, const char *path)
{
	struct buffer text = {0};
	struct step step;

	for (path = read_step(path, &step); step.type == STEP_KEY || step.type == STEP_INDEX;
	     path = read_step(path, &step)) {
		struct json_walk walk = json_walk(base);
		struct span found = {0};

		for (size_t i = 0; found.at == NULL && json_next(&walk); i++) {
			buffer_clear(&text);
			json_decode(walk.key, &text);
			if (step.type == STEP_KEY
				? walk.key.at != NULL &&
				      span_equal(buffer_span(&text), buffer_span(&step.key))
				: walk.key.at == NULL && i == step.index)
				found = walk.value;
		}
		base = found;
		buffer_free(&step.key);
	}
	buffer_free(&step.key);
	buffer_free(&text);
	return base;
}

/* ---- arguments in pieces ---- */

/* The string that grows is complete. */
static void end_string(struct gemini_args *args)
{
	struct buffer value = {0};

	if (!args->growing)
		return;
	args->growing = false;
	buffer_add_format(&value, "\"%s\"", buffer_string(&args->text));
	set_value(args, path_start(buffer_string(&args->path)), buffer_span(&value));
	buffer_free(&value);
}

/* A string continues the string that is at its path, whatever came in between and whether or not it
 * was announced to continue. */
static void grow_string(struct gemini_args *args, const char *path, struct span string)
{
	if (!args->growing || !span_is(buffer_span(&args->path), path)) {
		struct span begun;

		end_string(args);
		begun = value_at(buffer_span(&args->json), path_start(path));
		buffer_clear(&args->path);
		buffer_clear(&args->text);
		buffer_add_text(&args->path, path);
		if (json_type(begun) == JSON_STRING)
			buffer_add(&args->text, begun.at + 1, begun.len - 2);
		args->growing = true;
	}
	buffer_add(&args->text, string.at + 1, string.len - 2);
}

static void read_piece(struct gemini_args *args, struct span piece)
{
	char *path = json_text(json_get(piece, "jsonPath"));
	const char *start = path != NULL ? path_start(path) : NULL;
	struct span string = json_get(piece, "stringValue"), value = json_get(piece, "numberValue");

	if (value.at == NULL)
		value = json_get(piece, "boolValue");
	if (value.at == NULL && json_get(piece, "nullValue").at != NULL)
		value = SPAN("null");
	if (start != NULL && json_type(string) == JSON_STRING) {
		grow_string(args, path, string);
	} else if (start != NULL && value.at != NULL) {
		end_string(args);
		set_value(args, start, value);
	}
	free(path);
}

/* The list "partialArgs": values for JSON paths. */
static void args_patch(struct gemini_args *args, struct span patches)
{
	struct json_walk walk = json_walk(patches);

	while (json_next(&walk))
		read_piece(args, walk.value);
}

/* The arguments as a whole: an object, or from some gateways the text of one. */
static void args_add(struct gemini_args *args, struct span whole)
{
	if (json_type(whole) == JSON_ABSENT || json_type(whole) == JSON_NULL)
		return;
	args->growing = false;
	buffer_clear(&args->json);
	if (!json_decode(whole, &args->json))
		json_write_line(&args->json, whole);
}

/* No more will come: `json` is complete. */
static void args_end(struct gemini_args *args)
{
	end_string(args);
	if (args->json.len == 0)
		buffer_add_text(&args->json, "{}");
}

static void args_free(struct gemini_args *args)
{
	buffer_free(&args->json);
	buffer_free(&args->path);
	buffer_free(&args->text);
	*args = (struct gemini_args){0};
}

/* ---- what a part is ---- */

/* The members of a part that show what it is. */
struct kinds {
	struct span text, thought, signature, call, code, code_result, tool, tool_response;
	bool only_text; /* nothing else, not even of an unknown kind */
};

static struct kinds read_kinds(const struct gemini_decoder *d, struct span part)
{
	struct json_walk walk = decoder_walk(&d->base, part);
	struct kinds k = {.only_text = true};

	while (json_next(&walk)) {
		struct span key = json_plain(walk.key);

		if (span_is(key, "text")) {
			k.text = walk.value;
			continue;
		}
		if (span_is(key, "thought"))
			k.thought = walk.value;
		else if (span_is(key, "thoughtSignature"))
			k.signature = walk.value;
		if (json_type(walk.value) != JSON_OBJECT)
			continue;
		k.only_text = false;
		if (span_is(key, "functionCall"))
			k.call = walk.value;
		else if (span_is(key, "executableCode"))
			k.code = walk.value;
		else if (span_is(key, "codeExecutionResult"))
			k.code_result = walk.value;
		else if (span_is(key, "toolCall"))
			k.tool = walk.value;
		else if (span_is(key, "toolResponse"))
			k.tool_response = walk.value;
	}
	return k;
}

/* ---- text and thoughts ---- */

/* The text may be empty: a part that has nothing but a signature. */
static void emit_text(struct gemini_decoder *d, enum gemini_text kind, struct span text)
{
	decoder_emit(&d->base, (struct model_delta){.type = kind == TEXT_THOUGHT ? MODEL_THINKING
										 : MODEL_TEXT,
						    .index = -1,
						    .text = text});
}

/* What comes next is no more of the text that grows. */
static void end_text(struct gemini_decoder *d)
{
	struct span rest = joint_end(&d->joints[d->growing]);

	if (rest.len > 0)
		emit_text(d, d->growing, rest);
	d->growing = TEXT_NONE;
	d->grown = false;
}

static void emit_signature(struct gemini_decoder *d, int index, struct span signature)
{
	if (decoder_is_text(signature))
		decoder_emit_member(&d->base, MODEL_PART_DATA, index, "thoughtSignature",
				    signature);
}

/* Parts of text are pieces of one text, but one that is signed goes back alone, even if it is
 * empty. */
static void read_text(struct gemini_decoder *d, const struct kinds *k)
{
	enum gemini_text kind = json_true(k->thought) ? TEXT_THOUGHT : TEXT_ANSWER;
	bool is_signed = k->only_text && decoder_is_text(k->signature);
	struct span text;

	if (!decoder_is_text(k->text) && !is_signed)
		return;
	if (d->growing != kind)
		end_text(d);
	d->growing = kind;
	text = pieces_text(&d->base.pieces, &d->joints[kind], k->text);
	if (is_signed && d->grown)
		decoder_emit_data(&d->base, MODEL_PART_DATA, -1, SPAN("{}"));
	if (is_signed || text.len > 0) {
		emit_text(d, kind, text);
		d->grown = true;
	}
	if (is_signed) {
		end_text(d);
		emit_signature(d, -1, k->signature);
	}
}

/* ---- calls ---- */

int gemini_start_call(struct gemini_decoder *d, struct span id, struct span name,
		      enum gemini_runner runner)
{
	struct gemini_call call = {.runner = runner};
	int index;

	json_decode(id, &call.id);
	d->calls = array_grow(d->calls, (size_t)d->base.call_count, sizeof(*d->calls));
	index = decoder_call(&d->base, buffer_span(&call.id), name, runner != RUN_HERE);
	d->calls[index] = call;
	return index;
}

static void emit_args(struct gemini_decoder *d, int index, struct span args)
{
	decoder_emit_args(&d->base, index, pieces_repair(&d->base.pieces, args));
}

/* No more arguments will come for the call that is open. */
static void close_call(struct gemini_decoder *d, bool complete)
{
	struct span args;

	if (d->open < 0)
		return;
	args_end(&d->args);
	args = buffer_span(&d->args.json);
	args.len -= complete ? 0 : 1;
	emit_args(d, d->open, args);
	args_free(&d->args);
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
	struct buffer *name = &d->base.scratch;

	buffer_clear(name);
	json_decode(json_get(call, "name"), name);
	if (name->len > 0) {
		if (!goes_on(d, call)) {
			close_call(d, true);
			d->open =
			    gemini_start_call(d, json_get(call, "id"), buffer_span(name), RUN_HERE);
		}
	} else if (d->open < 0 && has_args(call)) {
		return decoder_fail(&d->base, "sent a function call without a name");
	} else if (d->open < 0) {
		return true;
	}
	emit_signature(d, d->open, json_get(part, "thoughtSignature"));
	args_add(&d->args, json_get(call, "args"));
	args_patch(&d->args, json_get(call, "partialArgs"));
	if (!json_true(json_get(call, "willContinue")))
		close_call(d, true);
	return true;
}

/* ---- calls that the provider runs ---- */

void gemini_run_call(struct gemini_decoder *d, int index, struct span args)
{
	emit_args(d, index, args);
	decoder_emit(&d->base, (struct model_delta){.type = MODEL_TOOL_RUNNING, .index = index});
}

void gemini_end_call(struct gemini_decoder *d, int index, struct span result, bool is_error)
{
	d->calls[index].over = true;
	decoder_emit(&d->base, (struct model_delta){.type = MODEL_TOOL_RESULT,
						    .index = index,
						    .text = pieces_repair(&d->base.pieces, result),
						    .is_error = is_error});
}

/* The call whose result this is: by its id, or the last one that waits; -1: none. */
static int waiting_call(struct gemini_decoder *d, enum gemini_runner runner, struct span id)
{
	for (int i = d->base.call_count; i-- > 0;) {
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
		json_copy_key(&args, walk.key);
		json_write_line(&args, walk.value);
	}
	json_close(&args, '}');
	decoder_emit_data(&d->base, MODEL_PART_DATA, index, part);
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
	decoder_emit_data(&d->base, MODEL_OPAQUE, -1, part);
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
	decoder_emit_data(&d->base, MODEL_PART_DATA, index, part);
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
	decoder_emit_data(&d->base, MODEL_OPAQUE, -1, part);
	buffer_free(&result);
}

/* ---- parts ---- */

bool gemini_part(struct gemini_decoder *d, struct span part)
{
	struct kinds k = read_kinds(d, part);

	read_text(d, &k);
	if (k.only_text)
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
	else /* an image, or a new kind of part */
		decoder_emit_data(&d->base, MODEL_OPAQUE, -1, part);
	return true;
}

/* A call without an end is complete if the response is. Else it must not run, so its arguments stay
 * without their end. */
void gemini_parts_end(struct gemini_decoder *d, bool complete)
{
	end_text(d);
	close_call(d, complete);
}

void gemini_parts_free(struct gemini_decoder *d)
{
	for (int i = 0; i < d->base.call_count; i++)
		buffer_free(&d->calls[i].id);
	free(d->calls);
	args_free(&d->args);
}

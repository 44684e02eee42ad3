#include <ctype.h>
#include <stdlib.h>

#include "model/protocol/gemini.h"

/* Deepest path that is followed. */
enum { MAX_STEPS = 100 };

/* ---- arguments in pieces ---- */

/* Append the step of a path in brackets: ['key'] or [12]. Returns where the next step begins; NULL:
 * it is none. */
static const char *read_bracket(const char *at, struct buffer *steps)
{
	struct buffer key = {0};
	char quote = *++at;

	if (isdigit((unsigned char)quote)) {
		json_pack(steps, "%d", (int64_t)strtoul(at, NULL, 10));
		at += strspn(at, "0123456789");
	} else if (quote == '\'' || quote == '"') {
		for (at++; *at != '\0' && *at != quote; at++) {
			if (*at == '\\' && at[1] != '\0')
				at++;
			buffer_add_char(&key, *at);
		}
		at += *at == quote;
		json_pack(steps, "%s", buffer_span(&key));
		buffer_free(&key);
	}
	return *at == ']' ? at + 1 : NULL;
}

/* Append the steps of the path $.a.b[0]['c d'] as a list: ["a","b",0,"c d"]. Returns false if it is
 * no path into an object. */
static bool read_path(const char *at, struct buffer *steps)
{
	json_open(steps, '[');
	at += *at == '$';
	for (int count = 0; at != NULL && *at != '\0' && count < MAX_STEPS; count++) {
		size_t len = strcspn(at + 1, ".[");

		if (*at == '[') {
			at = read_bracket(at, steps);
		} else if (*at == '.' && len > 0) {
			json_pack(steps, "%s", (struct span){at + 1, len});
			at += 1 + len;
		} else {
			return false;
		}
	}
	json_close(steps, ']');
	return at != NULL && *at == '\0' && span_starts(buffer_span(steps), "[\"");
}

/* Append `base` with `value` where `steps` lead. A string there goes on; what is not there yet is
 * added: lists arrive in order. */
static void put(struct span base, struct json_walk steps, struct span value, struct buffer *out)
{
	bool found = false, by_key;
	struct json_walk walk;

	if (!json_next(&steps)) {
		bool goes_on = json_type(base) == JSON_STRING && json_type(value) == JSON_STRING;

		if (goes_on)
			buffer_add(out, base.at, base.len - 1);
		buffer_add_span(out, goes_on ? span_from(value, 1) : value);
		return;
	}
	by_key = json_type(steps.value) == JSON_STRING;
	walk = json_walk(json_type(base) == (by_key ? JSON_OBJECT : JSON_ARRAY) ? base
										: (struct span){0});
	json_open(out, by_key ? '{' : '[');
	for (int64_t i = 0; json_next(&walk); i++) {
		bool here = !found && (by_key ? json_equal(walk.key, steps.value)
					      : i == json_int(steps.value, -1));

		found |= here;
		json_copy_key(out, walk.key);
		if (here)
			put(walk.value, steps, value, out);
		else
			buffer_add_span(out, walk.value);
	}
	if (!found) {
		json_copy_key(out, by_key ? steps.value : (struct span){0});
		put((struct span){0}, steps, value, out);
	}
	json_close(out, by_key ? '}' : ']');
}

static void set_value(struct gemini_args *args, struct span steps, struct span value)
{
	struct buffer changed = {0};

	put(buffer_span(&args->json), json_walk(steps), value, &changed);
	buffer_free(&args->json);
	args->json = changed;
}

/* The string that grows is complete. */
static void end_string(struct gemini_args *args)
{
	if (args->string.len > 0)
		set_value(args, buffer_span(&args->steps), buffer_span(&args->string));
	buffer_clear(&args->string);
}

/* A string continues the string that is at its path, whatever came in between and whether or not it
 * was announced to continue. The string at hand is apart, so that it is not copied for each piece.
 */
static void grow_string(struct gemini_args *args, struct span steps, struct span string)
{
	if (!span_equal(buffer_span(&args->steps), steps)) {
		end_string(args);
		buffer_clear(&args->steps);
		buffer_add_span(&args->steps, steps);
	}
	decoder_join(&args->string, string);
}

/* Returns false if the piece has a value, but no place for it. */
static bool read_piece(struct gemini_decoder *d, struct span piece)
{
	struct span string = decoder_get(&d->base, piece, "stringValue", 's');
	struct span value = json_get(piece, "numberValue");
	char *path = json_text(decoder_get(&d->base, piece, "jsonPath", 's'));
	struct gemini_args *args = &d->args;
	struct buffer steps = {0};
	bool good;

	if (value.at == NULL)
		value = json_get(piece, "boolValue");
	if (value.at == NULL && json_get(piece, "nullValue").at != NULL)
		value = SPAN("null");
	good = (string.at == NULL && value.at == NULL) || (path != NULL && read_path(path, &steps));
	if (good && string.at != NULL) {
		grow_string(args, buffer_span(&steps), string);
	} else if (good && value.at != NULL) {
		end_string(args);
		set_value(args, buffer_span(&steps), value);
	}
	buffer_free(&steps);
	free(path);
	return good;
}

/* The arguments as a whole: an object, or from some gateways the text of one. */
static void args_add(struct gemini_args *args, struct span whole)
{
	if (json_type(whole) == JSON_ABSENT || json_type(whole) == JSON_NULL)
		return;
	buffer_clear(&args->string);
	buffer_clear(&args->json);
	if (!json_decode(whole, &args->json))
		json_write_line(&args->json, whole);
}

static void args_free(struct gemini_args *args)
{
	buffer_free(&args->json);
	buffer_free(&args->steps);
	buffer_free(&args->string);
	*args = (struct gemini_args){0};
}

/* ---- text and thoughts ---- */

/* The text that grows is complete: emit what was held back. */
static void end_text(struct gemini_decoder *d)
{
	decoder_emit_text(&d->base, d->growing, partial_char_end(&d->partial));
}

static void emit_signature(struct gemini_decoder *d, int index, struct span signature)
{
	if (decoder_is_text(signature))
		decoder_emit_member(&d->base, MODEL_PART_DATA, index, "thoughtSignature",
				    signature);
}

/* Parts of text are pieces of one text, but one that is signed goes back alone, even if it is
 * empty. */
static void read_text(struct gemini_decoder *d, struct span string, bool thought,
		      struct span signature)
{
	enum model_delta_type type = thought ? MODEL_THINKING : MODEL_TEXT;
	bool is_signed = decoder_is_text(signature);
	struct span text;

	if (!decoder_is_text(string) && !is_signed)
		return;
	if (d->growing != type)
		end_text(d);
	d->growing = type;
	text = pieces_text(&d->base.pieces, &d->partial, string);
	if (!is_signed) {
		decoder_emit_text(&d->base, type, text);
		return;
	}
	decoder_split(&d->base, type);
	decoder_emit(&d->base, (struct model_delta){.type = type, .text = text, .index = -1});
	end_text(d);
	emit_signature(d, -1, signature);
}

/* ---- calls ---- */

int gemini_start_call(struct gemini_decoder *d, struct span id, struct span name,
		      enum gemini_runner runner)
{
	struct buffer text = {0};
	int index;

	json_decode(id, &text);
	d->calls = array_grow(d->calls, (size_t)d->base.call_count, sizeof(*d->calls));
	index = decoder_call(&d->base, (struct model_delta){.id = buffer_span(&text),
							    .name = name,
							    .by_provider = runner != RUN_HERE});
	if (index >= 0)
		d->calls[index] = (struct gemini_call){.runner = runner};
	buffer_free(&text);
	return index;
}

/* Whether `id`, JSON, is that of call `index`; false if one of the two has none. */
static bool has_id(const struct gemini_decoder *d, int index, struct span id)
{
	struct buffer *own = &d->base.call_ids[index];

	return own->len > 0 && json_is(id, buffer_string(own));
}

/* No more arguments will come for the call that is open. */
static void close_call(struct gemini_decoder *d, bool complete)
{
	struct span args;

	if (d->open < 0)
		return;
	end_string(&d->args);
	args = d->args.json.len > 0 ? buffer_span(&d->args.json) : SPAN("{}");
	args.len -= complete ? 0 : 1;
	decoder_emit_args(&d->base, d->open, pieces_repair(&d->base.pieces, args));
	args_free(&d->args);
	d->open = -1;
}

/* A call as a whole, or, when arguments are streamed, its name, then its arguments in pieces, then
 * {}: that last one may be missing. */
static void read_call(struct gemini_decoder *d, struct span part, struct span call)
{
	struct span id = json_get(call, "id"), args = decoder_get(&d->base, call, "args", 'a');
	struct span pieces = decoder_get(&d->base, call, "partialArgs", 'l');
	struct json_walk walk = json_walk(pieces);
	struct buffer *name = &d->base.scratch;

	buffer_clear(name);
	json_decode(json_get(call, "name"), name);
	if (name->len > 0 && (d->open < 0 || !has_id(d, d->open, id))) {
		close_call(d, true);
		d->open = gemini_start_call(d, id, buffer_span(name), RUN_HERE);
	}
	if (d->open < 0) {
		if (json_count(args) > 0 || json_count(pieces) > 0)
			decoder_fail(&d->base, "sent a function call without a name");
		return;
	}
	emit_signature(d, d->open, json_get(part, "thoughtSignature"));
	args_add(&d->args, args);
	while (decoder_next(&d->base, &walk, "partialArgs[]"))
		if (!read_piece(d, walk.value))
			decoder_fail(&d->base,
				     "sent a piece of arguments without a place (\"jsonPath\")");
	if (!json_true(json_get(call, "willContinue")))
		close_call(d, true);
}

/* ---- calls that the provider runs ---- */

void gemini_run_call(struct gemini_decoder *d, int index, struct span args)
{
	decoder_emit_args(&d->base, index, pieces_repair(&d->base.pieces, args));
	decoder_emit(&d->base, (struct model_delta){.type = MODEL_TOOL_RUNNING, .index = index});
}

/* A call in a part of its own, which goes back with it. */
static void start_run(struct gemini_decoder *d, struct span part, struct span id, struct span name,
		      struct span args, enum gemini_runner runner)
{
	int index = gemini_start_call(d, id, name, runner);
	struct buffer line = {0};

	json_write_line(&line, args);
	decoder_emit_data(&d->base, MODEL_PART_DATA, index, part);
	gemini_run_call(d, index, buffer_span(&line));
	buffer_free(&line);
}

/* The result of the call with this id, or else of the last one that waits; its part goes back. */
static void end_run(struct gemini_decoder *d, struct span part, struct span id, struct span result,
		    bool is_error, enum gemini_runner runner)
{
	for (int i = d->base.call_count; i-- > 0;) {
		struct gemini_call *call = &d->calls[i];

		if (call->runner != runner || call->over ||
		    (id.at != NULL && d->base.call_ids[i].len > 0 && !has_id(d, i, id)))
			continue;
		call->over = true;
		decoder_emit_result(&d->base, i, result, is_error);
		break;
	}
	decoder_emit_data(&d->base, MODEL_OPAQUE, -1, part);
}

/* {"language":"PYTHON","code":"..."} */
static void read_code(struct gemini_decoder *d, struct span part, struct span code)
{
	struct buffer args = {0};

	json_open(&args, '{');
	transcript_members(code, "id", &args);
	json_close(&args, '}');
	start_run(d, part, json_get(code, "id"), SPAN("code_execution"), buffer_span(&args),
		  RUN_AS_CODE);
	buffer_free(&args);
}

/* {"outcome":"OUTCOME_OK","output":"..."} */
static void read_code_result(struct gemini_decoder *d, struct span part, struct span given)
{
	struct span outcome = json_get(given, "outcome");
	bool is_error =
	    outcome.at != NULL && !json_is(outcome, "OUTCOME_OK") && json_int(outcome, 0) != 1;
	struct buffer output = {0};

	json_decode(json_get(given, "output"), &output);
	end_run(d, part, json_get(given, "id"), buffer_span(&output), is_error, RUN_AS_CODE);
	buffer_free(&output);
}

/* {"toolType":"GOOGLE_SEARCH_WEB","args":{...},"id":"..."} */
static void read_tool(struct gemini_decoder *d, struct span part, struct span call)
{
	struct span args = json_get(call, "args");
	struct buffer name = {0};

	json_decode(json_get(call, "toolType"), &name);
	for (size_t i = 0; i < name.len; i++)
		name.at[i] = (char)tolower((unsigned char)name.at[i]);
	start_run(d, part, json_get(call, "id"), name.len > 0 ? buffer_span(&name) : SPAN("tool"),
		  json_type(args) == JSON_OBJECT ? args : SPAN("{}"), RUN_AS_TOOL);
	buffer_free(&name);
}

static void read_tool_response(struct gemini_decoder *d, struct span part, struct span given)
{
	struct span response = json_get(given, "response");
	struct buffer result = {0};

	if (!json_decode(response, &result) && response.at != NULL)
		json_write_line(&result, response);
	end_run(d, part, json_get(given, "id"), buffer_span(&result), false, RUN_AS_TOOL);
	buffer_free(&result);
}

/* An image, or a new kind of part. */
static void read_other(struct gemini_decoder *d, struct span part, struct span value)
{
	(void)value;
	d->base.has_file |=
	    json_get(part, "inlineData").at != NULL || json_get(part, "fileData").at != NULL;
	decoder_emit_data(&d->base, MODEL_OPAQUE, -1, part);
}

/* ---- parts ---- */

/* The objects in a part that show what it is. */
static const struct part_kind {
	const char *name;
	void (*read)(struct gemini_decoder *d, struct span part, struct span value);
} kinds[] = {
    {"functionCall", read_call},
    {"executableCode", read_code},
    {"codeExecutionResult", read_code_result},
    {"toolCall", read_tool},
    {"toolResponse", read_tool_response},
    {NULL, read_other},
};

static const struct part_kind *kind_of(struct span key)
{
	const struct part_kind *kind = kinds;

	while (kind->name != NULL && !span_is(key, kind->name))
		kind++;
	return kind;
}

void gemini_part(struct gemini_decoder *d, struct span part)
{
	struct json_walk walk = decoder_walk(&d->base, part);
	struct span text = {0}, thought = {0}, signature = {0}, value = {0};
	const struct part_kind *kind = NULL;

	while (json_next(&walk)) {
		struct span key = json_plain(walk.key);

		if (span_is(key, "text")) {
			text = decoder_get(&d->base, part, "text", 's');
		} else if (span_is(key, "thought")) {
			thought = decoder_get(&d->base, part, "thought", 'b');
		} else if (span_is(key, "thoughtSignature")) {
			signature = decoder_get(&d->base, part, "thoughtSignature", 's');
		} else if (kind_of(key)->name != NULL && json_type(walk.value) != JSON_OBJECT) {
			decoder_get(&d->base, part, kind_of(key)->name, 'o');
		} else if (json_type(walk.value) == JSON_OBJECT) {
			if (kind != NULL && kind_of(key) >= kind)
				continue;
			kind = kind_of(key);
			value = walk.value;
		}
	}
	read_text(d, text, json_true(thought), kind == NULL ? signature : (struct span){0});
	if (kind == NULL)
		return;
	end_text(d);
	kind->read(d, part, value);
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
	free(d->calls);
	args_free(&d->args);
}

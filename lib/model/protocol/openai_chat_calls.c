#include "model/protocol/openai_chat.h"

#include <stdlib.h>

#include "base/clock.h"

/* ---- which call a piece belongs to ---- */

static struct chat_call *new_call(struct chat_decoder *d, int64_t index)
{
	struct chat_call *call;

	if (d->call_count == d->call_cap) {
		d->call_cap = d->call_cap > 0 ? 2 * d->call_cap : 4;
		d->calls = mem_resize(d->calls, d->call_cap * sizeof(*d->calls));
	}
	call = &d->calls[d->call_count++];
	*call = (struct chat_call){.index = index};
	return call;
}

static struct chat_call *by_id(struct chat_decoder *d, struct span id)
{
	for (size_t i = d->call_count; i > 0; i--)
		if (span_equal(buffer_span(&d->calls[i - 1].wire_id), id))
			return &d->calls[i - 1];
	return NULL;
}

static struct chat_call *by_index(struct chat_decoder *d, int64_t index)
{
	for (size_t i = d->call_count; i > 0; i--)
		if (d->calls[i - 1].index == index)
			return &d->calls[i - 1];
	return NULL;
}

static bool is_complete(const struct chat_call *call)
{
	return call->name.len > 0 && json_check(buffer_span(&call->args), NULL);
}

/* Servers leave out ids, indexes or both, repeat ids, reuse indexes and begin them at 1; `position`
 * is the piece's place in its chunk. */
static struct chat_call *find_call(struct chat_decoder *d, struct span id, int64_t index,
				   bool names, size_t position)
{
	struct chat_call *call;

	if (id.len > 0) {
		call = by_id(d, id);
		if (call != NULL)
			return call;
		call = index >= 0 ? by_index(d, index) : NULL;
		if (call == NULL || call->wire_id.len > 0)
			call = new_call(d, index);
		buffer_add_span(&call->wire_id, id);
		return call;
	}
	if (index >= 0) {
		call = by_index(d, index);
		return call != NULL ? call : new_call(d, index);
	}
	if (d->call_count == 0)
		return new_call(d, -1);
	call = &d->calls[d->call_count - 1];
	return names && (position > 0 || is_complete(call)) ? new_call(d, -1) : call;
}

/* ---- what is said about it ---- */

/* "call_" and nine letters or digits, not the same in two answers. */
static void make_id(struct chat_decoder *d, struct chat_call *call)
{
	static const char digits[] =
	    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	uint64_t mix = (uint64_t)clock_monotonic() + (uint64_t)(call - d->calls) + 1;

	buffer_add_text(&call->id, "call_");
	for (int i = 0; i < 9; i++) {
		/* splitmix64 */
		uint64_t z = mix += 0x9E3779B97F4A7C15;

		z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
		z = (z ^ z >> 27) * 0x94D049BB133111EB;
		buffer_add_char(&call->id, digits[(z ^ z >> 31) % 62]);
	}
}

static void say(struct chat_decoder *d, struct chat_call *call, enum model_delta_type type,
		struct span text)
{
	const struct model_handler *handler = d->base.handler;

	handler->delta(handler->context, &(struct model_delta){
					     .type = type,
					     .text = text,
					     .index = call->number,
					     .id = buffer_span(&call->id),
					     .name = buffer_span(&call->name),
					 });
}

/* Begin the call as soon as its name is known; arguments that came earlier follow. */
static void announce(struct chat_decoder *d, struct chat_call *call)
{
	if (call->id.len > 0 || call->name.len == 0)
		return;
	if (call->wire_id.len > 0)
		buffer_add_span(&call->id, buffer_span(&call->wire_id));
	else
		make_id(d, call);
	call->number = d->announced++;
	say(d, call, MODEL_TOOL_CALL, (struct span){0});
	if (call->args.len > 0)
		say(d, call, MODEL_TOOL_ARGS, buffer_span(&call->args));
	if (call->extra.len > 0)
		say(d, call, MODEL_PART_DATA, buffer_span(&call->extra));
}

static void add_args(struct chat_decoder *d, struct chat_call *call, struct span text)
{
	if (text.len == 0)
		return;
	buffer_add_span(&call->args, text);
	if (call->id.len > 0)
		say(d, call, MODEL_TOOL_ARGS, text);
}

static void read_args(struct chat_decoder *d, struct chat_call *call, struct span args)
{
	switch (json_type(args)) {
	case JSON_STRING:
		add_args(d, call, pieces_text(&d->pieces, &call->joint, args));
		break;
	case JSON_OBJECT:
		/* Not what the protocol says: the arguments themselves instead of their text. */
		if (call->args.len == 0) {
			buffer_clear(&d->pieces.text);
			json_write_compact(&d->pieces.text, args);
			add_args(d, call, pieces_repair(&d->pieces, buffer_span(&d->pieces.text)));
		}
		break;
	default:
		break;
	}
}

/* Gemini's signature of a thought, to be sent back with the call. */
static void keep_extra(struct chat_decoder *d, struct chat_call *call, struct span extra)
{
	struct span data;

	if (json_type(extra) != JSON_OBJECT)
		return;
	buffer_clear(&d->pieces.json);
	json_open(&d->pieces.json, '{');
	json_key(&d->pieces.json, "extra_content");
	json_write_compact(&d->pieces.json, extra);
	json_close(&d->pieces.json, '}');
	data = pieces_repair(&d->pieces, buffer_span(&d->pieces.json));
	if (call->id.len > 0)
		say(d, call, MODEL_PART_DATA, data);
	else if (call->extra.len == 0)
		buffer_add_span(&call->extra, data);
}

/* One element of tool_calls. */
static void read_call(struct chat_decoder *d, struct span piece, size_t position)
{
	struct json_walk walk = json_walk(piece);
	struct span function = {0}, extra = {0}, wire_id = {0}, name, args;
	struct chat_call *call;
	int64_t index = -1;

	while (json_next(&walk)) {
		struct span key = json_plain(walk.key);

		if (span_is(key, "index"))
			index = json_int(walk.value, -1);
		else if (span_is(key, "id"))
			wire_id = walk.value;
		else if (span_is(key, "function"))
			function = walk.value;
		else if (span_is(key, "extra_content"))
			extra = walk.value;
	}
	name = json_get(function, "name");
	args = json_get(function, "arguments");
	buffer_clear(&d->pieces.text);
	json_decode(wire_id, &d->pieces.text);
	call = find_call(d, buffer_span(&d->pieces.text), index, name.len > 2, position);
	if (call->name.len == 0)
		json_decode(name, &call->name);
	d->some = true;
	announce(d, call);
	read_args(d, call, args);
	if (extra.at != NULL)
		keep_extra(d, call, extra);
}

void chat_calls_read(struct chat_decoder *d, struct span tool_calls)
{
	struct json_walk walk = json_walk(tool_calls);

	for (size_t position = 0; json_next(&walk); position++)
		read_call(d, walk.value, position);
}

static bool is_blank(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (strchr(" \t\r\n", text.at[i]) == NULL)
			return false;
	return true;
}

bool chat_calls_end(struct chat_decoder *d)
{
	for (size_t i = 0; i < d->call_count; i++) {
		struct chat_call *call = &d->calls[i];

		if (call->name.len == 0)
			return failure_set(&d->failure, "invalid_response", true,
					   "%s sent a tool call without a name",
					   d->base.provider->name);
		add_args(d, call, joint_end(&call->joint));
		if (is_blank(buffer_span(&call->args)))
			add_args(d, call, SPAN("{}"));
	}
	return true;
}

enum chat_args chat_calls_args(struct chat_decoder *d)
{
	enum chat_args worst = CHAT_ARGS_NONE;

	for (size_t i = 0; i < d->call_count; i++) {
		struct json_fault fault;
		struct span args = buffer_span(&d->calls[i].args);
		enum chat_args state = CHAT_ARGS_COMPLETE;

		if (!json_check(args, &fault))
			state = fault.offset >= args.len ? CHAT_ARGS_CUT : CHAT_ARGS_INVALID;
		if (state > worst)
			worst = state;
	}
	return worst;
}

void chat_calls_free(struct chat_decoder *d)
{
	for (size_t i = 0; i < d->call_count; i++) {
		buffer_free(&d->calls[i].wire_id);
		buffer_free(&d->calls[i].id);
		buffer_free(&d->calls[i].name);
		buffer_free(&d->calls[i].args);
		buffer_free(&d->calls[i].extra);
	}
	free(d->calls);
}

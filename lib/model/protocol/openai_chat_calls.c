#include "model/protocol/openai_chat.h"

#include <stdlib.h>

#include "base/clock.h"

/* ---- arguments ---- */

static void add_args(struct chat_decoder *d, struct chat_call *call, struct span text)
{
	buffer_add_span(&call->args, text);
	if (call->number >= 0)
		decoder_emit_args(&d->base, call->number, text);
}

/* Whether these, one after the other, are JSON, its beginning, or neither. */
static enum args_state joined_state(struct span a, struct span b, struct span c)
{
	struct buffer text = {0};
	enum args_state state;

	buffer_add_span(&text, a);
	buffer_add_span(&text, b);
	buffer_add_span(&text, c);
	state = decoder_args_state(buffer_span(&text));
	buffer_free(&text);
	return state;
}

/* Decide what the held pieces are, now that `next` follows them (absent: nothing does): more of the
 * arguments, or all of them so far, each time. Returns false if `next` may be either too and is
 * held. */
static bool release(struct chat_decoder *d, struct chat_call *call, struct span next)
{
	struct span args = buffer_span(&call->args), all = buffer_span(&call->all);
	struct span more = buffer_span(&call->more);
	bool replaces;

	if (all.len == 0)
		return true;
	if (next.at == NULL) {
		replaces = joined_state(args, more, next) != ARGS_COMPLETE && json_check(all, NULL);
	} else if (args.len == 0) { /* {} before the arguments or once more */
		replaces = true;
		all.len = 0;
	} else {
		replaces = span_begins(next, all);
		if (replaces && joined_state(args, more, next) != ARGS_INVALID) {
			buffer_add_span(&call->more, next);
			buffer_clear(&call->all);
			buffer_add_span(&call->all, next);
			return false;
		}
	}
	add_args(d, call, replaces ? span_from(all, args.len) : more);
	buffer_clear(&call->all);
	buffer_clear(&call->more);
	return true;
}

/* ---- which call a piece belongs to ---- */

static struct chat_call *new_call(struct chat_decoder *d, int64_t index)
{
	struct chat_call *call;

	if (d->call_count > 0)
		release(d, &d->calls[d->call_count - 1], (struct span){0});
	d->calls = array_grow(d->calls, d->call_count, sizeof(*d->calls));
	call = &d->calls[d->call_count++];
	*call = (struct chat_call){.index = index, .number = -1};
	return call;
}

/* A piece of a call, as it came. */
struct piece {
	struct span id;         /* its text; empty: none */
	int64_t index;          /* -1: none */
	struct span name, args; /* JSON; the name is absent if it is empty or null */
	size_t position;        /* in its chunk */
};

/* The last call of that index, or with that id; NULL: there is none. */
static struct chat_call *call_at(struct chat_decoder *d, int64_t index)
{
	for (size_t i = d->call_count; i-- > 0;)
		if (index >= 0 && d->calls[i].index == index)
			return &d->calls[i];
	return NULL;
}

static struct chat_call *call_with(struct chat_decoder *d, struct span id)
{
	for (size_t i = d->call_count; i-- > 0;)
		if (id.len > 0 && span_equal(buffer_span(&d->calls[i].id), id))
			return &d->calls[i];
	return NULL;
}

/* All arguments so far; a piece that is held counts as such. */
static struct span args_of(const struct chat_call *call)
{
	return buffer_span(call->all.len > 0 ? &call->all : &call->args);
}

static bool is_complete(const struct chat_call *call)
{
	struct span args = buffer_span(&call->args), more = buffer_span(&call->more), none = {0};

	return call->name.len > 0 && (joined_state(args, more, none) == ARGS_COMPLETE ||
				      json_check(buffer_span(&call->all), NULL));
}

static bool has_other_name(struct chat_call *call, const struct piece *piece)
{
	return call->name.len > 0 && !json_is(piece->name, buffer_string(&call->name));
}

static bool has_other_id(const struct chat_call *call, const struct piece *piece)
{
	return call->id.len > 0 && piece->id.len > 0 &&
	       !span_equal(buffer_span(&call->id), piece->id);
}

/* Whether a piece with a name adds nothing to the complete call. */
static bool repeats(struct chat_call *call, const struct piece *piece)
{
	struct buffer text = {0};
	bool same;

	if (has_other_name(call, piece) || has_other_id(call, piece))
		return false;
	if (json_type(piece->args) == JSON_STRING)
		json_decode(piece->args, &text);
	else if (piece->args.at != NULL)
		buffer_add_span(&text, piece->args);
	if (piece->id.len == 0)
		same = piece->index >= 0 && text.len == 0;
	else
		same = text.len == 0 ||
		       span_equal(json_trim(buffer_span(&text)), json_trim(args_of(call)));
	buffer_free(&text);
	return same;
}

/* The call of a piece that has the index or the id of `call`: a call that is not complete keeps it,
 * whatever its id is; after a complete call a name begins the next one. */
static struct chat_call *same_or_next(struct chat_decoder *d, struct chat_call *call,
				      const struct piece *piece)
{
	bool next = piece->name.at != NULL &&
		    (is_complete(call) ? !repeats(call, piece)
				       : has_other_name(call, piece) && has_other_id(call, piece));

	return next ? new_call(d, piece->index) : call;
}

/* Servers leave out ids, indexes or both, repeat ids or change them, reuse indexes and begin them
 * at 1. */
static struct chat_call *find_call(struct chat_decoder *d, const struct piece *piece)
{
	struct chat_call *call = call_at(d, piece->index);
	bool names = piece->name.at != NULL;

	if (call != NULL)
		return same_or_next(d, call, piece);
	call = call_with(d, piece->id);
	if (call != NULL && (piece->index < 0 || !names)) /* one id at two indexes: two calls */
		return same_or_next(d, call, piece);
	if (d->call_count == 0)
		return new_call(d, piece->index);
	call = &d->calls[d->call_count - 1];
	if (piece->index >= 0)
		return !names && piece->id.len == 0 && call->index < 0 ? call
								       : new_call(d, piece->index);
	if (!names)
		return piece->id.len == 0 || !is_complete(call) ? call : new_call(d, -1);
	if (piece->id.len > 0 || piece->position > 0 || has_other_name(call, piece) ||
	    is_complete(call))
		return new_call(d, -1);
	return call;
}

/* ---- deltas of a call ---- */

static void emit_extra(struct chat_decoder *d, struct chat_call *call, struct span extra)
{
	decoder_emit_member(&d->base, MODEL_PART_DATA, call->number, "extra_content", extra);
}

/* Begin the call as soon as its name is known; what came earlier follows. A call without an id gets
 * one that is not the same in two responses. */
static void begin_call(struct chat_decoder *d, struct chat_call *call)
{
	struct buffer id = {0};

	if (call->number >= 0 || call->name.len == 0)
		return;
	if (call->id.len > 0)
		buffer_add_span(&id, buffer_span(&call->id));
	else
		transcript_make_id(&id, "call_", 9,
				   (uint64_t)clock_monotonic() + (uint64_t)(call - d->calls));
	call->number =
	    decoder_call(&d->base, (struct model_delta){.id = buffer_span(&id),
							.name = buffer_span(&call->name)});
	decoder_emit_args(&d->base, call->number, buffer_span(&call->args));
	if (call->extra.len > 0)
		emit_extra(d, call, buffer_span(&call->extra));
	buffer_free(&id);
}

/* A piece that begins with all arguments so far replaces them, for some servers send in each piece
 * all that there is. Where it can also be more of them, as in {"a":{"a":1}}, what follows decides;
 * so it does about {}, which some servers send first. */
static void add_piece(struct chat_decoder *d, struct chat_call *call, struct span text)
{
	struct span args, none = {0};
	bool repeats;

	if (decoder_is_blank(text) && call->all.len > 0)
		return;
	if (!release(d, call, text))
		return;
	args = buffer_span(&call->args);
	repeats = !decoder_is_blank(args) && span_begins(text, args);
	if (decoder_is_blank(args) ? span_is(json_trim(text), "{}")
				   : repeats && joined_state(args, text, none) != ARGS_INVALID) {
		buffer_add_span(&call->all, text);
		buffer_add_span(&call->more, text);
	} else {
		add_args(d, call, span_from(text, repeats ? args.len : 0));
	}
}

/* Some servers send the arguments themselves instead of their text. */
static void read_args(struct chat_decoder *d, struct chat_call *call, struct span args)
{
	if (json_type(args) == JSON_STRING)
		add_piece(d, call, pieces_text(&d->base.pieces, &call->partial, args));
	else if (call->args.len == 0)
		add_piece(d, call, decoder_args(&d->base, args));
	else if (json_count(args) > 0 && !json_equal(args, args_of(call)))
		decoder_fail(&d->base, "sent the arguments of a call twice, and not the same");
}

/* Gemini's signature of a thought, to be sent back with the call. */
static void read_extra(struct chat_decoder *d, struct chat_call *call, struct span extra)
{
	if (json_type(extra) != JSON_OBJECT)
		return;
	if (call->number >= 0)
		emit_extra(d, call, extra);
	else if (call->extra.len == 0)
		buffer_add_span(&call->extra, extra);
}

/* A piece of a call: its function, and what an element of tool_calls has beside it. */
static void read_function(struct chat_decoder *d, struct span function, struct span id,
			  int64_t index, struct span extra, size_t position)
{
	static const struct span names[] = {SPAN_INIT("name"), SPAN_INIT("arguments"), {0}};
	enum { NAME, ARGS, MEMBERS };
	struct buffer *id_text = &d->base.scratch;
	struct span member[MEMBERS];
	struct piece piece = {.index = index, .position = position};
	struct chat_call *call;

	decoder_members(&d->base, function, names, "sa", member);
	buffer_clear(id_text);
	json_decode(id, id_text);
	piece.id = buffer_span(id_text);
	piece.args = member[ARGS];
	if (member[NAME].len > 2)
		piece.name = member[NAME];
	call = find_call(d, &piece);
	if (call->id.len == 0)
		buffer_add_span(&call->id, piece.id);
	if (call->index < 0)
		call->index = index;
	if (call->name.len == 0)
		json_decode(member[NAME], &call->name);
	begin_call(d, call);
	read_args(d, call, member[ARGS]);
	read_extra(d, call, extra);
}

void chat_calls_read(struct chat_decoder *d, struct span tool_calls, struct span function_call)
{
	static const struct span names[] = {SPAN_INIT("index"),
					    SPAN_INIT("id"),
					    SPAN_INIT("function"),
					    SPAN_INIT("extra_content"),
					    {0}};
	enum { INDEX, ID, FUNCTION, EXTRA, MEMBERS };
	struct json_walk walk = decoder_walk(&d->base, tool_calls);
	struct span member[MEMBERS], none = {0};
	size_t count = 0;

	for (; decoder_next(&d->base, &walk, "tool_calls[]"); count++) {
		decoder_members(&d->base, walk.value, names, "n.o.", member);
		read_function(d, member[FUNCTION], member[ID], json_int(member[INDEX], -1),
			      member[EXTRA], count);
	}
	if (count == 0 && json_count(function_call) > 0)
		read_function(d, function_call, none, -1, none, 0);
}

void chat_calls_end(struct chat_decoder *d)
{
	enum args_state worst = ARGS_COMPLETE;

	for (size_t i = 0; i < d->call_count; i++) {
		struct chat_call *call = &d->calls[i];
		enum args_state state;

		release(d, call, (struct span){0});
		add_args(d, call, partial_char_end(&call->partial));
		if (call->name.len == 0 && decoder_is_blank(buffer_span(&call->args)))
			continue; /* nothing of a call has come */
		if (call->name.len == 0) {
			decoder_fail(&d->base, "sent a tool call without a name");
			return;
		}
		if (decoder_is_blank(buffer_span(&call->args)))
			add_args(d, call, SPAN("{}"));
		state = decoder_args_state(buffer_span(&call->args));
		worst = state > worst ? state : worst;
	}
	d->base.cut_args = worst == ARGS_CUT;
}

void chat_calls_free(struct chat_decoder *d)
{
	for (size_t i = 0; i < d->call_count; i++) {
		buffer_free(&d->calls[i].id);
		buffer_free(&d->calls[i].name);
		buffer_free(&d->calls[i].args);
		buffer_free(&d->calls[i].all);
		buffer_free(&d->calls[i].more);
		buffer_free(&d->calls[i].extra);
	}
	free(d->calls);
}

/* ---- reasoning_details ---- */

static void finish_entry(struct chat_details *details)
{
	struct span open = buffer_span(&details->open),
		    signature = buffer_span(&details->signature);

	if (open.len == 0)
		return;
	buffer_add_char(&details->text, '"');
	json_pack(&details->entries, "{%j,%t:%j,'signature':%j}",
		  (struct span){open.at + 1, open.len - 2}, details->text_key,
		  buffer_span(&details->text), signature.len > 0 ? signature : (struct span){0});
	buffer_clear(&details->open);
}

/* Whether `entry` continues the text that is open: the same type at the same index. */
static bool continues(const struct chat_details *details, struct span entry)
{
	struct span open = buffer_span(&details->open);

	return open.len > 0 && span_equal(json_get(open, "type"), json_get(entry, "type")) &&
	       span_equal(json_get(open, "index"), json_get(entry, "index"));
}

static void open_entry(struct chat_details *details, struct span entry, const char *text_key)
{
	struct json_walk walk = json_walk(entry);
	struct buffer *out = &details->open;

	finish_entry(details);
	buffer_clear(&details->text);
	buffer_add_char(&details->text, '"');
	buffer_clear(&details->signature);
	details->text_key = text_key;
	json_open(out, '{');
	while (json_next(&walk)) {
		if (json_is(walk.key, text_key) || json_is(walk.key, "signature"))
			continue;
		json_copy_key(out, walk.key);
		json_write_compact(out, walk.value);
	}
	json_close(out, '}');
}

static void read_entry(struct chat_decoder *d, struct span entry, bool emits)
{
	struct chat_details *details = &d->details;
	struct span type = decoder_get(&d->base, entry, "type", 's');
	bool summary = json_is(type, "reasoning.summary");
	const char *text_key = summary ? "summary" : "text";
	struct span text = decoder_get(&d->base, entry, text_key, 's');
	struct span signature = decoder_get(&d->base, entry, "signature", 's');

	if (!summary && !json_is(type, "reasoning.text")) {
		finish_entry(details);
		json_comma(&details->entries);
		json_write_compact(&details->entries, entry);
		return;
	}
	if (!continues(details, entry))
		open_entry(details, entry, text_key);
	if (text.at != NULL)
		buffer_add(&details->text, text.at + 1, text.len - 2);
	if (signature.at != NULL) {
		buffer_clear(&details->signature);
		buffer_add_span(&details->signature, signature);
	}
	if (emits)
		think_reasoning(&d->think, &d->base, text);
}

void chat_details_read(struct chat_decoder *d, struct span details, bool emits)
{
	for (struct json_walk walk = decoder_walk(&d->base, details);
	     decoder_next(&d->base, &walk, "reasoning_details[]");)
		read_entry(d, walk.value, emits);
}

void chat_details_end(struct chat_decoder *d)
{
	struct buffer list = {0};

	finish_entry(&d->details);
	if (d->details.entries.len == 0)
		return;
	json_pack(&list, "[%j]", buffer_span(&d->details.entries));
	decoder_emit_member(&d->base, MODEL_MESSAGE_DATA, -1, "reasoning_details",
			    buffer_span(&list));
	buffer_free(&list);
}

void chat_details_free(struct chat_decoder *d)
{
	buffer_free(&d->details.entries);
	buffer_free(&d->details.open);
	buffer_free(&d->details.text);
	buffer_free(&d->details.signature);
}

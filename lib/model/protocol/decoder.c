#include "model/protocol/decoder.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "model/protocol/protocol.h"

struct decoder *decoder_new(const struct protocol *protocol, const struct provider *provider,
			    const struct model_handler *handler)
{
	struct decoder *d = mem_zero(protocol->decoder_size);

	d->protocol = protocol;
	d->provider = provider;
	d->handler = handler;
	for (size_t i = 0; i < TOKENS_COUNTS; i++)
		d->usage[i] = -1;
	d->part = MODEL_OPAQUE;
	if (protocol->begin != NULL)
		protocol->begin(d);
	return d;
}

void decoder_free(struct decoder *d)
{
	if (d->protocol->clear != NULL)
		d->protocol->clear(d);
	pieces_free(&d->pieces);
	buffer_free(&d->scratch);
	buffer_free(&d->id);
	buffer_free(&d->model);
	buffer_free(&d->finish);
	buffer_free(&d->refusal);
	for (int i = 0; i < d->call_count; i++)
		buffer_free(&d->call_ids[i]);
	free(d->call_ids);
	failure_free(&d->failure);
	free(d);
}

/* ---- reading ---- */

struct json_walk decoder_walk(const struct decoder *d, struct span value)
{
	return json_index_walk(&d->index, value);
}

/* The types of the letters of decoder_members. */
static const struct member_type {
	char letter;
	enum json_type a, b;
	const char *name;
} member_types[] = {
    {'s', JSON_STRING, JSON_STRING, "string"},
    {'o', JSON_OBJECT, JSON_OBJECT, "object"},
    {'l', JSON_ARRAY, JSON_ARRAY, "array"},
    {'t', JSON_STRING, JSON_ARRAY, "string or array"},
    {'a', JSON_STRING, JSON_OBJECT, "string or object"},
    {'b', JSON_BOOL, JSON_BOOL, "boolean"},
    {'n', JSON_NUMBER, JSON_NUMBER, "number"},
    {'w', JSON_STRING, JSON_NUMBER, "string or number"},
};

/* Whether a value has nothing in it: "", [] or {}. */
static bool is_empty(struct span value)
{
	return json_type(value) == JSON_STRING
		   ? value.len == 2
		   : json_type(value) >= JSON_ARRAY && json_count(value) == 0;
}

struct span decoder_typed(struct decoder *d, const char *name, struct span value, char type)
{
	const struct member_type *wanted = member_types;
	enum json_type got = json_type(value);

	while (wanted->letter != type)
		wanted++;
	if (got == wanted->a || got == wanted->b)
		return value;
	if (got > JSON_NULL && (type == 'a' || !is_empty(value)))
		failure_set(&d->failure, ERROR_INVALID_RESPONSE, true,
			    "%s sent a response in which \"%s\" is of the type %s instead of %s",
			    d->provider->name, name, json_type_name(got), wanted->name);
	return (struct span){0};
}

void decoder_members(struct decoder *d, struct span object, const struct span *names,
		     const char *types, struct span *values)
{
	json_members(decoder_walk(d, object), names, values);
	for (size_t i = 0; names[i].at != NULL; i++)
		if (values[i].at != NULL && types[i] != '.')
			values[i] = decoder_typed(d, names[i].at, values[i], types[i]);
}

struct span decoder_get(struct decoder *d, struct span object, const char *name, char type)
{
	return decoder_typed(d, name, json_get(object, name), type);
}

bool decoder_next(struct decoder *d, struct json_walk *walk, const char *name)
{
	while (d->failure.kind == ERROR_NONE && json_next(walk)) {
		if (json_type(walk->value) == JSON_OBJECT)
			return true;
		decoder_typed(d, name, walk->value, 'o');
	}
	return false;
}

struct span decoder_args(struct decoder *d, struct span args)
{
	buffer_clear(&d->scratch);
	if (!json_decode(args, &d->scratch) && json_count(args) > 0)
		json_write_compact(&d->scratch, args);
	return pieces_repair(&d->pieces, buffer_span(&d->scratch));
}

bool decoder_is_text(struct span value)
{
	return json_type(value) == JSON_STRING && value.len > 2;
}

void decoder_store_first(struct buffer *out, struct span string)
{
	if (out->len == 0)
		json_decode(string, out);
}

void decoder_store_last(struct buffer *out, struct span string)
{
	if (!decoder_is_text(string))
		return;
	buffer_clear(out);
	json_decode(string, out);
}

void decoder_join(struct buffer *json, struct span string)
{
	if (json_type(string) != JSON_STRING)
		return;
	if (json->len > 0) {
		json->len--;
		string = span_from(string, 1);
	}
	buffer_add_span(json, string);
}

bool decoder_is_error(struct span error)
{
	switch (json_type(error)) {
	case JSON_STRING:
		return error.len > 2;
	case JSON_OBJECT:
	case JSON_ARRAY:
		return json_count(error) > 0;
	case JSON_BOOL:
		return json_true(error);
	default:
		return false;
	}
}

const struct finish_reason *decoder_reason(const struct decoder *d)
{
	return finish_reason_find(buffer_span(&d->finish), d->protocol->reasons);
}

enum args_state decoder_args_state(struct span args)
{
	struct json_fault fault;

	if (json_check(args, &fault))
		return ARGS_COMPLETE;
	return fault.offset >= args.len ? ARGS_CUT : ARGS_INVALID;
}

bool decoder_is_blank(struct span args)
{
	return json_trim(args).len == 0;
}

/* ---- usage ---- */

static double read_count(enum token_count count, struct span value)
{
	if (count == TOKENS_COST || count == TOKENS_TICKS)
		return json_double(value, -1);
	return (double)model_tokens(value, -1);
}

/* The member of `usage` for each row of the table. */
static void find_counts(const struct decoder *d, struct span usage, struct span *values)
{
	const struct usage_name *table = d->protocol->usage;
	struct json_walk walk = decoder_walk(d, usage);

	while (json_next(&walk)) {
		struct span key = json_plain(walk.key);

		for (size_t i = 0; table[i].name.at != NULL; i++)
			if (values[i].at == NULL && span_equal(table[i].name, key))
				values[i] = walk.value;
	}
}

void decoder_usage(struct decoder *d, struct span usage)
{
	struct span values[TOKENS_MAX_ROWS] = {0};
	bool found[TOKENS_COUNTS] = {0};

	if (json_type(usage) != JSON_OBJECT)
		return;
	find_counts(d, usage, values);
	for (size_t i = 0; d->protocol->usage[i].name.at != NULL; i++) {
		const struct usage_name *row = &d->protocol->usage[i];
		double count = read_count(
		    row->count, row->inner == NULL ? values[i] : json_get(values[i], row->inner));

		if (count < 0 || found[row->count])
			continue;
		found[row->count] = true;
		d->usage[row->count] = count;
	}
}

static double *total_of(double *counts, enum token_count count)
{
	return &counts[count == TOKENS_REASONING ? TOKENS_OUTPUT : TOKENS_INPUT];
}

static struct model_usage usage_of(const struct decoder *d)
{
	double counts[TOKENS_COUNTS], *output = &counts[TOKENS_OUTPUT];
	double reasoning = d->usage[TOKENS_REASONING];

	memcpy(counts, d->usage, sizeof(counts));
	for (const struct usage_name *row = d->protocol->usage; row->name.at != NULL; row++) {
		double *total = total_of(counts, row->count);

		if (row->apart && d->usage[row->count] > 0)
			*total = (*total > 0 ? *total : 0) + d->usage[row->count];
	}
	/* xAI leaves reasoning out of the output and includes it in the total. */
	if (reasoning > 0 && counts[TOKENS_INPUT] >= 0 && *output >= 0 &&
	    counts[TOKENS_TOTAL] == counts[TOKENS_INPUT] + *output + reasoning)
		*output += reasoning;
	if (counts[TOKENS_COST] < 0 && counts[TOKENS_TICKS] > 0)
		counts[TOKENS_COST] = counts[TOKENS_TICKS] * 1e-10;
	return (struct model_usage){
	    .input = (int64_t)counts[TOKENS_INPUT],
	    .output = (int64_t)*output,
	    .cached_input = (int64_t)counts[TOKENS_CACHED],
	    .cache_write = (int64_t)counts[TOKENS_CACHE_WRITE],
	    .reasoning = (int64_t)reasoning,
	    .cost_usd = counts[TOKENS_COST],
	};
}

/* ---- deltas ---- */

void decoder_emit(struct decoder *d, struct model_delta delta)
{
	if (delta.type <= MODEL_TOOL_CALL || delta.type == MODEL_OPAQUE ||
	    (delta.type == MODEL_PART_DATA && delta.index < 0))
		d->part = delta.type;
	d->handler->delta(d->handler->context, &delta);
}

void decoder_emit_text(struct decoder *d, enum model_delta_type type, struct span text)
{
	if (text.len > 0)
		decoder_emit(d, (struct model_delta){.type = type, .text = text, .index = -1});
}

void decoder_emit_args(struct decoder *d, int index, struct span text)
{
	if (text.len > 0)
		decoder_emit(
		    d, (struct model_delta){.type = MODEL_TOOL_ARGS, .text = text, .index = index});
}

int decoder_call(struct decoder *d, struct model_delta call)
{
	if (call.name.len == 0) {
		decoder_fail(d, "sent a tool call without a name");
		return -1;
	}
	call.type = MODEL_TOOL_CALL;
	call.index = d->call_count;
	d->call_ids = array_grow(d->call_ids, (size_t)d->call_count, sizeof(*d->call_ids));
	d->call_ids[d->call_count] = (struct buffer){0};
	buffer_add_span(&d->call_ids[d->call_count++], call.id);
	d->calls_here += !call.by_provider;
	decoder_emit(d, call);
	return call.index;
}

int decoder_read_call(struct decoder *d, struct span id, struct span name, bool by_provider)
{
	struct buffer id_text = {0}, name_text = {0};
	int index;

	json_decode(id, &id_text);
	json_decode(name, &name_text);
	index = decoder_call(d, (struct model_delta){.id = buffer_span(&id_text),
						     .name = buffer_span(&name_text),
						     .by_provider = by_provider});
	buffer_free(&id_text);
	buffer_free(&name_text);
	return index;
}

int decoder_find_call(const struct decoder *d, struct span id)
{
	for (int i = d->call_count; i-- > 0 && decoder_is_text(id);)
		if (json_is(id, buffer_string(&d->call_ids[i])))
			return i;
	return -1;
}

void decoder_emit_result(struct decoder *d, int index, struct span text, bool is_error)
{
	decoder_emit(d, (struct model_delta){.type = MODEL_TOOL_RESULT,
					     .index = index,
					     .text = pieces_repair(&d->pieces, text),
					     .is_error = is_error});
}

void decoder_split(struct decoder *d, enum model_delta_type type)
{
	if (d->part == type)
		decoder_emit_data(d, MODEL_PART_DATA, -1, SPAN("{}"));
}

void decoder_emit_data(struct decoder *d, enum model_delta_type type, int index, struct span json)
{
	struct buffer line = {0};

	json_write_line(&line, pieces_repair(&d->pieces, json));
	decoder_emit(
	    d, (struct model_delta){.type = type, .text = buffer_span(&line), .index = index});
	buffer_free(&line);
}

void decoder_emit_member(struct decoder *d, enum model_delta_type type, int index, const char *name,
			 struct span json)
{
	struct buffer data = {0};

	json_open(&data, '{');
	json_put_raw(&data, name, json);
	json_close(&data, '}');
	decoder_emit_data(d, type, index, buffer_span(&data));
	buffer_free(&data);
}

/* ---- failures ---- */

bool decoder_fail(struct decoder *d, const char *sentence)
{
	return failure_set(&d->failure, ERROR_INVALID_RESPONSE, true, "%s %s", d->provider->name,
			   sentence);
}

bool decoder_fail_with(struct decoder *d, struct span body)
{
	return failure_read(&d->failure, d->provider, 0, body);
}

bool decoder_fail_document(struct decoder *d, struct span json)
{
	struct buffer quote = {0};

	failure_quote(json, &quote);
	failure_set(&d->failure, ERROR_INVALID_RESPONSE, true,
		    "%s answered with something that is %s: %s", d->provider->name,
		    d->protocol->not_response, buffer_string(&quote));
	buffer_free(&quote);
	return false;
}

/* ---- events ---- */

/* The last event of a stream that broke off is torn: the end shows whether it was needed. Messages
 * of an AWS event stream have a length and a checksum, so they are never torn. */
static bool not_json(struct decoder *d, struct span data, const struct json_fault *fault)
{
	d->torn = d->protocol->framing != FRAMING_AWS && fault->offset >= data.len;
	if (d->torn)
		return true;
	return failure_set(&d->failure, ERROR_INVALID_RESPONSE, true,
			   "%s sent %s that is not JSON (%s at byte %zu)", d->provider->name,
			   d->protocol->framing == FRAMING_NDJSON ? "a line" : "an event",
			   fault->what, fault->offset);
}

/* Whether the event or document `data` is JSON, invalid UTF-8 aside. */
static bool check(struct decoder *d, struct span data, struct json_fault *fault)
{
	struct pieces *pieces = &d->pieces;

	pieces->broken_utf8 = false;
	if (json_check_index(data, &d->index, fault))
		return true;
	buffer_clear(&pieces->repaired);
	utf8_add(&pieces->repaired, data);
	pieces->broken_utf8 = json_check(buffer_span(&pieces->repaired), NULL);
	return pieces->broken_utf8;
}

/* Read an event or a document; a list has several. */
static bool read_value(struct decoder *d, struct span name, struct span json, bool is_document)
{
	struct json_walk walk = decoder_walk(d, json);

	if (json_type(json) == JSON_ARRAY) {
		while (decoder_next(d, &walk, "[]"))
			if (!read_value(d, name, walk.value, is_document))
				return false;
	} else if (!(is_document && d->protocol->document != NULL
			 ? d->protocol->document(d, json)
			 : d->protocol->chunk(d, name, json))) {
		return false;
	}
	return d->failure.kind == ERROR_NONE;
}

bool decoder_event(struct decoder *d, struct span name, struct span data)
{
	bool is_error = span_is(name, "error"), is_line = d->protocol->framing == FRAMING_NDJSON;
	struct json_fault fault;

	if (d->failure.kind != ERROR_NONE)
		return false;
	data = json_trim(data);
	if (d->protocol->exception != NULL && span_starts(name, "!"))
		return d->protocol->exception(d, span_from(name, 1), data);
	if (data.len == 0 || span_is(data, "null") || d->done)
		return true;
	if (span_starts(data, "[DONE]")) {
		d->done = d->protocol->done_ends;
		return true;
	}
	if (d->torn && !is_error)
		return decoder_fail(d, is_line
					   ? "sent half a line in the middle of its response"
					   : "sent half an event in the middle of its response");
	if (!check(d, data, &fault))
		return is_error ? decoder_fail_with(d, data) : not_json(d, data, &fault);
	if (json_type(data) >= JSON_ARRAY)
		return read_value(d, name, data, false);
	return is_error ? decoder_fail_with(d, data)
			: decoder_fail(d, is_line ? "sent a line that is no object"
						  : "sent an event that is no object");
}

bool decoder_document(struct decoder *d, struct span json)
{
	struct json_fault fault;

	json = json_trim(json);
	if (!check(d, json, &fault) || (json_type(json) != JSON_OBJECT && json_count(json) == 0))
		return decoder_fail_document(d, json);
	d->done = read_value(d, (struct span){0}, json, true);
	return d->done;
}

/* ---- the end ---- */

/* A response is complete if the provider gave a reason for its end, or ended it. */
static void check_end(struct decoder *d)
{
	const struct finish_reason *reason = decoder_reason(d);
	const char *name = d->provider->name;

	if (d->failure.kind != ERROR_NONE)
		return;
	if (reason != NULL && reason->finish == MODEL_ERROR)
		failure_set(&d->failure, reason->kind, reason->retryable, "%s %s", name,
			    reason->sentence);
	else if (d->finish.len == 0 && !d->done)
		failure_set(&d->failure, ERROR_STREAM_TRUNCATED, true,
			    "%s broke off in the middle of its response", name);
}

/* Reasons are not reliable: a server may give "stop", or none, after calls, and the reason of calls
 * when the length ended them. So what was received counts too. */
static enum model_finish finish_of(const struct decoder *d, const struct finish_reason *reason)
{
	enum model_finish finish = reason != NULL ? reason->finish : MODEL_STOP;
	bool ended = reason != NULL && finish == MODEL_STOP; /* by the model itself */

	if (finish == MODEL_CONTENT_FILTER)
		return MODEL_CONTENT_FILTER;
	if (finish == MODEL_REFUSAL || d->refusal.len > 0)
		return MODEL_REFUSAL;
	if (finish == MODEL_LENGTH || (d->cut_args && !ended))
		return MODEL_LENGTH;
	if (finish == MODEL_TOOL_CALLS && d->call_count > 0)
		finish = MODEL_STOP; /* after calls that the provider ran */
	return d->calls_here > 0 ? MODEL_TOOL_CALLS : finish;
}

/* Whether the provider's reason says something else than `finish`, or is unknown. */
static bool contradicts(const struct decoder *d, const struct finish_reason *reason,
			enum model_finish finish)
{
	if (d->finish.len == 0)
		return false;
	if (reason != NULL && reason->finish == MODEL_STOP &&
	    (finish == MODEL_REFUSAL ||
	     (finish == MODEL_TOOL_CALLS && d->protocol->stops_after_calls)))
		return false;
	return reason == NULL || reason->finish != finish;
}

void decoder_end(struct decoder *d, struct model_outcome *outcome)
{
	const struct finish_reason *reason;

	d->index.count = 0; /* the last event is gone */
	if (d->protocol->flush != NULL)
		d->protocol->flush(d);
	check_end(d);
	if (d->failure.kind == ERROR_NONE && d->protocol->complete != NULL)
		d->protocol->complete(d);
	*outcome = (struct model_outcome){
	    .usage = usage_of(d),
	    .response_id = buffer_string_or_null(&d->id),
	    .model = buffer_string_or_null(&d->model),
	    .error.retry_after_seconds = -1,
	};
	if (d->failure.kind != ERROR_NONE) {
		failure_report(&d->failure, d->provider, outcome);
		return;
	}
	reason = decoder_reason(d);
	outcome->finish = finish_of(d, reason);
	outcome->has_file = d->has_file;
	if (contradicts(d, reason, outcome->finish))
		outcome->provider_finish_reason = buffer_string(&d->finish);
	if (d->refusal.len > 0)
		outcome->refusal = buffer_string(&d->refusal);
}

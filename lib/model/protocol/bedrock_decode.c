#include "model/protocol/bedrock.h"

#include <stdlib.h>

/* ---- events ---- */

static int64_t count_of(struct span usage, const char *name, int64_t old)
{
	return model_tokens(json_get(usage, name), old);
}

static void read_usage(struct bedrock_decoder *d, struct span usage)
{
	d->input = count_of(usage, "inputTokens", d->input);
	d->output = count_of(usage, "outputTokens", d->output);
	d->cache_read = count_of(usage, "cacheReadInputTokens", d->cache_read);
	d->cache_write = count_of(usage, "cacheWriteInputTokens", d->cache_write);
}

static void read_stop(struct bedrock_decoder *d, struct span event)
{
	bedrock_block_stop(d);
	buffer_clear(&d->stop);
	json_decode(json_get(event, "stopReason"), &d->stop);
	d->stopped = true;
}

/* Events that are not known are not of interest. */
static bool read_event(struct bedrock_decoder *d, struct span name, struct span event)
{
	int64_t index = json_int(json_get(event, "contentBlockIndex"), 0);

	if (span_is(name, "contentBlockDelta"))
		bedrock_block_delta(d, index, json_get(event, "delta"));
	else if (span_is(name, "contentBlockStart"))
		return bedrock_block_start(d, index, json_get(event, "start"));
	else if (span_is(name, "contentBlockStop"))
		bedrock_block_stop(d);
	else if (span_is(name, "messageStop"))
		read_stop(d, event);
	else if (span_is(name, "metadata"))
		read_usage(d, json_get(event, "usage"));
	return true;
}

static bool bedrock_event(struct decoder *decoder, struct span name, struct span data)
{
	struct bedrock_decoder *d = (struct bedrock_decoder *)decoder;
	struct json_fault fault;

	if (d->failure.kind != NULL)
		return false;
	data = json_trim(data);
	if (span_starts(name, "!"))
		return bedrock_exception(d, span_from(name, 1), data);
	if (data.len == 0)
		return true;
	if (!pieces_check(&d->pieces, data, &fault))
		return failure_set(&d->failure, "invalid_response", true,
				   "%s sent an event that is not JSON (%s at byte %zu)",
				   d->base.provider->name, fault.what, fault.offset);
	return read_event(d, name, data);
}

/* The answer to Converse, which does not stream. */
static bool bedrock_document(struct decoder *decoder, struct span json)
{
	struct bedrock_decoder *d = (struct bedrock_decoder *)decoder;
	struct json_walk walk;
	struct span output;

	json = json_trim(json);
	if (json.len == 0 || !pieces_check(&d->pieces, json, NULL))
		return failure_set(&d->failure, "invalid_response", true,
				   "%s answered with something that is no event stream: %.*s",
				   d->base.provider->name, json.len < 200 ? (int)json.len : 200,
				   json.at);
	output = json_get(json, "output");
	if (json_type(output) != JSON_OBJECT)
		return failure_read(&d->failure, d->base.provider, 0, json);
	walk = json_walk(json_path(output, "message.content"));
	for (int64_t index = 0; json_next(&walk); index++)
		if (!bedrock_block_whole(d, index, walk.value))
			return false;
	read_stop(d, json);
	read_usage(d, json_get(json, "usage"));
	return true;
}

/* ---- the end ---- */

static bool stopped_by(const struct bedrock_decoder *d, const char *reason)
{
	return span_is(buffer_span(&d->stop), reason);
}

static enum model_finish finish_of(const struct bedrock_decoder *d)
{
	if (stopped_by(d, "guardrail_intervened") || stopped_by(d, "content_filtered"))
		return MODEL_CONTENT_FILTER;
	if (stopped_by(d, "refusal"))
		return MODEL_REFUSAL;
	if (stopped_by(d, "pause_turn"))
		return MODEL_PAUSE;
	if (stopped_by(d, "max_tokens") || stopped_by(d, "model_context_window_exceeded"))
		return MODEL_LENGTH;
	return d->calls_here > 0 ? MODEL_TOOL_CALLS : MODEL_STOP;
}

static void check_end(struct bedrock_decoder *d)
{
	const char *name = d->base.provider->name;

	if (d->failure.kind != NULL)
		return;
	if (!d->stopped)
		failure_set(&d->failure, "stream_truncated", true,
			    "%s broke off in the middle of its answer", name);
	else if (stopped_by(d, "malformed_model_output") || stopped_by(d, "malformed_tool_use"))
		failure_set(&d->failure, "invalid_response", true,
			    "%s ended its answer because the model wrote something malformed (%s)",
			    name, buffer_string(&d->stop));
}

/* inputTokens leave cached ones out. */
static struct model_usage usage_of(const struct bedrock_decoder *d)
{
	struct model_usage usage = MODEL_USAGE_NONE;

	usage.input = d->input;
	usage.output = d->output;
	usage.cached_input = d->cache_read;
	usage.cache_write = d->cache_write;
	if (usage.input >= 0) {
		usage.input += d->cache_read > 0 ? d->cache_read : 0;
		usage.input += d->cache_write > 0 ? d->cache_write : 0;
	}
	return usage;
}

/* Whether the bytes broke off does not matter: either the answer had ended before, or not. */
static void bedrock_end(struct decoder *decoder, bool cut, struct model_outcome *outcome)
{
	struct bedrock_decoder *d = (struct bedrock_decoder *)decoder;

	(void)cut;
	bedrock_block_stop(d);
	check_end(d);
	*outcome = (struct model_outcome){
	    .usage = usage_of(d),
	    .error.retry_after_seconds = -1,
	};
	if (d->failure.kind != NULL)
		failure_report(&d->failure, d->base.provider, outcome);
	else
		outcome->finish = finish_of(d);
}

static struct decoder *bedrock_decoder_new(const struct model_request *request)
{
	struct bedrock_decoder *d = mem_zero(sizeof(*d));

	(void)request;
	d->base.protocol = &protocol_bedrock;
	d->input = d->output = d->cache_read = d->cache_write = -1;
	return &d->base;
}

static void bedrock_decoder_free(struct decoder *decoder)
{
	struct bedrock_decoder *d = (struct bedrock_decoder *)decoder;

	bedrock_blocks_free(d);
	buffer_free(&d->stop);
	buffer_free(&d->args);
	pieces_free(&d->pieces);
	failure_free(&d->failure);
	free(d);
}

const struct protocol protocol_bedrock = {
    .name = "bedrock",
    .framing = FRAMING_AWS,
    .request = bedrock_request,
    .answers_by_tool = bedrock_answers_by_tool,
    .decoder_new = bedrock_decoder_new,
    .event = bedrock_event,
    .document = bedrock_document,
    .end = bedrock_end,
    .decoder_free = bedrock_decoder_free,
    .list_request = bedrock_list_request,
    .list_read = bedrock_list_read,
};

#include <stdlib.h>

#include "base/number.h"
#include "event/secrets.h"
#include "model/answer_tool.h"
#include "model/failure.h"
#include "model/model_type.h"
#include "model/provider.h"
#include "model/response_body.h"

/* After [DONE] a server usually ends the response at once, and the connection can be used again. If
 * it does not, the connection is closed after this time. */
static const int64_t grace = 100 * 1000000LL;

/* How long the rest of the body of an error is read. */
static const int64_t error_time = 3 * 1000000000LL;

/* A longer event, or beginning of one, is no keep-alive. */
enum { KEEP_ALIVE_MAX = 1024 };

struct http_model {
	struct model model;
	struct provider *provider;
	struct buffer spare; /* the memory of a body, for the next one */
};

struct http_model_call {
	struct model_call call;
	struct http_model *model;
	struct model_handler handler;
	struct answer_tool answer; /* if a tool is used for structured output */
	struct decoder *decoder;
	struct model_handler of_decoder; /* which passes the deltas on */
	struct http_request request;
	struct http_call *http;
	struct response_body body;
	struct failure failure;       /* of the exchange; the decoder has the response's own */
	struct loop_timer *timer;     /* until the exchange is ended here */
	const struct http_head *head; /* of an error; else NULL */
	struct buffer no_delta;       /* the kind of the last event without a delta */
	int depth;       /* callbacks that are running; the call is not freed inside one */
	bool flushing;   /* the bytes have ended: the last event may be incomplete */
	bool received;   /* an event, or a document, or half of one */
	bool complete;   /* [DONE] was seen */
	bool has_delta;  /* the last event had one */
	bool progress;   /* the last bytes are more than keep-alives */
	bool kept_alive; /* they are not */
	bool failed;     /* the decoder needs no more events */
	bool cancelled;
};

struct http *model_http(struct model_host *host)
{
	if (host->http == NULL)
		host->http = http_new(host->loop);
	return host->http;
}

/* ---- the end ---- */

static void free_call(struct http_model_call *c)
{
	loop_timer_remove(c->timer);
	if (c->http != NULL)
		http_cancel(c->http);
	decoder_free(c->decoder);
	http_request_free(&c->request);
	answer_tool_free(&c->answer);
	body_free(&c->body);
	failure_free(&c->failure);
	buffer_free(&c->no_delta);
	free(c);
}

/* The body was sent. Fresh memory for the body of every request of a long run costs more than
 * filling it. */
static void reuse_body(struct http_model_call *c)
{
	struct buffer *spare = &c->model->spare;

	if (c->request.body.cap <= spare->cap)
		return;
	buffer_free(spare);
	*spare = c->request.body;
	c->request.body = (struct buffer){0};
	buffer_clear(spare);
}

/* Report the end of the response and free the call. */
static void finish(struct http_model_call *c)
{
	struct model_outcome outcome;

	c->depth++;
	decoder_end(c->decoder, &outcome);
	/* The reason of the transfer's end is more precise than the decoder's; a complete response
	 * stays complete. */
	if (c->failure.kind != ERROR_NONE && outcome.error.kind == ERROR_STREAM_TRUNCATED)
		failure_report(&c->failure, c->model->provider, &outcome);
	if (outcome.error.kind != ERROR_NONE && c->failure.request_id.len > 0)
		outcome.error.request_id = buffer_string(&c->failure.request_id);
	if (c->http != NULL) {
		http_cancel(c->http);
		c->http = NULL;
	}
	reuse_body(c);
	if (!c->cancelled)
		c->handler.done(c->handler.context, &outcome);
	free_call(c);
}

static void waited_enough(void *context)
{
	struct http_model_call *c = context;

	c->timer = NULL;
	finish(c);
}

/* Do what a callback left to be done until it is safe to free the call. */
static void settle(struct http_model_call *c)
{
	if (c->cancelled)
		free_call(c);
	else if (c->failed)
		finish(c);
	else if (c->complete && c->timer == NULL)
		c->timer = loop_timer_add(c->model->model.host->loop, grace, waited_enough, c);
}

/* ---- events ---- */

static void deliver_raw(struct http_model_call *c, struct span name, struct span data)
{
	struct model_delta delta = {.type = MODEL_RAW, .name = name, .index = -1};
	struct buffer payload = {0};

	if (!c->model->model.host->raw || data.len == 0 || c->cancelled)
		return;
	if (json_check(data, NULL))
		json_write_compact(&payload, json_trim(data));
	else
		json_write_string(&payload, data);
	delta.text = buffer_span(&payload);
	c->handler.delta(c->handler.context, &delta);
	buffer_free(&payload);
}

/* Whether `text` is the beginning of JSON, or of [DONE], and no more. */
static bool is_half(struct span text)
{
	enum { LONGEST_WORD = 5 }; /* false, [DONE] */
	struct json_fault fault;

	text = json_trim(text);
	return text.len > 0 && strchr("{[", text.at[0]) != NULL && !span_is(text, "[DONE]") &&
	       !json_check(text, &fault) && fault.offset + LONGEST_WORD >= text.len;
}

static void pass_delta(void *context, const struct model_delta *delta)
{
	struct http_model_call *c = context;

	c->has_delta = c->has_delta || delta->text.len > 0 || delta->type == MODEL_TOOL_CALL ||
		       delta->type == MODEL_TOOL_RUNNING;
	c->handler.delta(c->handler.context, delta);
}

/* Whether an event without a delta is only sent to keep the connection alive: it is named so, or
 * it is short and of the same kind as the last one (a chunk without text, a status). */
static bool is_keep_alive(struct http_model_call *c, struct span name, struct span data)
{
	static const char *const names[] = {"ping",       "keepalive", "keep-alive",
					    "keep_alive", "heartbeat", NULL};
	struct span kind = name.len > 0 ? name : json_plain(json_get(json_trim(data), "type"));
	struct buffer line = {0};
	bool repeated;

	if (data.len == 0 || span_is_any(kind, names))
		return true;
	buffer_add_span(&line, kind);
	buffer_add_char(&line, '\n');
	repeated = span_equal(buffer_span(&line), buffer_span(&c->no_delta));
	buffer_free(&c->no_delta);
	c->no_delta = line;
	return repeated && data.len <= KEEP_ALIVE_MAX;
}

static void on_event(void *context, struct span name, struct span data)
{
	struct http_model_call *c = context;

	c->received = true;
	if (c->failed || c->cancelled || c->complete || (c->flushing && is_half(data)))
		return;
	deliver_raw(c, name, data);
	c->has_delta = false;
	if (!decoder_event(c->decoder, name, data))
		c->failed = true;
	if (c->has_delta || !is_keep_alive(c, name, data))
		c->progress = true;
	if (span_starts(data, "[DONE]"))
		c->complete = true;
}

static void fail_redirect(struct http_model_call *c, const struct http_head *head)
{
	struct span location = http_header_value(head, "location");

	c->failure.http_status = head->status;
	failure_set(&c->failure, ERROR_INVALID_REQUEST, false,
		    "%s answered HTTP %d, a redirect%s%.*s, which is not followed; is the base "
		    "URL right?",
		    c->model->provider->name, head->status, location.len > 0 ? " to " : "",
		    (int)location.len, location.at != NULL ? location.at : "");
}

static void fail_status(struct http_model_call *c, const struct http_head *head)
{
	if (head->status >= 300 && head->status < 400) {
		fail_redirect(c, head);
		return;
	}
	deliver_raw(c, (struct span){0}, buffer_span(&c->body.bytes));
	failure_read(&c->failure, c->model->provider, head->status, buffer_span(&c->body.bytes));
	failure_head(&c->failure, head);
	if (c->decoder->protocol->advise != NULL)
		c->decoder->protocol->advise(c->model->provider, c->model->model.name, &c->failure);
}

static void fail_exchange(struct http_model_call *c, const struct http_result *result)
{
	const struct http_limits *limits = &c->model->model.host->limits;
	const char *name = c->model->provider->name;
	const char *why = result->message != NULL ? result->message : "the connection broke";

	switch (result->outcome) {
	case HTTP_COMPLETE:
		break;
	case HTTP_UNREACHABLE:
		failure_set(&c->failure, ERROR_NETWORK, result->retryable,
			    "%s cannot be reached: %s", name, why);
		break;
	case HTTP_BROKEN:
		failure_set(&c->failure, ERROR_STREAM_TRUNCATED, result->retryable,
			    "%s broke off in the middle of its response: %s", name, why);
		break;
	case HTTP_IDLE:
		failure_set(&c->failure, ERROR_TIMEOUT, true,
			    "%s sent nothing%s for %g second%s (--idle-timeout)", name,
			    c->kept_alive ? " but keep-alives" : "", limits->idle_seconds,
			    plural(limits->idle_seconds));
		break;
	case HTTP_TIMEOUT:
		failure_set(&c->failure, ERROR_TIMEOUT, false,
			    "%s did not finish within %g second%s", name, limits->total_seconds,
			    plural(limits->total_seconds));
		break;
	}
}

/* The bytes have ended: emit the last event. */
static void flush(struct http_model_call *c)
{
	struct span bytes = buffer_span(&c->body.bytes);

	c->flushing = true;
	body_end(&c->body);
	if (c->body.kind != BODY_DOCUMENT)
		return;
	c->received = true;
	deliver_raw(c, (struct span){0}, bytes);
	if (!c->cancelled && !is_half(bytes))
		decoder_document(c->decoder, bytes);
}

/* The head of an error, or its body, is all that is needed. */
static void end_error(struct http_model_call *c)
{
	failure_head(&c->failure, c->head);
	if (c->body.kind == BODY_STRAY)
		flush(c);
	else
		fail_status(c, c->head);
	c->failed = true;
}

static void waited_for_error(void *context)
{
	struct http_model_call *c = context;

	c->timer = NULL;
	c->depth++;
	end_error(c);
	c->depth--;
	settle(c);
}

/* An error begins: some servers never end its body. */
static void limit_error(struct http_model_call *c, const struct http_head *head)
{
	if (c->head == NULL && c->timer == NULL)
		c->timer = loop_source_timer_add(c->model->model.host->loop, error_time,
						 waited_for_error, c);
	c->head = head;
}

static void on_head(void *context, const struct http_head *head)
{
	if (head->status < 200 || head->status > 299)
		limit_error(context, head);
}

/* ---- bytes ---- */

static void on_body(void *context, const struct http_head *head, struct span bytes)
{
	struct http_model_call *c = context;
	const struct response_body *body = &c->body;

	c->depth++;
	c->progress = false;
	if (!body_feed(&c->body, head, bytes, c->model->provider, &c->failure))
		c->failed = true;
	if (body->kind == BODY_STRAY)
		limit_error(c, head);
	if (body->bytes.len > 0)
		c->progress = span_trim(bytes).len > 0;
	else if (body_pending(body) > KEEP_ALIVE_MAX)
		c->progress = true;
	c->kept_alive = !c->progress;
	if (c->head != NULL && body->bytes.len >= BODY_MAX_ERROR)
		end_error(c);
	c->depth--;
	settle(c);
}

static bool is_progress(void *context)
{
	return ((const struct http_model_call *)context)->progress;
}

static void on_done(void *context, const struct http_result *result)
{
	struct http_model_call *c = context;
	int status = result->head->status;
	bool broken = result->outcome != HTTP_COMPLETE;

	c->http = NULL;
	c->depth++;
	c->failure.unsent = !result->sent;
	failure_head(&c->failure, result->head);
	if (status != 0 && (status < 200 || status > 299))
		fail_status(c, result->head);
	else if (broken)
		fail_exchange(c, result);
	if (!broken || c->body.kind == BODY_STRAY)
		flush(c);
	if (!broken && !c->received)
		failure_set(&c->failure, ERROR_STREAM_TRUNCATED, true,
			    "%s answered HTTP %d, but sent nothing", c->model->provider->name,
			    status);
	c->depth--;
	if (c->cancelled)
		free_call(c);
	else
		finish(c);
}

/* ---- the kind of model ---- */

static struct model *http_model_open(struct model_host *host, const char *spec, struct error *e)
{
	const char *colon = strchr(spec, ':');
	struct http_model *model;
	struct provider *provider;
	char *name;

	if (colon == NULL || colon == spec) {
		error_set(
		    e, "usage",
		    "a model is named PROVIDER:MODEL (or test, replay:FILE, exec:COMMAND), not %s",
		    *spec != '\0' ? spec : "by nothing");
		return NULL;
	}
	name = mem_copy((struct span){spec, (size_t)(colon - spec)});
	provider = provider_open(name, host->base_url, &host->keys, e);
	free(name);
	if (provider == NULL)
		return NULL;
	if (colon[1] == '\0') {
		error_set(e, "usage", "which model of %s? name it %s:MODEL", provider->name,
			  provider->name);
		provider_free(provider);
		return NULL;
	}
	model = model_new(sizeof(*model), provider->name, colon + 1,
			  provider_is_local(provider) ? MODEL_LOCAL : MODEL_UNKNOWN_CHARGE);
	model->provider = provider;
	return &model->model;
}

static void http_model_close(struct model *model)
{
	provider_free(((struct http_model *)model)->provider);
	buffer_free(&((struct http_model *)model)->spare);
}

/* *by_tool: a tool is used for structured output. */
static bool build(struct http_model *model, const struct model_request *request,
		  struct http_request *out, bool *by_tool, struct error *e)
{
	struct provider *provider = model->provider;
	const char *name = model->model.name;
	struct answer_request changed = {0};
	bool good;

	*by_tool = answer_request_make(&changed, provider, name, request);
	good = protocol_request(provider, name, *by_tool ? &changed.request : request, out, e) &&
	       provider_complete_request(provider, out, model->model.host->secrets, e);
	answer_request_free(&changed);
	return good;
}

static struct model_call *http_model_ask(struct model *base, const struct model_request *request,
					 const struct model_handler *handler, struct error *e)
{
	struct http_model *model = (struct http_model *)base;
	struct http_model_call *c;
	struct http_request wire = {.body = model->spare};
	bool by_tool;

	model->spare = (struct buffer){0};
	if (!build(model, request, &wire, &by_tool, e)) {
		http_request_free(&wire);
		return NULL;
	}
	c = mem_zero(sizeof(*c));
	c->model = model;
	c->answer.handler = *handler;
	c->handler = by_tool ? answer_tool_handler(&c->answer) : *handler;
	c->request = wire;
	c->of_decoder = (struct model_handler){.context = c, .delta = pass_delta};
	c->decoder = decoder_new(model->provider->protocol, model->provider, &c->of_decoder);
	body_init(&c->body, model->provider->protocol->framing, on_event, c);
	c->http = http_start(model_http(base->host), &c->request, &base->host->limits,
			     &(struct http_handler){.context = c,
						    .head = on_head,
						    .body = on_body,
						    .is_progress = is_progress,
						    .done = on_done});
	return &c->call;
}

static void ignore_delta(void *context, const struct model_delta *delta)
{
	(void)context;
	(void)delta;
}

static bool http_model_cancel(struct model_call *call)
{
	struct http_model_call *c = (struct http_model_call *)call;
	bool sent = c->http == NULL || http_is_sent(c->http);

	c->cancelled = true;
	c->handler.delta = ignore_delta;
	if (c->http != NULL)
		http_cancel(c->http);
	c->http = NULL;
	if (c->depth == 0)
		free_call(c);
	return sent;
}

static bool http_model_show_request(struct model *base, const struct model_request *request,
				    struct buffer *out, struct error *e)
{
	struct http_request wire = {0};
	bool by_tool;
	bool ok = build((struct http_model *)base, request, &wire, &by_tool, e);

	if (ok) {
		buffer_add_format(out, "%s ", wire.method != NULL ? wire.method : "POST");
		secrets_show_url(span_of(wire.url), out);
		buffer_add_char(out, '\n');
	}
	for (size_t i = 0; ok && i < wire.header_count; i++) {
		const char *line = wire.headers[i].line;
		int name = (int)strcspn(line, ":");
		bool bearer = strncmp(line + name, ": Bearer ", 9) == 0;

		if (wire.headers[i].secret)
			buffer_add_format(out, "%.*s: %s***\n", name, line,
					  bearer ? "Bearer " : "");
		else
			buffer_add_format(out, "%s\n", line);
	}
	if (ok) {
		buffer_add_char(out, '\n');
		buffer_add_span(out, buffer_span(&wire.body));
		buffer_add_char(out, '\n');
	}
	http_request_free(&wire);
	return ok;
}

const struct model_type model_type_http = {
    .spec = "",
    .shared = true,
    .open = http_model_open,
    .close = http_model_close,
    .ask = http_model_ask,
    .cancel = http_model_cancel,
    .show_request = http_model_show_request,
};

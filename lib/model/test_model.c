/* The model `test`: deterministic, without network. It calls every tool once with arguments that
 * satisfy its schema, then answers, word by word. */
#include <stdlib.h>

#include "base/utf8.h"
#include "json/schema.h"
#include "model/model_type.h"

/* Deltas given in one turn of the loop when there is no delay: many, but signals must get their
 * turn. */
enum { DELTAS_A_TURN = 256 };

/* How much of a tool's result the answer quotes. */
enum { QUOTE_SIZE = 400 };

struct test_model {
	struct model model;
	int64_t calls; /* made so far, for their ids */
};

struct test_call {
	struct model_call call;
	struct model_handler handler;
	struct loop *loop;
	struct loop_timer *timer;
	int64_t delay; /* nanoseconds between pieces */
	struct model_usage usage;

	struct model_delta *pieces; /* of tool calls; their spans are copies */
	size_t piece_count, next_piece;
	bool calls_tools;

	struct buffer text; /* the answer */
	size_t word;        /* where the next word begins */
	int64_t words_left; /* with chunks=N; negative: until the text ends */
};

struct test_options {
	double delay;
	int64_t chunks; /* 0: as many as there are words */
	struct buffer text;
	bool has_text;
};

static struct model *test_open(struct model_host *host, const char *argument, struct error *e)
{
	struct test_model *model = mem_zero(sizeof(*model));

	(void)host, (void)argument, (void)e;
	model->model.provider = mem_copy(SPAN("test"));
	model->model.name = mem_copy(SPAN("test"));
	return &model->model;
}

static void test_close(struct model *model)
{
	(void)model;
}

/* ---- options ---- */

static bool read_options(const struct model_request *request, struct test_options *o,
			 struct error *e)
{
	for (size_t i = 0; i < request->option_count; i++) {
		const struct model_option *option = &request->options[i];

		if (strcmp(option->key, "text") == 0) {
			o->has_text = true;
			buffer_clear(&o->text);
			if (!json_decode(option->value, &o->text))
				buffer_add_span(&o->text, option->value);
		} else if (strcmp(option->key, "delay") == 0) {
			o->delay = json_double(option->value, -1);
			if (!(o->delay >= 0 && o->delay < 1e6))
				return error_set(e, "usage", "test: delay is a number of seconds");
		} else if (strcmp(option->key, "chunks") == 0) {
			o->chunks = json_int(option->value, 0);
			if (o->chunks < 1)
				return error_set(e, "usage",
						 "test: chunks is a number of at least 1");
		} else {
			return error_set(
			    e, "usage",
			    "the model 'test' has no option '%s'; it takes text, delay "
			    "and chunks",
			    option->key);
		}
	}
	return true;
}

/* ---- what it says ---- */

static struct span last_message(const struct model_request *request)
{
	return request->message_count > 0 ? request->messages[request->message_count - 1]
					  : (struct span){0};
}

static void quote(struct buffer *out, struct span result)
{
	struct buffer text = {0};

	json_decode(result, &text);
	while (text.len > 0 && text.at[text.len - 1] == '\n')
		text.len--;
	if (text.len > QUOTE_SIZE) {
		text.len = QUOTE_SIZE - utf8_incomplete_tail((struct span){text.at, QUOTE_SIZE});
		buffer_add_text(&text, " ...");
	}
	buffer_add_text(out, ":\n\n");
	buffer_add_span(out, buffer_span(&text));
	buffer_add_char(out, '\n');
	buffer_free(&text);
}

static void say_results(struct buffer *out, struct span message)
{
	struct json_walk walk = json_walk(json_get(message, "content"));
	bool first = true;

	while (json_next(&walk)) {
		if (!first)
			buffer_add_char(out, '\n');
		buffer_add_text(out, first ? "I called " : "And ");
		json_decode(json_get(walk.value, "tool_name"), out);
		buffer_add_text(out, json_true(json_get(walk.value, "is_error")) ? ", which failed"
										 : ", which said");
		quote(out, json_get(walk.value, "result"));
		first = false;
	}
}

static void say_hello(struct buffer *out, struct span message)
{
	struct json_walk walk = json_walk(json_get(message, "content"));

	buffer_add_text(out, "This is the built-in test model. You said: ");
	while (json_next(&walk))
		json_decode(json_get(walk.value, "text"), out);
}

static void prepare_text(struct test_call *call, const struct model_request *request,
			 const struct test_options *o)
{
	struct span message = last_message(request);

	if (o->has_text)
		buffer_add_span(&call->text, buffer_span(&o->text));
	else if (json_is(json_get(message, "role"), "tool"))
		say_results(&call->text, message);
	else
		say_hello(&call->text, message);
	call->words_left = o->chunks > 0 ? o->chunks : -1;
}

/* ---- what it calls ---- */

static struct span copy(struct span text)
{
	return (struct span){mem_copy(text), text.len};
}

static void add_piece(struct test_call *call, const struct model_delta *delta)
{
	struct model_delta *piece;

	call->pieces = mem_resize(call->pieces, (call->piece_count + 1) * sizeof(*call->pieces));
	piece = &call->pieces[call->piece_count++];
	*piece = *delta;
	piece->text = copy(delta->text);
	piece->id = copy(delta->id);
	piece->name = copy(delta->name);
}

/* A call of `tool`, its arguments in two pieces. */
static void add_call(struct test_call *call, const struct model_tool *tool, int index,
		     int64_t number)
{
	struct buffer id = {0}, args = {0};
	size_t half;

	buffer_add_format(&id, "call_%lld", (long long)number);
	schema_example(tool->parameters, &args);
	half = args.len / 2;
	half -= utf8_incomplete_tail((struct span){args.at, half});
	add_piece(call, &(struct model_delta){.type = MODEL_TOOL_CALL,
					      .index = index,
					      .id = buffer_span(&id),
					      .name = span_of(tool->name)});
	add_piece(call, &(struct model_delta){
			    .type = MODEL_TOOL_ARGS, .index = index, .text = {args.at, half}});
	add_piece(call, &(struct model_delta){.type = MODEL_TOOL_ARGS,
					      .index = index,
					      .text = span_from(buffer_span(&args), half)});
	buffer_free(&id);
	buffer_free(&args);
}

static void prepare_calls(struct test_call *call, struct test_model *model,
			  const struct model_request *request)
{
	const char *choice = request->tool_choice;
	bool all = choice == NULL || strcmp(choice, "auto") == 0 || strcmp(choice, "required") == 0;
	int index = 0;

	if (json_is(json_get(last_message(request), "role"), "tool"))
		return;
	for (size_t i = 0; i < request->tool_count; i++)
		if (all || strcmp(choice, request->tools[i].name) == 0)
			add_call(call, &request->tools[i], index++, ++model->calls);
	call->calls_tools = index > 0;
}

/* ---- saying it ---- */

static void free_call(struct test_call *call)
{
	loop_timer_remove(call->timer);
	for (size_t i = 0; i < call->piece_count; i++) {
		free((char *)call->pieces[i].text.at);
		free((char *)call->pieces[i].id.at);
		free((char *)call->pieces[i].name.at);
	}
	free(call->pieces);
	buffer_free(&call->text);
	free(call);
}

/* Say the next word, with the spaces behind it; false when there is none. */
static bool say_word(struct test_call *call)
{
	struct span rest;
	size_t len = 0;

	if (call->word == call->text.len && call->words_left > 0)
		call->word = 0;
	rest = span_from(buffer_span(&call->text), call->word);
	if (rest.len == 0 || call->words_left == 0)
		return false;
	while (len < rest.len && rest.at[len] != ' ')
		len++;
	while (len < rest.len && rest.at[len] == ' ')
		len++;
	call->word += len;
	if (call->words_left > 0)
		call->words_left--;
	call->usage.output++;
	call->handler.delta(
	    call->handler.context,
	    &(struct model_delta){.type = MODEL_TEXT, .index = -1, .text = {rest.at, len}});
	return true;
}

static bool say_next(struct test_call *call)
{
	if (!call->calls_tools)
		return say_word(call);
	if (call->next_piece == call->piece_count)
		return false;
	call->usage.output++;
	call->handler.delta(call->handler.context, &call->pieces[call->next_piece++]);
	return true;
}

static void turn(void *context)
{
	struct test_call *call = context;
	int count = call->delay > 0 ? 1 : DELTAS_A_TURN;
	bool more = true;

	call->timer = NULL;
	while (more && count-- > 0)
		more = say_next(call);
	if (more) {
		call->timer = loop_timer_add(call->loop, call->delay, turn, call);
		return;
	}
	call->handler.done(call->handler.context,
			   &(struct model_outcome){
			       .finish = call->calls_tools ? MODEL_TOOL_CALLS : MODEL_STOP,
			       .usage = call->usage,
			       .error = {.retry_after_seconds = -1},
			   });
	free_call(call);
}

/* Tokens of the request: four bytes each, the usual rule of thumb. */
static int64_t count_tokens(const struct model_request *request)
{
	size_t bytes = request->system != NULL ? strlen(request->system) : 0;

	for (size_t i = 0; i < request->message_count; i++)
		bytes += request->messages[i].len;
	return (int64_t)(bytes / 4);
}

static struct model_call *test_ask(struct model *model, const struct model_request *request,
				   const struct model_handler *handler, struct error *e)
{
	struct test_options options = {0};
	struct test_call *call;

	if (!read_options(request, &options, e)) {
		buffer_free(&options.text);
		return NULL;
	}
	call = mem_zero(sizeof(*call));
	call->handler = *handler;
	call->loop = model->host->loop;
	call->delay = (int64_t)(options.delay * 1e9);
	call->usage = MODEL_USAGE_NONE;
	call->usage.input = count_tokens(request);
	call->usage.output = 0;
	prepare_calls(call, (struct test_model *)model, request);
	if (!call->calls_tools)
		prepare_text(call, request, &options);
	buffer_free(&options.text);
	call->timer = loop_timer_add(call->loop, call->delay, turn, call);
	return &call->call;
}

static void test_cancel(struct model_call *call)
{
	free_call((struct test_call *)call);
}

const struct model_type model_type_test = {
    .spec = "test",
    .open = test_open,
    .close = test_close,
    .ask = test_ask,
    .cancel = test_cancel,
};

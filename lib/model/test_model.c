#include <stdlib.h>

#include "base/utf8.h"
#include "schema/schema.h"
#include "model/paced.h"
#include "model/parameters.h"

/*
 * The model "test": deterministic and without a network. It calls every tool once with arguments
 * that satisfy its schema; after the results, or without tools, it answers with text (with a
 * schema, a value that satisfies it), word by word.
 */

/* The number of pieces of a call's arguments, and the maximum number of bytes that the answer
 * quotes of a text. */
enum { ARGS_PIECES = 3, QUOTE_MAX = 400 };

static const char *const known_options[] = {"calls", "chunks", "delay", "text", "thinking", NULL};

struct planned_call {
	char *id, *name;
	struct buffer args;
};

/* A text cut into pieces: words with the white space behind them. */
struct words {
	struct buffer text;
	size_t *ends; /* in the text: 0, then the end of each word */
	size_t count;
	size_t pieces; /* in all: the words, repeated or joined */
	size_t next;
};

struct test_call {
	struct paced_call paced;
	double delay;
	struct words thinking, answer;
	struct planned_call *calls;
	size_t call_count;
	size_t next_call, next_piece;
	bool cut; /* the response was cut by max_tokens */
	struct model_usage usage;
};

/* ---- words ---- */

static size_t count_words(struct span text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += !span_is_space(text.at[i]) &&
			 (i + 1 == text.len || span_is_space(text.at[i + 1]));
	return count;
}

/* Cut the text into `pieces` (0: one for each word). A last blank is added that parts repetitions
 * of the text; the last piece goes without it. */
static void words_cut(struct words *words, size_t pieces)
{
	struct span text = buffer_span(&words->text);
	size_t most = count_words(text);

	words->ends = mem_zero((most + 2) * sizeof(*words->ends));
	for (size_t i = 1; i < text.len; i++)
		if (words->count < most && span_is_space(text.at[i]) &&
		    (i + 1 == text.len || !span_is_space(text.at[i + 1])))
			words->ends[++words->count] = i + 1;
	if (words->ends[words->count] < text.len)
		words->ends[++words->count] = text.len + 1;
	buffer_add_char(&words->text, ' ');
	if (words->count > 0)
		words->pieces = pieces > 0 ? pieces : words->count;
}

/* The next piece; absent after the last. */
static struct span words_next(struct words *words)
{
	size_t i = words->next, count = words->count, from, to;

	if (i >= words->pieces)
		return (struct span){0};
	words->next++;
	from = words->pieces >= count ? i % count : i * count / words->pieces;
	to = words->pieces >= count ? from + 1 : (i + 1) * count / words->pieces;
	from = words->ends[from];
	to = words->ends[to];
	if (words->next == words->pieces && to == words->text.len)
		to--;
	return (struct span){words->text.at + from, to - from};
}

static void words_free(struct words *words)
{
	buffer_free(&words->text);
	free(words->ends);
}

/* ---- the conversation ---- */

/* The first message behind the last one of the user. */
static size_t turn_begin(const struct model_request *request)
{
	size_t i = request->message_count;

	while (i > 0 && request->messages[i - 1]->role != MESSAGE_USER)
		i--;
	return i;
}

/* How many calls there are, with those that a provider ran. */
static size_t count_calls(const struct model_request *request)
{
	size_t count = 0;

	for (size_t i = 0; i < request->message_count; i++) {
		const struct message *message = request->messages[i];

		for (size_t j = 0; j < message->part_count; j++)
			count += message->parts[j].type == PART_CALL ||
				 message->parts[j].type == PART_PROVIDER_CALL;
	}
	return count;
}

/* How many responses with tool calls there are from message `first` on. */
static size_t count_rounds(const struct model_request *request, size_t first)
{
	size_t rounds = 0;

	for (size_t i = first; i < request->message_count; i++)
		rounds += request->messages[i]->role == MESSAGE_TOOL &&
			  request->messages[i - 1]->role != MESSAGE_TOOL;
	return rounds;
}

/* Append the text of a result, or the beginning of a long one. */
static void quote(struct buffer *out, struct span result)
{
	struct buffer decoded = {0};
	struct span text;
	bool is_long;

	json_decode(result, &decoded);
	text = buffer_span(&decoded);
	while (text.len > 0 && text.at[text.len - 1] == '\n')
		text.len--;
	is_long = text.len > QUOTE_MAX;
	if (is_long) {
		text.len = QUOTE_MAX;
		text.len -= utf8_incomplete_tail(text);
	}
	buffer_add_span(out, text);
	buffer_add_text(out, is_long ? " ..." : "");
	buffer_free(&decoded);
}

static void write_result(struct buffer *out, bool first, const struct part *part)
{
	buffer_add_text(out, first ? "I called " : "\nAnd ");
	json_decode(part->tool_name, out);
	buffer_add_text(out, part->is_error ? ", which failed:\n\n" : ", which said:\n\n");
	quote(out, part->result);
	buffer_add_char(out, '\n');
}

/* The text of the last user message. */
static void write_prompt(struct buffer *out, const struct model_request *request)
{
	size_t end = turn_begin(request);

	for (size_t i = 0; end > 0 && i < request->messages[end - 1]->part_count; i++)
		json_decode(request->messages[end - 1]->parts[i].text, out);
}

/* The answer without -o text: the results of tools, else the prompt. */
static void write_answer(struct buffer *out, const struct model_request *request)
{
	for (size_t i = turn_begin(request); i < request->message_count; i++) {
		const struct message *message = request->messages[i];

		for (size_t j = 0; j < message->part_count; j++)
			if (message->parts[j].type == PART_RESULT)
				write_result(out, out->len == 0, &message->parts[j]);
	}
	if (out->len > 0)
		return;
	buffer_add_text(out, "This is the built-in test model. You said: ");
	write_prompt(out, request);
}

/* ---- planning a response ---- */

static bool may_call(const struct model_request *request, const char *tool)
{
	enum tool_choice choice = parameters_choice(request->tool_choice);

	if (choice == CHOICE_NAMED)
		return strcmp(request->tool_choice, tool) == 0;
	return choice != CHOICE_NONE;
}

/* Append a value that satisfies the schema `text`, if one is found. */
static bool write_example(struct span text, struct buffer *out)
{
	struct schema *schema = schema_compile(text, NULL, NULL);
	bool good = schema != NULL && schema_example(schema, out);

	schema_free(schema);
	return good;
}

/* The ids continue those of the conversation. */
static void plan_calls(struct test_call *call, const struct model_request *request)
{
	size_t number = count_calls(request);

	call->calls = mem_zero((request->tool_count + 1) * sizeof(*call->calls));
	for (size_t i = 0; i < request->tool_count; i++) {
		struct planned_call *planned = &call->calls[call->call_count];
		struct buffer id = {0};

		if (!may_call(request, request->tools[i].name))
			continue;
		buffer_add_format(&id, "call_%zu", ++number);
		planned->id = buffer_take(&id);
		planned->name = mem_copy(span_of(request->tools[i].name));
		write_example(request->tools[i].parameters, &planned->args);
		call->usage.output += (int64_t)count_words(buffer_span(&planned->args));
		call->call_count++;
	}
}

static void plan_text(struct test_call *call, const struct model_request *request, size_t chunks)
{
	if (!option_text(request, "text", &call->answer.text) &&
	    (request->schema.at == NULL || !write_example(request->schema, &call->answer.text)))
		write_answer(&call->answer.text, request);
	words_cut(&call->answer, chunks);
	if (request->max_tokens > 0 && call->answer.pieces > (size_t)request->max_tokens) {
		call->answer.pieces = (size_t)request->max_tokens;
		if (chunks == 0)
			call->answer.count = call->answer.pieces;
		call->cut = true;
	}
	call->usage.output += (int64_t)call->answer.pieces;
}

/* Words are counted as tokens. */
static void plan_usage(struct test_call *call, const struct model_request *request)
{
	int64_t input = (int64_t)count_words(span_of(request->system));

	for (size_t i = 0; i < request->message_count; i++)
		input += (int64_t)count_words(request->messages[i]->json);
	call->usage = MODEL_USAGE_NONE;
	call->usage.input = input;
	call->usage.output = 0;
}

/* ---- delivering the response ---- */

static void deliver(struct test_call *call, enum model_delta_type type, struct span text)
{
	struct model_delta delta = {.type = type, .text = text, .index = -1};

	call->paced.handler.delta(call->paced.handler.context, &delta);
}

/* The piece `nth` (1, 2, ...) of the arguments, of whole code points. */
static struct span args_piece(struct span args, size_t nth)
{
	size_t begin = args.len * (nth - 1) / ARGS_PIECES, end = args.len * nth / ARGS_PIECES;

	begin -= utf8_incomplete_tail((struct span){args.at, begin});
	end -= utf8_incomplete_tail((struct span){args.at, end});
	return (struct span){args.at + begin, end - begin};
}

/* Deliver the beginning of a tool call, or the next piece of its arguments. */
static void deliver_call(struct test_call *call)
{
	const struct planned_call *planned = &call->calls[call->next_call];
	size_t piece = call->next_piece++;
	struct model_delta delta = {.type = MODEL_TOOL_CALL,
				    .index = (int)call->next_call,
				    .id = span_of(planned->id),
				    .name = span_of(planned->name)};

	if (piece == ARGS_PIECES) {
		call->next_call++;
		call->next_piece = 0;
	}
	if (piece > 0)
		delta =
		    (struct model_delta){.type = MODEL_TOOL_ARGS,
					 .index = delta.index,
					 .text = args_piece(buffer_span(&planned->args), piece)};
	if (piece == 0 || delta.text.len > 0)
		call->paced.handler.delta(call->paced.handler.context, &delta);
}

static bool next(struct paced_call *paced, double *seconds)
{
	struct test_call *call = (struct test_call *)paced;
	struct span piece = words_next(&call->thinking);

	*seconds = call->delay;
	if (piece.at != NULL) {
		deliver(call, MODEL_THINKING, piece);
	} else if (call->next_call < call->call_count) {
		deliver_call(call);
	} else {
		piece = words_next(&call->answer);
		if (piece.at == NULL)
			return false;
		deliver(call, MODEL_TEXT, piece);
	}
	return true;
}

static void outcome(struct paced_call *paced, struct model_outcome *outcome)
{
	struct test_call *call = (struct test_call *)paced;

	outcome->finish = call->call_count > 0 ? MODEL_TOOL_CALLS
			  : call->cut          ? MODEL_LENGTH
					       : MODEL_STOP;
	outcome->usage = call->usage;
	outcome->model = "test";
}

static void release(struct paced_call *paced)
{
	struct test_call *call = (struct test_call *)paced;

	for (size_t i = 0; i < call->call_count; i++) {
		free(call->calls[i].id);
		free(call->calls[i].name);
		buffer_free(&call->calls[i].args);
	}
	free(call->calls);
	words_free(&call->thinking);
	words_free(&call->answer);
}

/* ---- the model ---- */

static struct model_call *test_ask(struct model *model, const struct model_request *request,
				   const struct model_handler *handler, struct error *e)
{
	struct test_call *call;
	int64_t chunks, rounds;
	double delay;

	if (!options_known(request, known_options, "test", e) ||
	    !option_duration(request, "delay", 0, &delay, e) ||
	    !option_count(request, "chunks", 0, &chunks, e) ||
	    !option_count(request, "calls", 1, &rounds, e))
		return NULL;
	call = mem_zero(sizeof(*call));
	call->paced = (struct paced_call){
	    .handler = *handler, .next = next, .outcome = outcome, .release = release};
	call->delay = delay;
	plan_usage(call, request);
	if (option_text(request, "thinking", &call->thinking.text))
		words_cut(&call->thinking, 0);
	if ((int64_t)count_rounds(request, turn_begin(request)) < rounds)
		plan_calls(call, request);
	if (call->call_count == 0)
		plan_text(call, request, (size_t)chunks);
	return paced_start(&call->paced, model->host->loop, delay);
}

static struct model *test_open(struct model_host *host, const char *argument, struct error *e)
{
	(void)host;
	(void)argument;
	(void)e;
	return model_new(sizeof(struct model), "test", "test", MODEL_FREE);
}

const struct model_type model_type_test = {
    .spec = "test",
    .open = test_open,
    .ask = test_ask,
    .cancel = paced_cancel,
};

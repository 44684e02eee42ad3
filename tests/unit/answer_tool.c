/* Structured output by a tool: what is asked, and what becomes of the deltas. */
#include "unit.h"

#include "model/answer_tool.h"

/* ---- the answer ---- */

static struct buffer got;

static void on_delta(void *context, const struct model_delta *delta)
{
	static const char *const names[] = {
	    [MODEL_TEXT] = "text",
	    [MODEL_THINKING] = "thinking",
	    [MODEL_TOOL_CALL] = "call",
	    [MODEL_TOOL_ARGS] = "args",
	    [MODEL_TOOL_RUNNING] = "running",
	    [MODEL_TOOL_RESULT] = "result",
	    [MODEL_PART_DATA] = "data",
	    [MODEL_OPAQUE] = "opaque",
	    [MODEL_MESSAGE_DATA] = "message",
	    [MODEL_RAW] = "raw",
	};

	(void)context;
	buffer_add_format(&got, "%s", names[delta->type]);
	if (delta->index >= 0)
		buffer_add_format(&got, " %d", delta->index);
	buffer_add_format(&got, " %.*s%.*s\n", SPAN_ARG(delta->name), SPAN_ARG(delta->text));
}

static void on_done(void *context, const struct model_outcome *outcome)
{
	(void)context;
	buffer_add_format(&got, "done %s\n", model_finish_name(outcome->finish));
}

/* A letter for each delta: Text, tHinking, a Call by name (P: that the provider runs), its Args,
 * part Data, Opaque. */
static void answer(const char *name, const char *const *deltas, enum model_finish finish,
		   const char *want)
{
	struct answer_tool tool = {.handler = {NULL, on_delta, on_done}};
	const struct model_handler handler = answer_tool_handler(&tool);

	buffer_clear(&got);
	for (; *deltas != NULL; deltas++) {
		const char *at = *deltas;
		struct model_delta delta = {.index = -1, .text = span_of(at + 2)};

		switch (at[0]) {
		case 'T':
			delta.type = MODEL_TEXT;
			break;
		case 'H':
			delta.type = MODEL_THINKING;
			break;
		case 'O':
			delta.type = MODEL_OPAQUE;
			break;
		case 'D':
			delta.type = MODEL_PART_DATA;
			break;
		default:
			delta.by_provider = at[0] == 'P';
			delta.type = strchr("CP", at[0]) != NULL ? MODEL_TOOL_CALL
				     : at[0] == 'A'              ? MODEL_TOOL_ARGS
								 : MODEL_PART_DATA;
		}
		if (at[1] != ' ')
			delta.index = at[1] - '0';
		if (delta.type == MODEL_TOOL_CALL) {
			delta.name = delta.text;
			delta.text = (struct span){0};
		}
		handler.delta(handler.context, &delta);
	}
	handler.done(handler.context, &(struct model_outcome){.finish = finish});
	unit_same(buffer_span(&got), span_of(want), name);
	answer_tool_free(&tool);
}

#define DELTAS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void answers(void)
{
	answer("the arguments are the text", DELTAS("C0give_answer", "A0{\"n\":", "A01}", "D0{}"),
	       MODEL_TOOL_CALLS, "text {\"n\":\ntext 1}\ndone stop\n");
	answer("what is said before it is no part of it",
	       DELTAS("T Here ", "T you are:", "D {\"s\":1}", "C0give_answer", "A0{}"),
	       MODEL_TOOL_CALLS, "thinking Here you are:\ntext {}\ndone stop\n");
	answer("text after the answer becomes thinking",
	       DELTAS("C0give_answer", "A0{}", "T Done", "T : {}", "D {\"s\":1}"), MODEL_TOOL_CALLS,
	       "text {}\nthinking Done: {}\ndone stop\n");
	answer("JSON after the answer becomes thinking, too",
	       DELTAS("C0give_answer", "A0{}", "T {\"n\":2}"), MODEL_TOOL_CALLS,
	       "text {}\nthinking {\"n\":2}\ndone stop\n");
	answer("text instead of a call stays text",
	       DELTAS("T I ", "D {\"s\":1}", "T cannot", "D {\"s\":2}"), MODEL_STOP,
	       "text I cannot\ndata {\"s\":2}\ndone stop\n");
	answer("text that is JSON arrives as it comes", DELTAS("T  ", "T {", "T }", "D 1"),
	       MODEL_STOP, "text  {\ntext }\ndata 1\ndone stop\n");
	answer("other tools are called, by numbers without a hole",
	       DELTAS("T Wait.", "C0look", "A0{}", "C1give_answer", "A1{\"n\":1}", "C2find", "A2{}",
		      "D2{}"),
	       MODEL_TOOL_CALLS,
	       "text Wait.\ncall 0 look\nargs 0 {}\ntext {\"n\":1}\ncall 1 find\nargs 1 {}\n"
	       "data 1 {}\ndone tool_calls\n");
	answer("a call that the provider ran does not continue the loop",
	       DELTAS("P0search", "A0{}", "C1give_answer", "A1{}"), MODEL_TOOL_CALLS,
	       "call 0 search\nargs 0 {}\ntext {}\ndone stop\n");
	answer("text before a hosted call is not part of the answer either",
	       DELTAS("T Wait.", "P0search", "A0{}", "T Found.", "C1give_answer", "A1{}"),
	       MODEL_TOOL_CALLS,
	       "thinking Wait.\ncall 0 search\nargs 0 {}\nthinking Found.\ntext {}\ndone stop\n");
	answer("of two answers the first counts",
	       DELTAS("C0give_answer", "A0{\"n\":1}", "C1give_answer", "A1{\"n\":2}"),
	       MODEL_TOOL_CALLS, "text {\"n\":1}\ndone stop\n");
	answer("what else comes goes through in its place",
	       DELTAS("H hm", "T x", "O {}", "C0give_answer", "A0{}", "H h"), MODEL_LENGTH,
	       "thinking hm\ntext x\nopaque {}\ntext {}\nthinking h\ndone length\n");
	answer("a call that was not begun is left out", DELTAS("A3{}", "T x"), MODEL_STOP,
	       "text x\ndone stop\n");
}

/* ---- the request ---- */

static void ask(const char *name, const char *spec, const struct model_request *given,
		const char *want)
{
	struct answer_request changed;
	struct buffer told = {0};
	struct provider *provider = provider_open(spec, NULL, NULL, NULL);

	if (!answer_request_make(&changed, provider, "m", given)) {
		buffer_add_text(&told, "none");
	} else {
		const struct model_request *r = &changed.request;

		for (size_t i = 0; i < r->tool_count; i++)
			buffer_add_format(&told, "%s ", r->tools[i].name);
		buffer_add_format(&told, "| %s | %s", r->tool_choice != NULL ? r->tool_choice : "-",
				  r->system != NULL ? r->system : "-");
		if (r->schema.at != NULL)
			buffer_add_text(&told, " | schema");
	}
	unit_same(buffer_span(&told), span_of(want), name);
	answer_request_free(&changed);
	provider_free(provider);
	buffer_free(&told);
}

#define OBJECT .schema = SPAN("{\"type\":\"object\"}")
#define WORDS  "Give your final answer by calling give_answer, not in text."

static void requests(void)
{
	static const struct model_tool look = {.name = "look", .parameters = {"{}", 2}};
	static const struct model_tool own = {.name = "give_answer", .parameters = {"{}", 2}};
	static const struct model_option hosted = {"tools", {"[{}]", 4}};
	static const struct model_option thinking = {"thinking", {"{}", 2}};

	setenv("ANTHROPIC_API_KEY", "k", 1);
	setenv("ZAI_API_KEY", "k", 1);
	setenv("DEEPSEEK_API_KEY", "k", 1);
	ask("alone, it is forced", "deepseek", &(struct model_request){OBJECT, .system = "s"},
	    "give_answer | give_answer | s");
	ask("where nothing can be forced, the instructions say it", "zai",
	    &(struct model_request){OBJECT, .system = "s"}, "give_answer | - | s\n\n" WORDS);
	ask("nor when the model is to reason", "deepseek",
	    &(struct model_request){OBJECT, .effort = "low"}, "give_answer | - | " WORDS);
	ask("in whatever way it is told to", "deepseek",
	    &(struct model_request){OBJECT, .options = &thinking, .option_count = 1},
	    "give_answer | - | " WORDS);
	ask("beside other tools the model decides", "deepseek",
	    &(struct model_request){OBJECT, .tools = &look, .tool_count = 1},
	    "look give_answer | - | " WORDS);
	ask("the provider's own are others", "deepseek",
	    &(struct model_request){OBJECT, .options = &hosted, .option_count = 1},
	    "give_answer | - | " WORDS);
	ask("a choice stays", "deepseek",
	    &(struct model_request){OBJECT, .tools = &look, .tool_count = 1, .tool_choice = "look"},
	    "look give_answer | look | -");
	ask("no other tool may be called", "deepseek",
	    &(struct model_request){OBJECT, .tools = &look, .tool_count = 1, .tool_choice = "none"},
	    "look give_answer | give_answer | -");
	ask("and none at all", "zai",
	    &(struct model_request){OBJECT, .tools = &look, .tool_count = 1, .tool_choice = "none"},
	    "none");
	ask("some protocols require a call of any tool", "anthropic",
	    &(struct model_request){OBJECT, .tools = &look, .tool_count = 1},
	    "look give_answer | required | -");
	ask("a tool takes an object", "deepseek",
	    &(struct model_request){.schema = SPAN("{\"type\":\"array\"}")}, "none");
	ask("a tool of this name is there", "deepseek",
	    &(struct model_request){OBJECT, .tools = &own, .tool_count = 1}, "none");
}

int main(void)
{
	answers();
	requests();
	buffer_free(&got);
	return unit_done();
}

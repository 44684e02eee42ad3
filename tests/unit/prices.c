/* Prices: exact names, dates, tiers, references, and the user's file over the shipped one. */
#define OWN_FILE "prices.json"
#include "own_file.h"

#include "model/prices.h"

static struct prices prices;

static void check(const char *provider, const char *model, struct model_usage usage,
		  const char *want)
{
	struct buffer got = {0}, title = {0};
	double usd;

	if (prices_cost(&prices, provider, model, &usage, &usd, NULL))
		buffer_add_format(&got, "%.8f", usd);
	else
		buffer_add_text(&got, "unknown");
	buffer_add_format(&title, "%s:%s costs %s", provider, model, want);
	unit_same(buffer_span(&got), span_of(want), buffer_string(&title));
	buffer_free(&got);
	buffer_free(&title);
}

static struct model_usage tokens(int64_t input, int64_t output)
{
	struct model_usage usage = MODEL_USAGE_NONE;

	usage.input = input;
	usage.output = output;
	return usage;
}

static void own_prices(const char *text)
{
	write_own(text);
	prices_free(&prices);
}

static void shipped(void)
{
	struct model_usage cached = tokens(1000000, 0);

	check("openai", "gpt-4o", tokens(1000000, 100000), "3.50000000");
	check("openai-chat", "gpt-4o", tokens(1000, 1000), "0.01250000");
	check("azure", "gpt-4o-mini", tokens(1000000, 0), "0.15000000");
	check("openai-chat", "gpt-4o-mini-2024-07-18", tokens(1000000, 0), "0.15000000");
	check("openai-chat", "gpt-4o-2024-05-13", tokens(1000000, 0), "5.00000000");
	check("openai-chat", "gpt-4o-audio", tokens(1, 1), "unknown");
	check("openai-chat", "gpt-4", tokens(1000000, 0), "30.00000000");
	check("anthropic", "claude-opus-5", tokens(1000000, 0), "5.00000000");
	check("anthropic", "claude-fable-5-9", tokens(1, 1), "unknown");
	check("openrouter", "openai/gpt-4o", tokens(1000000, 0), "2.50000000");
	check("openrouter", "x-ai/grok-4.5", tokens(0, 0), "0.00000000");
	check("openrouter", "nobody/model", tokens(1, 1), "unknown");
	check("openrouter", "gpt-4o", tokens(1, 1), "unknown");
	check("ollama", "qwen3", tokens(1000000, 1000000), "0.00000000");
	check("test", "test", tokens(1, 1), "unknown");
	check("gemini", "models/gemini-2.5-flash", tokens(1000000, 0), "0.30000000");
	check("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", tokens(1000000, 0),
	      "3.30000000");
	check("bedrock", "global.anthropic.claude-sonnet-4-5-20250929-v1:0", tokens(1000000, 0),
	      "3.00000000");
	check("bedrock",
	      "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0",
	      tokens(1000000, 1000000), "0.30000000");
	check("bedrock", "amazon.nova-2-lite-v1:0", tokens(1000000, 0), "0.33000000");
	check("bedrock", "openai.gpt-oss-120b-1:0", tokens(0, 1000000), "0.60000000");
	check("bedrock", "us.anthropic.claude-fable-9-v1:0", tokens(1, 1), "unknown");
	check("bedrock", "arn:aws:bedrock:eu-west-1:1:application-inference-profile/abc",
	      tokens(1, 1), "unknown");
	check("openai-chat", "", tokens(1, 1), "unknown");
	check("openai-chat", "gpt-4o", MODEL_USAGE_NONE, "unknown");
	check("openai-chat", "gpt-4o", tokens(1, -1), "unknown");
	cached.cached_input = 1000000;
	check("openai-chat", "gpt-4o", cached, "1.25000000");
	cached.cached_input = 400000;
	check("openai-chat", "gpt-4o", cached, "2.00000000");
	check("openai-chat", "gpt-5.4", tokens(272000, 0), "0.68000000");
	check("openai-chat", "gpt-5.4", tokens(272001, 1000000), "23.86000500");
}

/* The user's file `text` is refused and ignored because of `want`. */
static void faulty(const char *text, const char *want)
{
	struct model_usage usage = tokens(1, 1);
	struct error e = {0};
	double usd;

	own_prices(text);
	unit_ok(!prices_check(&e) && strstr(e.message, want) != NULL, "prices.json:%s", want);
	error_clear(&e);
	check("lab", "m", usage, "unknown");
	unit_ok(!prices_cost(&prices, "lab", "m", &usage, &usd, &e) && e.message != NULL &&
		    strstr(e.message, want) != NULL,
		"and it is ignored with the same message");
	error_clear(&e);
}

static void own(void)
{
	struct model_usage usage = tokens(1, 1), thought = tokens(0, 1000000);
	struct error e = {0};
	double usd;

	own_prices(
	    "{\"openai\":{\"gpt-4o\":{\"input\":1,\"output\":1}},\"lab\":{\"*\":{\"input\":3,"
	    "\"output\":0}},\"loop\":\"loop\"}\n");
	check("openai-chat", "gpt-4o", tokens(1000000, 0), "1.00000000");
	check("openai-chat", "gpt-4o-mini", tokens(1000000, 0), "0.15000000");
	check("lab", "anything", tokens(1000000, 7), "3.00000000");
	own_prices("{\"lab\":{\"m\":{\"input\":1,\"output\":4,\"reasoning\":2}}}");
	thought.reasoning = 250000;
	check("lab", "m", thought, "3.50000000");
	thought.reasoning = 2000000;
	check("lab", "m", thought, "4.00000000");
	faulty("{\"lab\":{\"m\":{\"input\":1,\n\"ouput\":4}}}",
	       "2: unknown key \"ouput\" (did you mean output?); the keys are input, output, "
	       "cache_read, cache_write, reasoning, above, tiers, context, max_output");
	faulty("{\"lab\":{\"m\":{\"input\":1,\"output\":1,\"tiers\":[{\"abov\":1}]}}}",
	       "1: unknown key \"abov\"");
	faulty("{\"lab\":{\"m\":{\"input\":\"1\"}}}",
	       "1: \"input\" must be of the type number, not string");
	faulty("{\"lab\":{\"m\":1}}", "1: a price must be an object");
	faulty("{\"lab\":{\"m\":{\"cache_read\":1,\"output\":1}}}", "1: a price has no \"input\"");
	faulty("{\"lab\":{\"m\":{\"input\":1,\n\"output\":null}}}", "1: a price has no \"output\"");
	faulty("{\"lab\":{\"m\":{\"input\":1,\n\"output\":-1}}}",
	       "2: \"output\" must be at least 0");
	faulty(
	    "{\"lab\":{\"m\":{\"input\":1,\"output\":1,\"tiers\":[{\"input\":1,\"output\":1}]}}}",
	    "1: a price has no \"above\"");
	faulty("{\n\"lab\":7}", "2: the prices of \"lab\" must be an object");
	faulty("[]", "1: must be a JSON object");
	own_prices("{\"openai\":{\"gpt-4o\":null},\"azure\":null}");
	check("openai-chat", "gpt-4o", tokens(1, 1), "unknown");
	check("openai", "gpt-4o-mini", tokens(1000000, 0), "0.15000000");
	check("azure", "gpt-4o-mini", tokens(1, 1), "unknown");
	faulty("{\"lab\":{\"m\":{\"input\":1,\"input\":0}}}",
	       "1: the key \"input\" is there twice");
	own_prices("{\"loop\":\"loop\"}");
	unit_ok(prices_check(&e), "a file without a mistake");
	check("loop", "m", tokens(1, 1), "unknown");
	own_prices("{\n\"lab\": oops}\n");
	unit_ok(!prices_cost(&prices, "lab", "m", &usage, &usd, &e) && e.message != NULL &&
		    strstr(e.message, "prices.json:2: not JSON: ") != NULL,
		"a file that is not JSON is named with its line");
	error_clear(&e);
	check("openai-chat", "gpt-4o", tokens(1000000, 0), "2.50000000");
	unit_ok(!prices_cost(&prices, "lab", "m", &usage, &usd, &e) && e.message == NULL,
		"and named once");
}

int main(void)
{
	open_folder();
	shipped();
	own();
	remove_own();
	rmdir(folder);
	prices_free(&prices);
	return unit_done();
}

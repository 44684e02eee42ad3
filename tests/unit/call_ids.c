/*
 * Ids of calls: whoever gave one gets it back as it came, and nobody gets one that it would refuse.
 * And what only one provider can read stays with it, whichever the conversation moves to.
 */
#include "requests.h"

static const char *const specs[] = {
    "anthropic:claude-opus-5",
    "openai:gpt-5.4",
    "openai-chat:gpt-4.1",
    "deepseek:deepseek-chat",
    "openrouter:x/y",
    "mistral:mistral-large-latest",
    "groq:openai/gpt-oss-120b",
    "gemini:gemini-3-pro-preview",
    "vertex:gemini-2.5-pro",
    "ollama:qwen3",
    "bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0",
};

enum { SPECS = sizeof(specs) / sizeof(*specs) };

#define LONG  "functions.get_weather_in_some_city_of_the_world:0_and_so_on_and_on_for_ever"
#define AGAIN "call_0"

static const char *const members[] = {"\"id\":\"",          "\"call_id\":\"",
				      "\"tool_use_id\":\"", "\"tool_call_id\":\"",
				      "\"toolUseId\":\"",   NULL};

/* Append the ids in `body`, each on a line. Members that begin with another's name are found by
 * their own. */
static void find_ids(struct span body, struct buffer *out)
{
	for (size_t i = 0; i < body.len; i++)
		for (size_t m = 0; members[m] != NULL; m++) {
			struct span rest = span_from(body, i);
			size_t len = strlen(members[m]);

			if (!span_starts(rest, members[m]))
				continue;
			rest = span_from(rest, len);
			buffer_add(out, rest.at,
				   (size_t)((char *)memchr(rest.at, '"', rest.len) - rest.at));
			buffer_add_char(out, '\n');
		}
}

/* An answer of `spec` with reasoning, a text and two calls, everything with data of its own. */
static void add_answer(const char *spec, const char *calls, struct buffer *out)
{
	const char *colon = strchr(spec, ':');

	buffer_add_format(
	    out,
	    "{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"text\":\"SECRET\","
	    "\"provider_data\":{\"signature\":\"SECRET\",\"thoughtSignature\":\"SECRET\",\"type\":"
	    "\"reasoning\",\"id\":\"rs_SECRET\",\"summary\":[],\"encrypted_content\":\"SECRET\"}},"
	    "{\"type\":\"opaque\",\"provider_data\":{\"type\":\"redacted_thinking\",\"data\":"
	    "\"SECRET\",\"redactedContent\":\"SECRET\"}},{\"type\":\"text\",\"text\":\"Look.\","
	    "\"provider_data\":{\"thoughtSignature\":\"SECRET\",\"citations\":[\"SECRET\"]}},%s],"
	    "\"provider\":\"%.*s\",\"model\":\"%s\",\"provider_data\":{\"reasoning_details\":["
	    "\"SECRET\"],\"container\":{\"id\":\"SECRET\"}}}",
	    calls, (int)(colon - spec), spec, colon + 1);
}

#define CALL(id, more)                                                                             \
	"{\"type\":\"tool_call\",\"tool_call_id\":\"" id "\",\"tool_name\":\"f\",\"args\":{}" more \
	"}"
#define RESULT(id)                                                                                 \
	"{\"type\":\"tool_result\",\"tool_call_id\":\"" id                                         \
	"\",\"tool_name\":\"f\",\"result\":\"r\",\"is_error\":false}"
#define RESULTS(results) SPAN("{\"role\":\"tool\",\"content\":[" results "]}")

/* ---- from one to the other ---- */

/* Whether `id` is one that every provider takes. */
static bool is_plain(struct span id, const char *to)
{
	bool mistral = span_starts(span_of(to), "mistral");
	bool chat = strstr("openai-chat deepseek openrouter groq", to) != NULL;

	for (size_t i = 0; i < id.len; i++) {
		char c = id.at[i];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		      (!mistral && (c == '_' || c == '-'))))
			return false;
	}
	return mistral ? id.len == 9 : id.len > 0 && id.len <= (chat ? 40 : 64);
}

/* The ids in `lines`, each of which must come twice, for the call and its result. */
static bool are_pairs(struct span lines, const char *to, size_t *count)
{
	struct span all = lines;

	for (*count = 0; lines.len > 0; ++*count) {
		size_t len = (size_t)((const char *)memchr(lines.at, '\n', lines.len) - lines.at);
		struct span id = {lines.at, len}, rest = all;
		int times = 0;

		while (rest.len > 0) {
			size_t other =
			    (size_t)((const char *)memchr(rest.at, '\n', rest.len) - rest.at);

			times += span_equal((struct span){rest.at, other}, id);
			rest = span_from(rest, other + 1);
		}
		/* Ollama takes what it is given. */
		if (times != 2 || (!is_plain(id, to) && strncmp(to, "ollama", 6) != 0))
			return false;
		lines = span_from(lines, len + 1);
	}
	return true;
}

static void move(const char *from, const char *to)
{
	struct buffer answer = {0}, body = {0}, ids = {0};
	struct span messages[] = {
	    HI, {0}, RESULTS(RESULT(LONG) "," RESULT("a|b:\\u00e4") "," RESULT("c_1"))};
	bool gemini = strncmp(to, "gemini", 6) == 0 || strncmp(to, "vertex", 6) == 0;
	size_t count = 0;

	add_answer(
	    from,
	    CALL(
		LONG,
		",\"provider_data\":{\"thoughtSignature\":\"SECRET\",\"caller\":"
		"\"SECRET\",\"id\":\"fc_SECRET\",\"extra_content\":\"SECRET\"}") "," CALL("a|b:"
											  "\\u00e4",
											  "") "," CALL("c_1",
												       ",\"provider_id\":\"\""),
	    &answer);
	messages[1] = buffer_span(&answer);
	request_body(
	    to, &(struct model_request){.messages = typed(messages, 3), .message_count = 3}, &body);
	unit_ok(strstr(buffer_string(&body), "SECRET") == NULL,
		"%s, then %s: what only the first can read is left behind", from, to);
	find_ids(buffer_span(&body), &ids);
	unit_ok(are_pairs(buffer_span(&ids), to, &count) && count == (gemini ? 0 : 6),
		"%s, then %s: ids that it takes", from, to);
	if (count != (gemini ? 0 : 6) || strstr(buffer_string(&body), "SECRET") != NULL)
		printf("# %s\n# %s\n", buffer_string(&body), buffer_string(&ids));
	buffer_free(&answer);
	buffer_free(&body);
	buffer_free(&ids);
}

/* ---- back to where it came from ---- */

/* What it gave: a long id, the same one in two answers, and two times the same in one. */
static void back(const char *spec, const char *want)
{
	struct buffer first = {0}, second = {0}, body = {0}, ids = {0};
	struct span messages[] = {HI,
				  {0},
				  RESULTS(RESULT("cut") "," RESULT(AGAIN)),
				  {0},
				  RESULTS(RESULT(AGAIN "_2") "," RESULT(AGAIN "_3"))};

	add_answer(spec, CALL("cut", ",\"provider_id\":\"" LONG LONG "\"") "," CALL(AGAIN, ""),
		   &first);
	add_answer(spec,
		   CALL(AGAIN "_2", ",\"provider_id\":\"" AGAIN
				    "\"") "," CALL(AGAIN "_3", ",\"provider_id\":\"" AGAIN "\""),
		   &second);
	messages[1] = buffer_span(&first);
	messages[3] = buffer_span(&second);
	request_body(spec,
		     &(struct model_request){.messages = typed(messages, 5), .message_count = 5},
		     &body);
	find_ids(buffer_span(&body), &ids);
	unit_same(buffer_span(&ids), span_of(want), spec);
	buffer_free(&first);
	buffer_free(&second);
	buffer_free(&body);
	buffer_free(&ids);
}

/* Calls are told from each other by the id alone where the API does so. */
#define GIVEN(third, fourth)                                                                       \
	LONG LONG "\n" AGAIN "\n" LONG LONG "\n" AGAIN "\n" third "\n" fourth "\n" third           \
		  "\n" fourth "\n"

int main(void)
{
	static const char *const keys[] = {"ANTHROPIC_API_KEY",       "OPENAI_API_KEY",
					   "DEEPSEEK_API_KEY",        "OPENROUTER_API_KEY",
					   "MISTRAL_API_KEY",         "GROQ_API_KEY",
					   "GOOGLE_API_KEY",          "GOOGLE_CLOUD_ACCESS_TOKEN",
					   "AWS_BEARER_TOKEN_BEDROCK"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		setenv(keys[i], "test-key", 1);
	setenv("GOOGLE_CLOUD_PROJECT", "p", 1);
	setenv("AWS_REGION", "us-east-1", 1);
	setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	for (size_t from = 0; from < SPECS; from++)
		for (size_t to = 0; to < SPECS; to++)
			if (from != to)
				move(specs[from], specs[to]);
	for (size_t i = 0; i < SPECS; i++) {
		const char *spec = specs[i];

		if (strncmp(spec, "anthropic", 9) == 0)
			back(spec, GIVEN("call_0", "call_0_3"));
		else if (strncmp(spec, "openai:", 7) == 0)
			back(spec, GIVEN("call_0_2", "call_0_3"));
		else
			back(spec, GIVEN("call_0", "call_0"));
	}
	return unit_done();
}

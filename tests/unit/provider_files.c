/*
 * providers.json with "like" and "sets": what entries inherit, what sets stand for, the user's file
 * over the shipped one, and what cannot be resolved.
 */
#define OWN_FILE "providers.json"
#include "own_file.h"

#include "base/file.h"
#include "model/provider_files.h"

/* The resolved entry of `name`, or the message of what is wrong. */
static void entry_of(const char *name, bool quirks, struct buffer *out)
{
	struct provider_files files;
	struct error e = {0};
	struct buffer entry = {0};

	if (provider_files_read(&files, &e)) {
		const struct provider_name *known = provider_files_find(&files, name);

		if (known == NULL)
			buffer_add_text(out, "unknown");
		else if (provider_files_entry(&files, known, quirks, &entry, &e))
			json_write_compact(out, buffer_span(&entry));
	}
	if (e.message != NULL) {
		const char *file = strstr(e.message, "/providers.json:");

		buffer_add_text(out, file != NULL ? file + 1 : e.message);
	}
	error_clear(&e);
	buffer_free(&entry);
	provider_files_free(&files);
}

static void resolves(const char *name, const char *want, const char *title)
{
	struct buffer got = {0};

	entry_of(name, true, &got);
	unit_same(buffer_span(&got), span_of(want), title);
	buffer_free(&got);
}

/* The member at `path` of the resolved entry of `name`. */
static void has(const char *name, const char *path, const char *want, const char *title)
{
	struct buffer entry = {0};
	struct span got;

	entry_of(name, true, &entry);
	got = json_path(buffer_span(&entry), path);
	unit_same(got.at != NULL ? got : SPAN("absent"), span_of(want), title);
	buffer_free(&entry);
}

static void inheritance(void)
{
	write_own("{\n"
		  "\"c\": {\"like\": \"b\", \"auth\": \"x-c\"},\n"
		  "\"b\": {\"like\": \"a\", \"key_env\": null, \"quirks\": {\"force\": {\"m*\": "
		  "false}}},\n"
		  "\"a\": {\"base_url\": \"http://a\", \"key_env\": \"A\", \"quirks\": "
		  "{\"force\": {\"*\": true}, \"body\": {\"x\": null}}},\n"
		  "\"groq\": {\"like\": \"a\"},\n"
		  "\"mine\": {\"like\": \"gemini\", \"base_url\": \"http://mine\"},\n"
		  "\"gemini\": {\"auth\": \"bearer\"},\n"
		  "\"zai\": null\n"
		  "}");
	resolves("a",
		 "{\"base_url\":\"http://a\",\"key_env\":\"A\",\"quirks\":{\"force\":{\"*\":true},"
		 "\"body\":{\"x\":null}}}",
		 "an entry without \"like\" stays as it is, null included");
	resolves("c",
		 "{\"base_url\":\"http://a\",\"quirks\":{\"force\":{\"*\":true,\"m*\":false},"
		 "\"body\":{\"x\":null}},\"auth\":\"x-c\"}",
		 "members of two others, one removed, objects merged");
	has("groq", "base_url", "\"http://a\"", "a shipped provider can be made like another one");
	has("groq", "base_url_env", "absent", "and has nothing of its own any more");
	has("mine", "base_url", "\"http://mine\"", "an entry like a shipped one");
	has("mine", "key_env.0", "\"GOOGLE_API_KEY\"", "has the members of that one");
	has("mine", "auth", "\"bearer\"", "and what the user changed there");
	has("google", "auth", "\"x-goog-api-key\"",
	    "but a shipped entry like it does not change with it");
	resolves("zai", "unknown", "null removes a provider");
	has("zhipu", "key_env", "\"ZHIPU_API_KEY\"", "and leaves those that are like it");
}

static void sets(void)
{
	struct buffer got = {0};

	write_own("{\n"
		  "\"sets\": {\n"
		  "  \"words\": [\"a\", \"b\"],\n"
		  "  \"low\": {\"effort\": 1, \"more\": null},\n"
		  "  \"levels\": {\"low\": {\"like\": \"low\"}, \"high\": {\"effort\": 9}},\n"
		  "  \"fewer\": {\"like\": \"levels\", \"high\": null}\n"
		  "},\n"
		  "\"a\": {\"quirks\": {\n"
		  "  \"refuses\": {\"m*\": {\"like\": \"words\"}},\n"
		  "  \"effort\": {\"m*\": {\"like\": \"levels\", \"none\": {}}, \"*\": {\"like\": "
		  "\"fewer\"}}\n"
		  "}},\n"
		  "\"b\": {\"like\": \"a\", \"sets\": {\"low\": {\"think\": true}}},\n"
		  "\"c\": {\"headers\": {\"like\": \"words\"}}\n"
		  "}");
	resolves("a",
		 "{\"quirks\":{\"refuses\":{\"m*\":[\"a\",\"b\"]},\"effort\":{\"m*\":{\"low\":"
		 "{\"effort\":1,\"more\":null},\"high\":{\"effort\":9},\"none\":{}},\"*\":{\"low\":"
		 "{\"effort\":1,\"more\":null}}}}}",
		 "sets in quirks, changed by the members beside \"like\"");
	has("b", "quirks.effort.m*",
	    "{\"low\":{\"think\":true},\"high\":{\"effort\":9},\"none\":{}}",
	    "an entry's own set goes before the file's in what it inherits");
	resolves("c", "{\"headers\":{\"like\":\"words\"}}", "outside of quirks there are no sets");
	entry_of("b", false, &got);
	unit_same(buffer_span(&got), SPAN("{}"), "without quirks");
	buffer_free(&got);
	resolves("sets", "unknown", "\"sets\" is no provider");
}

static void faults(void)
{
	write_own("{\n"
		  "\"sets\": {\n"
		  "  \"x\": {\"m\": {\"like\": \"y\"}},\n"
		  "  \"y\": {\"like\":\n"
		  "     \"x\"}\n"
		  "},\n"
		  "\"a\": {\"like\": \"b\"},\n"
		  "\"b\": {\"like\": \"a\"},\n"
		  "\"self\": {\"like\": \"self\"},\n"
		  "\"c\": {\"like\": \"nobody\"},\n"
		  "\"zai\": null,\n"
		  "\"d\": {\"like\": \"zai\"},\n"
		  "\"e\": {\"quirks\": {\"effort\": {\"like\":\n"
		  "  []}}},\n"
		  "\"f\": {\"like\": 7},\n"
		  "\"g\": {\"quirks\": {\"effort\":\n"
		  "  {\"like\": \"nothing\"}}},\n"
		  "\"h\": {\"quirks\": {\"effort\": {\"like\": \"x\"}}},\n"
		  "\"fine\": {}\n"
		  "}");
	resolves("a", "providers.json:8: \"like\": a loop through provider a", "a loop of two");
	resolves("self", "providers.json:9: \"like\": a loop through provider self",
		 "a loop of one");
	resolves("c", "providers.json:10: \"like\": there is no provider nobody",
		 "an unknown name");
	resolves("d", "providers.json:12: \"like\": there is no provider zai",
		 "the name of a provider that is removed");
	resolves("e", "providers.json:14: \"like\" must be a name", "a set's name that is none");
	resolves("f", "providers.json:15: \"like\" must be a name", "a name that is none");
	resolves("g", "providers.json:17: \"like\": there is no set nothing", "an unknown set");
	resolves("h", "providers.json:5: \"like\": a loop through set x", "a loop of sets");
	resolves("fine", "{}", "other entries can be used all the same");
}

/* `text` as the user's file is refused, and the message has `want`. */
static void refused(const char *text, const char *want)
{
	struct provider_files files;
	struct error e = {0};

	write_own(text);
	unit_ok(!provider_files_read(&files, &e) && strstr(e.message, want) != NULL, "%s", want);
	provider_files_free(&files);
	error_clear(&e);
}

static void unknown_keys(void)
{
	struct buffer shipped = {0};
	char *path = share_path("providers.json");

	refused(
	    "{\"lab\": {\n\"base_ulr\": \"http://x\"}}",
	    "2: unknown key \"base_ulr\" (did you mean base_url?); the keys are protocol, like, "
	    "base_url, base_url_env, key_env, api_key_command, key_optional, auth, headers, "
	    "headers_env, query, when_set, otel_name, sets, quirks");
	refused("{\"lab\": {\"key_env\": [\"A\", {\"name\": \"B\", \"auht\": \"bearer\"}]}}",
		"1: unknown key \"auht\" (did you mean auth?); the keys are name, auth, service, "
		"id_env, "
		"region_env, token_env");
	refused(
	    "{\"lab\": {\"base_url_env\": {\"nmae\": \"B\"}}}",
	    "1: unknown key \"nmae\" (did you mean name?); the keys are name, scheme, port, path, "
	    "known");
	refused("{\"lab\": {\"headers_env\": {\"nmae\": \"B\"}}}",
		"1: unknown key \"nmae\" (did you mean name?); the keys are name");
	refused("{\"lab\": {\"quirks\": {\"effort\": {\"*\": {\n\"hihg\": {}}}}}}",
		"2: unknown key \"hihg\" (did you mean high?); the keys are none, low, medium, "
		"high, max, "
		"like");
	refused("{\"lab\": {\"when_set\": {\"A\": {\"Base_url\": \"x\"}}}}",
		"1: unknown key \"Base_url\" (did you mean base_url?)");
	refused("{\"lab\": {\n\"headers\": [\"a: b\"]}}",
		"2: \"headers\" must be of the type object, not array");
	refused("{\"lab\": {\"key_optional\": \"yes\"}}",
		"1: \"key_optional\" must be of the type boolean, not string");
	refused("{\"lab\": \"http://x\"}",
		"1: provider \"lab\" must be an object with \"base_url\" and so on");
	refused("{\"lab\": {}, \"lab\": {}}", "1: the key \"lab\" is there twice: leave one out");
	write_own(
	    "{\"$schema\": \"s\", \"lab\": {\"x-note\": 1, \"quirks\": {\"body\": {\"any\": 1}}}}");
	has("lab", "quirks.body", "{\"any\":1}", "keys that begin with x- are known");
	unit_ok(file_read(path, &shipped, NULL), "the shipped file is read");
	write_own(buffer_string(&shipped));
	has("groq", "key_env", "\"GROQ_API_KEY\"", "every key of the shipped file is known");
	buffer_free(&shipped);
	free(path);
}

/* Every shipped entry resolves, and nothing is left to be resolved in it. */
static void shipped(void)
{
	struct provider_files files;
	const struct provider_name *name;
	size_t count = 0, wrong = 0;

	remove_own();
	unit_ok(provider_files_read(&files, NULL), "the shipped file is read");
	for (size_t i = 0; (name = provider_files_next(&files, &i)) != NULL; count++) {
		struct buffer entry = {0};

		wrong += !provider_files_entry(&files, name, true, &entry, NULL) ||
			 !json_check(buffer_span(&entry), NULL) ||
			 strstr(buffer_string(&entry), "\"like\"") != NULL ||
			 json_get(buffer_span(&entry), "sets").at != NULL;
		buffer_free(&entry);
	}
	unit_ok(count > 40 && wrong == 0, "%zu shipped entries resolve", count);
	provider_files_free(&files);
	has("google", "quirks.effort.*gemini-3-pro*.medium",
	    "{\"generationConfig\":{\"thinkingConfig\":{\"thinkingLevel\":\"HIGH\","
	    "\"includeThoughts\":true}}}",
	    "google is like gemini");
	has("openai", "quirks.effort.*.none",
	    "{\"reasoning\":{\"effort\":\"none\",\"summary\":null}}",
	    "openai has the levels of openai-chat in words of its own");
	has("openai-chat", "quirks.refuses.gpt-5.7", "\"max_tokens\"",
	    "and refuses a parameter less");
	has("openai", "quirks.refuses.gpt-5.7", "absent", "than openai-chat");
}

static void named(const struct provider_files *files, const char *name, const char *want)
{
	struct buffer got = {0}, title = {0};

	provider_files_otel_name(files, name, &got);
	buffer_add_format(&title, "OpenTelemetry has the name %s for %s", want, name);
	unit_same(buffer_span(&got), span_of(want), buffer_string(&title));
	buffer_free(&got);
	buffer_free(&title);
}

/* The well-known values of gen_ai.provider.name (semantic conventions 1.41). */
static void otel_names(void)
{
	struct provider_files files;

	write_own("{\"lab\": {\"otel_name\": \"my lab\"}, \"lab2\": {\"like\": \"lab\"}, "
		  "\"lost\": {\"like\": \"nobody\"}}");
	provider_files_read(&files, NULL);
	named(&files, "openai", "openai");
	named(&files, "openai-chat", "openai");
	named(&files, "anthropic", "anthropic");
	named(&files, "gemini", "gcp.gemini");
	named(&files, "vertex", "gcp.vertex_ai");
	named(&files, "azure", "azure.ai.openai");
	named(&files, "mistral", "mistral_ai");
	named(&files, "xai", "x_ai");
	named(&files, "moonshot", "moonshot_ai");
	named(&files, "bedrock", "aws.bedrock");
	named(&files, "test", "test");
	named(&files, "lab2", "my lab");
	named(&files, "lost", "lost");
	provider_files_free(&files);
	remove_own();
}

int main(void)
{
	open_folder();
	inheritance();
	sets();
	faults();
	unknown_keys();
	shipped();
	otel_names();
	rmdir(folder);
	return unit_done();
}

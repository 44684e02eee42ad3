/* The keys of the user's providers.json: a misspelt one would be ignored. */
#include "json/keys.h"
#include "model/provider_files.h"

/* The file, for messages. */
struct checked_file {
	const char *path;
	struct span text;
	struct error *e;
};

static const struct key_type entry_keys[] = {
    {"protocol", JSON_STRING},     {"like", JSON_ABSENT},    {"base_url", JSON_STRING},
    {"base_url_env", JSON_ABSENT}, {"key_env", JSON_ABSENT}, {"api_key_command", JSON_ABSENT},
    {"key_optional", JSON_BOOL},   {"auth", JSON_STRING},    {"headers", JSON_OBJECT},
    {"headers_env", JSON_ABSENT},  {"query", JSON_OBJECT},   {"when_set", JSON_OBJECT},
    {"otel_name", JSON_STRING},    {"sets", JSON_OBJECT},    {"quirks", JSON_OBJECT},
    {NULL, JSON_ABSENT},
};

static const struct key_type quirk_keys[] = {
    {"attach", JSON_ABSENT},
    {"body", JSON_OBJECT},
    {"cache", JSON_ABSENT},
    {"calls_last", JSON_BOOL},
    {"effort", JSON_OBJECT},
    {"force", JSON_ABSENT},
    {"generation", JSON_ABSENT},
    {"max_tokens", JSON_ABSENT},
    {"no_user_after_tool", JSON_BOOL},
    {"parallel", JSON_ABSENT},
    {"reasoning", JSON_OBJECT},
    {"reasoning_back", JSON_ABSENT},
    {"reasoning_back_all", JSON_ABSENT},
    {"reasoning_options", JSON_ABSENT},
    {"refuses", JSON_ABSENT},
    {"refuses_reasoning", JSON_ABSENT},
    {"refuses_unless_none", JSON_ABSENT},
    {"result_status", JSON_ABSENT},
    {"schema", JSON_ABSENT},
    {"stream_options", JSON_ABSENT},
    {"tool_call_id_length", JSON_NUMBER},
    {"tool_call_id_max", JSON_NUMBER},
    {"tool_choice", JSON_ABSENT},
    {NULL, JSON_ABSENT},
};

/* Items of key_env, base_url_env and headers_env that are objects. */
static const struct key_type key_env_keys[] = {
    {"name", JSON_STRING},   {"auth", JSON_STRING},       {"service", JSON_STRING},
    {"id_env", JSON_ABSENT}, {"region_env", JSON_ABSENT}, {"token_env", JSON_ABSENT},
    {NULL, JSON_ABSENT},
};
static const struct key_type base_url_env_keys[] = {
    {"name", JSON_STRING}, {"scheme", JSON_STRING}, {"port", JSON_NUMBER},
    {"path", JSON_STRING}, {"known", JSON_OBJECT},  {NULL, JSON_ABSENT},
};
static const struct key_type headers_env_keys[] = {{"name", JSON_STRING}, {NULL, JSON_ABSENT}};

static const struct key_type effort_keys[] = {
    {"none", JSON_OBJECT}, {"low", JSON_OBJECT},  {"medium", JSON_OBJECT}, {"high", JSON_OBJECT},
    {"max", JSON_OBJECT},  {"like", JSON_ABSENT}, {NULL, JSON_ABSENT},
};

static bool check_keys(const struct checked_file *file, struct span object,
		       const struct key_type *known)
{
	return keys_have_types(file->path, file->text, object, known, file->e);
}

/* A variable, or a list of variables. */
static bool check_items(const struct checked_file *file, struct span items,
			const struct key_type *known)
{
	struct json_walk walk = json_walk(items);
	bool good = true;

	if (json_type(items) != JSON_ARRAY)
		return check_keys(file, items, known);
	while (good && json_next(&walk))
		good = check_keys(file, walk.value, known);
	return good;
}

/* An error about `value`. */
static bool refuse(const struct checked_file *file, struct span value, const char *sentence)
{
	return error_at(file->e, file->path, file->text, (size_t)(value.at - file->text.at), "%s",
			sentence);
}

/* The value of a quirk, or its values for models: a string must be one of `words`. */
static bool check_words(const struct checked_file *file, struct span value,
			const char *const *words, const char *sentence)
{
	struct json_walk walk = json_walk(value);
	bool good = true;

	while (json_type(value) == JSON_OBJECT && good && json_next(&walk))
		good = check_words(file, walk.value, words, sentence);
	return good && (json_type(value) != JSON_STRING || json_is_any(value, words) ||
			refuse(file, value, sentence));
}

/* Headers and parameters of the URL. */
static bool check_texts(const struct checked_file *file, struct span object)
{
	struct json_walk walk = json_walk(object);
	bool good = true;

	while (good && json_next(&walk))
		good = json_type(walk.value) == JSON_STRING || json_type(walk.value) == JSON_NULL ||
		       error_at(file->e, file->path, file->text,
				(size_t)(walk.value.at - file->text.at),
				"the value of %.*s must be a string", SPAN_ARG(walk.key));
	return good;
}

static bool check_quirks(const struct checked_file *file, struct span quirks)
{
	static const char *const schemas[] = {"json_schema", "json_object", "words",
					      "tool",        "native",      NULL};
	static const char *const choices[] = {"any", NULL};
	struct json_walk model = json_walk(json_get(quirks, "effort"));
	bool good = check_keys(file, quirks, quirk_keys) &&
		    check_words(file, json_get(quirks, "schema"), schemas,
				"\"schema\" must be \"json_schema\", \"json_object\", \"words\", "
				"\"tool\", true or false") &&
		    check_words(file, json_get(quirks, "tool_choice"), choices,
				"\"tool_choice\" must be \"any\" or false");

	while (good && json_next(&model))
		good = json_type(model.value) != JSON_OBJECT ||
		       check_keys(file, model.value, effort_keys);
	return good;
}

static bool check_members(const struct checked_file *file, struct span entry)
{
	struct json_walk variable = json_walk(json_get(entry, "when_set"));
	bool good = check_keys(file, entry, entry_keys) &&
		    check_items(file, json_get(entry, "key_env"), key_env_keys) &&
		    check_items(file, json_get(entry, "base_url_env"), base_url_env_keys) &&
		    check_items(file, json_get(entry, "headers_env"), headers_env_keys) &&
		    check_texts(file, json_get(entry, "headers")) &&
		    check_texts(file, json_get(entry, "query")) &&
		    check_quirks(file, json_get(entry, "quirks"));

	while (good && json_next(&variable))
		good = check_members(file, variable.value);
	return good;
}

bool provider_file_check(const struct provider_file *file, struct error *e)
{
	const struct checked_file checked = {file->path, buffer_span(&file->text), e};
	struct json_walk walk = json_walk(json_trim(checked.text));
	bool good = keys_are_unique(file->path, checked.text, e);

	while (good && json_next(&walk)) {
		enum json_type type = json_type(walk.value);

		if (json_is(walk.key, "sets") || json_is(walk.key, "$schema"))
			continue;
		good = type == JSON_OBJECT || type == JSON_NULL
			   ? check_members(&checked, walk.value)
			   : error_at(e, file->path, checked.text,
				      (size_t)(walk.value.at - checked.text.at),
				      "provider %.*s must be an object with \"base_url\" and so on",
				      SPAN_ARG(walk.key));
	}
	return good;
}

#include "json/keys.h"

#include <stdlib.h>

#include "base/suggestion.h"
#include "json/tree.h"

static bool unknown_key(const char *source, struct span text, struct span key,
			const char *const *known, struct error *e)
{
	char *name = json_text(key);
	struct suggestion suggestion = suggestion_for(name);
	struct buffer sentence = {0};

	for (size_t i = 0; known[i] != NULL; i++)
		suggestion_consider(&suggestion, known[i]);
	buffer_add_format(&sentence, "unknown key %.*s", SPAN_ARG(key));
	suggestion_write(&suggestion, &sentence);
	for (size_t i = 0; known[i] != NULL; i++)
		buffer_add_format(&sentence, "%s%s", i == 0 ? "; the keys are " : ", ", known[i]);
	error_at(e, source, text, (size_t)(key.at - text.at), "%s", buffer_string(&sentence));
	buffer_free(&sentence);
	free(name);
	return false;
}

bool keys_are_known(const char *source, struct span text, struct span object,
		    const char *const *known, struct error *e)
{
	for (struct json_walk walk = json_walk(object); json_next(&walk);)
		if (walk.key.at != NULL && !json_is_any(walk.key, known) &&
		    !span_starts(json_plain(walk.key), "x-"))
			return unknown_key(source, text, walk.key, known, e);
	return true;
}

static bool has_type(const char *source, struct span text, const struct key_type *key,
		     struct span value, struct error *e)
{
	enum json_type type = json_type(value);

	if (type == JSON_NULL || key->type == JSON_ABSENT || type == key->type)
		return true;
	return error_at(e, source, text, (size_t)(value.at - text.at),
			"\"%s\" must be of the type %s, not %s", key->name,
			json_type_name(key->type), json_type_name(type));
}

bool keys_have_types(const char *source, struct span text, struct span object,
		     const struct key_type *known, struct error *e)
{
	const char *names[KEYS_MAX + 1] = {NULL};
	bool good;

	for (size_t i = 0; known[i].name != NULL; i++)
		names[i] = known[i].name;
	good = keys_are_known(source, text, object, names, e);
	for (struct json_walk walk = json_walk(object); good && json_next(&walk);)
		for (size_t i = 0; good && known[i].name != NULL; i++)
			if (json_is(walk.key, known[i].name))
				good = has_type(source, text, &known[i], walk.value, e);
	return good;
}

bool keys_are_unique(const char *source, struct span text, struct error *e)
{
	struct buffer key = {0};
	struct span again = json_find_repeated(text, &key);

	if (again.at != NULL)
		error_at(e, source, text, (size_t)(again.at - text.at),
			 "the key \"%s\" is there twice: leave one out", buffer_string(&key));
	buffer_free(&key);
	return again.at == NULL;
}

#include <ctype.h>
#include <stdlib.h>

#include "loop/process.h"
#include "model/model.h"
#include "model/provider.h"

/* ---- a program that prints the key ---- */

/* The command as an argument vector: a list of words, or one string for the shell. NULL when it is
 * neither. */
static char **command_words(struct span command)
{
	struct json_walk walk = json_walk(command);
	size_t count = 0;
	char **words;

	if (json_type(command) == JSON_STRING) {
		words = mem_zero(4 * sizeof(*words));
		words[0] = mem_copy(SPAN("sh"));
		words[1] = mem_copy(SPAN("-c"));
		words[2] = json_text(command);
		return words;
	}
	if (json_type(command) != JSON_ARRAY || json_count(command) == 0)
		return NULL;
	words = mem_zero((json_count(command) + 1) * sizeof(*words));
	while (json_next(&walk)) {
		words[count] = json_text(walk.value);
		if (words[count++] == NULL)
			words[count - 1] = mem_copy(walk.value);
	}
	return words;
}

static void free_words(char **words)
{
	for (size_t i = 0; words != NULL && words[i] != NULL; i++)
		free(words[i]);
	free(words);
}

static bool command_failed(const struct provider *provider, const char *program,
			   const struct process_end *end, double seconds, struct error *e)
{
	struct buffer how = {0};

	buffer_add_format(&how, "api_key_command of provider %s", provider->name);
	/* 127: a spawn that failed only in the child, and the shell's word for the same. */
	if (end->outcome == PROCESS_NOT_STARTED ||
	    (end->outcome == PROCESS_EXITED && end->value == 127))
		buffer_add_format(&how, ": cannot run %s", program);
	else if (end->outcome == PROCESS_EXITED)
		buffer_add_format(&how, " exited with status %d", end->value);
	else if (end->outcome == PROCESS_KILLED)
		buffer_add_format(&how, " was killed by signal %d", end->value);
	else
		buffer_add_format(&how, " printed no key within %g second%s", seconds,
				  seconds == 1 ? "" : "s");
	error_set(e, "usage", "%s", buffer_string(&how));
	buffer_free(&how);
	return false;
}

static bool key_from_command(struct provider *provider, struct span command, double seconds,
			     struct error *e)
{
	char **words = command_words(command);
	struct process_end end;
	bool ok;

	if (words == NULL)
		return error_set(e, "usage",
				 "api_key_command of provider %s must be a list of words or a "
				 "string",
				 provider->name);
	end = process_run(
	    &(struct process_command){.argv = words, .timeout = seconds, .shares_group = true},
	    &provider->key, NULL);
	ok = (end.outcome == PROCESS_EXITED && end.value == 0) ||
	     command_failed(provider, json_type(command) == JSON_STRING ? words[2] : words[0], &end,
			    seconds, e);
	free_words(words);
	return ok;
}

/* ---- keys that were asked for before ---- */

/* Each key is kept as "PROVIDER\0KEY\0". */
static bool key_from_cache(struct provider *provider, const struct key_cache *cache)
{
	struct span rest = cache != NULL ? buffer_span(&cache->keys) : (struct span){0};

	while (rest.len > 0) {
		const char *name = rest.at, *key = name + strlen(name) + 1;

		if (strcmp(name, provider->name) == 0) {
			buffer_add_text(&provider->key, key);
			buffer_string(&provider->key);
			return true;
		}
		rest = span_from(rest, (size_t)(key + strlen(key) + 1 - name));
	}
	return false;
}

static void add_to_cache(struct provider *provider, struct key_cache *cache)
{
	if (cache == NULL)
		return;
	buffer_add(&cache->keys, provider->name, strlen(provider->name) + 1);
	buffer_add(&cache->keys, buffer_string(&provider->key), provider->key.len + 1);
}

/* ---- the key ---- */

/* Without white space around it; false when it is empty or would break a header line. */
static bool tidy_key(struct provider *provider, const char *source, struct error *e)
{
	struct buffer *key = &provider->key;
	size_t space = 0;

	while (key->len > 0 && isspace((unsigned char)key->at[key->len - 1]))
		key->len--;
	while (space < key->len && isspace((unsigned char)key->at[space]))
		space++;
	buffer_drop(key, space);
	buffer_string(key);
	if (key->len == 0)
		return error_set(e, "usage", "the key of provider %s is empty (%s)", provider->name,
				 source);
	for (size_t i = 0; i < key->len; i++)
		if (iscntrl((unsigned char)key->at[i]))
			return error_set(e, "usage",
					 "the key of provider %s contains a line break or another "
					 "control character (%s)",
					 provider->name, source);
	return true;
}

static void set_auth(struct provider *provider, struct span item)
{
	struct span own = json_type(item) == JSON_OBJECT ? json_get(item, "auth") : item;

	if (json_type(item) != JSON_OBJECT || json_type(own) != JSON_STRING)
		own = json_get(provider->entry, "auth");
	provider->auth = json_text(own);
	if (provider->auth == NULL)
		provider->auth = mem_copy(SPAN("bearer"));
}

static bool ask_command(struct provider *provider, struct span command, struct key_cache *cache,
			struct error *e)
{
	if (key_from_cache(provider, cache))
		return true;
	if (!key_from_command(provider, command, cache != NULL ? cache->seconds : 0, e) ||
	    !tidy_key(provider, "api_key_command", e))
		return false;
	add_to_cache(provider, cache);
	return true;
}

bool provider_key(struct provider *provider, struct key_cache *cache, struct error *e)
{
	struct provider_items items = provider_items(json_get(provider->entry, "key_env"));
	struct span command = json_get(provider->entry, "api_key_command");
	bool found = false, ok = true;
	char *names;

	while (!found && provider_next_item(&items)) {
		char *name = provider_item_name(items.item);
		const char *value = name != NULL ? provider_variable(name) : NULL;

		if (value != NULL) {
			found = true;
			buffer_add_text(&provider->key, value);
			set_auth(provider, items.item);
			ok = tidy_key(provider, name, e) && provider_signer(provider, e);
		}
		free(name);
	}
	if (found)
		return ok;
	set_auth(provider, (struct span){0});
	names = provider_key_names(provider);
	if (command.at != NULL) {
		ok = ask_command(provider, command, cache, e);
		if (!ok && names != NULL && e != NULL)
			error_set(e, "usage", "%s; set %s instead", e->message, names);
		free(names);
		return ok;
	}
	if (names != NULL && !json_true(json_get(provider->entry, "key_optional")))
		ok =
		    error_set(e, "usage", "provider %s needs a key; set %s", provider->name, names);
	free(names);
	return ok;
}

bool provider_key_is_set(struct span entry)
{
	struct provider_items items = provider_items(json_get(entry, "key_env"));
	bool set = json_get(entry, "api_key_command").at != NULL;

	while (!set && provider_next_item(&items)) {
		char *name = provider_item_name(items.item);

		set = name != NULL && provider_variable(name) != NULL;
		free(name);
	}
	return set;
}

char *provider_variables(struct span entry, const char *separator)
{
	struct provider_items items = provider_items(json_get(entry, "key_env"));
	struct buffer out = {0};

	while (provider_next_item(&items)) {
		char *name = provider_item_name(items.item);
		char *id = json_text(json_get(items.item, "id_env"));

		if (name != NULL)
			buffer_add_format(&out, "%s%s%s%s", out.len > 0 ? separator : "",
					  id != NULL ? id : "", id != NULL ? " and " : "", name);
		free(name);
		free(id);
	}
	return out.len > 0 ? buffer_take(&out) : NULL;
}

char *provider_key_names(const struct provider *provider)
{
	return provider_variables(provider->entry, " or ");
}

static void add_names(struct span value, struct buffer *out)
{
	struct provider_items items = provider_items(value);

	while (provider_next_item(&items)) {
		char *name = provider_item_name(items.item);

		if (name != NULL)
			buffer_add(out, name, strlen(name) + 1);
		free(name);
		if (json_type(items.item) == JSON_OBJECT) {
			add_names(json_get(items.item, "id_env"), out);
			add_names(json_get(items.item, "token_env"), out);
		}
	}
}

void provider_add_secrets(struct span entry, struct buffer *out)
{
	add_names(json_get(entry, "key_env"), out);
	add_names(json_get(entry, "headers_env"), out);
}

/* ---- masking ---- */

static bool is_key_char(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '.' || c == '*';
}

/* How long the text at `at` is if it looks like a key; 0 when it does not. `before` is what
 * precedes it. */
static size_t looks_like_key(const char *at, const char *end, char before)
{
	static const struct {
		const char *prefix;
		size_t least; /* characters behind it; fewer are no key */
	} shapes[] = {
	    {"Bearer ", 8}, {"sk-", 6},   {"gsk_", 16},        {"xai-", 16},
	    {"AIza", 16},   {"hf_", 16},  {"pplx-", 16},       {"csk-", 16},
	    {"nvapi-", 16}, {"ghp_", 16}, {"github_pat_", 16},
	};

	if (isalnum((unsigned char)before))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
		size_t prefix = strlen(shapes[i].prefix), len = prefix;

		if ((size_t)(end - at) < prefix || memcmp(at, shapes[i].prefix, prefix) != 0)
			continue;
		while (at + len < end && is_key_char(at[len]))
			len++;
		while (len > prefix && at[len - 1] == '.')
			len--;
		if (len - prefix >= shapes[i].least)
			return len;
	}
	return 0;
}

/* How long the secret of `provider` is that stands at `at`; 0 when none does. */
static size_t secret_at(const struct provider *provider, const char *at, size_t left)
{
	const struct buffer *secrets[] = {&provider->key, &provider->token};

	for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
		if (secrets[i]->len >= 4 && left >= secrets[i]->len &&
		    memcmp(at, secrets[i]->at, secrets[i]->len) == 0)
			return secrets[i]->len;
	return 0;
}

/* How long the text at `at` is if it is a part of `key` that is long enough to tell; 0 when not. */
static size_t part_of_key(struct span key, const char *at, size_t left)
{
	enum { TELLING = 8 };
	size_t longest = 0;

	for (size_t start = 0; start + TELLING <= key.len; start++) {
		size_t len = 0;

		while (len < left && start + len < key.len && at[len] == key.at[start + len])
			len++;
		if (len > longest)
			longest = len;
	}
	return longest >= TELLING ? longest : 0;
}

/* `shapes`: also a part of the key, and what only looks like a key. */
static void mask(const struct provider *provider, struct buffer *text, bool shapes)
{
	struct buffer out = {0};
	struct span all = buffer_span(text);
	const char *at = all.at, *end = all.at + all.len;

	while (at < end) {
		size_t left = (size_t)(end - at), len = secret_at(provider, at, left);

		if (len == 0 && shapes)
			len = looks_like_key(at, end, at > all.at ? at[-1] : ' ');
		if (len == 0 && shapes)
			len = part_of_key(buffer_span(&provider->key), at, left);
		if (len == 0 && shapes)
			len = part_of_key(buffer_span(&provider->token), at, left);
		if (len > 7 && memcmp(at, "Bearer ", 7) == 0)
			buffer_add_text(&out, "Bearer ");
		if (len > 0)
			buffer_add_text(&out, "***");
		else
			buffer_add_char(&out, *at);
		at += len > 0 ? len : 1;
	}
	buffer_free(text);
	*text = out;
}

void provider_mask(const struct provider *provider, struct buffer *text)
{
	mask(provider, text, true);
}

void provider_mask_key(const struct provider *provider, struct buffer *text)
{
	mask(provider, text, false);
}

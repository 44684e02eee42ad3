#include <ctype.h>
#include <stdlib.h>

#include "base/number.h"
#include "loop/process.h"
#include "model/model.h"
#include "model/provider.h"

/* The time of a program that prints the key, which may ask on the terminal, and the size of a key.
 */
static const double command_seconds = 60;
enum { KEY_MAX = 16 * 1024 };

/* ---- a program that prints the key ---- */

/* The command as an argument vector: a list of words, or a string for the shell. NULL for other
 * values. */
static char **command_words(struct span command)
{
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
	for (struct json_walk walk = json_walk(command); json_next(&walk);) {
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
			   const struct process_end *end, struct error *e)
{
	struct buffer how = {0};

	buffer_add_format(&how, "api_key_command of provider %s", provider->name);
	/* 127: the child could not run the program; shells use the same status. */
	if (end->outcome == PROCESS_NOT_STARTED ||
	    (end->outcome == PROCESS_EXITED && end->value == 127))
		buffer_add_format(&how, ": cannot run %s", program);
	else if (end->outcome == PROCESS_EXITED)
		buffer_add_format(&how, " exited with status %d", end->value);
	else if (end->outcome == PROCESS_KILLED)
		buffer_add_format(&how, " was killed by signal %d", end->value);
	else if (end->outcome == PROCESS_TOO_MUCH)
		buffer_add_format(&how, " printed more than %d bytes", PROCESS_RUN_MAX);
	else
		buffer_add_format(&how, " printed no key within %g second%s", end->limit,
				  plural(end->limit));
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

	if (!(seconds > 0 && seconds < command_seconds))
		seconds = command_seconds;
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
			    e);
	free_words(words);
	return ok;
}

/* ---- keys that a command has printed before ---- */

/* The cache has each key as "PROVIDER\0KEY\0". */
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

/* Remove white space around the key. False if it is empty or would break a header line. */
static bool tidy_key(struct provider *provider, const char *source, struct error *e)
{
	struct buffer *key = &provider->key;
	struct span text = span_trim(buffer_span(key));

	if (text.len == 0)
		return error_set(e, "usage", "the key of provider %s is empty (%s)", provider->name,
				 source);
	if (text.len > KEY_MAX)
		return error_set(e, "usage", "the key of provider %s is longer than %d bytes (%s)",
				 provider->name, KEY_MAX, source);
	buffer_drop(key, (size_t)(text.at - key->at));
	key->len = text.len;
	buffer_string(key);
	for (size_t i = 0; i < key->len; i++)
		if (iscntrl((unsigned char)key->at[i]))
			return error_set(e, "usage",
					 "the key of provider %s contains a line break or another "
					 "control character (%s)",
					 provider->name, source);
	return true;
}

/* How the key is sent: by the item of key_env, else by the entry. */
static void set_auth(struct provider *provider, struct span item)
{
	provider->auth = json_text(json_get(item, "auth"));
	if (provider->auth == NULL)
		provider->auth = json_text(json_get(provider->entry, "auth"));
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
	struct provider_items set = provider_first_set(json_get(provider->entry, "key_env"));
	struct span command = json_get(provider->entry, "api_key_command");
	char *names = provider_key_names(provider);
	bool ok = true;

	set_auth(provider, set.item);
	if (set.value != NULL) {
		buffer_add_text(&provider->key, set.value);
		ok = tidy_key(provider, buffer_string(&set.name), e);
	} else if (command.at != NULL) {
		ok = ask_command(provider, command, cache, e);
		if (!ok && names != NULL && e != NULL)
			error_set(e, "usage", "%s; set %s instead", e->message, names);
	} else if (names != NULL && !json_true(json_get(provider->entry, "key_optional"))) {
		ok =
		    error_set(e, "usage", "provider %s needs a key; set %s", provider->name, names);
	}
	buffer_free(&set.name);
	free(names);
	return ok && provider_signer(provider, e);
}

bool provider_key_is_set(struct span entry)
{
	struct provider_items set = provider_first_set(json_get(entry, "key_env"));

	buffer_free(&set.name);
	return set.value != NULL || json_get(entry, "api_key_command").at != NULL;
}

char *provider_key_names(const struct provider *provider)
{
	return provider_names(json_get(provider->entry, "key_env"), " or ");
}

/* Append the names of variables, each with a NUL after it. */
static void add_names(struct span names, struct buffer *out)
{
	for (struct provider_items items = provider_items(names); provider_next_item(&items);) {
		buffer_add(out, buffer_string(&items.name), items.name.len + 1);
		add_names(json_get(items.item, "id_env"), out);
		add_names(json_get(items.item, "token_env"), out);
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

/* The length of the text at `at` if it looks like a key, else 0. */
static size_t looks_like_key(struct span at)
{
	static const struct {
		const char *prefix;
		size_t least; /* fewer characters after it are not a key */
	} shapes[] = {
	    {"Bearer ", 8}, {"sk-", 6},   {"gsk_", 16},        {"xai-", 16},
	    {"AIza", 16},   {"hf_", 16},  {"pplx-", 16},       {"csk-", 16},
	    {"nvapi-", 16}, {"ghp_", 16}, {"github_pat_", 16},
	};

	for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
		size_t prefix = strlen(shapes[i].prefix), len = prefix;

		if (!span_starts(at, shapes[i].prefix))
			continue;
		while (len < at.len && is_key_char(at.at[len]))
			len++;
		while (len > prefix && at.at[len - 1] == '.')
			len--;
		if (len - prefix >= shapes[i].least)
			return len;
	}
	return 0;
}

/* The length of the secret at `at`, else 0. A part of it suffices that is long enough to tell. */
static size_t secret_at(struct span secret, struct span at)
{
	enum { LEAST = 4, TELLING = 8 };
	size_t longest = 0;

	if (secret.len >= LEAST && at.len >= secret.len &&
	    memcmp(at.at, secret.at, secret.len) == 0)
		return secret.len;
	for (size_t start = 0; start + TELLING <= secret.len; start++) {
		size_t len = 0;

		while (len < at.len && start + len < secret.len &&
		       at.at[len] == secret.at[start + len])
			len++;
		if (len > longest)
			longest = len;
	}
	return longest >= TELLING ? longest : 0;
}

void provider_mask(const struct provider *provider, struct buffer *text)
{
	const struct span secrets[] = {buffer_span(&provider->key), buffer_span(&provider->token)};
	struct span rest = buffer_span(text);
	struct buffer out = {0};
	bool in_word = false;

	while (rest.len > 0) {
		size_t len = in_word ? 0 : looks_like_key(rest);

		for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
			size_t secret = secret_at(secrets[i], rest);

			len = secret > len ? secret : len;
		}
		if (len > 0 && span_starts(rest, "Bearer "))
			buffer_add_text(&out, "Bearer ");
		if (len > 0)
			buffer_add_text(&out, "***");
		else
			buffer_add_char(&out, rest.at[0]);
		len = len > 0 ? len : 1;
		in_word = isalnum((unsigned char)rest.at[len - 1]);
		rest = span_from(rest, len);
	}
	buffer_free(text);
	*text = out;
}

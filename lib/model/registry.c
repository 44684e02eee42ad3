#include "model/registry.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <strings.h>

#include "base/suggestion.h"
#include "model/model.h"
#include "model/protocol/protocol.h"
#include "model/provider.h"
#include "model/provider_files.h"

/* ---- finding one ---- */

/* Fail with the known names, and the one that was probably meant. */
static bool unknown(const char *name, const struct provider_files *files, struct error *e)
{
	struct suggestion suggestion = suggestion_for(name);
	struct buffer known = {0}, meant = {0};
	const struct provider_name *at;

	for (size_t i = 0; (at = provider_files_next(files, &i)) != NULL;) {
		buffer_add_format(&known, "%s%s", known.len > 0 ? ", " : "", at->name);
		suggestion_consider(&suggestion, at->name);
	}
	suggestion_write(&suggestion, &meant);
	error_set(e, "usage", "there is no provider %s%s; the providers are %s", name,
		  buffer_string(&meant), buffer_string(&known));
	buffer_free(&known);
	buffer_free(&meant);
	return false;
}

/* Append `entry` with its "when_set" members merged in, which apply if an environment variable is
 * set. */
static void add_merged(struct span entry, struct buffer *out)
{
	json_write_compact(out, entry);
	for (struct json_walk walk = json_walk(json_get(entry, "when_set")); json_next(&walk);) {
		char *variable = json_text(walk.key);

		if (provider_variable(variable) != NULL)
			json_merge_into(out, walk.value);
		free(variable);
	}
}

/* Fail for the protocol of provider `name`, with the file and line that has it. */
static bool unknown_protocol(const struct provider_files *files, const char *name,
			     struct span protocol, struct error *e)
{
	struct buffer why = {0};

	buffer_add_format(&why, "provider %s has the unknown protocol %.*s; the protocols are ",
			  name, SPAN_ARG(protocol));
	protocol_names(&why);
	error_set(e, "usage", "%s", buffer_string(&why));
	for (size_t i = 0; i < PROVIDERS_FILES * files->count; i++) {
		const struct provider_file *file = &files->files[i % PROVIDERS_FILES];
		struct span text = buffer_span(&file->text),
			    at = json_get(
				files->names[i / PROVIDERS_FILES].entries[i % PROVIDERS_FILES],
				"protocol");

		if (span_equal(at, protocol))
			error_at(e, file->path, text, (size_t)(at.at - text.at), "%s",
				 buffer_string(&why));
	}
	buffer_free(&why);
	return false;
}

/* The quirk "max_tokens" is a name with openai-chat, and a number with anthropic. */
static bool check_max_tokens(const struct provider *provider, const char *name, struct error *e)
{
	struct span quirk = provider_quirk(provider, "max_tokens");

	return json_type(quirk) != JSON_NUMBER ||
	       strcmp(provider->protocol->name, "openai-chat") != 0 ||
	       error_set(
		   e, "usage",
		   "provider %s: the quirk \"max_tokens\" must be the name of a parameter, such "
		   "as \"max_completion_tokens\", not %.*s; --max-tokens sets the number",
		   name, SPAN_ARG(quirk));
}

/* Find `name` and fill everything but URL and key. */
static bool find(struct provider *provider, const char *name, struct error *e)
{
	struct provider_files files;
	struct buffer entry = {0};
	bool ok = provider_files_read(&files, e);

	if (ok) {
		const struct provider_name *known = provider_files_find(&files, name);

		ok = known != NULL ? provider_files_entry(&files, known, true, &entry, e)
				   : unknown(name, &files, e);
	}
	if (ok) {
		add_merged(buffer_span(&entry), &provider->json);
		provider->entry = buffer_span(&provider->json);
		provider->quirks = json_get(provider->entry, "quirks");
		provider->protocol = protocol_find(json_get(provider->entry, "protocol"));
		ok = provider->protocol != NULL
			 ? check_max_tokens(provider, name, e)
			 : unknown_protocol(&files, name, json_get(provider->entry, "protocol"), e);
	}
	buffer_free(&entry);
	provider_files_free(&files);
	return ok;
}

/* libcurl uses http for a URL without a scheme, and would send the key unencrypted. */
static bool check_url(const struct provider *provider, const char *url, struct error *e)
{
	size_t scheme = strncasecmp(url, "https://", 8) == 0  ? 8
			: strncasecmp(url, "http://", 7) == 0 ? 7
							      : 0;
	struct buffer shown = {0};

	if (scheme > 0 && url[scheme + strcspn(url + scheme, " \t\r\n")] == '\0' &&
	    url[scheme] != '\0' && strchr("/?#:", url[scheme]) == NULL)
		return true;
	secrets_show_url(span_of(url), &shown);
	error_set(e, "usage",
		  "the base URL of %s is not https://HOST/PATH or http://HOST/PATH: '%s'",
		  provider->name, buffer_string(&shown));
	buffer_free(&shown);
	return false;
}

/* The query of the base URL is added to every URL. */
static void split_query(struct provider *provider)
{
	char *end = provider->base_url + strcspn(provider->base_url, "?#");

	if (*end == '?' && strcspn(end + 1, "#") > 0)
		provider->base_query = mem_copy((struct span){end + 1, strcspn(end + 1, "#")});
	*end = '\0';
}

struct provider *provider_open(const char *name, const char *base_url, struct key_cache *cache,
			       struct error *e)
{
	struct provider *provider = mem_zero(sizeof(*provider));

	provider->name = mem_copy(span_of(name));
	if (!find(provider, name, e) || !provider_key(provider, cache, e))
		goto fail;
	provider->base_url = provider_url(provider->entry, name, base_url, e);
	if (provider->base_url == NULL ||
	    !check_url(provider, base_url != NULL ? base_url : provider->base_url, e))
		goto fail;
	split_query(provider);
	return provider;
fail:
	provider_free(provider);
	return NULL;
}

void provider_free(struct provider *provider)
{
	if (provider == NULL)
		return;
	free(provider->name);
	free(provider->auth);
	free(provider->key_id);
	free(provider->region);
	free(provider->service);
	free(provider->base_url);
	free(provider->base_query);
	buffer_free(&provider->json);
	buffer_free(&provider->key);
	buffer_free(&provider->token);
	free(provider);
}

bool provider_is_local(const struct provider *provider)
{
	const char *host = strstr(provider->base_url, "://") + 3;
	const char *at = memchr(host, '@', strcspn(host, "/?#"));
	struct in6_addr address;
	char name[64];
	size_t len;

	if (at != NULL)
		host = at + 1;
	if (*host == '[')
		len = strcspn(++host, "]");
	else
		len = strcspn(host, ":/?#");
	if (len == 0 || len >= sizeof(name))
		return false;
	memcpy(name, host, len);
	name[len] = '\0';
	return strcasecmp(name, "localhost") == 0 ||
	       (strncmp(name, "127.", 4) == 0 && inet_pton(AF_INET, name, &address) == 1) ||
	       (inet_pton(AF_INET6, name, &address) == 1 && IN6_IS_ADDR_LOOPBACK(&address));
}

struct span provider_quirk(const struct provider *provider, const char *name)
{
	return json_get(provider->quirks, name);
}

/* ---- all of them ---- */

static void list_one(const char *name, struct span entry, struct buffer *out)
{
	struct buffer merged = {0};
	char *protocol = json_text(json_get(entry, "protocol"));
	char *url, *variables;
	const char *state = "-";

	add_merged(entry, &merged);
	entry = buffer_span(&merged);
	url = provider_url(entry, name, NULL, NULL);
	variables = provider_names(json_get(entry, "key_env"), ",");
	if (variables != NULL || json_get(entry, "api_key_command").at != NULL) {
		if (provider_key_is_set(entry))
			state = "set";
		else
			state = json_true(json_get(entry, "key_optional")) ? "optional" : "missing";
	}
	buffer_add_format(out, "%s\t%s\t", name,
			  protocol != NULL ? protocol : protocol_find((struct span){0})->name);
	if (url != NULL)
		secrets_show_url(span_of(url), out);
	else
		json_decode(json_get(entry, "base_url"), out);
	buffer_add_format(out, "\t%s\t%s\n", variables != NULL ? variables : "-", state);
	free(protocol);
	free(url);
	free(variables);
	buffer_free(&merged);
}

bool model_list_providers(struct buffer *out, struct error *e)
{
	struct provider_files files;
	const struct provider_name *name;
	bool ok = provider_files_read(&files, e);

	for (size_t i = 0; ok && (name = provider_files_next(&files, &i)) != NULL;) {
		struct buffer entry = {0};

		ok = provider_files_entry(&files, name, false, &entry, e);
		if (ok)
			list_one(name->name, buffer_span(&entry), out);
		buffer_free(&entry);
	}
	provider_files_free(&files);
	return ok;
}

/* The names follow the pointers in one block, so that one free frees all. */
static char **as_array(struct span names)
{
	size_t count = 0;
	char **array, *text;

	for (size_t i = 0; i < names.len; i++)
		count += names.at[i] == '\0';
	array = mem_alloc((count + 1) * sizeof(*array) + names.len);
	text = (char *)(array + count + 1);
	memcpy(text, names.at, names.len);
	for (size_t i = 0; i < count; i++) {
		array[i] = text;
		text += strlen(text) + 1;
	}
	array[count] = NULL;
	return array;
}

char **model_secret_variables(struct error *e)
{
	struct provider_files files;
	struct buffer variables = {0};
	bool good = provider_files_read(&files, e);
	char **array;

	if (!good && files.count > 0) { /* the shipped file is read */
		provider_files_free(&files);
		return NULL;
	}
	error_clear(e);
	/* What an entry inherits is named in another entry. */
	for (size_t i = 0; i < files.count; i++)
		for (int layer = 0; layer < PROVIDERS_FILES; layer++)
			provider_add_secrets(files.names[i].entries[layer], &variables);
	array = as_array(buffer_span(&variables));
	provider_files_free(&files);
	buffer_free(&variables);
	return array;
}

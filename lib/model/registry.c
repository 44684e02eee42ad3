#include "model/registry.h"

#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "base/file.h"
#include "model/model.h"
#include "model/protocol/protocol.h"
#include "model/provider.h"

/* ---- the files ---- */

static bool read_registry_file(const char *path, struct buffer *out, struct error *e)
{
	struct json_fault fault;
	size_t line = 1;

	if (!file_read(path, out, e))
		return false;
	if (!json_check(buffer_span(out), &fault)) {
		for (size_t i = 0; i < fault.offset && i < out->len; i++)
			line += out->at[i] == '\n';
		return error_set(e, "usage", "%s:%zu: not JSON: %s", path, line, fault.what);
	}
	if (json_type(json_trim(buffer_span(out))) != JSON_OBJECT)
		return error_set(e, "usage",
				 "%s:1: must be a JSON object, from provider names to providers",
				 path);
	return true;
}

bool registry_read(struct buffer *out, struct error *e)
{
	char *shared = share_path("providers.json"), *own = config_path("providers.json");
	struct buffer base = {0}, patch = {0};
	bool ok = read_registry_file(shared, &base, e);

	if (ok && own != NULL && access(own, F_OK) == 0)
		ok = read_registry_file(own, &patch, e);
	else
		buffer_add_text(&patch, "{}");
	if (ok)
		json_merge(out, json_trim(buffer_span(&base)), json_trim(buffer_span(&patch)));
	buffer_free(&base);
	buffer_free(&patch);
	free(shared);
	free(own);
	return ok;
}

/* ---- finding one ---- */

static size_t distance(const char *a, const char *b)
{
	size_t width = strlen(b) + 1;
	size_t *row = mem_alloc(width * sizeof(*row)), result;

	for (size_t j = 0; j < width; j++)
		row[j] = j;
	for (size_t i = 0; a[i] != '\0'; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 1; j < width; j++) {
			size_t least = diagonal + (a[i] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < least)
				least = row[j] + 1;
			if (row[j - 1] + 1 < least)
				least = row[j - 1] + 1;
			row[j] = least;
		}
	}
	result = row[width - 1];
	free(row);
	return result;
}

static bool begins_with(const char *text, const char *prefix)
{
	return *prefix != '\0' && strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Which names there are, and the one that was probably meant. */
static bool unknown(const char *name, struct span registry, struct error *e)
{
	struct json_walk walk = json_walk(registry);
	struct buffer known = {0};
	char *meant = NULL;
	size_t nearest = strlen(name) / 3 + 1;

	while (json_next(&walk)) {
		char *other = json_text(walk.key);
		size_t far = begins_with(other, name) ? 0 : distance(name, other);

		buffer_add_format(&known, "%s%s", known.len > 0 ? ", " : "", other);
		if (far <= nearest && (meant == NULL || far < nearest)) {
			free(meant);
			meant = mem_copy(span_of(other));
			nearest = far;
		}
		free(other);
	}
	error_set(e, "usage", "there is no provider %s%s%s%s; known are %s", name,
		  meant != NULL ? " (did you mean " : "", meant != NULL ? meant : "",
		  meant != NULL ? "?)" : "", buffer_string(&known));
	free(meant);
	buffer_free(&known);
	return false;
}

/* The entry with its "when_set" members merged in: changes that an environment variable brings. */
static void settle(struct span entry, struct buffer *out)
{
	struct json_walk walk = json_walk(json_get(entry, "when_set"));

	json_write_compact(out, entry);
	while (json_next(&walk)) {
		char *variable = json_text(walk.key);
		const char *value = getenv(variable);
		struct buffer merged = {0};

		free(variable);
		if (value == NULL || *value == '\0')
			continue;
		json_merge(&merged, buffer_span(out), walk.value);
		buffer_free(out);
		*out = merged;
	}
}

/* Find `name` and fill everything but URL and key. */
static bool find(struct provider *provider, const char *name, struct error *e)
{
	struct buffer registry = {0};
	struct span entry = {0};
	bool ok = registry_read(&registry, e);

	if (ok) {
		entry = json_get(buffer_span(&registry), name);
		ok = json_type(entry) == JSON_OBJECT || unknown(name, buffer_span(&registry), e);
	}
	if (ok) {
		settle(entry, &provider->json);
		provider->entry = buffer_span(&provider->json);
		provider->protocol = protocol_find(json_get(provider->entry, "protocol"));
		if (provider->protocol == NULL) {
			struct span protocol = json_get(provider->entry, "protocol");

			ok = error_set(e, "usage", "provider %s has the unknown protocol %.*s",
				       name, SPAN_ARG(protocol));
		}
	}
	buffer_free(&registry);
	return ok;
}

/* A URL without a scheme would be taken for http, and the key sent in the clear. */
static bool check_url(const struct provider *provider, struct error *e)
{
	const char *url = provider->base_url;
	size_t scheme = strncasecmp(url, "https://", 8) == 0  ? 8
			: strncasecmp(url, "http://", 7) == 0 ? 7
							      : 0;

	if (scheme > 0 && url[scheme + strcspn(url + scheme, " \t\r\n")] == '\0' &&
	    url[scheme] != '\0' && strchr("/?#:", url[scheme]) == NULL)
		return true;
	return error_set(e, "usage",
			 "the base URL of %s is not https://HOST/PATH or http://HOST/PATH: '%s'",
			 provider->name, url);
}

/* What stands behind the path stays behind every path. */
static void split_query(struct provider *provider)
{
	char *end = provider->base_url + strcspn(provider->base_url, "?#");

	if (*end == '?' && strcspn(end + 1, "#") > 0)
		provider->base_query = mem_copy((struct span){end + 1, strcspn(end + 1, "#")});
	*end = '\0';
}

struct provider *provider_open(const char *name, const char *base_url, struct error *e)
{
	struct provider *provider = mem_zero(sizeof(*provider));

	provider->name = mem_copy(span_of(name));
	if (!find(provider, name, e) || !provider_key(provider, e))
		goto fail;
	provider->base_url =
	    base_url != NULL ? mem_copy(span_of(base_url)) : provider_url(provider->entry, name, e);
	if (provider->base_url == NULL || !check_url(provider, e))
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
	free(provider->base_url);
	free(provider->base_query);
	buffer_free(&provider->json);
	buffer_free(&provider->key);
	buffer_free(&provider->token);
	free(provider);
}

struct span provider_quirk(const struct provider *provider, const char *name)
{
	return json_get(json_get(provider->entry, "quirks"), name);
}

/* ---- all of them ---- */

static void list_one(const char *name, struct span entry, struct buffer *out)
{
	struct buffer settled = {0};
	char *protocol = json_text(json_get(entry, "protocol"));
	char *url, *variables;
	const char *state = "-";

	settle(entry, &settled);
	entry = buffer_span(&settled);
	url = provider_url(entry, name, NULL);
	variables = provider_variables(entry, ",");
	if (variables != NULL || json_get(entry, "api_key_command").at != NULL) {
		if (provider_key_is_set(entry))
			state = "set";
		else
			state = json_true(json_get(entry, "key_optional")) ? "optional" : "missing";
	}
	buffer_add_format(out, "%s\t%s\t", name, protocol != NULL ? protocol : "openai-chat");
	if (url != NULL)
		buffer_add_text(out, url);
	else
		json_decode(json_get(entry, "base_url"), out);
	buffer_add_format(out, "\t%s\t%s\n", variables != NULL ? variables : "-", state);
	free(protocol);
	free(url);
	free(variables);
	buffer_free(&settled);
}

bool model_list_providers(struct buffer *out, struct error *e)
{
	struct buffer registry = {0};
	struct json_walk walk;

	if (!registry_read(&registry, e)) {
		buffer_free(&registry);
		return false;
	}
	walk = json_walk(buffer_span(&registry));
	while (json_next(&walk)) {
		char *name = json_text(walk.key);

		list_one(name, walk.value, out);
		free(name);
	}
	buffer_free(&registry);
	return true;
}

/* The names stand behind the pointers in one block, so that one free frees all. */
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

char **model_secret_variables(void)
{
	struct buffer registry = {0}, names = {0};
	struct json_walk walk;
	char **array;

	if (!registry_read(&registry, NULL)) {
		/* The user's file is broken: at least the shipped ones. */
		char *path = share_path("providers.json");

		buffer_clear(&registry);
		read_registry_file(path, &registry, NULL);
		free(path);
	}
	walk = json_walk(json_trim(buffer_span(&registry)));
	while (json_next(&walk))
		provider_add_secrets(walk.value, &names);
	array = as_array(buffer_span(&names));
	buffer_free(&registry);
	buffer_free(&names);
	return array;
}

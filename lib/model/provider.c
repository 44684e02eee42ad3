#include "model/provider.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/uri.h"

const char *provider_variable(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0' ? value : NULL;
}

/* ---- templates ---- */

/* Append the string value `text` with every ${NAME} replaced by that environment variable. False if
 * one is not set: its name is stored in `missing` (NULL allowed), which the caller frees. */
static bool expand(struct span text, struct buffer *out, char **missing)
{
	char *template = json_text(text);
	const char *at = template != NULL ? template : "", *open, *end;
	struct buffer name = {0};
	bool ok = true;

	while (ok && (open = strstr(at, "${")) != NULL && (end = strchr(open, '}')) != NULL) {
		const char *value;

		buffer_clear(&name);
		buffer_add(&name, open + 2, (size_t)(end - open) - 2);
		value = provider_variable(buffer_string(&name));
		buffer_add(out, at, (size_t)(open - at));
		buffer_add_text(out, value != NULL ? value : "");
		ok = value != NULL;
		at = end + 1;
	}
	buffer_add_text(out, at);
	if (!ok && missing != NULL)
		*missing = buffer_take(&name);
	buffer_free(&name);
	free(template);
	return ok;
}

/* ---- variables ---- */

struct provider_items provider_items(struct span names)
{
	bool list = json_type(names) == JSON_ARRAY;

	return (struct provider_items){
	    .walk = json_walk(list ? names : (struct span){0}), .item = names, .single = !list};
}

bool provider_next_item(struct provider_items *items)
{
	buffer_clear(&items->name);
	while (items->single || json_next(&items->walk)) {
		if (!items->single)
			items->item = items->walk.value;
		items->single = false;
		if (!json_decode(items->item, &items->name) &&
		    !json_decode(json_get(items->item, "name"), &items->name))
			continue;
		items->value = provider_variable(buffer_string(&items->name));
		return true;
	}
	buffer_free(&items->name);
	*items = (struct provider_items){0};
	return false;
}

struct provider_items provider_first_set(struct span names)
{
	struct provider_items items = provider_items(names);

	while (provider_next_item(&items) && items.value == NULL) {
	}
	return items;
}

char *provider_names(struct span names, const char *separator)
{
	struct buffer out = {0};

	for (struct provider_items items = provider_items(names); provider_next_item(&items);) {
		buffer_add_text(&out, out.len > 0 ? separator : "");
		if (json_decode(json_get(items.item, "id_env"), &out))
			buffer_add_text(&out, " and ");
		buffer_add_span(&out, buffer_span(&items.name));
	}
	return out.len > 0 ? buffer_take(&out) : NULL;
}

/* ---- URL ---- */

/* Complete a base URL: slashes at its end are removed. For the value of a variable, `how` is its
 * item of base_url_env, which replaces a "known" value by a URL, and adds a scheme, the host of
 * ":11434" or "0.0.0.0", a port if there is neither scheme nor port, and a path unless the URL ends
 * with it. */
static char *complete_url(const char *value, struct span how)
{
	struct buffer url = {0};
	char *scheme = json_text(json_get(how, "scheme")), *path = json_text(json_get(how, "path"));
	int64_t port = json_int(json_get(how, "port"), 0);
	bool bare = strstr(value, "://") == NULL;
	char *known = json_text(json_get(json_get(how, "known"), value));
	const char *query;
	size_t host_len;

	if (known != NULL) {
		value = known;
		bare = false;
	}
	host_len = strcspn(value, ":/");
	if (bare && scheme != NULL) {
		buffer_add_format(&url, "%s://", scheme);
		if (host_len == 0 || (host_len == 7 && strncmp(value, "0.0.0.0", 7) == 0)) {
			buffer_add_text(&url, "127.0.0.1");
			value += host_len;
			host_len = 0;
		}
		if (*value == '[')
			host_len = strcspn(value, "]") + 1;
		buffer_add(&url, value, host_len);
		value += host_len;
		if (port > 0 && *value != ':')
			buffer_add_format(&url, ":%lld", (long long)port);
	}
	query = strpbrk(value, "?#");
	buffer_add_span(&url, query != NULL ? (struct span){value, (size_t)(query - value)}
					    : span_of(value));
	while (url.len > 0 && url.at[url.len - 1] == '/')
		url.len--;
	if (path != NULL && !span_ends(buffer_span(&url), path))
		buffer_add_text(&url, path);
	buffer_add_text(&url, query != NULL ? query : "");
	free(known);
	free(scheme);
	free(path);
	return buffer_take(&url);
}

char *provider_url(struct span entry, const char *name, const char *given, struct error *e)
{
	struct span variables = json_get(entry, "base_url_env");
	struct provider_items set = provider_first_set(variables);
	char *missing = NULL, *complete = NULL, *names;
	struct buffer url = {0};

	if (given != NULL)
		complete = complete_url(given, (struct span){0});
	else if (set.value != NULL)
		complete = complete_url(set.value, set.item);
	else if (expand(json_get(entry, "base_url"), &url, &missing) && url.len > 0)
		complete = complete_url(buffer_string(&url), (struct span){0});
	buffer_free(&set.name);
	buffer_free(&url);
	if (complete != NULL)
		return complete;
	names = provider_names(variables, " or ");
	if (names == NULL && missing == NULL)
		error_set(
		    e, "usage",
		    "no URL for provider %s; give --base-url, or \"base_url\" in providers.json",
		    name);
	else
		error_set(e, "usage", "no URL for provider %s; set %s%s%s, or give --base-url",
			  name, names != NULL ? names : "",
			  names != NULL && missing != NULL ? " or " : "",
			  missing != NULL ? missing : "");
	free(missing);
	free(names);
	return NULL;
}

/* ---- headers and query ---- */

static bool is_clean(const char *text)
{
	for (; *text != '\0'; text++)
		if (iscntrl((unsigned char)*text) && *text != '\t')
			return false;
	return true;
}

/* Move on to the next member whose variables are all set; its value is expanded. The last call,
 * which returns false, frees the texts. */
static bool next_expanded(struct json_walk *walk, struct buffer *name, struct buffer *value)
{
	while (json_next(walk)) {
		buffer_clear(name);
		buffer_clear(value);
		json_decode(walk->key, name);
		if (expand(walk->value, value, NULL))
			return true;
	}
	buffer_free(name);
	buffer_free(value);
	return false;
}

/* Whether a header of the registry holds a secret: by its name, or because its value looks like
 * one: 16 characters and more, among them letters and digits. */
static bool is_secret(struct span name, struct span value)
{
	enum { LEAST = 16 };
	bool has_letter = false, has_digit = false;

	for (size_t i = 0; i < value.len; i++) {
		has_letter |= isalpha((unsigned char)value.at[i]) != 0;
		has_digit |= isdigit((unsigned char)value.at[i]) != 0;
		if (strchr(" ,:", value.at[i]) != NULL) /* a text, a list, a URL */
			return secrets_is_name(name);
	}
	return secrets_is_name(name) || (value.len >= LEAST && has_letter && has_digit);
}

static bool add_headers(const struct provider *provider, struct http_request *request,
			struct error *e)
{
	struct json_walk walk = json_walk(json_get(provider->entry, "headers"));
	struct buffer name = {0}, value = {0};
	bool ok = true;

	while (next_expanded(&walk, &name, &value)) {
		const char *header = buffer_string(&name), *text = buffer_string(&value);

		if (is_clean(header) && is_clean(text))
			http_request_add_header(request,
						is_secret(buffer_span(&name), buffer_span(&value)),
						"%s: %s", header, text);
		else
			ok = error_set(e, "usage", "header %s of provider %s contains a line break",
				       header, provider->name);
	}
	return ok;
}

/* Variables with whole header lines (OPENAI_CUSTOM_HEADERS), which are treated as secret. */
static void add_header_lines(struct span variables, struct http_request *request)
{
	for (struct provider_items items = provider_items(variables); provider_next_item(&items);) {
		const char *at = items.value != NULL ? items.value : "";

		while (*at != '\0') {
			size_t len = strcspn(at, "\r\n");
			char *line = mem_copy((struct span){at, len});

			if (strchr(line, ':') != NULL && is_clean(line))
				http_request_add_header(request, true, "%s", line);
			free(line);
			at += len + strspn(at + len, "\r\n");
		}
	}
}

/* What comes before the next parameter of `url`. */
static char separator(const struct buffer *url)
{
	return memchr(url->at, '?', url->len) != NULL ? '&' : '?';
}

static void add_query(const struct provider *provider, struct http_request *request)
{
	struct json_walk walk = json_walk(json_get(provider->entry, "query"));
	struct buffer url = {0}, name = {0}, value = {0};

	buffer_add_text(&url, request->url);
	if (provider->base_query != NULL)
		buffer_add_format(&url, "%c%s", separator(&url), provider->base_query);
	while (next_expanded(&walk, &name, &value)) {
		buffer_add_format(&url, "%c%s=", separator(&url), buffer_string(&name));
		uri_encode(buffer_span(&value), "", &url);
	}
	free(request->url);
	request->url = buffer_take(&url);
}

/* What a request contains must not be in events, even if the server or the model repeats it. */
static void add_secrets(const struct provider *provider, const struct http_request *request,
			struct secrets *secrets)
{
	secrets_add(secrets, buffer_span(&provider->key));
	secrets_add(secrets, buffer_span(&provider->token));
	secrets_add_urls(secrets, span_of(request->url));
	for (size_t i = 0; i < request->header_count; i++) {
		struct span line = span_of(request->headers[i].line), value, last;

		if (!request->headers[i].secret)
			continue;
		value = span_trim(span_from(line, strcspn(line.at, ":") + 1));
		if (span_starts(value, "Bearer ") || span_starts(value, "Basic "))
			value = span_from(value, strcspn(value.at, " ") + 1);
		secrets_add(secrets, value);
		last = span_of(strrchr(line.at, '=') != NULL ? strrchr(line.at, '=') + 1 : "");
		secrets_add(secrets, last); /* of "session=SECRET" */
	}
}

bool provider_complete_request(const struct provider *provider, struct http_request *request,
			       struct secrets *secrets, struct error *e)
{
	const char *key = provider->key.at;
	bool signs = strcmp(provider->auth, "sigv4") == 0;

	if (provider->key.len > 0 && strcmp(provider->auth, "bearer") == 0)
		http_request_add_header(request, true, "Authorization: Bearer %s", key);
	else if (provider->key.len > 0 && !signs)
		http_request_add_header(request, true, "%s: %s", provider->auth, key);
	if (!add_headers(provider, request, e))
		return false;
	add_header_lines(json_get(provider->entry, "headers_env"), request);
	add_query(provider, request);
	if (secrets != NULL)
		add_secrets(provider, request, secrets);
	if (signs)
		provider_sign(provider, request);
	return true;
}

/* Decode `string` for one field of a line: control characters become spaces. */
static void add_field(struct span string, struct buffer *out)
{
	size_t start = out->len;

	json_decode(string, out);
	for (size_t i = start; i < out->len; i++)
		if ((unsigned char)out->at[i] < ' ' || out->at[i] == 0x7f)
			out->at[i] = ' ';
}

void provider_list_line(struct span id, int64_t context_window, struct span name,
			struct buffer *out)
{
	if (json_type(id) != JSON_STRING)
		return;
	add_field(id, out);
	buffer_add_char(out, '\t');
	if (context_window > 0)
		buffer_add_format(out, "%lld", (long long)context_window);
	buffer_add_char(out, '\t');
	add_field(name, out);
	buffer_add_char(out, '\n');
}

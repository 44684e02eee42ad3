#include <stdlib.h>

#include "base/clock.h"
#include "model/provider.h"
#include "net/sigv4.h"

/* The item of key_env whose key signs. */
static struct span signing_item(const struct provider *provider)
{
	struct provider_items items = provider_items(json_get(provider->entry, "key_env"));
	struct span found = {0};

	while (provider_next_item(&items))
		if (found.at == NULL && json_is(json_get(items.item, "auth"), "sigv4"))
			found = items.item;
	return found;
}

/* The value of the first variable that is not blank, without white space around it, which the
 * caller frees; NULL if there is none. */
static char *first_value(struct span names)
{
	char *value = NULL;

	for (struct provider_items items = provider_items(names); provider_next_item(&items);) {
		struct span text = span_trim(span_of(items.value));

		if (value == NULL && text.len > 0)
			value = mem_copy(text);
	}
	return value;
}

/* The same; NULL with `e` if the key cannot sign without the value. */
static char *require(const struct provider *provider, struct span names, const char *what,
		     struct error *e)
{
	char *value = first_value(names), *variables;

	if (value != NULL)
		return value;
	variables = provider_names(names, " or ");
	error_set(e, "usage", "provider %s needs %s to sign with its key; set %s", provider->name,
		  what, variables != NULL ? variables : "");
	free(variables);
	return NULL;
}

bool provider_signer(struct provider *provider, struct error *e)
{
	struct span item = signing_item(provider);
	char *token;

	if (strcmp(provider->auth, "sigv4") != 0)
		return true;
	provider->key_id = require(provider, json_get(item, "id_env"), "the id of the key", e);
	if (provider->key_id != NULL)
		provider->region = require(provider, json_get(item, "region_env"), "a region", e);
	provider->service = json_text(json_get(item, "service"));
	token = first_value(json_get(item, "token_env"));
	if (token != NULL)
		buffer_add_text(&provider->token, token);
	free(token);
	return provider->region != NULL;
}

void provider_sign(const struct provider *provider, struct http_request *request)
{
	struct buffer secret = {0}, token = {0};

	buffer_add_span(&secret, buffer_span(&provider->key));
	buffer_add_span(&token, buffer_span(&provider->token));
	sigv4_sign(&(struct sigv4){.key_id = provider->key_id,
				   .secret = buffer_string(&secret),
				   .token = buffer_string_or_null(&token),
				   .region = provider->region,
				   .service = provider->service != NULL ? provider->service : "",
				   .now = clock_realtime() / 1000000},
		   request);
	buffer_free(&secret);
	buffer_free(&token);
}

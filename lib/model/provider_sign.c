#include <ctype.h>
#include <stdlib.h>

#include "base/clock.h"
#include "model/provider.h"
#include "net/sigv4.h"

/* The item of key_env whose key signs. */
static struct span signing_item(const struct provider *provider)
{
	struct provider_items items = provider_items(json_get(provider->entry, "key_env"));

	while (provider_next_item(&items))
		if (json_is(json_get(items.item, "auth"), "sigv4"))
			return items.item;
	return (struct span){0};
}

/* The value of the first variable of `names` that is set, without white space around it, which the
 * caller frees; NULL when none is. */
static char *first_set(struct span names)
{
	struct provider_items items = provider_items(names);

	while (provider_next_item(&items)) {
		char *name = provider_item_name(items.item);
		const char *value = name != NULL ? provider_variable(name) : NULL;
		size_t len;

		free(name);
		if (value == NULL)
			continue;
		value += strspn(value, " \t\r\n");
		len = strlen(value);
		while (len > 0 && isspace((unsigned char)value[len - 1]))
			len--;
		if (len > 0)
			return mem_copy((struct span){value, len});
	}
	return NULL;
}

/* "A or B" */
static char *names_of(struct span names)
{
	struct provider_items items = provider_items(names);
	struct buffer out = {0};

	while (provider_next_item(&items)) {
		char *name = provider_item_name(items.item);

		if (name != NULL)
			buffer_add_format(&out, "%s%s", out.len > 0 ? " or " : "", name);
		free(name);
	}
	return buffer_take(&out);
}

/* The value of the variables that the member `member` of the item names; false with `e` when none
 * is set. */
static bool require(const struct provider *provider, struct span item, const char *member,
		    const char *what, char **value, struct error *e)
{
	struct span names = json_get(item, member);
	char *variables;

	*value = first_set(names);
	if (*value != NULL)
		return true;
	variables = names_of(names);
	error_set(e, "usage", "provider %s needs %s to sign with its key; set %s", provider->name,
		  what, variables);
	free(variables);
	return false;
}

bool provider_signer(struct provider *provider, struct error *e)
{
	struct span item = signing_item(provider);
	char *id = NULL, *region = NULL, *token;
	bool ok;

	if (strcmp(provider->auth, "sigv4") != 0)
		return true;
	ok = require(provider, item, "id_env", "the id of the key", &id, e) &&
	     require(provider, item, "region_env", "a region", &region, e);
	token = first_set(json_get(item, "token_env"));
	if (token != NULL)
		buffer_add_text(&provider->token, token);
	free(id);
	free(region);
	free(token);
	return ok;
}

bool provider_sign(const struct provider *provider, struct http_request *request, struct error *e)
{
	struct span item = signing_item(provider);
	char *id = NULL, *region = NULL, *service = json_text(json_get(item, "service"));
	struct buffer secret = {0}, token = {0};
	bool ok = require(provider, item, "id_env", "the id of the key", &id, e) &&
		  require(provider, item, "region_env", "a region", &region, e);

	buffer_add_span(&secret, buffer_span(&provider->key));
	buffer_add_span(&token, buffer_span(&provider->token));
	if (ok)
		sigv4_sign(
		    &(struct sigv4){
			.key_id = id,
			.secret = buffer_string(&secret),
			.token = token.len > 0 ? buffer_string(&token) : NULL,
			.region = region,
			.service = service != NULL ? service : "",
			.now = clock_realtime() / 1000000,
		    },
		    request);
	buffer_free(&secret);
	buffer_free(&token);
	free(id);
	free(region);
	free(service);
	return ok;
}

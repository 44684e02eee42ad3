/*
 * provider: an entry of the registry together with the environment: the URL, the key, and the
 * secrets that are never shown. Private to lib/model.
 */
#ifndef MODEL_PROVIDER_H
#define MODEL_PROVIDER_H

#include "event/secrets.h"
#include "model/registry.h"
#include "net/http.h"

/* The value of an environment variable; NULL when it is not set or empty. */
const char *provider_variable(const char *name);

/* The variables that a member such as base_url_env, key_env or headers_env names: a variable's
 * name, an object with a "name" and how the variable is to be read, or a list of these:
 *     struct provider_items items = provider_items(names);
 *     while (provider_next_item(&items)) ... items.item, items.name, items.value
 * The call that returns false frees the name. */
struct provider_items {
	struct span item;
	struct buffer name;
	const char *value; /* of the variable; NULL if it is not set */
	struct json_walk walk;
	bool single;
};
struct provider_items provider_items(struct span names);
bool provider_next_item(struct provider_items *items);

/* The first item whose variable is set; the caller frees its name. Without one, the item is absent
 * and the value NULL. */
struct provider_items provider_first_set(struct span names);

/* The names joined by `separator`, which the caller frees; NULL if there are none. The variable of
 * a key comes with the one of its id. */
char *provider_names(struct span names, const char *separator);

/* Find the key and how it is sent. Returns false with `e` if a required key is missing or unusable.
 */
bool provider_key(struct provider *provider, struct key_cache *cache, struct error *e);

/* For a key that signs ("auth": "sigv4"): find what goes with it (id_env, token_env, region_env).
 * False with `e` if something is missing. */
bool provider_signer(struct provider *provider, struct error *e);

/* Sign `request`, which is complete, with such a key. */
void provider_sign(const struct provider *provider, struct http_request *request);

/* Whether a variable of key_env is set, or there is an api_key_command. */
bool provider_key_is_set(struct span entry);

/* Append the variables that hold secrets, each with a NUL behind it. */
void provider_add_secrets(struct span entry, struct buffer *out);

/* The URL `given` (may be NULL), or else from the environment (base_url_env) or the entry
 * (base_url), without slashes at the end of its path. The caller frees it. NULL with `e` if there
 * is none. */
char *provider_url(struct span entry, const char *name, const char *given, struct error *e);

/* Add the key, the entry's headers and those of headers_env to `request`, and its query to the
 * URL. What is secret of it is added to `secrets` (NULL: nowhere). */
bool provider_complete_request(const struct provider *provider, struct http_request *request,
			       struct secrets *secrets, struct error *e);

/* Append a line of a list of models: "ID\tCONTEXT WINDOW\tNAME\n"; `context_window` 0 and an absent
 * name leave their field empty. Nothing is appended for an id that is no string. */
void provider_list_line(struct span id, int64_t context_window, struct span name,
			struct buffer *out);

#endif

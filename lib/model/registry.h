/*
 * registry: a provider that is ready for use (agent-providers(5)): its entry (provider_files.h)
 * with URL, key and protocol.
 */
#ifndef MODEL_REGISTRY_H
#define MODEL_REGISTRY_H

#include "base/buffer.h"
#include "base/error.h"
#include "json/json.h"

struct protocol;
struct key_cache;

struct provider {
	char *name;
	const struct protocol *protocol;
	struct span entry;   /* its JSON object, the user's members over the shipped ones */
	struct span quirks;  /* of the entry; absent: none */
	struct buffer json;  /* owns entry */
	struct buffer key;   /* the API key; empty when none is needed or set */
	struct buffer token; /* an AWS session token; masked like the key */
	char *auth;          /* how the key is sent: "bearer", "sigv4", or the name of a header */
	char *key_id, *region, *service; /* for a key that signs; else NULL */
	char *base_url;   /* from the caller, the environment or the registry, without query and
			   * slashes at its end */
	char *base_query; /* which ends every URL; NULL: it has none */
};

/* Look `name` up and resolve its base URL and key (environment variables, api_key_command). The
 * cache may be NULL. NULL with `e`: unknown name (listing the known ones), unknown protocol, a
 * missing key (naming the variable), a malformed file (naming file and line). */
struct provider *provider_open(const char *name, const char *base_url, struct key_cache *cache,
			       struct error *e);
void provider_free(struct provider *provider);

/* Whether the host of the base URL is this machine, by its name or as a loopback address. */
bool provider_is_local(const struct provider *provider);

/* A quirk of the provider, "quirks.NAME" of its entry; absent when not set. */
struct span provider_quirk(const struct provider *provider, const char *name);

/* The variables that may hold the key, as a sentence names them ("A or B"), which the caller frees;
 * NULL when there are none. */
char *provider_key_names(const struct provider *provider);

/* Replace every occurrence of the provider's key in `text`, and anything that looks like a key
 * (sk-..., Bearer ...), by "***". */
void provider_mask(const struct provider *provider, struct buffer *text);

#endif

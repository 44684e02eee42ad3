/*
 * secrets: the values that must not be in events and messages, and masking them.
 */
#ifndef EVENT_SECRETS_H
#define EVENT_SECRETS_H

#include "base/buffer.h"

/* Shorter values would mask ordinary text. */
enum { SECRET_MIN = 8 };

/* Zeroed: none. */
struct secrets {
	char **at; /* each in all spellings */
	size_t count;
};

/* Add a value of at least SECRET_MIN bytes (others are ignored), and its spellings in JSON strings
 * and in URLs. */
void secrets_add(struct secrets *secrets, struct span value);
/* Add the passwords of the URLs in `text`, and "USER:PASSWORD" in base64. */
void secrets_add_urls(struct secrets *secrets, struct span text);
/* Whether `text` contains a URL with a password. */
bool secrets_has_url(struct span text);
void secrets_free(struct secrets *secrets);

/* Replace them by "***" from byte `start` of `text` on. JSON text stays JSON: only values that are
 * strings change. */
void secrets_mask_json(const struct secrets *secrets, struct buffer *text, size_t start);
void secrets_mask_text(const struct secrets *secrets, struct buffer *text, size_t start);

#endif

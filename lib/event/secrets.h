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
	char **at; /* the values, and their base64 */
	size_t count;
	unsigned char *pairs; /* private: a bit for each two bytes that can begin one of them */
};

/* Add a value of at least SECRET_MIN bytes (others are ignored). It is found in all spellings:
 * escaped for JSON, also twice, escaped for URLs, and in base64, alone or inside other text. */
void secrets_add(struct secrets *secrets, struct span value);
/* Add what is secret in the URLs in `text`: passwords, "USER:PASSWORD" in base64, and the values of
 * parameters that secrets_is_name names. */
void secrets_add_urls(struct secrets *secrets, struct span text);
void secrets_free(struct secrets *secrets);

/* Whether a variable, a header or a parameter of this name holds a secret. */
bool secrets_is_name(struct span name);
/* Whether `text` contains a URL with a password. */
bool secrets_has_url(struct span text);
/* Append `url` with "***" for its user and password and for the values of such parameters. */
void secrets_show_url(struct span url, struct buffer *out);

/* Replace them by "***" from byte `start` of `text` on. JSON text stays JSON: only strings change,
 * and no keys of lower-case letters, as the keys of events are. */
void secrets_mask_json(const struct secrets *secrets, struct buffer *text, size_t start);
void secrets_mask_text(const struct secrets *secrets, struct buffer *text, size_t start);

/* Text that arrives in pieces, of which the end could be the beginning of a secret. Zeroed: none.
 */
struct secrets_tail {
	/* private */
	struct buffer text;
	size_t shown; /* bytes of it that are only context */
};

/* Append to `out` what is ready of the pieces before and of `piece`, masked. Of a secret that is
 * divided, at most its first 3 characters come through. */
void secrets_mask_piece(const struct secrets *secrets, struct secrets_tail *tail, struct span piece,
			struct buffer *out);
/* Append the rest, because no more pieces follow. */
void secrets_end_pieces(const struct secrets *secrets, struct secrets_tail *tail,
			struct buffer *out);

#endif

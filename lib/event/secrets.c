#define _GNU_SOURCE /* memmem (POSIX.1-2024) */
#include "event/secrets.h"

#include <stdlib.h>

#include "base/base64.h"
#include "base/uri.h"
#include "json/json.h"

/* ---- spellings ---- */

static void add_one(struct secrets *secrets, struct span value)
{
	if (value.len < SECRET_MIN || memchr(value.at, '\0', value.len) != NULL)
		return;
	for (size_t i = 0; i < secrets->count; i++)
		if (span_is(value, secrets->at[i]))
			return;
	secrets->at = array_grow(secrets->at, secrets->count, sizeof(*secrets->at));
	secrets->at[secrets->count++] = mem_copy(value);
}

/* As it is in a JSON string, and in a JSON string that is in another one. */
static void add_escaped(struct secrets *secrets, struct span value, int depth)
{
	struct buffer text = {0};
	struct span inside;

	json_write_string(&text, value);
	inside = (struct span){text.at + 1, text.len - 2};
	if (!span_equal(inside, value)) {
		add_one(secrets, inside);
		if (depth > 1)
			add_escaped(secrets, inside, depth - 1);
	}
	buffer_free(&text);
}

static void add_percent(struct secrets *secrets, struct span value)
{
	struct buffer text = {0};

	uri_encode(value, "", &text);
	add_one(secrets, buffer_span(&text));
	buffer_free(&text);
}

void secrets_add(struct secrets *secrets, struct span value)
{
	value = span_trim(value);
	if (value.len < SECRET_MIN)
		return;
	add_one(secrets, value);
	add_escaped(secrets, value, 2);
	add_percent(secrets, value);
}

void secrets_free(struct secrets *secrets)
{
	for (size_t i = 0; i < secrets->count; i++)
		free(secrets->at[i]);
	free(secrets->at);
	*secrets = (struct secrets){0};
}

/* ---- URLs ---- */

/* Find "USER:PASSWORD" of the next URL in `text` that has a password. Advances `text` behind it. */
static bool next_login(struct span *text, struct span *login)
{
	const char *at;

	while (text->len > 0 && (at = memmem(text->at, text->len, "://", 3)) != NULL) {
		struct span rest = span_from(*text, (size_t)(at - text->at) + 3);
		size_t len = 0, end = 0;

		while (len < rest.len && strchr("/?# \t\r\n\"'<>", rest.at[len]) == NULL) {
			if (rest.at[len] == '@')
				end = len;
			len++;
		}
		*login = (struct span){rest.at, end};
		*text = span_from(rest, len);
		at = memchr(login->at, ':', login->len);
		if (at != NULL && at + 1 < login->at + login->len)
			return true;
	}
	return false;
}

void secrets_add_urls(struct secrets *secrets, struct span text)
{
	struct span login;

	while (next_login(&text, &login)) {
		const char *colon = memchr(login.at, ':', login.len);
		struct span password = span_from(login, (size_t)(colon - login.at) + 1);
		struct buffer decoded = {0}, basic = {0};

		secrets_add(secrets, password);
		uri_decode(login, &decoded);
		base64_encode(buffer_span(&decoded), &basic);
		secrets_add(secrets, buffer_span(&basic));
		add_one(secrets, (struct span){login.at, login.len + 1}); /* USER:SHORT@ */
		buffer_clear(&decoded);
		uri_decode(password, &decoded);
		secrets_add(secrets, buffer_span(&decoded));
		buffer_free(&decoded);
		buffer_free(&basic);
	}
}

bool secrets_has_url(struct span text)
{
	struct span login;

	return next_login(&text, &login);
}

/* ---- masking ---- */

static bool has_secret(const struct secrets *secrets, struct span text)
{
	for (size_t i = 0; i < secrets->count; i++)
		if (memmem(text.at, text.len, secrets->at[i], strlen(secrets->at[i])) != NULL)
			return true;
	return false;
}

/* Append `text` with "***" for each secret; of several at one place, the longest. */
static void add_masked(const struct secrets *secrets, struct span text, struct buffer *out)
{
	while (text.len > 0) {
		size_t longest = 0;

		for (size_t i = 0; i < secrets->count; i++) {
			size_t len = strlen(secrets->at[i]);

			if (len > longest && span_starts(text, secrets->at[i]))
				longest = len;
		}
		if (longest > 0)
			buffer_add_text(out, "***");
		else
			buffer_add_char(out, text.at[0]);
		text = span_from(text, longest > 0 ? longest : 1);
	}
}

/* The length of the JSON string at the beginning of `text`, with its quotes. */
static size_t string_length(struct span text)
{
	size_t len = 1;

	while (len < text.len && text.at[len] != '"')
		len += text.at[len] == '\\' ? 2 : 1;
	return len < text.len ? len + 1 : text.len;
}

static void replace(struct buffer *text, size_t start, struct buffer *masked)
{
	text->len = start;
	buffer_add_span(text, buffer_span(masked));
	buffer_free(masked);
}

void secrets_mask_json(const struct secrets *secrets, struct buffer *text, size_t start)
{
	struct span rest = span_from(buffer_span(text), start);
	struct buffer out = {0};

	if (!has_secret(secrets, rest))
		return;
	while (rest.len > 0) {
		size_t len = rest.at[0] == '"' ? string_length(rest) : 1;
		struct span piece = {rest.at, len}, behind = json_trim(span_from(rest, len));

		if (len > 1 && !span_starts(behind, ":"))
			add_masked(secrets, piece, &out);
		else
			buffer_add_span(&out, piece);
		rest = span_from(rest, len);
	}
	replace(text, start, &out);
}

void secrets_mask_text(const struct secrets *secrets, struct buffer *text, size_t start)
{
	struct span rest = span_from(buffer_span(text), start);
	struct buffer out = {0};

	if (!has_secret(secrets, rest))
		return;
	add_masked(secrets, rest, &out);
	replace(text, start, &out);
}

#define _GNU_SOURCE /* memmem, memrchr (POSIX.1-2024) */
#include "event/secrets.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "base/base64.h"
#include "base/number.h"
#include "base/uri.h"
#include "base/utf8.h"
#include "json/json.h"

enum { PAIRS = 256 * 256 };

/* ---- values ---- */

static void add_pair(struct secrets *secrets, unsigned char first, unsigned char second)
{
	size_t pair = (size_t)first << 8 | second;

	secrets->pairs[pair / 8] |= (unsigned char)(1 << pair % 8);
}

/* Note the first two bytes of `value` in all spellings. */
static void add_pairs(struct secrets *secrets, const char *value)
{
	static const char hex[] = "0123456789abcdefABCDEF";
	unsigned char first = (unsigned char)value[0], second = (unsigned char)value[1];

	if (secrets->pairs == NULL)
		secrets->pairs = mem_zero(PAIRS / 8);
	add_pair(secrets, first, second);
	add_pair(secrets, first, '\\');
	add_pair(secrets, first, '%');
	if (second == ' ')
		add_pair(secrets, first, '+');
	for (int c = 0; (first == '\\' || iscntrl(first)) && c < 256; c++)
		add_pair(secrets, '\\', (unsigned char)c);
	if (ispunct(first))
		add_pair(secrets, '\\', first);
	add_pair(secrets, '\\', 'u');
	add_pair(secrets, '\\', '\\');
	for (const char *digit = hex; *digit != '\0'; digit++)
		add_pair(secrets, '%', (unsigned char)*digit);
}

static void add_one(struct secrets *secrets, struct span value)
{
	if (value.len < SECRET_MIN || memchr(value.at, '\0', value.len) != NULL)
		return;
	for (size_t i = 0; i < secrets->count; i++)
		if (span_is(value, secrets->at[i]))
			return;
	secrets->at = array_grow(secrets->at, secrets->count, sizeof(*secrets->at));
	secrets->at[secrets->count] = mem_copy(value);
	add_pairs(secrets, secrets->at[secrets->count++]);
}

/* The characters of base64 that depend only on `value`, if 0, 1 or 2 bytes precede it in a group of
 * three. */
static void add_base64(struct secrets *secrets, struct span value)
{
	for (size_t before = 0; before < 3; before++) {
		struct buffer bytes = {0}, text = {0};
		size_t first = (before * 8 + 5) / 6, end = (before + value.len) * 8 / 6;

		buffer_add(&bytes, "\0\0", before);
		buffer_add_span(&bytes, value);
		base64_encode(buffer_span(&bytes), &text);
		add_one(secrets, (struct span){text.at + first, end - first});
		buffer_free(&bytes);
		buffer_free(&text);
	}
}

/* With "%25" for each "%"; match finds the other escapes of URLs. */
static void add_percent(struct secrets *secrets, struct span value)
{
	struct buffer text = {0};

	for (size_t i = 0; i < value.len; i++)
		buffer_add_format(&text, "%c%s", value.at[i], value.at[i] == '%' ? "25" : "");
	add_one(secrets, buffer_span(&text));
	buffer_free(&text);
}

void secrets_add(struct secrets *secrets, struct span value)
{
	struct buffer clean = {0};

	value = span_trim(value);
	if (value.len < SECRET_MIN)
		return;
	utf8_add(&clean, value);
	add_one(secrets, buffer_span(&clean));
	add_percent(secrets, buffer_span(&clean));
	add_base64(secrets, value);
	buffer_free(&clean);
}

void secrets_free(struct secrets *secrets)
{
	for (size_t i = 0; i < secrets->count; i++)
		free(secrets->at[i]);
	free(secrets->at);
	free(secrets->pairs);
	*secrets = (struct secrets){0};
}

/* ---- names ---- */

/* Whether `name` ends with `word`, which must be a word of its own if `alone`. */
static bool ends_with(struct span name, const char *word, bool alone)
{
	size_t len = strlen(word), before = name.len - len;

	return name.len >= len && strncasecmp(name.at + before, word, len) == 0 &&
	       (!alone || before == 0 || strchr("_-", name.at[before - 1]) != NULL);
}

bool secrets_is_name(struct span name)
{
	static const struct {
		const char *text;
		bool alone; /* other words end with it, as "monkey" with "key" */
	} words[] = {{"key", true},         {"pwd", true},          {"pat", true},
		     {"auth", true},        {"pass", true},         {"sig", true},
		     {"cookie", true},      {"apikey", false},      {"token", false},
		     {"secret", false},     {"password", false},    {"passwd", false},
		     {"passphrase", false}, {"credential", false},  {"credentials", false},
		     {"signature", false},  {"authorization", true}};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (ends_with(name, words[i].text, words[i].alone))
			return !span_is(name, "PWD"); /* the working directory */
	return name.len >= 6 && strncasecmp(name.at, "secret", 6) == 0;
}

/* ---- URLs ---- */

static size_t length_until(struct span text, const char *ends)
{
	size_t len = 0;

	while (len < text.len && strchr(ends, text.at[len]) == NULL)
		len++;
	return len;
}

/* The "USER:PASSWORD" at the beginning of `rest`, which is a URL without its scheme. A password may
 * contain a "/", "?" or "#" that should have been escaped, unless it could be a port. */
static struct span login_of(struct span rest)
{
	struct span host = {rest.at, length_until(rest, "/?#")};
	const char *at = memrchr(host.at, '@', host.len), *colon = memchr(host.at, ':', host.len);

	if (at == NULL && colon != NULL && colon + 1 < host.at + host.len &&
	    strchr("0123456789:]", colon[1]) == NULL)
		at = memrchr(rest.at, '@', rest.len);
	return (struct span){rest.at, at != NULL ? (size_t)(at - rest.at) : 0};
}

/* The next URL in `text`, without its scheme. Advances `text` behind it. */
static bool next_url(struct span *text, struct span *url)
{
	const char *at = text->len > 0 ? memmem(text->at, text->len, "://", 3) : NULL;

	if (at == NULL)
		return false;
	*text = span_from(*text, (size_t)(at - text->at) + 3);
	*url = (struct span){text->at, length_until(*text, " \t\r\n\"'<>")};
	*text = span_from(*text, url->len);
	return true;
}

/* The value of the next parameter in `rest`, a URL, that is named like a secret. Advances `rest`
 * behind it. */
static bool next_parameter(struct span *rest, struct span *value)
{
	while (*rest = span_from(*rest, length_until(*rest, "?&")), rest->len > 0) {
		struct span name;

		*rest = span_from(*rest, 1);
		name = (struct span){rest->at, length_until(*rest, "=&?#")};
		*rest = span_from(*rest, name.len);
		if (!span_starts(*rest, "=") || !secrets_is_name(name))
			continue;
		*rest = span_from(*rest, 1);
		*value = (struct span){rest->at, length_until(*rest, "&#")};
		*rest = span_from(*rest, value->len);
		return true;
	}
	return false;
}

static struct span password_of(struct span login)
{
	size_t user = length_until(login, ":");

	return user < login.len ? span_from(login, user + 1) : (struct span){0};
}

static void add_decoded(struct secrets *secrets, struct span value)
{
	struct buffer decoded = {0};

	uri_decode(value, &decoded);
	secrets_add(secrets, value);
	secrets_add(secrets, buffer_span(&decoded));
	buffer_free(&decoded);
}

static void add_login(struct secrets *secrets, struct span login)
{
	struct buffer decoded = {0}, basic = {0};

	uri_decode(login, &decoded);
	base64_encode(buffer_span(&decoded), &basic);
	add_one(secrets, buffer_span(&basic));
	add_one(secrets, (struct span){login.at, login.len + 1}); /* USER:SHORT@ */
	add_decoded(secrets, password_of(login));
	buffer_free(&decoded);
	buffer_free(&basic);
}

void secrets_add_urls(struct secrets *secrets, struct span text)
{
	struct span url, value;

	while (next_url(&text, &url)) {
		struct span login = login_of(url);

		if (password_of(login).len > 0)
			add_login(secrets, login);
		url = span_from(url, login.len);
		while (next_parameter(&url, &value))
			add_decoded(secrets, value);
	}
}

bool secrets_has_url(struct span text)
{
	struct span url;

	while (next_url(&text, &url))
		if (password_of(login_of(url)).len > 0)
			return true;
	return false;
}

void secrets_show_url(struct span url, struct buffer *out)
{
	struct span rest = url, shown, value, login;
	const char *at = memmem(url.at, url.len, "://", 3);

	if (at != NULL)
		rest = span_from(url, (size_t)(at - url.at) + 3);
	login = login_of(rest);
	if (at == NULL && (at = memrchr(url.at, '@', url.len)) != NULL)
		login = (struct span){url.at, (size_t)(at - url.at)};
	buffer_add(out, url.at, (size_t)(rest.at - url.at));
	buffer_add_text(out, login.len > 0 ? "***" : "");
	rest = shown = span_from(rest, login.len);
	while (next_parameter(&rest, &value)) {
		buffer_add(out, shown.at, (size_t)(value.at - shown.at));
		buffer_add_text(out, value.len > 0 ? "***" : "");
		shown = rest;
	}
	buffer_add_span(out, shown);
}

/* ---- finding ---- */

static size_t count_backslashes(struct span text)
{
	size_t count = 0;

	while (count < text.len && text.at[count] == '\\')
		count++;
	return count;
}

/* The value of the `count` hexadecimal digits at `at` of `text`; -1: they are not there. */
static int32_t hex_at(struct span text, size_t at, size_t count)
{
	int32_t value = 0;

	for (size_t i = 0; i < count; i++) {
		int digit = at + i < text.len ? hex_digit(text.at[at + i]) : -1;

		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

/* How much of `text`, which is `slashes` backslashes and more, spells the beginning of `secret`, of
 * which it is `*used` bytes; 0: it does not. */
static size_t match_escape(struct span text, size_t slashes, const char *secret, size_t *used)
{
	static const char letters[] = "nrtbf", meanings[] = "\n\r\t\b\f";
	struct span rest = span_from(text, slashes);
	int32_t code = span_starts(rest, "u") ? hex_at(rest, 1, 4) : -1;
	const char *letter;

	if (rest.len == 0)
		return 0;
	if (code > 0 && code < 0x80)
		return code == *secret ? slashes + 5 : 0;
	if (code > 0) {
		struct buffer spelled = {0};
		bool same;

		utf8_add_code_point(&spelled, (uint32_t)code);
		same = strncmp(secret, buffer_string(&spelled), spelled.len) == 0;
		*used = spelled.len;
		buffer_free(&spelled);
		return same ? slashes + 5 : 0;
	}
	letter = memchr(letters, rest.at[0], sizeof(letters) - 1);
	if (letter != NULL)
		return *secret == meanings[letter - letters] ? slashes + 1 : 0;
	return *secret == rest.at[0] && ispunct((unsigned char)*secret) ? slashes + 1 : 0;
}

/* The same for a secret that begins with backslashes. In JSON each of them is two, or four in a
 * string inside another one. */
static size_t match_backslashes(size_t slashes, const char *secret, bool is_json, size_t *used)
{
	*used = count_backslashes(span_of(secret));
	for (size_t each = 4; each > (is_json ? 1 : 0); each /= 2)
		if (*used * each <= slashes)
			return *used * each;
	return 0;
}

/* How much of `text` spells the next `*used` bytes of `secret`; 0: none. */
static size_t match_next(struct span text, const char *secret, bool is_json, size_t *used)
{
	size_t slashes = count_backslashes(text), len = 0;
	int32_t code = *secret != '%' ? '%' : 0; /* add_percent has the other spelling of "%" */

	*used = 1;
	if (slashes > 0) {
		len = match_escape(text, slashes, secret, used);
		return len > 0 || *secret != '\\'
			   ? len
			   : match_backslashes(slashes, secret, is_json, used);
	}
	/* "%2F", "%252F" */
	for (len = 1; code == '%' && span_starts(text, "%"); len += 2) {
		code = hex_at(text, len, 2);
		if (code == (unsigned char)*secret)
			return len + 2;
	}
	return text.len > 0 && (text.at[0] == *secret || (text.at[0] == '+' && *secret == ' '));
}

/* How much of `text` spells `secret`, 0 if it does not begin with it. */
static size_t match(struct span text, const char *secret, bool is_json)
{
	struct span rest = text;

	while (*secret != '\0') {
		size_t used, len = match_next(rest, secret, is_json, &used);

		if (len == 0)
			return 0;
		rest = span_from(rest, len);
		secret += used;
	}
	return text.len - rest.len;
}

/* Whether `text` can begin with a secret. */
static bool has_pair(const struct secrets *secrets, struct span text)
{
	size_t pair;

	if (text.len < 2)
		return false;
	pair = (size_t)(unsigned char)text.at[0] << 8 | (unsigned char)text.at[1];
	return (secrets->pairs[pair / 8] & 1 << pair % 8) != 0;
}

/* The length of the longest secret at the beginning of `text`. */
static size_t secret_at(const struct secrets *secrets, struct span text, bool is_json)
{
	size_t longest = 0;

	if (!has_pair(secrets, text))
		return 0;
	for (size_t i = 0; i < secrets->count; i++) {
		size_t len = match(text, secrets->at[i], is_json);

		longest = len > longest ? len : longest;
	}
	return longest;
}

/* Whether `text` begins like a secret and ends before it, or inside the escape of its next byte. */
static bool is_beginning(struct span text, const char *secret)
{
	enum { LONGEST_ESCAPE = 6 };

	while (*secret != '\0' && text.len > 0) {
		size_t used, len = match_next(text, secret, false, &used);

		if (len == 0)
			return text.len - count_backslashes(text) < LONGEST_ESCAPE &&
			       strchr("\\%", text.at[0]) != NULL;
		text = span_from(text, len);
		secret += used;
	}
	return *secret != '\0';
}

static bool has_secret(const struct secrets *secrets, struct span text, bool is_json)
{
	if (secrets->count == 0)
		return false;
	for (; text.len >= 2; text = span_from(text, 1))
		if (has_pair(secrets, text) && secret_at(secrets, text, is_json) > 0)
			return true;
	return false;
}

/* ---- masking ---- */

/* Append `text`, the inside of a string if it is JSON, with "***" for each secret. */
static void add_masked(const struct secrets *secrets, struct span text, bool is_json,
		       struct buffer *out)
{
	while (text.len > 0) {
		size_t secret = secret_at(secrets, text, is_json), len = 1;

		if (is_json && text.at[0] == '\\') /* an escape is not divided */
			len = span_starts(text, "\\u") ? 6 : 2;
		if (len > text.len)
			len = text.len;
		if (secret > 0)
			buffer_add_text(out, "***");
		else
			buffer_add(out, text.at, len);
		text = span_from(text, secret > 0 ? secret : len);
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

/* Whether `inside` is a key, since `behind` follows it, that stays as it is. */
static bool is_plain_key(struct span inside, struct span behind)
{
	if (!span_starts(json_trim(behind), ":"))
		return false;
	for (size_t i = 0; i < inside.len; i++)
		if (!islower((unsigned char)inside.at[i]) && inside.at[i] != '_')
			return false;
	return true;
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

	if (!has_secret(secrets, rest, true))
		return;
	while (rest.len > 0) {
		size_t len = rest.at[0] == '"' ? string_length(rest) : 1;
		struct span piece = {rest.at, len}, inside = {rest.at + 1, len > 2 ? len - 2 : 0};

		rest = span_from(rest, len);
		if (inside.len == 0 || is_plain_key(inside, rest)) {
			buffer_add_span(&out, piece);
			continue;
		}
		buffer_add_char(&out, '"');
		add_masked(secrets, inside, true, &out);
		buffer_add_char(&out, '"');
	}
	replace(text, start, &out);
}

void secrets_mask_text(const struct secrets *secrets, struct buffer *text, size_t start)
{
	struct span rest = span_from(buffer_span(text), start);
	struct buffer out = {0};

	if (!has_secret(secrets, rest, false))
		return;
	add_masked(secrets, rest, false, &out);
	replace(text, start, &out);
}

/* ---- pieces ---- */

/* How many bytes are shown although they can be the beginning of a secret: most of them are not. */
enum { CONTEXT = 3 };

/* Whether more text could make a secret of `text`. */
static bool is_open(const struct secrets *secrets, struct span text)
{
	if (text.len <= CONTEXT || !has_pair(secrets, text))
		return false;
	for (size_t i = 0; i < secrets->count; i++)
		if (is_beginning(text, secrets->at[i]))
			return true;
	return false;
}

/* Append to `out` what of the tail is ready; all of it if it is complete. */
static void add_ready(const struct secrets *secrets, struct secrets_tail *tail, bool is_complete,
		      struct buffer *out)
{
	size_t at = 0, behind = 0 /* the last secret */, from = tail->shown, context;
	struct span text = buffer_span(&tail->text);

	while (at < text.len && (is_complete || !is_open(secrets, span_from(text, at)))) {
		size_t secret = secret_at(secrets, span_from(text, at), false);

		if (secret > 0) {
			buffer_add(out, text.at + from, at > from ? at - from : 0);
			buffer_add_text(out, "***");
			from = behind = at + secret;
		}
		at += secret > 0 ? secret : 1;
	}
	if (at > from) {
		buffer_add(out, text.at + from, at - from);
		from = at;
	}
	context = at > behind + CONTEXT ? at - CONTEXT : behind;
	tail->shown = from - context;
	buffer_drop(&tail->text, context);
}

void secrets_mask_piece(const struct secrets *secrets, struct secrets_tail *tail, struct span piece,
			struct buffer *out)
{
	buffer_add_span(&tail->text, piece);
	add_ready(secrets, tail, false, out);
}

void secrets_end_pieces(const struct secrets *secrets, struct secrets_tail *tail,
			struct buffer *out)
{
	if (tail->text.len > 0)
		add_ready(secrets, tail, true, out);
	tail->text.len = tail->shown = 0;
}

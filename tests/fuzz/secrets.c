/* secrets: what is masked is gone, however it was spelled, and JSON stays JSON. The first line of
 * the input is the secret. */
#define _GNU_SOURCE /* memmem */
#include "event/secrets.h"

#include "base/uri.h"
#include "fuzz.h"
#include "json/json.h"

static bool contains(struct span text, struct span part)
{
	return part.len > 0 && memmem(text.at, text.len, part.at, part.len) != NULL;
}

/* The secret between `before` and `after`, in a JSON string inside `depth` others. */
static void try_inside(const struct secrets *secrets, struct span secret, struct span before,
		       struct span after, int depth)
{
	struct buffer text = {0};

	buffer_add_span(&text, before);
	buffer_add_span(&text, secret);
	buffer_add_span(&text, after);
	for (int i = 0; i < depth; i++) {
		struct buffer string = {0};

		json_write_string(&string, buffer_span(&text));
		buffer_free(&text);
		text = string;
	}
	secrets_mask_json(secrets, &text, 0);
	must(json_check(buffer_span(&text), NULL));
	for (int i = 0; i < depth; i++) {
		struct buffer inside = {0};

		if (!json_decode(buffer_span(&text), &inside))
			break; /* an escape inside was divided */
		buffer_free(&text);
		text = inside;
	}
	must(!contains(buffer_span(&text), secret));
	buffer_free(&text);
}

/* Without a secret, pieces are the whole text. With one, it is not in them. */
static void try_pieces(const struct secrets *secrets, struct span secret, struct span text)
{
	struct secrets_tail tail = {0};
	struct buffer whole = {0}, pieces = {0};

	buffer_add_span(&whole, text);
	secrets_mask_text(secrets, &whole, 0);
	for (size_t at = 0, len; at < text.len; at += len) {
		len = 1 + at % 3;
		if (len > text.len - at)
			len = text.len - at;
		secrets_mask_piece(secrets, &tail, (struct span){text.at + at, len}, &pieces);
	}
	secrets_end_pieces(secrets, &tail, &pieces);
	buffer_free(&tail.text);
	must(!span_equal(buffer_span(&whole), text) || span_equal(buffer_span(&pieces), text));
	must(!contains(buffer_span(&pieces), secret));
	buffer_free(&whole);
	buffer_free(&pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer copy = fuzz_copy(data, size), json = {0}, text = {0}, percent = {0};
	struct buffer shown = {0};
	struct span rest = buffer_span(&copy), line, secret;
	struct secrets secrets = {0};

	if (size == 0 || !span_next_line(&rest, &line, NULL)) {
		buffer_free(&copy);
		return 0;
	}
	secrets_show_url(line, &shown);
	secrets_add_urls(&secrets, line);
	secrets_add(&secrets, line);
	buffer_add_span(&json, rest);
	secrets_mask_json(&secrets, &json, 0);
	if (json_check(rest, NULL))
		must(json_check(buffer_span(&json), NULL));
	secret = span_trim(line);
	if (secrets.count > 0)
		try_pieces(&secrets, (struct span){0}, rest);
	/* The mask must not be able to complete it. */
	if (secrets.count > 0 && is_utf8(secret) && memchr(secret.at, '*', secret.len) == NULL &&
	    memchr(secret.at, '\0', secret.len) == NULL) {
		buffer_add_span(&text, rest);
		buffer_add_span(&text, secret);
		secrets_mask_text(&secrets, &text, 0);
		must(!contains(buffer_span(&text), secret));
		buffer_clear(&text);
		buffer_add_span(&text, rest);
		buffer_add_span(&text, secret);
		try_pieces(&secrets, secret, buffer_span(&text));
		for (int depth = 1; depth <= 2; depth++)
			try_inside(&secrets, secret, rest, SPAN("end"), depth);
		buffer_clear(&text);
		uri_encode(secret, "", &percent);
		buffer_add_span(&text, buffer_span(&percent));
		secrets_mask_text(&secrets, &text, 0);
		must(!contains(buffer_span(&text), buffer_span(&percent)));
	}
	buffer_free(&copy);
	buffer_free(&json);
	buffer_free(&text);
	buffer_free(&percent);
	buffer_free(&shown);
	secrets_free(&secrets);
	return 0;
}

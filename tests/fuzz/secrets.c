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
	/* The mask must not be able to complete it. */
	if (secrets.count > 0 && is_utf8(secret) && memchr(secret.at, '*', secret.len) == NULL &&
	    memchr(secret.at, '\0', secret.len) == NULL) {
		buffer_add_span(&text, rest);
		buffer_add_span(&text, secret);
		secrets_mask_text(&secrets, &text, 0);
		must(!contains(buffer_span(&text), secret));
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

#include <ctype.h>

#include "model/protocol/transcript.h"
#include "model/parameters.h"
#include "model/protocol/bedrock.h"

/* What the API calls a media type; NULL: it does not take it. */
static const char *format_of(struct span media_type, bool image)
{
	static const struct {
		const char *type, *format;
		bool image;
	} known[] = {
	    {"image/png", "png", true},
	    {"image/jpeg", "jpeg", true},
	    {"image/jpg", "jpeg", true},
	    {"image/gif", "gif", true},
	    {"image/webp", "webp", true},
	    {"application/pdf", "pdf", false},
	    {"text/csv", "csv", false},
	    {"text/html", "html", false},
	    {"text/plain", "txt", false},
	    {"text/markdown", "md", false},
	    {"application/msword", "doc", false},
	    {"application/vnd.ms-excel", "xls", false},
	    {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx",
	     false},
	    {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx", false},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].image == image && json_is(media_type, known[i].type))
			return known[i].format;
	return NULL;
}

/* Letters, digits, hyphens, brackets and single spaces; no two documents of one request may have
 * the same name. */
static void put_name(struct span name, int number, struct buffer *out)
{
	enum { MAX_NAME = 190 };
	struct buffer plain = {0}, clean = {0};

	json_decode(name, &plain);
	for (size_t i = 0; i < plain.len && clean.len < MAX_NAME; i++) {
		unsigned char c = (unsigned char)plain.at[i];

		if (c < 0x80 && (isalnum(c) || strchr("-()[] ", c) != NULL))
			buffer_add_char(&clean, (char)c);
		else if (clean.len > 0 && clean.at[clean.len - 1] != '-')
			buffer_add_char(&clean, '-');
		if (clean.len > 1 && clean.at[clean.len - 1] == ' ' &&
		    clean.at[clean.len - 2] == ' ')
			clean.len--;
	}
	if (clean.len == 0)
		buffer_add_text(&clean, "document");
	if (number > 1)
		buffer_add_format(&clean, "-%d", number);
	json_put_string(out, "name", buffer_span(&clean));
	buffer_free(&plain);
	buffer_free(&clean);
}

/* Whether the model takes parts of `type`: all may, unless the quirk "attach" says otherwise. */
static bool takes(const struct bedrock_writer *w, const char *type)
{
	return provider_quirk(w->provider, "attach").at == NULL ||
	       parameters_quirk_has(w->provider, w->model, "attach", type);
}

bool bedrock_write_file(const struct bedrock_writer *w, struct span part, int *count,
			struct buffer *out)
{
	bool image = json_is(json_get(part, "type"), "image");
	const char *format = format_of(json_get(part, "media_type"), image);

	if (format == NULL || !takes(w, image ? "image" : "file"))
		return message_refuse_part(w->provider, w->model, part, w->e);
	json_open(out, '{');
	json_key(out, image ? "image" : "document");
	json_open(out, '{');
	json_put_text(out, "format", format);
	if (!image)
		put_name(json_get(part, "name"), ++*count, out);
	json_key(out, "source");
	json_open(out, '{');
	json_put_raw(out, "bytes", json_get(part, "data"));
	json_close(out, '}');
	json_close(out, '}');
	json_close(out, '}');
	return true;
}

#include "run/attachment.h"

#include "base/base64.h"
#include "base/utf8.h"

/* The media type of a file that starts with `bytes`; NULL: none of these. */
static const char *recognise(struct span bytes)
{
	static const struct {
		const char *type;
		struct span magic;
	} types[] = {
	    {"image/png", SPAN("\x89PNG\r\n\x1a\n")},
	    {"image/jpeg", SPAN("\xff\xd8\xff")},
	    {"image/gif", SPAN("GIF8")},
	    {"application/pdf", SPAN("%PDF-")},
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (bytes.len >= types[i].magic.len &&
		    memcmp(bytes.at, types[i].magic.at, types[i].magic.len) == 0)
			return types[i].type;
	if (bytes.len >= 12 && memcmp(bytes.at, "RIFF", 4) == 0 &&
	    memcmp(bytes.at + 8, "WEBP", 4) == 0)
		return "image/webp";
	return NULL;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (strcmp(path, "-") == 0)
		return "standard input";
	return slash != NULL ? slash + 1 : path;
}

static void add_text(const char *name, struct span text, struct buffer *parts)
{
	struct buffer whole = {0};

	buffer_add_format(&whole, "%s:\n\n", name);
	buffer_add_span(&whole, text);
	json_pack(parts, "{'type':'text','text':%s}", buffer_span(&whole));
	buffer_free(&whole);
}

static void add_bytes(const char *name, const char *media_type, struct span bytes,
		      struct buffer *parts)
{
	json_pack(parts, "{'type':%t,'media_type':%t,'name':%t,'data':",
		  strncmp(media_type, "image/", 6) == 0 ? "image" : "file", media_type, name);
	buffer_add_char(parts, '"');
	base64_encode(bytes, parts);
	buffer_add_text(parts, "\"}");
}

bool attachment_add(const char *path, struct span bytes, struct buffer *parts, struct error *e)
{
	const char *media_type = recognise(bytes);
	bool ok = true;

	if (media_type == NULL && bytes.len > 0 &&
	    (utf8_valid(bytes) < bytes.len || memchr(bytes.at, '\0', bytes.len) != NULL))
		ok = error_set(e, "usage",
			       "%s: is neither an image (PNG, JPEG, GIF, WebP) nor a PDF document "
			       "nor UTF-8 text",
			       path);
	else if (bytes.len == 0)
		ok = error_set(e, "usage", "%s: is empty; there is nothing to attach", path);
	else if (media_type != NULL)
		add_bytes(base_name(path), media_type, bytes, parts);
	else
		add_text(base_name(path), bytes, parts);
	if (ok && parts->len > ATTACHMENT_MAX)
		ok = error_set(e, "usage",
			       "%s: attachments may be %d MiB together, as base64; make it smaller",
			       path, ATTACHMENT_MAX / 1024 / 1024);
	return ok;
}

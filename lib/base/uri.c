#include "base/uri.h"

#include <ctype.h>

#include "base/number.h"

/* The parts of a URI including their marks: "http:", "//host", "/a/b", "?c". Missing parts are
 * empty. */
struct uri {
	struct span scheme, authority, path, query;
};

static struct span take(struct span *rest, size_t len)
{
	struct span taken = {rest->at, len};

	*rest = span_from(*rest, len);
	return taken;
}

/* The length of a scheme such as "http:" at the start of `text`, or 0. */
static size_t scheme_length(struct span text)
{
	size_t len = 0;

	while (len < text.len && (isalnum((unsigned char)text.at[len]) ||
				  (len > 0 && strchr("+-.", text.at[len]) != NULL)))
		len++;
	return len > 0 && len < text.len && text.at[len] == ':' ? len + 1 : 0;
}

static size_t length_until(struct span text, size_t from, const char *ends)
{
	while (from < text.len && strchr(ends, text.at[from]) == NULL)
		from++;
	return from;
}

static struct uri parse(struct span text)
{
	struct uri uri;

	uri.scheme = take(&text, scheme_length(text));
	uri.authority = take(&text, span_starts(text, "//") ? length_until(text, 2, "/?") : 0);
	uri.path = take(&text, length_until(text, 0, "?"));
	uri.query = text;
	return uri;
}

/* Append an absolute path without its "." and ".." segments. */
static void add_without_dots(struct span path, struct buffer *out)
{
	size_t root = out->len;

	while (path.len > 0) {
		struct span segment = take(&path, length_until(path, 1, "/"));

		if (span_is(segment, "/..")) {
			while (out->len > root && out->at[--out->len] != '/')
				;
		} else if (!span_is(segment, "/.")) {
			buffer_add_span(out, segment);
			continue;
		}
		if (path.len == 0)
			buffer_add_char(out, '/');
	}
}

static void add_path(struct span path, struct buffer *out)
{
	if (span_starts(path, "/"))
		add_without_dots(path, out);
	else
		buffer_add_span(out, path);
}

/* Append a relative path in place of the last segment of the base. */
static void merge_path(struct span path, const struct uri *base, struct buffer *out)
{
	struct buffer merged = {0};
	size_t dir = base->path.len;

	while (dir > 0 && base->path.at[dir - 1] != '/')
		dir--;
	if (base->path.len == 0 && base->authority.len > 0)
		buffer_add_char(&merged, '/');
	buffer_add(&merged, base->path.at, dir);
	buffer_add_span(&merged, path);
	add_path(buffer_span(&merged), out);
	buffer_free(&merged);
}

void uri_resolve(struct span reference, struct span base_text, struct buffer *out)
{
	struct uri uri = parse(reference), base = parse(base_text);

	if (reference.len == 0) {
		buffer_add_span(out, base_text);
		return;
	}
	if (uri.scheme.len > 0) {
		buffer_add_span(out, reference);
		return;
	}
	buffer_add_span(out, base.scheme);
	if (uri.authority.len > 0) {
		buffer_add_span(out, reference);
		return;
	}
	buffer_add_span(out, base.authority);
	if (uri.path.len == 0)
		buffer_add_span(out, base.path);
	else if (uri.path.at[0] == '/')
		add_path(uri.path, out);
	else
		merge_path(uri.path, &base, out);
	buffer_add_span(out, uri.query);
}

void uri_encode(struct span text, const char *also, struct buffer *out)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c != '\0' && c < 0x80 &&
		    (isalnum(c) || strchr("-._~", c) != NULL || strchr(also, c) != NULL))
			buffer_add_char(out, (char)c);
		else
			buffer_add_format(out, "%%%02X", c);
	}
}

void uri_decode(struct span text, struct buffer *out)
{
	for (size_t i = 0; i < text.len; i++) {
		bool escape = text.at[i] == '%' && i + 2 < text.len;
		int high = escape ? hex_digit(text.at[i + 1]) : -1;
		int low = escape ? hex_digit(text.at[i + 2]) : -1;

		escape = high >= 0 && low >= 0;
		buffer_add_char(out, (char)(escape ? high << 4 | low : text.at[i]));
		i += escape ? 2 : 0;
	}
}

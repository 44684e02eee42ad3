/* lib/run/attachment and lib/base/base64: files become parts of a message. */
#include <stdlib.h>

#include "base/base64.h"
#include "run/attachment.h"
#include "unit.h"

static const char path[] = "/tmp/attachment-XXXXXX";

static void base64_is(const char *text, const char *want)
{
	struct buffer out = {0};

	base64_encode(span_of(text), &out);
	unit_same(buffer_span(&out), span_of(want), "RFC 4648, section 10");
	buffer_free(&out);
}

/* The file's base name is not the same twice: "NAME" stands for it. */
static void part_is(struct span bytes, const char *want, const char *name)
{
	struct buffer parts = {0}, wanted = {0};
	struct error e = {0};
	const char *hole = strstr(want, "NAME");

	if (!attachment_add(path, bytes, &parts, &e))
		buffer_add_text(&parts, e.message);
	buffer_add(&wanted, want, (size_t)(hole - want));
	buffer_add_text(&wanted, strstr(want, "NAME ") != NULL ? path : path + 5);
	buffer_add_text(&wanted, hole + (hole[4] == ' ' ? 5 : 4));
	unit_same(buffer_span(&parts), buffer_span(&wanted), name);
	error_clear(&e);
	buffer_free(&parts);
	buffer_free(&wanted);
}

static void too_large(void)
{
	struct buffer bytes = {0}, parts = {0};
	struct error e = {0};

	buffer_add_text(&bytes, "\x89PNG\r\n\x1a\n");
	while (bytes.len < 11 * 1024 * 1024)
		buffer_add_text(&bytes, "0123456789abcdef0123456789abcdef0123456789abcdef");
	unit_ok(!attachment_add(path, buffer_span(&bytes), &parts, &e) &&
		    strstr(e.message, "14 MiB") != NULL,
		"more than an event takes is refused");
	error_clear(&e);
	buffer_free(&bytes);
	buffer_free(&parts);
}

int main(void)
{
	base64_is("", "");
	base64_is("f", "Zg==");
	base64_is("fo", "Zm8=");
	base64_is("foo", "Zm9v");
	base64_is("foobar", "Zm9vYmFy");
	base64_is("\xff\xfe\xfd", "//79");
	part_is(SPAN("\x89PNG\r\n\x1a\n\0x"),
		"{\"type\":\"image\",\"media_type\":\"image/png\",\"name\":\"NAME\","
		"\"data\":\"iVBORw0KGgoAeA==\"}",
		"a PNG");
	part_is(SPAN("RIFF\x10\0\0\0WEBPVP8 "),
		"{\"type\":\"image\",\"media_type\":\"image/webp\",\"name\":\"NAME\","
		"\"data\":\"UklGRhAAAABXRUJQVlA4IA==\"}",
		"a WebP");
	part_is(SPAN("%PDF-1.7"),
		"{\"type\":\"file\",\"media_type\":\"application/pdf\",\"name\":\"NAME\","
		"\"data\":\"JVBERi0xLjc=\"}",
		"a PDF");
	part_is(SPAN("a\tb\n"), "{\"type\":\"text\",\"text\":\"NAME:\\n\\na\\tb\\n\"}", "text");
	part_is(SPAN("a\0b"),
		"NAME : is neither an image (PNG, JPEG, GIF, WebP) nor a PDF document nor UTF-8 "
		"text",
		"bytes that nobody knows");
	part_is(SPAN("\xff\xfe"),
		"NAME : is neither an image (PNG, JPEG, GIF, WebP) nor a PDF document nor UTF-8 "
		"text",
		"no UTF-8");
	part_is(SPAN(""), "NAME : is empty; there is nothing to attach", "nothing");
	too_large();
	return unit_done();
}

#include "net/http_private.h"

#include <ctype.h>

/* The maximum length of a head. Real ones have a few KiB. Not every version of libcurl has a limit
 * (300 KiB). */
enum { MAX_HEAD = 256 * 1024 };

struct span http_header_value(const struct http_head *head, const char *name)
{
	struct span lines, line, wanted = span_of(name);

	if (head == NULL || head->headers == NULL)
		return (struct span){0};
	lines = buffer_span(head->headers);
	while (span_next_line(&lines, &line, NULL))
		if (line.len >= wanted.len + 2 && memcmp(line.at, wanted.at, wanted.len) == 0 &&
		    line.at[wanted.len] == ':')
			return span_from(line, wanted.len + 2);
	return (struct span){0};
}

static void add(struct buffer *lines, struct span line)
{
	const char *colon = memchr(line.at, ':', line.len);
	size_t start = lines->len;

	if (colon == NULL || span_is_space(line.at[0]))
		return;
	buffer_add_span(lines, span_trim((struct span){line.at, (size_t)(colon - line.at)}));
	for (char *c = lines->at + start; c < lines->at + lines->len; c++)
		*c = (char)tolower((unsigned char)*c);
	buffer_add(lines, ": ", 2);
	buffer_add_span(lines, span_trim(span_from(line, (size_t)(colon - line.at) + 1)));
	buffer_add_char(lines, '\n');
}

bool head_add_line(struct http_call *call, struct span line)
{
	struct buffer *lines = &call->head_lines;
	long status = 0;

	if (call->head.status != 0)
		return true; /* trailers */
	if (line.len > MAX_HEAD - lines->len) {
		call->fault = "its head is too long";
		return false;
	}
	if (span_starts(line, "HTTP/")) {
		buffer_clear(lines); /* an informational head may precede this one */
		return true;
	}
	if (span_trim(line).len > 0) {
		add(lines, line);
		return true;
	}
	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status < 200)
		return true;
	call->head = (struct http_head){.status = (int)status, .headers = lines};
	call->head.content_type = http_header_value(&call->head, "content-type");
	return true;
}

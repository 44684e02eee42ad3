#include "net/http_private.h"

#include <ctype.h>

/* Longest head of an answer. Real ones have a few KiB; this stops one that never ends, before
 * libcurl's own limit of 300 KiB does, which not every version has. */
enum { MAX_HEAD = 256 * 1024 };

struct span http_header_value(const struct http_head *head, const char *name)
{
	struct span lines, wanted = span_of(name);

	if (head == NULL || head->headers == NULL)
		return (struct span){0};
	lines = buffer_span(head->headers);
	while (lines.len > 0) {
		const char *newline = memchr(lines.at, '\n', lines.len);
		struct span line = {lines.at, (size_t)(newline - lines.at)};

		if (line.len >= wanted.len + 2 && memcmp(line.at, wanted.at, wanted.len) == 0 &&
		    line.at[wanted.len] == ':')
			return span_from(line, wanted.len + 2);
		lines = span_from(lines, line.len + 1);
	}
	return (struct span){0};
}

/* "HTTP/1.1 200 OK": a head begins, maybe after an informational one. */
static void begin(struct http_call *call, struct span line)
{
	const char *space = memchr(line.at, ' ', line.len);
	int status = 0;

	buffer_clear(&call->head_lines);
	while (space != NULL && ++space < line.at + line.len && *space >= '0' && *space <= '9')
		status = status < 1000 ? status * 10 + (*space - '0') : status;
	call->head_status = status;
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

bool head_add_line(struct http_call *call, struct span line, bool *complete)
{
	*complete = false;
	if (call->head_complete)
		return true; /* trailers */
	if (line.len > MAX_HEAD - call->head_lines.len) {
		call->fault = "its head is too long";
		return false;
	}
	if (span_starts(line, "HTTP/")) {
		begin(call, line);
		return true;
	}
	if (span_trim(line).len > 0) {
		add(&call->head_lines, line);
		return true;
	}
	if (call->head_status < 200)
		return true; /* informational: another head follows */
	call->head.status = call->head_status;
	call->head.headers = &call->head_lines;
	call->head.content_type = http_header_value(&call->head, "content-type");
	call->head_complete = *complete = true;
	return true;
}

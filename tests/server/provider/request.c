#include "request.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "json/json.h"

/* Take the next line of `in`, without its line end; absent when it is not complete. The span is
 * valid until `in` is dropped by *used. */
static struct span next_line(const struct buffer *in, size_t from, size_t *used)
{
	const char *newline = NULL;
	size_t len;

	if (from < in->len)
		newline = memchr(in->at + from, '\n', in->len - from);
	if (newline == NULL)
		return (struct span){0};
	len = (size_t)(newline - in->at) - from;
	*used = from + len + 1;
	if (len > 0 && in->at[from + len - 1] == '\r')
		len--;
	return (struct span){in->at + from, len};
}

static char *take_word(struct span *line)
{
	size_t len = 0;
	struct span word;

	while (len < line->len && line->at[len] != ' ')
		len++;
	word = (struct span){line->at, len};
	*line = span_from(*line, len < line->len ? len + 1 : len);
	return mem_copy(word);
}

static bool add_header(struct request *request, struct span line)
{
	const char *colon = memchr(line.at, ':', line.len);
	struct request_header *header;
	struct span value;

	if (colon == NULL || colon == line.at)
		return false;
	value = span_from(line, (size_t)(colon - line.at) + 1);
	while (value.len > 0 && (value.at[0] == ' ' || value.at[0] == '\t'))
		value = span_from(value, 1);
	while (value.len > 0 && isspace((unsigned char)value.at[value.len - 1]))
		value.len--;
	request->headers =
	    mem_resize(request->headers, (request->header_count + 1) * sizeof(*request->headers));
	header = &request->headers[request->header_count++];
	header->name = mem_copy((struct span){line.at, (size_t)(colon - line.at)});
	header->value = mem_copy(value);
	for (char *c = header->name; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return true;
}

/* Read the head once all of it is there; what follows it stays in `in`. */
static enum request_progress read_head(struct request *request, struct buffer *in)
{
	size_t at = 0, first_end = 0;
	struct span line, first = {0};
	const char *length;

	do {
		line = next_line(in, at, &at);
		if (line.at == NULL)
			return REQUEST_NEEDS_MORE;
		if (first.at == NULL && line.len > 0) {
			first = line;
			first_end = at;
		}
	} while (line.len > 0 || first.at == NULL);
	request->method = take_word(&first);
	request->path = take_word(&first);
	request->version = take_word(&first);
	if (strncmp(request->version, "HTTP/1.", 7) != 0 || request->path[0] == '\0')
		return REQUEST_BAD;
	while ((line = next_line(in, first_end, &first_end)).len > 0)
		if (!add_header(request, line))
			return REQUEST_BAD;
	buffer_drop(in, at);
	length = request_header(request, "content-length");
	if (request_header(request, "transfer-encoding") != NULL)
		request->state = REQUEST_CHUNK_SIZE;
	else
		request->state = REQUEST_LENGTH;
	request->missing = length != NULL ? strtoull(length, NULL, 10) : 0;
	return REQUEST_COMPLETE;
}

static bool take_missing(struct request *request, struct buffer *in)
{
	size_t n = in->len < request->missing ? in->len : request->missing;

	buffer_add(&request->body, in->at, n);
	buffer_drop(in, n);
	request->missing -= n;
	return request->missing == 0;
}

static enum request_progress read_chunk_size(struct request *request, struct buffer *in)
{
	size_t used = 0;
	struct span line = next_line(in, 0, &used);

	if (line.at == NULL)
		return REQUEST_NEEDS_MORE;
	if (line.len == 0 || !isxdigit((unsigned char)line.at[0]))
		return REQUEST_BAD;
	request->missing = strtoull(line.at, NULL, 16);
	request->state = request->missing > 0 ? REQUEST_CHUNK : REQUEST_TRAILER;
	buffer_drop(in, used);
	return REQUEST_COMPLETE;
}

/* The empty line behind a chunk, or the trailer's lines up to an empty one. */
static enum request_progress read_line_end(struct request *request, struct buffer *in)
{
	size_t used = 0;
	struct span line = next_line(in, 0, &used);
	size_t len = line.len;

	if (line.at == NULL)
		return REQUEST_NEEDS_MORE;
	buffer_drop(in, used);
	if (request->state == REQUEST_CHUNK_END) {
		request->state = REQUEST_CHUNK_SIZE;
		return len == 0 ? REQUEST_COMPLETE : REQUEST_BAD;
	}
	if (len == 0)
		request->state = REQUEST_WHOLE;
	return REQUEST_COMPLETE;
}

static enum request_progress read_step(struct request *request, struct buffer *in)
{
	switch (request->state) {
	case REQUEST_HEAD:
		return read_head(request, in);
	case REQUEST_LENGTH:
		if (!take_missing(request, in))
			return REQUEST_NEEDS_MORE;
		request->state = REQUEST_WHOLE;
		return REQUEST_COMPLETE;
	case REQUEST_CHUNK_SIZE:
		return read_chunk_size(request, in);
	case REQUEST_CHUNK:
		if (!take_missing(request, in))
			return REQUEST_NEEDS_MORE;
		request->state = REQUEST_CHUNK_END;
		return REQUEST_COMPLETE;
	case REQUEST_CHUNK_END:
	case REQUEST_TRAILER:
		return read_line_end(request, in);
	case REQUEST_WHOLE:
		break;
	}
	return REQUEST_COMPLETE;
}

enum request_progress request_read(struct request *request, struct buffer *in)
{
	while (request->state != REQUEST_WHOLE) {
		bool was_head = request->state == REQUEST_HEAD;
		enum request_progress progress = read_step(request, in);
		const char *expect;

		if (progress != REQUEST_COMPLETE)
			return progress;
		expect = was_head ? request_header(request, "expect") : NULL;
		if (expect != NULL && strcasecmp(expect, "100-continue") == 0 && in->len == 0)
			return REQUEST_NEEDS_CONTINUE;
	}
	return REQUEST_COMPLETE;
}

const char *request_header(const struct request *request, const char *name)
{
	for (size_t i = 0; i < request->header_count; i++)
		if (strcmp(request->headers[i].name, name) == 0)
			return request->headers[i].value;
	return NULL;
}

bool request_keeps_alive(const struct request *request)
{
	const char *connection = request_header(request, "connection");

	if (connection != NULL && strcasecmp(connection, "close") == 0)
		return false;
	if (connection != NULL && strcasecmp(connection, "keep-alive") == 0)
		return true;
	return strcmp(request->version, "HTTP/1.0") != 0;
}

/* The headers as an object; a header that was sent several times becomes one, joined by commas. */
static void log_headers(const struct request *request, struct buffer *out)
{
	json_key(out, "headers");
	json_open(out, '{');
	for (size_t i = 0; i < request->header_count; i++) {
		const char *name = request->headers[i].name;
		struct buffer value = {0};

		if (request_header(request, name) != request->headers[i].value)
			continue;
		for (size_t j = i; j < request->header_count; j++)
			if (strcmp(request->headers[j].name, name) == 0)
				buffer_add_format(&value, "%s%s", value.len > 0 ? ", " : "",
						  request->headers[j].value);
		json_put_string(out, name, buffer_span(&value));
		buffer_free(&value);
	}
	json_close(out, '}');
}

void request_log(const struct request *request, int number, int connection, struct buffer *out)
{
	struct span body = buffer_span(&request->body);

	json_open(out, '{');
	json_put_int(out, "request", number);
	json_put_int(out, "connection", connection);
	json_put_text(out, "method", request->method);
	json_put_text(out, "path", request->path);
	log_headers(request, out);
	if (body.len == 0) {
		json_put_null(out, "body");
	} else if (!json_check(body, NULL)) {
		json_put_string(out, "body", body);
	} else if (memchr(body.at, '\n', body.len) != NULL) {
		json_key(out, "body");
		json_write_compact(out, body);
	} else {
		json_put_raw(out, "body", body);
	}
	json_close(out, '}');
	buffer_add_char(out, '\n');
}

void request_free(struct request *request)
{
	free(request->method);
	free(request->path);
	free(request->version);
	for (size_t i = 0; i < request->header_count; i++) {
		free(request->headers[i].name);
		free(request->headers[i].value);
	}
	free(request->headers);
	buffer_free(&request->body);
	*request = (struct request){0};
}

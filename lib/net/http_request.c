#include <stdlib.h>

#include "net/http.h"

/* Remove line breaks: one in a value, such as that at the end of a key file, would begin another
 * header. */
static void make_one_line(struct buffer *line)
{
	while (line->len > 0 &&
	       (line->at[line->len - 1] == '\n' || line->at[line->len - 1] == '\r'))
		line->len--;
	for (size_t i = 0; i < line->len; i++)
		if (line->at[i] == '\n' || line->at[i] == '\r')
			line->at[i] = ' ';
}

void http_request_add_header(struct http_request *request, bool secret, const char *format, ...)
{
	struct buffer line = {0};
	va_list args;

	va_start(args, format);
	buffer_add_format_list(&line, format, args);
	va_end(args);
	make_one_line(&line);
	request->headers =
	    array_grow(request->headers, request->header_count, sizeof(*request->headers));
	request->headers[request->header_count++] =
	    (struct http_header){.line = buffer_take(&line), .secret = secret};
}

void http_request_free(struct http_request *request)
{
	for (size_t i = 0; i < request->header_count; i++)
		free(request->headers[i].line);
	free(request->headers);
	free(request->method);
	free(request->url);
	buffer_free(&request->body);
	*request = (struct http_request){0};
}

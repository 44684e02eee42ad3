#include "net/sigv4.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "base/sha256.h"
#include "base/uri.h"

/* ---- the request's parts ---- */

struct url_parts {
	struct span host, path, query;
};

/* Split a URL. The default port of the scheme is removed, because libcurl leaves it out of the Host
 * header. */
static struct url_parts split(const char *url)
{
	const char *scheme_end = strstr(url, "://");
	const char *host = scheme_end != NULL ? scheme_end + 3 : url;
	const char *port = strncasecmp(url, "https:", 6) == 0 ? ":443" : ":80";
	struct url_parts parts = {.host = {host, strcspn(host, "/?#")}};
	const char *rest = host + parts.host.len;

	if (span_ends(parts.host, port))
		parts.host.len -= strlen(port);
	parts.path = (struct span){rest, strcspn(rest, "?#")};
	rest += parts.path.len;
	if (*rest == '?')
		parts.query = (struct span){rest + 1, strcspn(rest + 1, "#")};
	return parts;
}

/* Append the path with every byte escaped except unreserved ones and slashes. Escapes are escaped
 * again. */
static void add_path(struct span path, struct buffer *out)
{
	if (path.len == 0)
		buffer_add_char(out, '/');
	uri_encode(path, "/", out);
}

/* ---- sorted lists ---- */

/* The part of `line` before the character `end`. */
static struct span name_of(struct span line, char end)
{
	const char *at = memchr(line.at, end, line.len);

	return at != NULL ? (struct span){line.at, (size_t)(at - line.at)} : line;
}

static int compare(struct span x, struct span y)
{
	int order = memcmp(x.at, y.at, x.len < y.len ? x.len : y.len);

	return order != 0 ? order : (x.len > y.len) - (x.len < y.len);
}

static int compare_headers(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return compare(name_of(*x, ':'), name_of(*y, ':'));
}

static int compare_parameters(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	int order = compare(name_of(*x, '='), name_of(*y, '='));

	return order != 0 ? order : compare(*x, *y);
}

/* The elements of `text` in order, without empty ones. The caller frees the list. */
static struct span *sorted(struct span text, char separator,
			   int (*compare_elements)(const void *a, const void *b), size_t *count)
{
	struct span *list = NULL;

	*count = 0;
	while (text.len > 0) {
		struct span element = name_of(text, separator);

		text = span_from(text, element.len + (element.len < text.len));
		if (element.len == 0)
			continue;
		list = array_grow(list, *count, sizeof(*list));
		list[(*count)++] = element;
	}
	if (*count > 0)
		qsort(list, *count, sizeof(*list), compare_elements);
	return list;
}

/* Append the parameters sorted by name, escaped as they are sent. */
static void add_query(struct span query, struct buffer *out)
{
	size_t count;
	struct span *list = sorted(query, '&', compare_parameters, &count);

	for (size_t i = 0; i < count; i++) {
		buffer_add_text(out, i > 0 ? "&" : "");
		buffer_add_span(out, list[i]);
		if (memchr(list[i].at, '=', list[i].len) == NULL)
			buffer_add_char(out, '=');
	}
	free(list);
}

/* Append "name:value\n", the name in lower case, the value without outer spaces. */
static void add_header(struct span line, struct buffer *out)
{
	struct span name = name_of(line, ':');

	for (size_t i = 0; i < name.len; i++)
		buffer_add_char(out, (char)tolower((unsigned char)name.at[i]));
	buffer_add_char(out, ':');
	buffer_add_span(out, span_trim(span_from(line, name.len + (name.len < line.len))));
	buffer_add_char(out, '\n');
}

static bool is_signed(const char *line)
{
	return strncasecmp(line, "content-type:", 13) == 0 || strncasecmp(line, "x-amz-", 6) == 0;
}

/* Append the signed headers sorted by name, and the list of their names. */
static void add_headers(const struct http_request *request, struct span host, struct buffer *lines,
			struct buffer *names)
{
	struct buffer all = {0};
	struct span *list;
	size_t count;

	buffer_add_format(&all, "host:%.*s\n", SPAN_ARG(host));
	for (size_t i = 0; i < request->header_count; i++)
		if (is_signed(request->headers[i].line))
			add_header(span_of(request->headers[i].line), &all);
	list = sorted(buffer_span(&all), '\n', compare_headers, &count);
	for (size_t i = 0; i < count; i++) {
		buffer_add_format(lines, "%.*s\n", SPAN_ARG(list[i]));
		buffer_add_text(names, i > 0 ? ";" : "");
		buffer_add_span(names, name_of(list[i], ':'));
	}
	buffer_free(&all);
	free(list);
}

/* ---- the signature ---- */

static void add_hash(struct span text, struct buffer *out)
{
	unsigned char digest[SHA256_BYTES];

	sha256(text, digest);
	sha256_add_hex(digest, out);
}

/* Append the canonical request: method, path, query, headers and hash of the body. */
static void add_request(const struct http_request *request, struct buffer *names,
			struct buffer *out)
{
	struct url_parts parts = split(request->url);

	buffer_add_format(out, "%s\n", request->method != NULL ? request->method : "POST");
	add_path(parts.path, out);
	buffer_add_char(out, '\n');
	add_query(parts.query, out);
	buffer_add_char(out, '\n');
	add_headers(request, parts.host, out, names);
	buffer_add_format(out, "\n%s\n", buffer_string(names));
	add_hash(buffer_span(&request->body), out);
}

/* Sign `text` with the key derived from the day, the region and the service. */
static void add_signature(const struct sigv4 *sigv4, const char *date, struct span text,
			  struct buffer *out)
{
	const struct span steps[] = {span_of(date), span_of(sigv4->region), span_of(sigv4->service),
				     SPAN("aws4_request"), text};
	unsigned char digest[SHA256_BYTES];
	struct buffer key = {0};

	buffer_add_format(&key, "AWS4%s", sigv4->secret);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		sha256_hmac(buffer_span(&key), steps[i], digest);
		buffer_clear(&key);
		buffer_add(&key, digest, sizeof(digest));
	}
	sha256_add_hex(digest, out);
	buffer_free(&key);
}

void sigv4_sign(const struct sigv4 *sigv4, struct http_request *request)
{
	struct buffer names = {0}, wanted = {0}, text = {0}, signature = {0};
	char *scope;
	time_t now = (time_t)sigv4->now;
	char date[16], moment[32];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%Y%m%d", &tm);
	strftime(moment, sizeof(moment), "%Y%m%dT%H%M%SZ", &tm);
	http_request_add_header(request, false, "X-Amz-Date: %s", moment);
	if (sigv4->token != NULL)
		http_request_add_header(request, true, "X-Amz-Security-Token: %s", sigv4->token);

	add_request(request, &names, &wanted);
	scope = mem_format("%s/%s/%s/aws4_request", date, sigv4->region, sigv4->service);
	buffer_add_format(&text, "AWS4-HMAC-SHA256\n%s\n%s\n", moment, scope);
	add_hash(buffer_span(&wanted), &text);
	add_signature(sigv4, date, buffer_span(&text), &signature);
	http_request_add_header(request, true,
				"Authorization: AWS4-HMAC-SHA256 Credential=%s/%s, "
				"SignedHeaders=%s, Signature=%s",
				sigv4->key_id, scope, buffer_string(&names),
				buffer_string(&signature));
	buffer_free(&names);
	buffer_free(&wanted);
	buffer_free(&text);
	free(scope);
	buffer_free(&signature);
}

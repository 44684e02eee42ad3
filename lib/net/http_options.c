#include "net/http_private.h"

#include <stdlib.h>
#include <unistd.h>

/* If libcurl's default file of certificates does not exist, do not use it: its absence would be an
 * error even if there is a folder of certificates. */
static void drop_missing_bundle(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075400
	char *preset = NULL;

	if (curl_easy_getinfo(easy, CURLINFO_CAINFO, &preset) == CURLE_OK && preset != NULL &&
	    access(preset, R_OK) != 0)
		curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
#else
	(void)easy;
#endif
}

/* Set an option to the value of an environment variable. Returns false if that is unset or empty.
 */
static bool set_by_variable(CURL *easy, CURLoption option, const char *variable)
{
	const char *value = getenv(variable);

	if (value == NULL || value[0] == '\0')
		return false;
	curl_easy_setopt(easy, option, value);
	return true;
}

static void set_certificates(CURL *easy)
{
	if (set_by_variable(easy, CURLOPT_CAINFO, "CURL_CA_BUNDLE"))
		return;
	if (set_by_variable(easy, CURLOPT_CAPATH, "SSL_CERT_DIR"))
		drop_missing_bundle(easy);
	set_by_variable(easy, CURLOPT_CAINFO, "SSL_CERT_FILE");
}

static void set_method(CURL *easy, const struct http_request *request)
{
	const char *method = request->method != NULL ? request->method : "POST";
	struct span body = buffer_span(&request->body);

	if (strcmp(method, "POST") == 0 || body.len > 0) {
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.at);
	}
	if (strcmp(method, "HEAD") == 0)
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	else if (strcmp(method, "POST") != 0)
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

static struct curl_slist *append(struct curl_slist *list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(list, line);

	if (longer == NULL)
		die(STATUS_FAILED, "out of memory");
	return longer;
}

/* Without the empty Expect, libcurl waits for "100 Continue" before it sends a long body. Without
 * the empty Accept-Encoding it requests compression, which delays a stream; a response that is
 * compressed anyway is decoded. The request's own lines come first and take precedence. */
static void set_headers(struct http_call *call)
{
	for (size_t i = 0; i < call->request->header_count; i++)
		call->headers = append(call->headers, call->request->headers[i].line);
	call->headers = append(call->headers, "Expect:");
	call->headers = append(call->headers, "Accept-Encoding:");
	curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
	curl_easy_setopt(call->easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	curl_easy_setopt(call->easy, CURLOPT_USERAGENT, "agent-tools/" VERSION);
}

static void set_connection(CURL *easy, const struct http_limits *limits)
{
	double connect = limits->connect_seconds * 1000;

	/* 0 means libcurl's default of five minutes. */
	if (connect <= 0 || connect > INT32_MAX)
		connect = INT32_MAX;
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect > 1 ? (long)connect : 1L);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
	/* Do not wait for a name server when a call is cancelled. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
	set_certificates(easy);
}

void options_set(struct http_call *call)
{
	curl_easy_setopt(call->easy, CURLOPT_URL, call->request->url);
	set_method(call->easy, call->request);
	set_headers(call);
	set_connection(call->easy, &call->limits);
}

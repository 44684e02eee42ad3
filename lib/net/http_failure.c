#include "net/http_private.h"

#include <stdlib.h>

#include "base/number.h"

/* The host of the URL and its port (NULL: none), which the caller frees with curl_free. Nothing
 * else of a URL goes into a message: its user, path or query may contain secrets. */
static char *host_of(const char *url, char **port)
{
	const unsigned flags = CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME;
	CURLU *parts = curl_url();
	char *host = NULL;

	*port = NULL;
	if (parts != NULL && curl_url_set(parts, CURLUPART_URL, url, flags) == CURLUE_OK &&
	    curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK)
		curl_url_get(parts, CURLUPART_PORT, port, CURLU_DEFAULT_PORT);
	curl_url_cleanup(parts);
	return host;
}

/* Append what the system or libcurl reports. If the connection failed to another host than `host`,
 * which is a proxy then, only libcurl's text names that. */
static void add_detail(struct buffer *out, const struct http_call *call, CURLcode code,
		       const char *host)
{
	const char *text = call->error[0] != '\0' ? call->error : curl_easy_strerror(code);
	bool to_proxy = code == CURLE_COULDNT_CONNECT && call->error[0] != '\0' && host != NULL &&
			strstr(call->error, host) == NULL;
	long number = 0;

	if (code == CURLE_COULDNT_CONNECT || code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR)
		curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &number);
	if (call->fault != NULL)
		text = call->fault;
	else if (number != 0 && !to_proxy)
		text = strerror((int)number);
	buffer_add_text(out, ": ");
	buffer_add_span(out, span_trim(span_of(text)));
}

/* Failures before a response. '@' stands for the host and port. */
static const struct transfer_failure {
	const char *sentence;
	CURLcode code;
	bool with_detail, retryable;
} failures[] = {
    {"cannot use the URL", CURLE_UNSUPPORTED_PROTOCOL, true, false},
    {"cannot use the URL", CURLE_URL_MALFORMAT, true, false},
    {"cannot find the host of @", CURLE_COULDNT_RESOLVE_HOST, false, true},
    {"cannot connect to @", CURLE_COULDNT_CONNECT, true, true},
    {"@ does not answer in HTTP", CURLE_WEIRD_SERVER_REPLY, false, false},
    {"cannot set up TLS with @", CURLE_SSL_CONNECT_ERROR, true, true},
    {"cannot trust @", CURLE_PEER_FAILED_VERIFICATION, true, false},
    {"cannot trust @", CURLE_SSL_ISSUER_ERROR, true, false},
    {"cannot trust @", CURLE_SSL_INVALIDCERTSTATUS, true, false},
    {"cannot verify @", CURLE_SSL_CACERT_BADFILE, true, false},
    {"cannot set up TLS with @", CURLE_SSL_CERTPROBLEM, true, false},
    {"cannot set up TLS with @", CURLE_SSL_CIPHER, true, false},
    {"@ closed the connection without a response", CURLE_GOT_NOTHING, false, true},
    {"lost the connection to @", CURLE_SEND_ERROR, true, true},
    {"lost the connection to @", CURLE_RECV_ERROR, true, true},
#if LIBCURL_VERSION_NUM >= 0x080600
    {"cannot use the response of @: its head is too long", CURLE_TOO_LARGE, false, false},
#endif
};

static const struct transfer_failure *find(const struct http_call *call, CURLcode code)
{
	static const struct transfer_failure other = {"cannot reach @", CURLE_OK, true, true};
	static const struct transfer_failure unfit = {"cannot use the response of @", CURLE_OK,
						      true, false};

	if (call->fault != NULL)
		return &unfit;
	for (size_t i = 0; i < ARRAY_LEN(failures); i++)
		if (failures[i].code == code)
			return &failures[i];
	return &other;
}

/* libcurl has one code for a URL with an unsupported scheme and for a response that is not HTTP. */
static CURLcode without_ambiguity(const struct http_call *call, CURLcode code)
{
	curl_off_t connected = 0;

	if (code != CURLE_UNSUPPORTED_PROTOCOL)
		return code;
	curl_easy_getinfo(call->easy, CURLINFO_CONNECT_TIME_T, &connected);
	return connected > 0 ? CURLE_WEIRD_SERVER_REPLY : code;
}

/* Describe a failure before a response. Returns whether the request can be repeated. */
static bool describe_no_response(const struct http_call *call, CURLcode code, const char *host,
				 const char *place, struct buffer *out)
{
	const struct transfer_failure *failure;

	if (code == CURLE_OPERATION_TIMEDOUT) {
		buffer_add_format(out, "cannot connect to %s within %g second%s", place,
				  call->limits.connect_seconds,
				  plural(call->limits.connect_seconds));
		return true;
	}
	code = without_ambiguity(call, code);
	failure = find(call, code);
	for (const char *c = failure->sentence; *c != '\0'; c++)
		if (*c == '@')
			buffer_add_text(out, place);
		else
			buffer_add_char(out, *c);
	if (failure->with_detail)
		add_detail(out, call, code, host);
	if (code == CURLE_SSL_CACERT_BADFILE)
		buffer_add_text(out, "; install ca-certificates, or name a file of certificates "
				     "in CURL_CA_BUNDLE");
	return failure->retryable;
}

bool http_is_sent(const struct http_call *call)
{
	curl_off_t connected = 0;

	curl_easy_getinfo(call->easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
	return connected > 0;
}

struct http_result failure_result(const struct http_call *call, CURLcode code,
				  struct buffer *message)
{
	struct http_result result = {.outcome = call->late,
				     .head = &call->head,
				     .retryable = true,
				     .sent = http_is_sent(call)};
	char *port, *host, *place;

	if (code == CURLE_OK && call->head.status != 0)
		return (struct http_result){
		    .outcome = HTTP_COMPLETE, .head = &call->head, .sent = true};
	if (code == CURLE_OK)
		code = CURLE_GOT_NOTHING; /* or only a part of the head */
	host = host_of(call->request->url, &port);
	place = mem_format("%s%s%s", host != NULL ? host : "the server", port != NULL ? ":" : "",
			   port != NULL ? port : "");
	if (call->late == HTTP_IDLE) {
		buffer_add_format(message, "%s sent nothing for %g second%s", place,
				  call->limits.idle_seconds, plural(call->limits.idle_seconds));
	} else if (call->late == HTTP_TIMEOUT) {
		buffer_add_format(message, "%s did not complete its response within %g second%s",
				  place, call->limits.total_seconds,
				  plural(call->limits.total_seconds));
	} else if (call->head.status != 0) {
		result.outcome = HTTP_BROKEN;
		buffer_add_format(message, "the response of %s broke off", place);
		add_detail(message, call, code, host);
	} else {
		result.outcome = HTTP_UNREACHABLE;
		result.retryable = describe_no_response(call, code, host, place, message);
	}
	free(place);
	curl_free(host);
	curl_free(port);
	result.message = buffer_string(message);
	return result;
}

#include "net/http_private.h"

/* The host of the URL and its port (NULL: none), which the caller frees with curl_free. Nothing
 * else of a URL goes into a message: its user, path or query may hold secrets. */
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

static void add_place(struct buffer *out, const struct http_call *call)
{
	char *port, *host = host_of(call->request->url, &port);

	buffer_add_text(out, host != NULL ? host : "the server");
	if (port != NULL)
		buffer_add_format(out, ":%s", port);
	curl_free(host);
	curl_free(port);
}

/* What could not be connected to may be a proxy; only libcurl's text names that. */
static bool names_other_host(const struct http_call *call, CURLcode code)
{
	char *port, *host = host_of(call->request->url, &port);
	bool other = code == CURLE_COULDNT_CONNECT && call->error[0] != '\0' && host != NULL &&
		     strstr(call->error, host) == NULL;

	curl_free(host);
	curl_free(port);
	return other;
}

/* Append what the system or libcurl says about it. */
static void add_detail(struct buffer *out, const struct http_call *call, CURLcode code)
{
	const char *text = call->error[0] != '\0' ? call->error : curl_easy_strerror(code);
	long number = 0;

	if (code == CURLE_COULDNT_CONNECT || code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR)
		curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &number);
	if (call->fault != NULL)
		text = call->fault;
	else if (number != 0 && !names_other_host(call, code))
		text = strerror((int)number);
	buffer_add_format(out, ": %s", text);
	while (out->len > 0 && (out->at[out->len - 1] == ' ' || out->at[out->len - 1] == '\n'))
		out->len--;
}

enum subject {
	PLACE_FIRST, /* "HOST:PORT words" */
	PLACE_LAST,  /* "words HOST:PORT" */
	NO_PLACE,    /* "words" */
};

/* Failures before an answer; what is not here is "cannot reach", and may pass. */
static const struct transfer_failure {
	CURLcode code;
	const char *words;
	enum subject subject;
	bool with_detail, retryable;
} failures[] = {
    {CURLE_UNSUPPORTED_PROTOCOL, "cannot use the URL", NO_PLACE, true, false},
    {CURLE_URL_MALFORMAT, "cannot use the URL", NO_PLACE, true, false},
    {CURLE_COULDNT_RESOLVE_HOST, "cannot find the host of", PLACE_LAST, false, true},
    {CURLE_COULDNT_CONNECT, "cannot connect to", PLACE_LAST, true, true},
    {CURLE_WEIRD_SERVER_REPLY, "does not answer in HTTP", PLACE_FIRST, false, false},
    {CURLE_SSL_CONNECT_ERROR, "cannot set up TLS with", PLACE_LAST, true, true},
    {CURLE_PEER_FAILED_VERIFICATION, "cannot trust", PLACE_LAST, true, false},
    {CURLE_SSL_ISSUER_ERROR, "cannot trust", PLACE_LAST, true, false},
    {CURLE_SSL_INVALIDCERTSTATUS, "cannot trust", PLACE_LAST, true, false},
    {CURLE_SSL_CACERT_BADFILE, "cannot verify", PLACE_LAST, true, false},
    {CURLE_SSL_CERTPROBLEM, "cannot set up TLS with", PLACE_LAST, true, false},
    {CURLE_SSL_CIPHER, "cannot set up TLS with", PLACE_LAST, true, false},
    {CURLE_GOT_NOTHING, "closed the connection without an answer", PLACE_FIRST, false, true},
    {CURLE_SEND_ERROR, "lost the connection to", PLACE_LAST, true, true},
    {CURLE_RECV_ERROR, "lost the connection to", PLACE_LAST, true, true},
};

static const struct transfer_failure *find(const struct http_call *call, CURLcode code)
{
	static const struct transfer_failure other = {CURLE_OK, "cannot reach", PLACE_LAST, true,
						      true};
	static const struct transfer_failure unfit = {CURLE_OK, "cannot use the answer of",
						      PLACE_LAST, true, false};

	if (call->fault != NULL)
		return &unfit;
	for (size_t i = 0; i < ARRAY_LEN(failures); i++)
		if (failures[i].code == code)
			return &failures[i];
	return &other;
}

/* libcurl has one code for a URL of a scheme it does not speak and for an answer that is not HTTP.
 */
static CURLcode without_ambiguity(const struct http_call *call, CURLcode code)
{
	curl_off_t connected = 0;

	if (code != CURLE_UNSUPPORTED_PROTOCOL)
		return code;
	curl_easy_getinfo(call->easy, CURLINFO_CONNECT_TIME_T, &connected);
	return connected > 0 ? CURLE_WEIRD_SERVER_REPLY : code;
}

static bool describe_no_answer(const struct http_call *call, CURLcode code, struct buffer *out)
{
	const struct transfer_failure *failure;

	if (code == CURLE_OPERATION_TIMEDOUT) {
		buffer_add_text(out, "cannot connect to ");
		add_place(out, call);
		buffer_add_format(out, " within %g seconds", call->limits.connect_seconds);
		return true;
	}
	code = without_ambiguity(call, code);
	failure = find(call, code);
	if (failure->subject == PLACE_FIRST) {
		add_place(out, call);
		buffer_add_char(out, ' ');
	}
	buffer_add_text(out, failure->words);
	if (failure->subject == PLACE_LAST) {
		buffer_add_char(out, ' ');
		add_place(out, call);
	}
	if (failure->with_detail)
		add_detail(out, call, code);
	if (code == CURLE_SSL_CACERT_BADFILE)
		buffer_add_text(out, "; install ca-certificates, or name a file of certificates "
				     "in CURL_CA_BUNDLE");
	return failure->retryable;
}

struct http_result failure_result(const struct http_call *call, CURLcode code,
				  struct buffer *message)
{
	struct http_result result = {.outcome = HTTP_COMPLETE, .head = &call->head};

	if (code == CURLE_OK && call->head_complete)
		return result;
	if (code == CURLE_OK)
		code = CURLE_GOT_NOTHING; /* or only half a head */
	if (call->head_complete) {
		result.outcome = HTTP_BROKEN;
		result.retryable = true;
		buffer_add_text(message, "the answer of ");
		add_place(message, call);
		buffer_add_text(message, " broke off");
		add_detail(message, call, code);
	} else {
		result.outcome = HTTP_UNREACHABLE;
		result.retryable = describe_no_answer(call, code, message);
	}
	result.message = buffer_string(message);
	return result;
}

struct http_result failure_late(const struct http_call *call, enum http_outcome outcome,
				struct buffer *message)
{
	add_place(message, call);
	if (outcome == HTTP_IDLE)
		buffer_add_format(message, " sent nothing for %g seconds",
				  call->limits.idle_seconds);
	else
		buffer_add_format(message, " did not complete its answer within %g seconds",
				  call->limits.total_seconds);
	return (struct http_result){.outcome = outcome,
				    .head = &call->head,
				    .message = buffer_string(message),
				    .retryable = true};
}

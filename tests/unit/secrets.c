/* lib/event/secrets: values that must not be in events and messages. */
#include "event/secrets.h"
#include "json/json.h"
#include "unit.h"

/* `text` with the value `secret` masked. */
static void masks(const char *secret, bool is_json, const char *text, const char *expected)
{
	struct secrets secrets = {0};
	struct buffer out = {0};

	secrets_add(&secrets, span_of(secret));
	buffer_add_text(&out, text);
	(is_json ? secrets_mask_json : secrets_mask_text)(&secrets, &out, 0);
	unit_same(buffer_span(&out), span_of(expected), text);
	buffer_free(&out);
	secrets_free(&secrets);
}

static void test_text(void)
{
	masks("a-secret-1", false, "no secret", "no secret");
	masks("a-secret-1", false, "a-secret-", "a-secret-");
	masks("a-secret-1", false, "xa-secret-1 a-secret-1a-secret-12", "x*** ******2");
	masks("a-secr", false, "a-secr", "a-secr");
	masks(" a-secret-1\n", false, "a-secret-1", "***");
	masks("s\xc3\xa9"
	      "cret-\xff",
	      false,
	      "s\xc3\xa9"
	      "cret-\xef\xbf\xbd",
	      "***");
	masks("a/b c+d%e", false, "a%2fb%20c%2Bd%25e a/b+c+d%e a%252Fb%2520c%252bd%25e",
	      "*** *** ***");
	masks("to\"ken\\x\\\\y", false, "to\"ken\\x\\\\y to\\\"ken\\\\x\\\\\\\\y", "*** ***");
	masks("a-secret-1", false, "a\\u002dsecret\\u002D1 \\u0061-secret-1", "*** ***");
	masks("two\nlines", false, "two\nlines two\\nlines", "*** ***");
	masks("nsecret-1", false, "\\nsecret-1", "\\***");
}

static void test_base64(void)
{
	masks("a-secret-1", false, "YS1zZWNyZXQtMQ==", "***Q==");
	masks("a-secret-1", false, "eGEtc2VjcmV0LTF4", "eG***F4");        /* xa-secret-1x */
	masks("a-secret-1", false, "eHhhLXNlY3JldC0xeHg=", "eHh***eHg="); /* xxa-secret-1xx */
}

static void test_json(void)
{
	masks("a-secret-1", true, "\"a\":\"xa-secret-1\",\"b\":[\"a-secret-1\"]",
	      "\"a\":\"x***\",\"b\":[\"***\"]");
	masks("llm_start", true, "\"llm_start\":\"llm_start\",\"LLM\":1",
	      "\"llm_start\":\"***\",\"LLM\":1");
	masks("a-secret-1", true, "\"a-secret-1\" : 1", "\"***\" : 1");
	masks("12345678", true, "\"n\":12345678", "\"n\":12345678");
	masks("nsecret-1", true, "\"\\nsecret-1\\nnsecret-1\"", "\"\\nsecret-1\\n***\"");
	masks("0041secret", true, "\"\\u0041secret\"", "\"\\u0041secret\"");
	masks("a-secret\\", true, "\"a-secret\\\"\",\"a-secret\\\\\"", "\"a-secret\\\"\",\"***\"");
	masks("a-secret\\", true, "\"a-secret\\\\\\\"\"", "\"***\\\"\"");
	masks("a-secret\"", true, "\"a-secret\",\"a-secret\\\"\"", "\"a-secret\",\"***\"");
	masks("a\"b/c-d-e", true, "\"a\\\"b\\/c-d-e {\\\"a\\\\\\\"b/c-d-e\\\"}\"",
	      "\"*** {\\\"***\\\"}\"");
	masks("\xc3\xa9t\xc3\xa9-2026", true, "\"\\u00e9t\\u00E9-2026 \xc3\xa9t\xc3\xa9-2026\"",
	      "\"*** ***\"");
}

/* `text` in pieces of `size` bytes. */
static void masks_pieces(const char *secret, const char *text, size_t size, const char *expected)
{
	struct secrets secrets = {0};
	struct secrets_tail tail = {0};
	struct buffer out = {0};
	struct span rest = span_of(text);

	secrets_add(&secrets, span_of(secret));
	while (rest.len > 0) {
		struct span piece = {rest.at, size < rest.len ? size : rest.len};

		secrets_mask_piece(&secrets, &tail, piece, &out);
		rest = span_from(rest, piece.len);
	}
	secrets_end_pieces(&secrets, &tail, &out);
	buffer_free(&tail.text);
	unit_same(buffer_span(&out), span_of(expected), text);
	buffer_free(&out);
	secrets_free(&secrets);
}

static void test_pieces(void)
{
	masks_pieces("a-secret-1", "xa-secret-1y", 1, "xa-s***y");
	masks_pieces("a-secret-1", "xa-secret-1y", 2, "xa-s***y");
	masks_pieces("a-secret-1", "xa-secret-1y", 3, "xa-***y");
	masks_pieces("a-secret-1", "xa-secret-1y", 5, "x***y");
	masks_pieces("a-secret-1", "xa-secret-1y", 100, "x***y");
	masks_pieces("a-secret-1", "xa-secret-1a-secret-1", 7, "x***a-s***");
	masks_pieces("a-secret%", "a-secret%", 4, "***");
	masks_pieces("a-secret-1", "xa-secret-", 1, "xa-secret-");
	masks_pieces("a-secret-1", "a-sa-secret-1", 1, "a-sa-s***");
	masks_pieces("a-secret-1", "a\\u002dsecret%2D1", 1, "a\\u***");
	masks_pieces("a-secret-1", "\xc3\xa9 a-secret\xc3\xa9", 1, "\xc3\xa9 a-secret\xc3\xa9");
}

static void shows(const char *url, const char *expected)
{
	struct buffer out = {0};

	secrets_show_url(span_of(url), &out);
	unit_same(buffer_span(&out), span_of(expected), url);
	buffer_free(&out);
}

static void test_urls(void)
{
	struct secrets secrets = {0};
	struct buffer text = {0};

	shows("http://host:80/a?b=c#d", "http://host:80/a?b=c#d");
	shows("http://user:pw@host/v1", "http://***@host/v1");
	shows("http://token@host", "http://***@host");
	shows("http://user:p/w?x#y@host/v1", "http://***@host/v1");
	shows("http://host:80/@scope?x=a@b", "http://host:80/@scope?x=a@b");
	shows("http://[::1]/a@b", "http://[::1]/a@b");
	shows("user:pw@host/v1", "***@host/v1");
	shows("http:/user:pw@host/v1", "***@host/v1");
	shows("https://h/?key=1&api-version=2&accessToken=3&x=&sig=#f",
	      "https://h/?key=***&api-version=2&accessToken=***&x=&sig=#f");

	secrets_add_urls(
	    &secrets, SPAN("x http://bob:pass%2Fword@h, https://h?sig=sig%2Fnature&a=not-secret"));
	buffer_add_text(&text, "pass%2Fword pass/word Ym9iOnBhc3Mvd29yZA== sig/nature not-secret");
	secrets_mask_text(&secrets, &text, 0);
	unit_same(buffer_span(&text), SPAN("*** *** *** *** not-secret"), "what URLs contain");
	buffer_free(&text);
	secrets_free(&secrets);
	unit_ok(secrets_has_url(SPAN("a=postgres://bob:pw@host/db")), "a password");
	unit_ok(!secrets_has_url(SPAN("ssh://git@host/a:b http://host:80/@c")), "no password");
}

static void test_names(void)
{
	static const char *const secret[] = {
	    "A_KEY",     "key",           "apiKey",          "PGPASSWORD",
	    "TOKEN",     "SSHPASS_TOKEN", "Passwd",          "CREDENTIALS",
	    "x-api-key", "Cookie",        "SECRETS_DIR",     "DB_PASS",
	    "MYSQL_PWD", "pwd",           "X-Amz-Signature", "Authorization"};
	static const char *const plain[] = {"PWD",         "OLDPWD",     "MONKEY",  "KEYMAP",
					    "MAX_TOKENS",  "PATH",       "COMPASS", "SSH_AUTH_SOCK",
					    "api-version", "TOKENIZERS", ""};

	for (size_t i = 0; i < ARRAY_LEN(secret); i++)
		unit_ok(secrets_is_name(span_of(secret[i])), "%s names a secret", secret[i]);
	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		unit_ok(!secrets_is_name(span_of(plain[i])), "%s does not", plain[i]);
}

int main(void)
{
	test_text();
	test_base64();
	test_json();
	test_pieces();
	test_urls();
	test_names();
	return unit_done();
}

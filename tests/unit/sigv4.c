/*
 * Signature Version 4: AWS's published test suite, and paths such as models' names make.
 */
#include "unit.h"

#include "base/sha256.h"
#include "net/sigv4.h"

static void hash(const char *title, const char *text, size_t times, const char *want)
{
	unsigned char digest[SHA256_BYTES];
	struct buffer bytes = {0}, hex = {0};

	for (size_t i = 0; i < times; i++)
		buffer_add_text(&bytes, text);
	sha256(buffer_span(&bytes), digest);
	sha256_add_hex(digest, &hex);
	unit_same(buffer_span(&hex), span_of(want), title);
	buffer_free(&bytes);
	buffer_free(&hex);
}

/* FIPS 180-4's examples, and every way in which a text can end near a block's end. */
static void hashes(void)
{
	hash("SHA-256 of nothing", "", 0,
	     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	hash("of abc", "abc", 1,
	     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	hash("of 55 bytes", "a", 55,
	     "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
	hash("of 56 bytes", "a", 56,
	     "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a");
	hash("of 64 bytes", "a", 64,
	     "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
	hash("of a million bytes", "a", 1000000,
	     "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void hmac(const char *title, struct span key, const char *text, const char *want)
{
	unsigned char digest[SHA256_BYTES];
	struct buffer hex = {0};

	sha256_hmac(key, span_of(text), digest);
	sha256_add_hex(digest, &hex);
	unit_same(buffer_span(&hex), span_of(want), title);
	buffer_free(&hex);
}

/* RFC 4231's examples. */
static void hmacs(void)
{
	char key[131];

	memset(key, 0xaa, sizeof(key));
	hmac("HMAC with a short key", SPAN("Jefe"), "what do ya want for nothing?",
	     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	hmac("with a key longer than a block", (struct span){key, sizeof(key)},
	     "Test Using Larger Than Block-Size Key - Hash Key First",
	     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

#define SUITE                                                                                      \
	((struct sigv4){.key_id = "AKIDEXAMPLE",                                                   \
			.secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",                      \
			.region = "us-east-1",                                                     \
			.service = "service",                                                      \
			.now = 1440938160})
#define SESSION                                                                                    \
	"AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmx" \
	"fpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0K" \
	"PkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZb" \
	"qBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="

/* `headers` (NULL ends them) stand before the signature's own. */
static void sign(const char *title, struct sigv4 sigv4, const char *method, const char *url,
		 const char *body, const char *const *headers, const char *want)
{
	struct http_request request = {.method = mem_copy(span_of(method)),
				       .url = mem_copy(span_of(url))};

	buffer_add_text(&request.body, body);
	for (; *headers != NULL; headers++)
		http_request_add_header(&request, false, "%s", *headers);
	sigv4_sign(&sigv4, &request);
	unit_same(span_of(request.headers[request.header_count - 1].line), span_of(want), title);
	unit_ok(request.headers[request.header_count - 1].secret, "%s: it is a secret", title);
	http_request_free(&request);
}

#define SIGN(title, sigv4, method, url, body, want, ...)                                           \
	sign(title, sigv4, method, url, body, (const char *const[]){__VA_ARGS__ NULL}, want)
#define CREDENTIAL(names)                                                                          \
	"Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/"       \
	"aws4_request, SignedHeaders=" names ", Signature="

static void suite(void)
{
	struct sigv4 session = SUITE;

	session.token = SESSION;
	SIGN("get-vanilla", SUITE, "GET", "https://example.amazonaws.com/", "",
	     CREDENTIAL("host;x-amz-date") "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae"
					   "1d763fbf31", );
	SIGN("an explicit port that need not be said, no path", SUITE, "GET",
	     "https://example.amazonaws.com:443", "",
	     CREDENTIAL("host;x-amz-date") "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae"
					   "1d763fbf31", );
	SIGN("post-vanilla", SUITE, "POST", "https://example.amazonaws.com/", "",
	     CREDENTIAL("host;x-amz-date") "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e"
					   "92efbe5d6b", );
	SIGN("get-vanilla-query-order-key-case", SUITE, "GET",
	     "https://example.amazonaws.com/?Param2=value2&Param1=value1", "",
	     CREDENTIAL("host;x-amz-date") "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219e"
					   "c94cdf2500", );
	SIGN("post-x-www-form-urlencoded", SUITE, "POST", "https://example.amazonaws.com/",
	     "Param1=value1",
	     CREDENTIAL("content-type;host;x-amz-date") "ff11897932ad3f4e8b18135d722051e5ac45fc384"
							"21b1da7b9d196a0fe09473a",
	     "Content-Type:  application/x-www-form-urlencoded ", "Accept: text/plain", );
	SIGN(
	    "post-sts-header-before", session, "POST", "https://example.amazonaws.com/", "",
	    CREDENTIAL("host;x-amz-date;x-amz-security-token") "85d96828115b5dc0cfc3bd16ad9e210dd"
							       "772bbebba041836c64533a82be05ead", );
	SIGN("get-space: what is not escaped is escaped once", SUITE, "GET",
	     "https://example.amazonaws.com/example space/", "",
	     CREDENTIAL("host;x-amz-date") "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39d"
					   "dec1366741", );
}

/* What is escaped already is escaped once more, unlike libcurl 7.88 has it; computed by Python's
 * hashlib from the rules. */
static void models(void)
{
	SIGN("a model's name with a colon", SUITE, "POST",
	     "https://bedrock-runtime.us-east-1.amazonaws.com/model/"
	     "anthropic.claude-3-haiku-20240307-v1%3A0/converse-stream",
	     "{}",
	     CREDENTIAL("content-type;host;x-amz-date") "6686b87309f4d85a2f6fd984c8aa83676635d80ecf"
							"6023c11090460e12c572ca",
	     "Content-Type: application/json", );
	SIGN("the ARN of a profile", SUITE, "POST",
	     "https://bedrock-runtime.us-east-1.amazonaws.com/model/"
	     "arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aapplication-inference-profile%2Fx/"
	     "converse-stream",
	     "{}",
	     CREDENTIAL("content-type;host;x-amz-date") "05adc2a8e4a9c963095c0a4b762909b193f97e3644"
							"541245d8eb0faf29ff11b5",
	     "Content-Type: application/json", );
}

int main(void)
{
	models();
	hashes();
	hmacs();
	suite();
	return unit_done();
}

/* ndjson: lines from pieces of any size. */
#include "unit.h"

#include "net/ndjson.h"
#include "net/limits.h"

static void log_line(void *context, struct span line)
{
	struct buffer *log = context;

	buffer_add_char(log, '[');
	buffer_add_span(log, line);
	buffer_add_char(log, ']');
}

/* Feed copies, so that a sanitizer sees a span that outlives its bytes. */
static void feed_copy(struct ndjson *ndjson, struct span piece)
{
	char *copy = mem_copy(piece);

	ndjson_feed(ndjson, (struct span){copy, piece.len});
	free(copy);
}

static bool passes(struct span input, const char *want, size_t first, size_t second)
{
	struct buffer log = {0};
	struct ndjson ndjson;
	bool same;

	ndjson_init(&ndjson, log_line, &log);
	feed_copy(&ndjson, (struct span){input.at, first});
	feed_copy(&ndjson, (struct span){input.at + first, second - first});
	feed_copy(&ndjson, span_from(input, second));
	ndjson_end(&ndjson);
	ndjson_end(&ndjson);
	same = span_is(buffer_span(&log), want);
	if (!same)
		printf("# got:  %s\n# want: %s\n", buffer_string(&log), want);
	ndjson_free(&ndjson);
	buffer_free(&log);
	return same;
}

static void test(const char *input, const char *want)
{
	size_t len = strlen(input);
	bool passed = true;

	for (size_t first = 0; first <= len; first++)
		for (size_t second = first; second <= len; second++)
			passed = passed && passes(span_of(input), want, first, second);
	unit_ok(passed, "%s, cut anywhere", want);
}

static struct span delivered;

static void keep_span(void *context, struct span line)
{
	(void)context;
	delivered = line;
}

static void test_in_place(void)
{
	static const char text[] = "{}\n";
	struct ndjson ndjson;

	ndjson_init(&ndjson, keep_span, NULL);
	ndjson_feed(&ndjson, span_of(text));
	unit_ok(delivered.at == text && ndjson.pending.cap == 0,
		"a whole line is delivered where it was fed, without a copy");
	ndjson_free(&ndjson);
}

static void test_longest_line(void)
{
	enum { PIECE = 1024 * 1024 };
	char *piece = mem_alloc(PIECE);
	struct buffer log = {0};
	struct ndjson ndjson;
	int taken = 0;

	memset(piece, '1', PIECE);
	ndjson_init(&ndjson, log_line, &log);
	ndjson_feed(&ndjson, SPAN("1\n"));
	while (taken < 100 && ndjson_feed(&ndjson, (struct span){piece, PIECE}))
		taken++;
	unit_ok(taken == NET_MAX_LINE / PIECE, "a line longer than NET_MAX_LINE is refused");
	unit_same(buffer_span(&log), SPAN("[1]"), "what came before it is delivered");
	ndjson_free(&ndjson);
	buffer_free(&log);
	free(piece);
}

int main(void)
{
	test("", "");
	test("{\"a\":1}\n{\"b\":2}\n", "[{\"a\":1}][{\"b\":2}]");
	test("{\"a\":1}\r\n{\"b\":2}\r\n", "[{\"a\":1}][{\"b\":2}]");
	test("\n\r\n  \n\t\n1\n\n\n2", "[1][2]");
	test("1\n{\"a\":", "[1][{\"a\":]");
	test("1\r", "[1]");
	test(" 1 \n", "[ 1 ]");
	test_in_place();
	test_longest_line();
	return unit_done();
}

/* sse: every conformance case, whole and cut at any place, and what the parser promises besides. */
#include "unit.h"

#include "base/utf8.h"
#include "net/limits.h"
#include "net/sse.h"

/* One line "TYPE|DATA|ID" an event; the parser passes invalid UTF-8 on, the cases have it repaired.
 */
static void log_event(void *context, const struct sse_event *event)
{
	struct buffer *log = context;

	utf8_add(log, event->type);
	buffer_add_char(log, '|');
	utf8_add(log, event->data);
	buffer_add_char(log, '|');
	utf8_add(log, event->id);
	buffer_add_char(log, '\n');
}

/* The two deliberate differences, by name: what these cases deliver beyond the expectation. By
 * rule: an event that the end of the stream leaves open is delivered; so is a field "error". */
static struct difference {
	const char *name, *event;
	bool seen;
} differences[] = {
    {"wpt-data-before-final-empty-line", "message|test2|test\n", false},
    {"spec-example-2", "message| third event|\n", false},
    {"spec-example-3", "message||\n", false},
    {"mixed-comments", "message|5|\n", false},
    {"llm-unterminated-done", "message|[DONE]|\n", false},
    {"llm-unterminated-done-one-nl", "message|[DONE]|\n", false},
    {"llm-error-field", "error|{\"error\":{\"message\":\"failed to decode\"}}|\n", false},
};

enum { DIFFERENCES = sizeof differences / sizeof *differences };

static void add_difference(struct span name, struct buffer *want)
{
	for (int i = 0; i < DIFFERENCES; i++)
		if (json_is(name, differences[i].name)) {
			buffer_add_text(want, differences[i].event);
			differences[i].seen = true;
		}
}

struct test_case {
	struct buffer input, want;
	int64_t retry;
};

static void read_case(struct span line, struct test_case *test)
{
	struct json_walk walk = json_walk(json_get(line, "expected"));

	unit_base64(json_plain(json_get(line, "input")), &test->input);
	test->retry = json_int(json_get(line, "retry"), -1);
	while (json_next(&walk)) {
		json_decode(json_get(walk.value, "event"), &test->want);
		buffer_add_char(&test->want, '|');
		json_decode(json_get(walk.value, "data"), &test->want);
		buffer_add_char(&test->want, '|');
		json_decode(json_get(walk.value, "id"), &test->want);
		buffer_add_char(&test->want, '\n');
	}
	add_difference(json_get(line, "name"), &test->want);
}

/* Feed a copy of exactly these bytes, so that a sanitizer sees a span that outlives them. */
static bool feed_copy(struct sse *sse, struct span piece)
{
	char *copy = mem_alloc(piece.len);
	bool fits;

	if (piece.len > 0)
		memcpy(copy, piece.at, piece.len);
	fits = sse_feed(sse, (struct span){copy, piece.len});
	free(copy);
	return fits;
}

/* How long the next piece is, of `left` bytes; `state` is the way of cutting's own. */
typedef size_t cut(size_t left, size_t *state);

static size_t cut_nowhere(size_t left, size_t *state)
{
	(void)state;
	return left;
}

static size_t cut_once(size_t left, size_t *state)
{
	size_t piece = *state < left ? *state : left;

	*state = left;
	return piece;
}

static size_t cut_equally(size_t left, size_t *state)
{
	return *state < left ? *state : left;
}

static size_t cut_randomly(size_t left, size_t *state)
{
	size_t piece;

	*state = *state * 1103515245 + 12345;
	piece = (*state >> 16) % 7;
	return piece < left ? piece : left;
}

static bool passes(const struct test_case *test, cut *next, size_t state)
{
	struct buffer log = {0};
	struct span left = buffer_span(&test->input);
	struct sse sse;
	bool same, fits = true;

	sse_init(&sse, log_event, &log);
	while (left.len > 0) {
		size_t piece = next(left.len, &state);

		fits = feed_copy(&sse, (struct span){left.at, piece}) && fits;
		left = span_from(left, piece);
	}
	sse_end(&sse);
	same = fits && span_equal(buffer_span(&log), buffer_span(&test->want)) &&
	       sse.retry == test->retry;
	if (!same && log.len + test->want.len < 1000)
		printf("# got:  %.*s\n# want: %.*s\n# retry %d, want %d\n",
		       SPAN_ARG(buffer_span(&log)), SPAN_ARG(buffer_span(&test->want)),
		       (int)sse.retry, (int)test->retry);
	sse_free(&sse);
	buffer_free(&log);
	return same;
}

/* Cut in two at every place; of long input at the places near its ends and at 100 others. */
static bool passes_cut_in_two(const struct test_case *test)
{
	size_t len = test->input.len, step = len / 100 + 1;

	for (size_t at = 0; at <= len; at += len < 600 || at < 100 || at + 100 > len ? 1 : step)
		if (!passes(test, cut_once, at))
			return false;
	return true;
}

static void test_case(struct span line)
{
	struct test_case test = {0};
	struct buffer name = {0};
	bool passed;

	json_decode(json_get(line, "name"), &name);
	read_case(line, &test);
	passed = passes(&test, cut_nowhere, 0) && passes_cut_in_two(&test) &&
		 passes(&test, cut_equally, 1) && passes(&test, cut_equally, 2) &&
		 passes(&test, cut_equally, 3) && passes(&test, cut_equally, 64) &&
		 passes(&test, cut_randomly, 1) && passes(&test, cut_randomly, 2);
	unit_ok(passed, "%s", buffer_string(&name));
	buffer_free(&name);
	buffer_free(&test.input);
	buffer_free(&test.want);
}

static void test_cases(void)
{
	struct buffer file = {0};
	struct span text, line;
	int count = 0;

	unit_read("tests/data/sse/cases.jsonl", &file);
	text = buffer_span(&file);
	while ((line = unit_line(&text)).at != NULL) {
		test_case(line);
		count++;
	}
	unit_ok(count == 143, "all 143 cases were read");
	for (int i = 0; i < DIFFERENCES; i++)
		unit_ok(differences[i].seen, "%s is one of them", differences[i].name);
	buffer_free(&file);
}

static void test_stream(const char *stream, const char *want, const char *name)
{
	struct test_case test = {.retry = -1};
	bool passed;

	buffer_add_text(&test.input, stream);
	buffer_add_text(&test.want, want);
	passed = passes_cut_in_two(&test) && passes(&test, cut_equally, 1);
	unit_ok(passed, "%s", name);
	buffer_free(&test.input);
	buffer_free(&test.want);
}

static void test_own_rules(void)
{
	test_stream("event: a\ndata: x\nerror: y\ndata: z\n\n", "a|x|\nerror|y|\nmessage|z|\n",
		    "an error field comes after the data before it, as an event of its own");
	test_stream("event: a\nerror: y\ndata: z\n\n", "error|y|\na|z|\n",
		    "an error field leaves the type to the event it stands in");
	test_stream("error: {\"detail\":1}", "error|{\"detail\":1}|\n",
		    "an error field is delivered although the stream ends in it");
	test_stream("error\n\n", "error||\n", "an error field without a value is an error");
	test_stream("errors: x\n\n", "", "other fields are ignored");
	test_stream("id: 7\nevent: t\ndata: a\ndata: b", "t|a\nb|7\n",
		    "an event left open keeps its type, id and lines");
	test_stream("event: t\nid: 7\n", "", "an event left open without data is none");
	test_stream("\xEF\xBB", "", "half a byte order mark is nothing");
	test_stream("\xEF\xBB"
		    "data: x\n\n",
		    "", "half a byte order mark belongs to the line");
	test_stream("\r\n\r\ndata: x\r\n\r\n", "message|x|\n", "blank lines may come first");
}

static void test_retry(void)
{
	static const struct {
		const char *stream;
		int64_t retry;
	} cases[] = {
	    {"retry: 10\n", 10},  {"retry: 10", 10},
	    {"retry: -1\n", -1},  {"retry: 1.5\n", -1},
	    {"retry: 10 \n", -1}, {"retry: 99999999999999999999999999\n", 999999999999999999},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buffer log = {0};
		struct sse sse;

		sse_init(&sse, log_event, &log);
		feed_copy(&sse, span_of(cases[i].stream));
		sse_end(&sse);
		unit_ok(sse.retry == cases[i].retry, "%.30s", cases[i].stream);
		sse_free(&sse);
		buffer_free(&log);
	}
}

static struct span delivered;

static void keep_span(void *context, const struct sse_event *event)
{
	(void)context;
	delivered = event->data;
}

static void test_in_place(void)
{
	static const char stream[] = "data: hello\n\n";
	struct sse sse;

	sse_init(&sse, keep_span, NULL);
	sse_feed(&sse, span_of(stream));
	unit_ok(delivered.at == stream + 6 && delivered.len == 5 && sse.data.cap == 0 &&
		    sse.line.cap == 0,
		"a data line is delivered where it was fed, without a copy");
	sse_free(&sse);
}

static void test_longest_line(void)
{
	enum { PIECE = 1024 * 1024 };
	char *piece = mem_alloc(PIECE);
	struct buffer log = {0};
	struct sse sse;
	int taken = 0;

	memset(piece, 'x', PIECE);
	sse_init(&sse, log_event, &log);
	sse_feed(&sse, SPAN("data: 1\n\ndata: "));
	while (taken < 100 && sse_feed(&sse, (struct span){piece, PIECE}))
		taken++;
	unit_ok(taken == NET_MAX_LINE / PIECE - 1, "a line longer than NET_MAX_LINE is refused");
	unit_same(buffer_span(&log), SPAN("message|1|\n"), "what came before it is delivered");
	sse_free(&sse);
	sse_init(&sse, log_event, &log);
	for (taken = 0; taken < 100; taken++)
		if (!sse_feed(&sse, SPAN("data: ")) ||
		    !sse_feed(&sse, (struct span){piece, PIECE}) || !sse_feed(&sse, SPAN("\n")))
			break;
	unit_ok(taken == NET_MAX_LINE / PIECE - 1, "an event longer than NET_MAX_LINE is refused");
	sse_free(&sse);
	buffer_free(&log);
	free(piece);
}

int main(void)
{
	test_cases();
	test_own_rules();
	test_retry();
	test_in_place();
	test_longest_line();
	return unit_done();
}

/* event_read: the envelope of lines in the usual form, and of all others. */
#include "event/event.h"
#include "unit.h"

#define RUN  "0193a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b"
#define TIME "2026-11-20T22:49:01.123456Z"
#define HEAD "{\"event_type\":\"llm_chunk\",\"timestamp\":\"" TIME "\",\"run_id\":\"" RUN "\","

static void reads(const char *name, const char *line, const char *type, int64_t seq,
		  const char *data)
{
	struct event event;
	struct json_fault fault;

	if (!unit_ok(event_read(span_of(line), &event, &fault), "%s: is an event", name))
		return;
	unit_same(event.type_name, span_of(type), "its type");
	unit_ok(event.seq == seq, "its seq is %lld", (long long)seq);
	unit_same(event.data, span_of(data), "its data");
	unit_same(event.line, span_of(line), "its line");
}

static void fails(const char *name, const char *line, const char *what, size_t offset)
{
	struct event event;
	struct json_fault fault = {0};

	unit_ok(!event_read(span_of(line), &event, &fault), "%s: is none", name);
	unit_same(span_of(fault.what), span_of(what), "why");
	unit_ok(fault.offset == offset, "where: %zu", fault.offset);
}

static void test_usual(void)
{
	struct event event;
	struct json_fault fault;

	reads("usual", HEAD "\"seq\":12,\"data\":{\"text\":\"a\"}}", "llm_chunk", 12,
	      "{\"text\":\"a\"}");
	reads("empty data", HEAD "\"seq\":0,\"data\":{}}", "llm_chunk", 0, "{}");
	reads("the largest seq", HEAD "\"seq\":999999999999999999,\"data\":{}}", "llm_chunk",
	      999999999999999999, "{}");
	event_read(span_of(HEAD "\"seq\":12,\"data\":{}}"), &event, &fault);
	unit_same(event.timestamp, SPAN(TIME), "the timestamp");
	unit_same(event.run_id, SPAN(RUN), "the run");
}

static void test_unusual(void)
{
	reads("spaces", " " HEAD " \"seq\" : 3 , \"data\" : {\"a\": 1} } ", "llm_chunk", 3,
	      "{\"a\": 1}");
	reads("a space behind the data", HEAD "\"seq\":3,\"data\":{} }", "llm_chunk", 3, "{}");
	reads("a key behind the data", HEAD "\"seq\":3,\"data\":{\"a\":{}},\"x\":{\"y\":{}}}",
	      "llm_chunk", 3, "{\"a\":{}}");
	reads("data first", "{\"data\":{},\"event_type\":\"x\"}", "x", -1, "{}");
	reads("an escape in the type", "{\"event_type\":\"a\\u0062\",\"data\":{}}", "", -1, "{}");
	reads("a large seq", HEAD "\"seq\":9999999999999999999,\"data\":{}}", "llm_chunk",
	      INT64_MAX, "{}");
	reads("a fraction as seq", HEAD "\"seq\":1.5,\"data\":{}}", "llm_chunk", 1, "{}");
	reads("an object without any of it", "{}", "", -1, NULL);
}

static void test_faults(void)
{
	size_t head = strlen(HEAD);

	fails("a seq with a leading zero", HEAD "\"seq\":01,\"data\":{}}", "',' or '}' is missing",
	      head + 7);
	fails("broken data", HEAD "\"seq\":1,\"data\":{\"a\":}}", "a value is missing", head + 20);
	fails("two values as data", HEAD "\"seq\":1,\"data\":{}{}}", "',' or '}' is missing",
	      head + 17);
	fails("a line that is cut", HEAD "\"seq\":1,\"data\":{\"a\":{}}", "unexpected end of text",
	      head + 23);
	fails("an array", "[1]", "not a JSON object", 0);
	fails("invalid UTF-8 in the run",
	      "{\"event_type\":\"a\",\"timestamp\":\"b\",\"run_id\":\"\xFF\"}", "invalid UTF-8",
	      44);
	fails("nothing", "", "unexpected end of text", 0);
}

/* What is nested as deep as JSON may be, and one deeper, in a line of the usual form. */
static void test_depth(void)
{
	for (int deep = JSON_MAX_DEPTH; deep <= JSON_MAX_DEPTH + 1; deep++) {
		struct buffer line = {0};
		struct event event;
		struct json_fault fault;
		bool fits = deep == JSON_MAX_DEPTH;

		buffer_add_text(&line, HEAD "\"seq\":1,\"data\":{\"a\":");
		for (int i = 0; i < deep - 2; i++)
			buffer_add_char(&line, '[');
		for (int i = 0; i < deep - 2; i++)
			buffer_add_char(&line, ']');
		buffer_add_text(&line, "}}");
		unit_ok(json_check(buffer_span(&line), NULL) == fits, "%d deep: JSON: %d", deep,
			fits);
		unit_ok(event_read(buffer_span(&line), &event, &fault) == fits,
			"%d deep: an event: %d", deep, fits);
		buffer_free(&line);
	}
}

/* The decoded text of an event. */
static void has_text(const char *name, const char *line, const char *want)
{
	struct buffer text = {0};
	struct event event;
	struct json_fault fault;

	if (unit_ok(event_read(span_of(line), &event, &fault), "%s: is an event", name)) {
		event_add_text(&event, &text);
		unit_same(buffer_span(&text), span_of(want), "its text");
	}
	buffer_free(&text);
}

/* The part to which the text of a chunk with these data belongs. */
static void has_part(const char *data, int64_t want)
{
	char *line = mem_format(HEAD "\"seq\":1,\"data\":%s}", data);
	struct event event;

	unit_ok(event_read(span_of(line), &event, NULL) && event_part(&event) == want,
		"%s: part %d", data, (int)want);
	free(line);
}

static void test_parts(void)
{
	has_part("{\"text\":\"a\"}", 0);
	has_part("{\"text\":\"a\\n\"}", 0);
	has_part("{\"text\":\"a\",\"part\":12}", 12);
	has_part("{\"text\":\"a\\n\",\"part\":1}", 1);
	has_part("{\"text\":\"a\", \"part\":2}", 2);
	has_part("{\"text\":\"a\",\"part\":2,\"x\":1}", 2);
	has_part("{\"text\":\"a\",\"part\":\"1\"}", 0);
	has_part("{\"part\":3,\"text\":\"a\"}", 3);
	has_text("a text with a part", HEAD "\"seq\":1,\"data\":{\"text\":\"a\",\"part\":1}}", "a");
	fails("a part with a leading zero", HEAD "\"seq\":1,\"data\":{\"text\":\"a\",\"part\":01}}",
	      "',' or '}' is missing", strlen(HEAD) + 35);
}

/* Lines whose envelope differs from the usual form in one place are read as any other. */
static void test_almost_usual(void)
{
	struct event event;
	struct json_fault fault;

	reads("a short timestamp",
	      "{\"event_type\":\"x\",\"timestamp\":\"2026\",\"run_id\":\"" RUN
	      "\",\"seq\":1,\"data\":{}}",
	      "x", 1, "{}");
	reads(
	    "a quote where the timestamp goes on",
	    "{\"event_type\":\"x\",\"timestamp\":\"2026\",\"a\":\"4567890123456\",\"run_id\":\"" RUN
	    "\",\"seq\":1,\"data\":{}}",
	    "x", 1, "{}");
	event_read(span_of("{\"event_type\":\"x\",\"timestamp\":\"" TIME
			   "\",\"run_id\":\"r\",\"seq\":7,\"data\":{\"text\":\"a\"}}"),
		   &event, &fault);
	unit_same(event.run_id, SPAN("r"), "a run id that is no UUID");
	has_text("a run id that is no UUID",
		 "{\"event_type\":\"x\",\"timestamp\":\"" TIME
		 "\",\"run_id\":\"r\",\"seq\":7,\"data\":{\"text\":\"a\"}}",
		 "a");
	has_text("plain text", HEAD "\"seq\":1,\"data\":{\"text\":\"größer\"}}", "größer");
	has_text("no text", HEAD "\"seq\":1,\"data\":{\"text\":\"\"}}", "");
	has_text("a text with an escape", HEAD "\"seq\":1,\"data\":{\"text\":\"a\\n\"}}", "a\n");
	has_text("one behind which something stands",
		 HEAD "\"seq\":1,\"data\":{\"text\":\"a\",\"x\":1}}", "a");
	has_text("one before which something stands",
		 HEAD "\"seq\":1,\"data\":{\"x\":\"\",\"text\":\"b\"}}", "b");
	has_text("a text that is none", HEAD "\"seq\":1,\"data\":{\"text\":7}}", "");
	fails("invalid UTF-8 in a text", HEAD "\"seq\":1,\"data\":{\"text\":\"\xC3\"}}",
	      "invalid UTF-8", strlen(HEAD) + 24);
	fails("a control character in a text", HEAD "\"seq\":1,\"data\":{\"text\":\"\t\"}}",
	      "control character in a string", strlen(HEAD) + 24);
}

/* Lines that a crash has damaged. */
static void test_damaged(void)
{
	static const char whole[] = HEAD "\"seq\":12,\"data\":{\"text\":\"a\"}}";
	struct buffer text = {0};
	struct event event;
	size_t nuls = 0;

	unit_same(event_trim(SPAN("\0\0 a\0b \0"), &nuls), SPAN("a\0b"), "NUL bytes around a line");
	unit_ok(nuls == 3, "are counted");
	unit_same(event_trim(SPAN(" \0 "), &nuls), SPAN(""), "nothing else");
	for (size_t i = 0; i < sizeof(whole); i++) {
		bool has_id = event_head((struct span){whole, i}, &event);

		if (has_id != (i >= strlen(HEAD) + 6))
			unit_ok(false, "the head of %zu bytes", i);
	}
	unit_ok(event_head(SPAN(HEAD "\"seq\":12,"), &event) && event.seq == 12, "a head with seq");
	unit_same(event.run_id, SPAN(RUN), "and a run");
	unit_ok(event_head(SPAN(HEAD "\"seq\":12"), &event) && event.seq == -1,
		"more digits of seq may be missing");
	buffer_add_format(&text, "{\"event_type\":\"x%s", whole);
	unit_same(event_tail(buffer_span(&text)), SPAN(whole), "the event behind a torn one");
	unit_ok(event_tail(SPAN(whole)).at == NULL, "a whole line has none behind it");
	text.len--;
	unit_ok(event_tail(buffer_span(&text)).at == NULL, "nor have two torn ones");
	buffer_free(&text);
}

int main(void)
{
	test_damaged();
	test_parts();
	test_almost_usual();
	test_depth();
	test_usual();
	test_unusual();
	test_faults();
	return unit_done();
}

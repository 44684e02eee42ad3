/* lib/event/shorten: events that readers would refuse. */
#include "event/shorten.h"
#include "event/event.h"
#include "unit.h"

#define HEAD "{\"event_type\":\"x\",\"data\":"

/* The event with these members of data, after event_shorten; the first line stays. */
static void shorten(const char *members, char byte, size_t count, const char *end,
		    struct buffer *line)
{
	size_t start;

	buffer_clear(line);
	buffer_add_text(line, "first\n");
	start = line->len;
	buffer_add_text(line, HEAD "{");
	buffer_add_text(line, members);
	for (size_t i = 0; i < count; i++)
		buffer_add_char(line, byte);
	buffer_add_text(line, end);
	event_shorten(line, start, start + strlen(HEAD));
	buffer_add_text(line, "}}");
	unit_ok(span_starts(buffer_span(line), "first\n"), "the line before stays");
	buffer_drop(line, start);
	unit_ok(line->len <= EVENT_MAX_LINE && json_check(buffer_span(line), NULL),
		"%zu bytes: an event", count);
}

static struct span data_of(const struct buffer *line, const char *key)
{
	return json_get(json_get(buffer_span(line), "data"), key);
}

static void test_strings(void)
{
	struct buffer line = {0}, text = {0};

	shorten("\"a\":1,\"text\":\"", 'x', 1000, "\"", &line);
	unit_ok(data_of(&line, "truncated").at == NULL, "a short event stays as it is");
	shorten("\"a\":1.10,\"text\":\"", 'x', EVENT_MAX_LINE, "\",\"b\":[\"c\",\"d\"]", &line);
	unit_ok(json_true(data_of(&line, "truncated")), "a long one is marked");
	unit_same(data_of(&line, "a"), SPAN("1.10"), "other members keep their bytes");
	unit_same(data_of(&line, "b"), SPAN("[\"c\",\"d\"]"), "arrays too");
	unit_ok(data_of(&line, "text").len > 1 << 20, "the string is cut");
	shorten("\"args\":{\"n\":2,\"s\":\"", 'x', EVENT_MAX_LINE, "\",\"t\":[\"u\"]}", &line);
	unit_same(json_path(data_of(&line, "args"), "t.0"), SPAN("\"u\""), "a string inside");
	unit_same(json_path(data_of(&line, "args"), "n"), SPAN("2"), "beside a number");
	shorten("\"text\":\"", '\x7f', EVENT_MAX_LINE, "\xc3\xa9\"", &line);
	unit_ok(json_decode(data_of(&line, "text"), &text), "it is a string");
	shorten("\"truncated\":true,\"text\":\"", 'x', EVENT_MAX_LINE, "\"", &line);
	unit_ok(json_count(json_get(buffer_span(&line), "data")) == 2, "a mark is not repeated");
	buffer_free(&text);
	buffer_free(&line);
}

static void test_others(void)
{
	struct buffer line = {0}, many = {0};

	shorten("\"n\":1", '0', EVENT_MAX_LINE, ",\"b\":2", &line);
	unit_same(data_of(&line, "n"), SPAN("null"), "a long number is left out");
	unit_same(data_of(&line, "b"), SPAN("2"), "what follows stays");
	buffer_add_text(&many, "\"list\":[1");
	while (many.len <= EVENT_MAX_LINE)
		buffer_add_text(&many, ",\"many short strings\"");
	buffer_add_text(&many, "],\"b\":2");
	shorten(buffer_string(&many), ' ', 1, "", &line);
	unit_same(data_of(&line, "list"), SPAN("null"), "so is a list of many short strings");
	unit_same(data_of(&line, "b"), SPAN("2"), "what follows stays");
	buffer_free(&many);
	buffer_free(&line);
}

int main(void)
{
	test_strings();
	test_others();
	return unit_done();
}

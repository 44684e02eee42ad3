#include "json/decimal.h"
#include "schema/pattern.h"
#include "schema/schema.h"
#include "unit.h"

/* tests/data/schema/cases.json: [{schema, valid: [value...], invalid: [[value, why]...]}] */
static void test_cases(void)
{
	struct buffer file = {0}, why = {0}, want = {0};
	struct json_walk cases;

	unit_read("tests/data/schema/cases.json", &file);
	unit_ok(json_check(buffer_span(&file), NULL), "the cases are JSON");
	cases = json_walk(json_trim(buffer_span(&file)));
	while (json_next(&cases)) {
		struct span schema = json_get(cases.value, "schema");
		struct json_walk valid = json_walk(json_get(cases.value, "valid"));
		struct json_walk invalid = json_walk(json_get(cases.value, "invalid"));

		while (json_next(&valid)) {
			buffer_clear(&why);
			unit_ok(schema_check(schema, valid.value, &why) && why.len == 0,
				"%.*s takes %.*s %.*s", SPAN_ARG(schema), SPAN_ARG(valid.value),
				SPAN_ARG(buffer_span(&why)));
		}
		while (json_next(&invalid)) {
			struct span value = json_path(invalid.value, "0");

			buffer_clear(&why);
			buffer_clear(&want);
			json_decode(json_path(invalid.value, "1"), &want);
			unit_ok(!schema_check(schema, value, &why), "%.*s refuses %.*s",
				SPAN_ARG(schema), SPAN_ARG(value));
			unit_same(buffer_span(&why), buffer_span(&want), "and says why");
			unit_ok(!schema_check(schema, value, NULL), "or does not, when not asked");
		}
	}
	buffer_free(&file);
	buffer_free(&why);
	buffer_free(&want);
}

/* tests/data/schema/examples.json: [{schema, example}] */
static void test_examples(void)
{
	struct buffer file = {0}, got = {0}, want = {0};
	struct json_walk cases;

	unit_read("tests/data/schema/examples.json", &file);
	unit_ok(json_check(buffer_span(&file), NULL), "the examples are JSON");
	cases = json_walk(json_trim(buffer_span(&file)));
	while (json_next(&cases)) {
		struct span schema = json_get(cases.value, "schema");
		bool good;

		buffer_clear(&got);
		buffer_clear(&want);
		good = schema_example(schema, &got);
		json_write_compact(&want, json_get(cases.value, "example"));
		unit_ok(good && schema_check(schema, buffer_span(&got), NULL),
			"an example that satisfies %.*s", SPAN_ARG(schema));
		unit_same(buffer_span(&got), buffer_span(&want), "namely");
	}
	buffer_free(&file);
	buffer_free(&got);
	buffer_free(&want);
}

static void test_hard(void)
{
	struct buffer schema = {0}, value = {0}, why = {0};

	buffer_clear(&why);
	/* Two alternatives at each of 40 levels: 2^40 ways. */
	buffer_add_text(&schema, "{\"$ref\":\"#/$defs/d0\",\"$defs\":{");
	for (int i = 0; i < 40; i++)
		buffer_add_format(&schema,
				  "\"d%d\":{\"allOf\":[{\"$ref\":\"#/$defs/d%d\"},{\"$ref\":"
				  "\"#/$defs/d%d\"}]},",
				  i, i + 1, i + 1);
	buffer_add_text(&schema, "\"d40\":{}}}");
	unit_ok(!schema_check(buffer_span(&schema), SPAN("1"), &why), "too much work is refused");
	unit_ok(span_starts(buffer_span(&why), "the schema is too complex to check"),
		"and says so");
	buffer_clear(&schema);
	buffer_clear(&why);
	/* A chain of references longer than any stack. */
	buffer_add_text(&schema, "{\"$ref\":\"#/$defs/d0\",\"$defs\":{");
	for (int i = 0; i < 5000; i++)
		buffer_add_format(&schema, "\"d%d\":{\"$ref\":\"#/$defs/d%d\"},", i, i + 1);
	buffer_add_text(&schema, "\"d5000\":{}}}");
	unit_ok(!schema_check(buffer_span(&schema), SPAN("1"), &why), "too deep is refused");
	buffer_clear(&schema);
	buffer_add_text(&schema, "{\"items\":{\"$ref\":\"#\"},\"type\":\"array\"}");
	for (int i = 0; i < 500; i++)
		buffer_add_char(&value, '[');
	for (int i = 0; i < 500; i++)
		buffer_add_char(&value, ']');
	unit_ok(schema_check(buffer_span(&schema), buffer_span(&value), NULL),
		"values may be as deep as JSON may");
	buffer_clear(&schema);
	buffer_add_text(&schema, "{\"type\":\"object\",\"properties\":{\"x\":{\"$ref\":\"#\"}},"
				 "\"required\":[\"x\"]}");
	buffer_clear(&value);
	unit_ok(!schema_example(buffer_span(&schema), &value),
		"of an endless schema there is no example");
	buffer_free(&schema);
	buffer_free(&value);
	buffer_free(&why);
}

static void order(const char *a, const char *b, int want)
{
	int got = decimal_compare(span_of(a), span_of(b));

	unit_ok((got > 0) - (got < 0) == want && decimal_compare(span_of(b), span_of(a)) == -got,
		"%s %s %s", a,
		want < 0   ? "<"
		: want > 0 ? ">"
			   : "=",
		b);
}

static void test_decimals(void)
{
	order("1", "1.0", 0);
	order("10", "1e1", 0);
	order("0.1", "1E-1", 0);
	order("-0", "0.000e5", 0);
	order("1", "2", -1);
	order("-1", "1", -1);
	order("-1", "-2", 1);
	order("0", "-5", 1);
	order("0.001", "0.0011", -1);
	order("123.456", "123.4560000000000000000001", -1);
	order("9223372036854775807", "9223372036854775808", -1);
	order("1e1000000000000000000000", "1e5", 1);
	order("1e-1000000000000000000000", "0", 1);
	order("100", "99.99", 1);
	unit_ok(decimal_is_integer(SPAN("1.50e1")) && !decimal_is_integer(SPAN("1.55e1")) &&
		    decimal_is_integer(SPAN("0.0")) && decimal_is_integer(SPAN("1e99999999999999")),
		"integers are known by their value");
	unit_ok(decimal_is_multiple(SPAN("1e1000"), SPAN("3")) == false &&
		    decimal_is_multiple(SPAN("9e1000"), SPAN("3")) &&
		    decimal_is_multiple(SPAN("0.3"), SPAN("0.1")) &&
		    decimal_is_multiple(SPAN("1"), SPAN("0.2")) &&
		    !decimal_is_multiple(SPAN("1"), SPAN("0.3")) &&
		    !decimal_is_multiple(SPAN("0.1"), SPAN("0.2")) &&
		    decimal_is_multiple(SPAN("12345678901234567890"), SPAN("10")),
		"multiples are exact");
}

int main(void)
{
	test_cases();
	test_examples();
	test_hard();
	test_decimals();
	return unit_done();
}

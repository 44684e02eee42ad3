#include "json/decimal.h"
#include "schema/document.h"
#include "schema/schema.h"
#include "unit.h"

static struct schema *compiled(struct span text)
{
	struct error e = {0};
	struct schema *schema = schema_compile(text, NULL, &e);

	unit_ok(schema != NULL, "%.*s is a schema %s", SPAN_ARG(text),
		e.message != NULL ? e.message : "");
	error_clear(&e);
	return schema != NULL ? schema : schema_compile(SPAN("true"), NULL, NULL);
}

/* tests/data/schema/cases.json: [{schema, valid: [value...], invalid: [[value, why]...]}] */
static void test_cases(void)
{
	struct buffer file = {0}, why = {0}, want = {0};
	struct json_walk cases;

	unit_read("tests/data/schema/cases.json", &file);
	unit_ok(json_check(buffer_span(&file), NULL), "the cases are JSON");
	cases = json_walk(json_trim(buffer_span(&file)));
	while (json_next(&cases)) {
		struct span text = json_get(cases.value, "schema");
		struct schema *schema = compiled(text);
		struct json_walk valid = json_walk(json_get(cases.value, "valid"));
		struct json_walk invalid = json_walk(json_get(cases.value, "invalid"));

		while (json_next(&valid)) {
			buffer_clear(&why);
			unit_ok(schema_check(schema, valid.value, &why) && why.len == 0,
				"%.*s takes %.*s %.*s", SPAN_ARG(text), SPAN_ARG(valid.value),
				SPAN_ARG(buffer_span(&why)));
		}
		while (json_next(&invalid)) {
			struct span value = json_path(invalid.value, "0");

			buffer_clear(&why);
			buffer_clear(&want);
			json_decode(json_path(invalid.value, "1"), &want);
			unit_ok(!schema_check(schema, value, &why), "%.*s refuses %.*s",
				SPAN_ARG(text), SPAN_ARG(value));
			unit_same(buffer_span(&why), buffer_span(&want), "and says why");
			unit_ok(!schema_check(schema, value, NULL), "or does not, when not asked");
		}
		schema_free(schema);
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
		struct span text = json_get(cases.value, "schema");
		struct schema *schema = compiled(text);
		bool good;

		buffer_clear(&got);
		buffer_clear(&want);
		good = schema_example(schema, &got);
		json_write_compact(&want, json_get(cases.value, "example"));
		unit_ok(good && schema_check(schema, buffer_span(&got), NULL),
			"an example that satisfies %.*s", SPAN_ARG(text));
		unit_same(buffer_span(&got), buffer_span(&want), "namely");
		schema_free(schema);
	}
	buffer_free(&file);
	buffer_free(&got);
	buffer_free(&want);
}

/* Check `value` against `schema` and compare what is wrong. */
static void check(const char *what, struct span schema_text, struct span value, const char *want)
{
	struct schema *schema = compiled(schema_text);
	struct buffer why = {0};
	bool good = schema_check(schema, value, &why);

	unit_ok(good == (*want == '\0'), "%s", what);
	unit_same(buffer_span(&why), span_of(want), what);
	unit_ok(schema_check(schema, value, NULL) == good, "the same without a reason");
	buffer_free(&why);
	schema_free(schema);
}

/* Two alternatives at each of 40 levels: 2^40 ways to one place. */
static void test_many_ways(void)
{
	struct buffer schema = {0};

	buffer_add_text(&schema, "{\"$ref\":\"#/$defs/d0\",\"$defs\":{");
	for (int i = 0; i < 40; i++)
		buffer_add_format(&schema,
				  "\"d%d\":{\"allOf\":[{\"$ref\":\"#/$defs/d%d\"},{\"$ref\":"
				  "\"#/$defs/d%d\"}]},",
				  i, i + 1, i + 1);
	buffer_add_text(&schema, "\"d40\":{\"type\":\"integer\"}}}");
	check("many ways are gone once", buffer_span(&schema), SPAN("1"), "");
	check("each of them has the fault", buffer_span(&schema), SPAN("null"),
	      "must be integer, not null; must be integer, not null; must be integer, not null; "
	      "must be integer, not null; must be integer, not null; must be integer, not null; "
	      "must be integer, not null; must be integer, not null; must be integer, not null; "
	      "must be integer, not null; and 1099511627766 more");
	buffer_free(&schema);
}

/* The arguments of a tool: a filter expression, `depth` deep. */
static void test_recursive(const char *innermost, int depth, const char *want)
{
	const char *schema =
	    "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/$defs/e\"}},\"required\":["
	    "\"a\"],\"$defs\":{\"e\":{\"anyOf\":["
	    "{\"type\":\"object\",\"properties\":{\"op\":{\"const\":\"not\"},\"arg\":{\"$ref\":"
	    "\"#/$defs/e\"}},\"required\":[\"op\",\"arg\"]},"
	    "{\"type\":\"object\",\"properties\":{\"op\":{\"pattern\":\"^ex\"},\"arg\":{\"$ref\":"
	    "\"#/$defs/e\"}},\"required\":[\"op\",\"arg\"]},"
	    "{\"type\":\"object\",\"properties\":{\"field\":{\"type\":\"string\"},\"value\":{}},"
	    "\"required\":[\"field\",\"value\"]}]}}}";
	struct buffer value = {0};

	buffer_add_text(&value, "{\"a\":");
	for (int i = 0; i < depth; i++)
		buffer_add_text(&value, "{\"arg\":");
	buffer_add_text(&value, innermost);
	for (int i = 0; i < depth; i++)
		buffer_add_text(&value, i % 2 ? ",\"op\":\"exists\"}" : ",\"op\":\"not\"}");
	buffer_add_char(&value, '}');
	check("a recursive schema", span_of(schema), buffer_span(&value), want);
	buffer_free(&value);
}

/* A chain of references that is longer than any stack. */
static void test_deep(void)
{
	struct buffer schema = {0}, value = {0};

	buffer_add_text(&schema, "{\"$ref\":\"#/$defs/d0\",\"$defs\":{");
	for (int i = 0; i < 5000; i++)
		buffer_add_format(&schema, "\"d%d\":{\"$ref\":\"#/$defs/d%d\"},", i, i + 1);
	buffer_add_text(&schema, "\"d5000\":{}}}");
	check("too deep is refused", buffer_span(&schema), SPAN("1"), SCHEMA_EXPENSIVE);
	buffer_clear(&schema);
	for (int i = 0; i < 500; i++)
		buffer_add_char(&value, '[');
	for (int i = 0; i < 500; i++)
		buffer_add_char(&value, ']');
	check("values may be as deep as JSON may",
	      SPAN("{\"items\":{\"$ref\":\"#\"},\"type\":\"array\"}"), buffer_span(&value), "");
	buffer_free(&schema);
	buffer_free(&value);
}

/* Work that cannot be remembered is refused after the same number of steps each time. */
static void test_expensive(void)
{
	struct buffer schema = {0}, value = {0};

	buffer_add_text(&schema, "{\"items\":{\"anyOf\":[");
	for (int i = 0; i < 2000; i++)
		buffer_add_format(&schema, "%s{\"multipleOf\":%d}", i > 0 ? "," : "", 2 * i + 3);
	buffer_add_text(&schema, ",{\"multipleOf\":2}]}}");
	buffer_add_text(&value, "[2");
	for (int i = 0; i < 2000; i++)
		buffer_add_text(&value, ",2");
	buffer_add_char(&value, ']');
	check("too much work is refused", buffer_span(&schema), buffer_span(&value),
	      SCHEMA_EXPENSIVE);
	check(
	    "a pattern that tries every division",
	    SPAN("{\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"pattern\":\"^(a+)+$\"}}}"),
	    SPAN("{\"a\":1,\"b\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"}"),
	    SCHEMA_EXPENSIVE);
	buffer_clear(&value);
	buffer_add_char(&value, '"');
	for (int i = 0; i < 100000; i++)
		buffer_add_char(&value, 'a');
	buffer_add_char(&value, '"');
	check("a pattern whose work is the square of the text",
	      SPAN("{\"pattern\":\"[a-z]+\\\\d\"}"), buffer_span(&value), SCHEMA_EXPENSIVE);
	buffer_clear(&value);
	for (int i = 0; i < 100; i++)
		buffer_add_format(&value, "%s\"aaaaaaaaaaaaaaaaaaaa\"", i == 0 ? "[" : ",");
	buffer_add_char(&value, ']');
	check("many strings with 2^16 ways each",
	      SPAN("{\"contains\":{\"pattern\":\"^(?:a|a){16}b\"}}"), buffer_span(&value),
	      SCHEMA_EXPENSIVE);
	buffer_clear(&value);
	buffer_add_char(&value, '"');
	for (int i = 0; i < 100000; i++)
		buffer_add_char(&value, 'a');
	buffer_add_char(&value, '"');
	check("\"not\" of what is too expensive", SPAN("{\"not\":{\"pattern\":\"(a|aa)+$(?!)\"}}"),
	      buffer_span(&value), SCHEMA_EXPENSIVE);
	check("a pattern whose work is that of the text", SPAN("{\"pattern\":\"^[a-z]+$\"}"),
	      buffer_span(&value), "");
	buffer_free(&schema);
	buffer_free(&value);
}

/* Many items, constants and members. */
static void test_large(void)
{
	struct buffer schema = {0}, value = {0};

	buffer_add_text(&schema, "{\"uniqueItems\":true,\"items\":{\"enum\":[-1");
	for (int i = 0; i < 20000; i++)
		buffer_add_format(&schema, ",%d", i);
	buffer_add_text(&schema, "]}}");
	buffer_add_char(&value, '[');
	for (int i = 0; i < 20000; i++)
		buffer_add_format(&value, "%d.0,", i);
	value.at[value.len - 1] = ']';
	check("items that differ and are in an enum", buffer_span(&schema), buffer_span(&value),
	      "");
	buffer_clear(&value);
	buffer_add_text(&value, "[{\"b\":1,\"a\":[\"\\u0062\"]}");
	for (int i = 0; i < 100000; i++)
		buffer_add_format(&value, ",{\"a\":[%d]}", i);
	buffer_add_text(&value, ",{\"a\":[\"b\"],\"b\":1.0}]");
	check("items that do not", SPAN("{\"uniqueItems\":true}"), buffer_span(&value),
	      "items 0 and 100001 are the same");
	buffer_clear(&value);
	buffer_clear(&schema);
	buffer_add_text(&schema, "{\"allOf\":[{\"properties\":{");
	buffer_add_char(&value, '{');
	for (int i = 0; i < 20000; i++) {
		buffer_add_format(&value, "\"m%d\":1,", i);
		buffer_add_format(&schema, "\"m%d\":{\"$ref\":\"#/$defs/d%d\"},", i, i);
	}
	buffer_add_text(&value, "\"other\":1}");
	schema.at[schema.len - 1] = '}';
	buffer_add_text(&schema, "}],\"unevaluatedProperties\":false,\"$defs\":{\"x\":true");
	for (int i = 0; i < 20000; i++)
		buffer_add_format(&schema, ",\"d%d\":{\"$anchor\":\"a%d\",\"type\":\"integer\"}", i,
				  i);
	buffer_add_text(&schema, "}}");
	check("members and definitions", buffer_span(&schema), buffer_span(&value),
	      "property \"other\" is not allowed");
	buffer_free(&schema);
	buffer_free(&value);
}

/* A result that rests on the assumption about a schema around it is not remembered. */
static void test_cycles(void)
{
	check("what rests on an assumption",
	      SPAN("{\"$ref\":\"#/$defs/a\",\"$defs\":{"
		   "\"a\":{\"allOf\":[{\"$ref\":\"#/$defs/b\"},{\"type\":\"string\"}]},"
		   "\"b\":{\"anyOf\":[{\"$ref\":\"#/$defs/a\"},{\"type\":\"null\"}]}}}"),
	      SPAN("1"), "must be string, not number");
	check("and is asked again",
	      SPAN("{\"anyOf\":[{\"$ref\":\"#/$defs/a\"},{\"$ref\":\"#/$defs/b\"}],\"$defs\":{"
		   "\"a\":{\"allOf\":[{\"$ref\":\"#/$defs/b\"},{\"type\":\"string\"}]},"
		   "\"b\":{\"anyOf\":[{\"$ref\":\"#/$defs/a\"},{\"type\":\"null\"}]}}}"),
	      SPAN("1"), "satisfies none of the 2 schemas of anyOf");
}

/* `where` is the value at fault, as it stands in the schema. */
static void test_bad_value(const char *text, const char *where, const char *want)
{
	struct error e = {0};
	struct span at = {0};
	struct schema *schema = schema_compile(span_of(text), &at, &e);

	unit_ok(schema == NULL, "%s is no schema", text);
	unit_same(e.message != NULL ? span_of(e.message) : SPAN("no message"), span_of(want),
		  "and the sentence says why");
	unit_ok(schema != NULL || span_is(at, where), "and where");
	schema_free(schema);
	error_clear(&e);
}

static void test_bad_values(void)
{
	static const char types[] =
	    "\"type\" must be null, boolean, number, integer, string, array "
	    "or object, or an array of these";
	static const char *const accepted[] = {
	    "{\"minLength\":2.0,\"multipleOf\":0.5,\"type\":[\"null\",\"integer\"]}",
	    "{\"$defs\":{\"x\":[{}]},\"title\":1,\"unknown\":{\"type\":\"objekt\"}}",
	    "{\"const\":{\"type\":\"objekt\"},\"properties\":{\"type\":{},\"enum\":true}}",
	    "{\"items\":[{}],\"dependencies\":{\"a\":[\"b\"],\"c\":{}},\"required\":[]}",
	    "{\"$schema\":\"http://json-schema.org/draft-04/schema\",\"exclusiveMinimum\":true}",
	    "{\"$schema\":\"http://json-schema.org/draft-04/schema\",\"required\":true}",
	    "{\"contentSchema\":1,\"const\":[],\"$anchor\":1}",
	};

	test_bad_value("{\"type\":\"objekt\"}", "\"objekt\"", types);
	test_bad_value("{\"items\":{\"type\":[\"null\",1]}}", "1", types);
	test_bad_value("{\"$defs\":{\"a\":{\"required\":\"a\"}}}", "\"a\"",
		       "\"required\" must be an array of strings");
	test_bad_value("{\"required\":[1]}", "1", "\"required\" must be an array of strings");
	test_bad_value("{\"enum\":\"a\"}", "\"a\"", "\"enum\" must be an array");
	test_bad_value("{\"maxItems\":-1}", "-1",
		       "\"maxItems\" must be a whole number of at least 0");
	test_bad_value("{\"minLength\":1.5}", "1.5",
		       "\"minLength\" must be a whole number of at least 0");
	test_bad_value("{\"multipleOf\":0}", "0", "\"multipleOf\" must be a number above 0");
	test_bad_value("{\"exclusiveMinimum\":true}", "true",
		       "\"exclusiveMinimum\" must be a number");
	test_bad_value("{\"anyOf\":{}}", "{}", "\"anyOf\" must be an array of schemas");
	test_bad_value("{\"properties\":{\"a\":\"string\"}}", "\"string\"",
		       "\"properties\" must be an object of schemas");
	test_bad_value("{\"patternProperties\":[]}", "[]",
		       "\"patternProperties\" must be an object of schemas");
	test_bad_value("{\"definitions\":[]}", "[]",
		       "\"definitions\" must be an object of schemas");
	test_bad_value("{\"dependentRequired\":{\"a\":{}}}", "{}",
		       "\"dependentRequired\" must be an object of arrays of strings");
	test_bad_value("{\"dependencies\":{\"a\":1}}", "1",
		       "\"dependencies\" must be an object of schemas and arrays of strings");
	test_bad_value("{\"items\":1}", "1",
		       "\"items\" must be a schema (an object, true or false)");
	test_bad_value("{\"pattern\":1}", "1", "\"pattern\" must be a string");
	test_bad_value("{\"uniqueItems\":1}", "1", "\"uniqueItems\" must be true or false");
	test_bad_value("{\"maxContains\":\"1\"}", "\"1\"",
		       "\"maxContains\" must be a whole number of at least 0");
	test_bad_value("{\"not\":null}", "null",
		       "\"not\" must be a schema (an object, true or false)");
	for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
		struct schema *schema = schema_compile(span_of(accepted[i]), NULL, NULL);

		unit_ok(schema != NULL, "%s is a schema", accepted[i]);
		schema_free(schema);
	}
}

static void test_bad_pattern(const char *pattern, const char *want)
{
	struct buffer text = {0};
	struct error e = {0};
	struct span where = {0};
	struct schema *schema;

	buffer_add_text(&text, " {\"$defs\":{\"x\":{\"pattern\":");
	json_write_string(&text, span_of(pattern));
	buffer_add_text(&text, "}}}");
	schema = schema_compile(buffer_span(&text), &where, &e);
	unit_ok(schema == NULL, "%s is no pattern", pattern);
	unit_same(e.message != NULL ? span_of(e.message) : SPAN("no message"), span_of(want),
		  "and the sentence says why");
	unit_ok(schema != NULL || json_is(where, pattern), "and where");
	schema_free(schema);
	error_clear(&e);
	buffer_free(&text);
}

static void test_bad_patterns(void)
{
	static const char *const patterns[][2] = {
	    {"(", "a ')' is missing"},
	    {")", "a ')' has no '('"},
	    {"[a", "a ']' is missing"},
	    {"[b-a]", "a range in brackets is out of order"},
	    {"a\\", "a backslash at its end"},
	    {"x++", "a quantifier has nothing to repeat"},
	    {"*x", "a quantifier has nothing to repeat"},
	    {"(*ACCEPT)", "a quantifier has nothing to repeat"},
	    {"^*", "a quantifier has nothing to repeat"},
	    {"(?=a)*", "a quantifier has nothing to repeat"},
	    {"x{3}{2}", "a quantifier has nothing to repeat"},
	    {"(?i)x", "a group starts with (? and characters that ECMA-262 does not define"},
	    {"(?P<a>x)", "a group starts with (? and characters that ECMA-262 does not define"},
	    {"(?>x)", "a group starts with (? and characters that ECMA-262 does not define"},
	    {"(?#x)", "a group starts with (? and characters that ECMA-262 does not define"},
	    {"(?R)", "a group starts with (? and characters that ECMA-262 does not define"},
	    {"\\A", "the escape \\A means nothing here"},
	    {"x\\Z", "the escape \\Z means nothing here"},
	    {"\\Qx\\E", "the escape \\Q means nothing here"},
	    {"\\h", "the escape \\h means nothing here"},
	    {"\\K", "the escape \\K means nothing here"},
	    {"\\x4", "the escape \\x means nothing here"},
	    {"\\u{110000}", "the escape \\u means nothing here"},
	    {"[\\B]", "the escape \\B means nothing here"},
	    {"\\01", "the escape \\0 means nothing here"},
	    {"\\p{", "\\p needs the name of a property in braces"},
	    {"\\pL", "\\p needs the name of a property in braces"},
	    {"\\p{^L}", "\\p needs the name of a property in braces"},
	    {"\\p{Nothing}", "unknown property after \\P or \\p"},
	    {"\\1", "reference to non-existent subpattern"},
	    {"\\k<x>", "reference to non-existent subpattern"},
	    {"(?<x", "the name of a group has no end"},
	    {"(?<1>x)", "subpattern name must start with a non-digit"},
	    {"x{2,1}", "numbers out of order in {} quantifier"},
	    {"x{65536}", "number too big in {} quantifier"},
	    {"((a{1000}){1000}){1000}", "regular expression is too large"},
	};
	struct buffer want = {0};

	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		buffer_clear(&want);
		buffer_add_format(&want, "the pattern \"%s\" is not valid: %s", patterns[i][0],
				  patterns[i][1]);
		test_bad_pattern(patterns[i][0], buffer_string(&want));
	}
	buffer_free(&want);
}

static void test_no_example(const char *text, const char *name)
{
	struct schema *schema = compiled(span_of(text));
	struct buffer value = {0};

	unit_ok(!schema_example(schema, &value), "%s", name);
	buffer_free(&value);
	schema_free(schema);
}

static void test_endless_example(void)
{
	test_no_example("{\"type\":\"object\",\"properties\":{\"x\":{\"$ref\":\"#\"}},"
			"\"required\":[\"x\"]}",
			"there is no example of an endless schema");
	test_no_example("{\"type\":\"object\",\"minProperties\":8888888882}",
			"there is no example of too many members");
	test_no_example("{\"type\":\"array\",\"minItems\":8888888882}",
			"there is no example of too many items");
}

static void test_resolve(void)
{
	static const char text[] =
	    "{\"items\":{\"$ref\":\"#/$defs/a\"},\"not\":{\"$ref\":\"#n\"},\"if\":{\"$ref\":"
	    "\"#/x\"},\"$defs\":{\"a\":{\"$anchor\":\"n\",\"type\":\"null\"}}}";
	static const char *const wanted[][2] = {
	    {"items", "$defs.a"}, {"not", "$defs.a"}, {"$defs.a", "$defs.a"}, {"if", "x"}};
	struct schema_document document;
	struct span root;

	unit_ok(schema_document_read(&document, span_of(text)), "a document");
	root = json_tree_text(&document.tree, 0);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		unit_ok(schema_document_resolve(&document, json_path(root, wanted[i][0])).at ==
			    json_path(root, wanted[i][1]).at,
			"%s stands for %s", wanted[i][0], wanted[i][1]);
	schema_document_free(&document);
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
	test_many_ways();
	test_recursive("{\"field\":\"x\",\"value\":1}", 18, "");
	test_recursive("{\"field\":\"x\",\"value\":1}", 400, "");
	test_recursive("{\"field\":\"x\"}", 18, "/a: satisfies none of the 3 schemas of anyOf");
	test_deep();
	test_expensive();
	test_large();
	test_cycles();
	test_bad_patterns();
	test_bad_values();
	test_endless_example();
	test_resolve();
	test_decimals();
	return unit_done();
}

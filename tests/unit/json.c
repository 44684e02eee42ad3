/* lib/json: the public conformance cases (nst/JSONTestSuite), reading, writing, completion. */
#include "json/json.h"

#include <math.h>

#include "unit.h"

/* ---- checking ---- */

/* Whether a walk by the index shows what a walk through the text does, at every depth. */
static bool same_walks(const struct json_index *index, struct span value)
{
	struct json_walk by_text = json_walk(value), by_index = json_index_walk(index, value);
	bool more, same = by_index.node != NULL || json_type(value) < JSON_ARRAY;

	do {
		more = json_next(&by_text);
		same = same && json_next(&by_index) == more;
		if (more && same)
			same = by_text.key.at == by_index.key.at &&
			       by_text.key.len == by_index.key.len &&
			       by_text.value.at == by_index.value.at &&
			       by_text.value.len == by_index.value.len &&
			       same_walks(index, by_text.value);
	} while (more && same);
	return same;
}

static void check_index(struct span text, bool is_json, const struct json_fault *want,
			const char *name)
{
	struct json_index index;
	struct json_fault fault = {0};
	bool good = json_check_index(text, &index, &fault);

	if (!is_json)
		unit_ok(!good && index.count == 0 && fault.what == want->what &&
			    fault.offset == want->offset,
			"%s: the index finds the same fault", name);
	else
		unit_ok(good && (index.count == 0 || same_walks(&index, json_trim(text))),
			"%s: the index has what the walk finds", name);
}

static void check_case(struct span line)
{
	struct buffer input = {0};
	char *name = json_text(json_get(line, "name"));
	struct span expect = json_get(line, "expect");
	struct json_fault fault = {0};
	bool accepted;

	unit_base64(json_plain(json_get(line, "input")), &input);
	accepted = json_check(buffer_span(&input), &fault);
	if (json_is(expect, "either"))
		unit_ok(accepted || fault.what != NULL, "%s: either", name);
	else
		unit_ok(accepted == json_is(expect, "accept"), "%s: %.*s", name, SPAN_ARG(expect));
	unit_ok(accepted || fault.offset <= input.len, "%s: a fault lies inside the text", name);
	check_index(buffer_span(&input), accepted, &fault, name);
	free(name);
	buffer_free(&input);
}

static void check_cases(void)
{
	struct buffer cases = {0};
	struct span rest, line;

	unit_read("tests/data/json/cases.jsonl", &cases);
	rest = buffer_span(&cases);
	while ((line = unit_line(&rest)).at != NULL)
		check_case(line);
	buffer_free(&cases);
}

static bool nested(size_t depth, const char *open, const char *inside, const char *close)
{
	struct buffer text = {0};
	bool accepted;

	for (size_t i = 0; i < depth; i++)
		buffer_add_text(&text, open);
	buffer_add_text(&text, inside);
	for (size_t i = 0; i < depth; i++)
		buffer_add_text(&text, close);
	accepted = json_check(buffer_span(&text), NULL);
	buffer_free(&text);
	return accepted;
}

static void check_depth(void)
{
	unit_ok(nested(512, "[", "", "]"), "512 arrays are accepted");
	unit_ok(!nested(513, "[", "", "]"), "513 arrays are refused");
	unit_ok(nested(512, "{\"a\":", "1", "}"), "512 objects are accepted");
	unit_ok(!nested(513, "{\"a\":", "1", "}"), "513 objects are refused");
	unit_ok(!nested(100000, "[", "", "]"), "100,000 arrays are refused");
	unit_ok(!nested(100000, "[{\"a\":", "", ""), "100,000 open brackets are refused");
	unit_ok(nested(256, "[{\"a\":", "1", "}]"), "arrays and objects in turn");
	unit_ok(!nested(256, "[{\"a\":", "1", "]}"), "brackets must match");
}

static void faults(void)
{
	static const struct {
		const char *text, *what;
		size_t offset;
	} cases[] = {
	    {"", "unexpected end of text", 0},
	    {"{\"a\":", "unexpected end of text", 5},
	    {"{\"a\" 1}", "':' is missing", 5},
	    {"{\"a\":1 \"b\":2}", "',' or '}' is missing", 7},
	    {"[1 2]", "',' or ']' is missing", 3},
	    {"{1:2}", "a key is missing", 1},
	    {"[1,]", "a value is missing", 3},
	    {"1 2", "something follows the value", 2},
	    {"\"a\nb\"", "control character in a string", 2},
	    {"\"a\xFF\"", "invalid UTF-8", 2},
	    {"tru", "unknown word", 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct json_fault fault = {0};

		unit_ok(!json_check(span_of(cases[i].text), &fault) &&
			    strcmp(fault.what, cases[i].what) == 0 &&
			    fault.offset == cases[i].offset,
			"fault %zu: %s at %zu", i, cases[i].what, cases[i].offset);
	}
}

/* ---- reading ---- */

static void path_is(const char *text, const char *path, const char *want)
{
	struct span got = json_path(json_trim(span_of(text)), path);

	unit_same(got.at != NULL ? got : SPAN("(absent)"), span_of(want), path);
}

static void paths(void)
{
	static const char text[] =
	    " {\"a\" : [ 1 , {\"b\":\"x,}]\"} , [ ] ], \"\" : 2, \"k\\u0065y\":3, \"a\":9,"
	    "\"big\":1234567890123456789,\"x\":1.10,\"e\":1E400,\"q\\\"\":{\"z\":null}} ";

	path_is(text, "a.0", "1");
	path_is(text, "a.1.b", "\"x,}]\"");
	path_is(text, "a.2", "[ ]");
	path_is(text, "a.3", "(absent)");
	path_is(text, "key", "3");
	path_is(text, "big", "1234567890123456789");
	path_is(text, "x", "1.10");
	path_is(text, "e", "1E400");
	path_is(text, "q\".z", "null");
	path_is(text, "a.b", "(absent)");
	path_is(text, "nothing.at.all", "(absent)");
	unit_same(json_get(json_trim(span_of(text)), ""), SPAN("2"), "an empty key");
	unit_ok(json_count(json_trim(span_of(text))) == 8, "members are counted");
	unit_ok(json_count(json_path(json_trim(span_of(text)), "a")) == 3, "elements are counted");
	unit_ok(json_count(SPAN("17")) == 0, "a number has no elements");
}

static void decodes(const char *string, const char *want)
{
	struct buffer got = {0};

	json_decode(span_of(string), &got);
	unit_same(buffer_span(&got), span_of(want), string);
	buffer_free(&got);
}

static void strings(void)
{
	struct buffer out = {0};
	char *text;

	decodes("\"plain\"", "plain");
	decodes("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t");
	decodes("\"\\u00e9\\u20AC\"", "\xC3\xA9\xE2\x82\xAC");
	decodes("\"\\ud83d\\ude00\"", "\xF0\x9F\x98\x80");
	decodes("\"\\ud83d\"", "\xEF\xBF\xBD");
	decodes("\"\\ude00\\ud83d\"", "\xEF\xBF\xBD\xEF\xBF\xBD");
	decodes("\"\\ud83dx\"", "\xEF\xBF\xBDx");
	decodes("\"\\ud83d\\u0041\"", "\xEF\xBF\xBD"
				      "A");
	decodes("\"a\xFF"
		"b\"",
		"a\xEF\xBF\xBD"
		"b");
	unit_ok(!json_decode(SPAN("12"), &out) && out.len == 0, "a number is no string");
	unit_ok(json_is(SPAN("\"k\\u0065y\""), "key"), "escaped text is compared decoded");
	unit_ok(json_plain(SPAN("\"a\\n\"")).at == NULL, "text with escapes is not plain");
	unit_same(json_string_text(SPAN("\"plain\""), &out), SPAN("plain"),
		  "the text of a string without escapes");
	unit_ok(out.len == 0, "needs no memory");
	unit_same(json_string_text(SPAN("\"a\\u0062\""), &out), SPAN("ab"), "with escapes");
	unit_same(json_string_text(SPAN("\"\\u0063\""), &out), SPAN("c"),
		  "the memory is overwritten");
	unit_ok(json_string_text(SPAN("12"), &out).at == NULL, "a number has no text");
	text = json_text(SPAN("\"a\\u0000b\""));
	unit_same(span_of(text),
		  SPAN("a\xEF\xBF\xBD"
		       "b"),
		  "a NUL in a C string becomes U+FFFD");
	free(text);
	buffer_free(&out);
}

static void numbers(void)
{
	unit_ok(json_int(SPAN("-42"), 0) == -42, "an integer");
	unit_ok(json_int(SPAN("9223372036854775807"), 0) == INT64_MAX, "the largest integer");
	unit_ok(json_int(SPAN("-9223372036854775808"), 0) == INT64_MIN, "the smallest integer");
	unit_ok(json_int(SPAN("9223372036854775808"), 0) == INT64_MAX, "integers saturate");
	unit_ok(json_int(SPAN("-99999999999999999999"), 0) == INT64_MIN, "negative ones too");
	unit_ok(json_int(SPAN("1e400"), 0) == INT64_MAX, "and reals");
	unit_ok(json_int(SPAN("2.9"), 0) == 2, "reals round towards zero");
	unit_ok(json_int(SPAN("\"5\""), -1) == -1, "text gives the fallback");
	unit_ok(json_double(SPAN("1.5e3"), 0) == 1500, "a real");
	unit_ok(isinf(json_double(SPAN("1e400"), 0)), "an overflow is infinite");
	unit_ok(json_double((struct span){0}, 7) == 7, "absent gives the fallback");
	unit_ok(json_true(SPAN("true")) && !json_true(SPAN("false")), "booleans");
}

/* Reading must stay inside the text whatever the bytes: run under a sanitizer this test has teeth.
 */
static void garbage(void)
{
	static const char *const texts[] = {"{",     "[",       "{\"a",     "{\"a\":", "[1,",  "\"",
					    "\"\\",  "{\"a\"1", "]}",       "{,}",     "[,]",  ":",
					    "\"\\u", "{\"\\",   "\xFF\xFE", "[[[[",    "{}{}", "-"};
	struct buffer out = {0};
	size_t walked = 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		char *exact = mem_alloc(strlen(texts[i]));
		struct span text = {exact, strlen(texts[i])};
		struct json_walk walk;

		memcpy(exact, texts[i], text.len);
		walk = json_walk(text);
		while (json_next(&walk))
			walked++;
		json_path(text, "a.0.b");
		json_decode(text, &out);
		json_write_compact(&out, text);
		json_complete(text, &out);
		free(exact);
	}
	unit_ok(walked < 100, "garbage is walked to an end");
	buffer_free(&out);
}

/* ---- writing ---- */

static void writing(void)
{
	struct buffer out = {0};

	json_open(&out, '{');
	json_put_text(&out, "text", "a\"\\\n\x01\x7F\xC3\xA9\xFF");
	json_put_int(&out, "int", INT64_MIN);
	json_put_double(&out, "tenth", 0.1);
	json_put_double(&out, "third", 1.0 / 3);
	json_put_double(&out, "hundred", 100);
	json_put_double(&out, "small", -0.00001);
	json_put_double(&out, "large", 1.5e300);
	json_put_double(&out, "nan", NAN);
	json_put_bool(&out, "yes", true);
	json_put_text(&out, "none", NULL);
	json_put_raw(&out, "raw", SPAN("1.10"));
	json_key(&out, "list");
	json_open(&out, '[');
	json_open(&out, '[');
	json_close(&out, ']');
	json_comma(&out);
	json_write_int(&out, 1);
	json_close(&out, ']');
	json_close(&out, '}');
	unit_same(buffer_span(&out),
		  SPAN("{\"text\":\"a\\\"\\\\\\n\\u0001\x7F\xC3\xA9\xEF\xBF\xBD\",\"int\":"
		       "-9223372036854775808,\"tenth\":0.1,\"third\":0.3333333333333333,"
		       "\"hundred\":100,\"small\":-0.00001,\"large\":1.5e+300,\"nan\":null,"
		       "\"yes\":true,\"none\":null,\"raw\":1.10,\"list\":[[],1]}"),
		  "an object is written");
	unit_ok(json_check(buffer_span(&out), NULL), "and is JSON");
	buffer_clear(&out);
	json_write_compact(&out, SPAN("{ \"a b\" :\n[ 1.10 , \"\\\" x\" ] }"));
	unit_same(buffer_span(&out), SPAN("{\"a b\":[1.10,\"\\\" x\"]}"), "compact");
	buffer_clear(&out);
	json_write_line(&out, SPAN("{ \"a\": 1 }"));
	unit_same(buffer_span(&out), SPAN("{ \"a\": 1 }"), "one line keeps its bytes");
	buffer_clear(&out);
	json_write_line(&out, SPAN("{\n \"a\": 1\r\n}"));
	unit_same(buffer_span(&out), SPAN("{\"a\":1}"), "several become one");
	buffer_clear(&out);
	json_open(&out, '[');
	json_copy_elements(&out, SPAN("[1.10 , {\"a\": 1}]"));
	json_copy_elements(&out, SPAN("[]"));
	json_copy_elements(&out, SPAN("{\"b\":2}"));
	json_copy_elements(&out, SPAN("[\"x\"]"));
	json_close(&out, ']');
	unit_same(buffer_span(&out), SPAN("[1.10,{\"a\": 1},\"x\"]"),
		  "the elements of arrays, and nothing of an object");
	buffer_clear(&out);
	json_open(&out, '[');
	json_copy_key(&out, (struct span){0});
	buffer_add_char(&out, '1');
	json_copy_key(&out, (struct span){0});
	json_open(&out, '{');
	json_copy_key(&out, SPAN("\"\\u0061\""));
	buffer_add_char(&out, '2');
	json_close(&out, '}');
	json_close(&out, ']');
	unit_same(buffer_span(&out), SPAN("[1,{\"\\u0061\":2}]"),
		  "keys as a walk gives them: elements have none");
	buffer_free(&out);
}

static void packing(void)
{
	struct buffer out = {0};
	struct span none = {0};

	json_pack(&out, "{'a':%j,'b':[%s,%t],'c':%d,'d':{'e':%b},'f':true,'g':%f}", SPAN("[1]"),
		  SPAN("x\n"), "y", INT64_MIN, false, true);
	unit_same(buffer_span(&out),
		  SPAN("{\"a\":[1],\"b\":[\"x\\n\",\"y\"],\"c\":-9223372036854775808,"
		       "\"d\":{\"e\":false},\"f\":true,\"g\":true}"),
		  "a template with all kinds of arguments");
	buffer_clear(&out);
	json_pack(&out, "{'a':%j,'b':%t,'c':[%s,%j],%t:%j,'d':1,'e':%s,'f':%f}", none,
		  (const char *)NULL, none, SPAN("2"), "key", none, none, false);
	unit_same(buffer_span(&out), SPAN("{\"c\":[2],\"d\":1}"), "absent members are left out");
	buffer_clear(&out);
	json_pack(&out, "{'a':[");
	json_pack(&out, "{%t:''}", "k\"");
	json_pack(&out, "{}");
	json_pack(&out, "],'b':");
	json_pack(&out, "%j", SPAN("1"));
	json_pack(&out, "'c':%s,'d':%j", SPAN(""), none);
	json_pack(&out, "}");
	unit_same(buffer_span(&out), SPAN("{\"a\":[{\"k\\\"\":\"\"},{}],\"b\":1,\"c\":\"\"}"),
		  "a value in several parts");
	buffer_clear(&out);
	json_pack(&out, "{'a':%J,'b':%T,'c':[%S,%U,%G],'d':%U,'e':%G,'f':%u,'g':%g}", none,
		  (const char *)NULL, none, INT64_C(-1), -1.0, INT64_C(0), 0.5, INT64_C(-1), -1.0);
	unit_same(buffer_span(&out),
		  SPAN("{\"a\":null,\"b\":null,\"c\":[null,null,null],\"d\":0,\"e\":0.5}"),
		  "absent members are null");
	buffer_free(&out);
}

static void writes_number(double value, const char *want)
{
	struct buffer out = {0};

	json_write_double(&out, value);
	unit_same(buffer_span(&out), span_of(want), want);
	unit_ok(json_double(buffer_span(&out), 0) == value, "%s reads back as the same number",
		want);
	buffer_free(&out);
}

/* Numbers on both sides of what fits into six decimals and nine digits before the point. */
static void written_numbers(void)
{
	writes_number(0, "0");
	writes_number(-0.0, "-0");
	writes_number(0.000001, "0.000001");
	writes_number(0.0000015, "0.0000015");
	writes_number(0.0000001, "0.0000001");
	writes_number(0.00000001, "1e-08");
	writes_number(-12.5, "-12.5");
	writes_number(1200, "1200");
	writes_number(0.999999, "0.999999");
	writes_number(0.9999995, "0.9999995");
	writes_number(0.1 + 0.2, "0.30000000000000004");
	writes_number(999999999.999999, "999999999.999999");
	writes_number(1000000000.000001, "1000000000.000001");
	writes_number(123456789012345.0, "123456789012345");
	writes_number(1e15, "1e+15");
}

/* ---- completion ---- */

static void completes(const char *cut, const char *want)
{
	struct buffer out = {0};
	bool shown = json_complete(span_of(cut), &out);

	unit_same(shown ? buffer_span(&out) : SPAN("(nothing)"), span_of(want), cut);
	buffer_free(&out);
}

static void completion(void)
{
	static const char whole[] = "{\"a\":[1,\"x\\u00e9\\ud83d\\ude00 "
				    "\xE2\x82\xAC\",true,{}],\"b\":{\"c\":-1.5e3}, \"d\":null}";
	struct buffer out = {0};
	bool all = true;

	completes("", "(nothing)");
	completes("  ", "(nothing)");
	completes("{", "{}");
	completes("{\"a", "{}");
	completes("{\"a\":", "{}");
	completes("{\"a\":\"x", "{\"a\":\"x\"}");
	completes("{\"a\":\"x\\", "{\"a\":\"x\"}");
	completes("{\"a\":\"x\\u00", "{\"a\":\"x\"}");
	completes("{\"a\":\"x\\ud83d", "{\"a\":\"x\"}");
	completes("{\"a\":\"x\\ud83d\\ude00", "{\"a\":\"x\\ud83d\\ude00\"}");
	completes("{\"a\":\"x\xE2\x82", "{\"a\":\"x\"}");
	completes("{\"a\":1", "{}");
	completes("{\"a\":1,", "{\"a\":1}");
	completes("[1, 2", "[1]");
	completes("[1, tr", "[1]");
	completes("[1, true", "[1, true]");
	completes("[[1],{\"a\":[", "[[1],{\"a\":[]}]");
	completes("\"te", "\"te\"");
	completes("12", "(nothing)");
	completes("null", "null");
	completes("nonsense", "(nothing)");
	completes("{\"a\":1} ", "{\"a\":1}");
	completes("{\"a\":1} trailing", "(nothing)");
	completes("0 1", "(nothing)");
	for (size_t cut = 1; cut < sizeof(whole); cut++) {
		buffer_clear(&out);
		all = all && json_complete((struct span){whole, cut}, &out) &&
		      json_check(buffer_span(&out), NULL);
	}
	unit_ok(all, "every beginning of a document becomes JSON");
	unit_same(buffer_span(&out), span_of(whole), "and the whole is itself");
	buffer_free(&out);
}

static void members(void)
{
	static const struct span names[] = {
	    SPAN_INIT("a"), SPAN_INIT("missing"), SPAN_INIT("esc"), SPAN_INIT("nested"), {0}};
	struct span text = SPAN(" {\"x\":{\"a\":9},\"a\":1,\"nested\":{\"b\":[2]},\"\\u0065sc\":3,"
				"\"a\":4,\"\":5} ");
	struct span found[4], all[4];
	struct json_index index;
	struct buffer many = {0};

	json_members(json_walk(json_trim(text)), names, found);
	unit_same(found[0], SPAN("1"), "the first of equal keys counts");
	unit_ok(found[1].at == NULL, "a member that is not there is absent");
	unit_same(found[2], SPAN("3"), "a key is found in an escaped spelling");
	unit_same(found[3], SPAN("{\"b\":[2]}"), "a member that is an object");
	unit_ok(json_check_index(text, &index, NULL) && index.count == 10, "values have nodes");
	json_members(json_index_walk(&index, json_trim(text)), names, all);
	unit_ok(memcmp(found, all, sizeof(found)) == 0, "the index finds the same members");
	json_members(json_walk(SPAN("[1]")), names, found);
	unit_ok(found[0].at == NULL, "an array has no members");

	buffer_add_char(&many, '[');
	for (int i = 0; i < JSON_INDEX_NODES; i++)
		buffer_add_text(&many, i == 0 ? "0" : ",0");
	buffer_add_char(&many, ']');
	unit_ok(json_check_index(buffer_span(&many), &index, NULL) && index.count == 0,
		"a text with too many values has no index");
	unit_ok(json_index_walk(&index, buffer_span(&many)).node == NULL, "it is walked as text");
	buffer_free(&many);
}

int main(void)
{
	check_cases();
	members();
	check_depth();
	faults();
	paths();
	strings();
	numbers();
	garbage();
	writing();
	packing();
	written_numbers();
	completion();
	return unit_done();
}

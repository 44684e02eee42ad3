/* jq: expressions on JSON texts. */
#include "unit.h"

#include "jq/program.h"

/* What a run yields: each value with "!" before it when it is false or null, then how it ended. */
static void run(struct jq_program *program, const char *json, struct buffer *out)
{
	enum jq_result result = JQ_RESULT_ERROR;
	struct error e = {0};
	struct span value;
	bool truthy;
	int status;

	buffer_clear(out);
	if (jq_program_start(program, span_of(json), &e)) {
		while ((result = jq_program_next(program, &value, &truthy, &e)) ==
		       JQ_RESULT_VALUE) {
			buffer_add_text(out, truthy ? "" : "!");
			buffer_add_span(out, value);
			buffer_add_char(out, ' ');
		}
	}
	if (result == JQ_RESULT_ERROR)
		buffer_add_format(out, "error: %s ", e.message);
	if (jq_program_halted(program, &status))
		buffer_add_format(out, "halted: %d ", status);
	error_clear(&e);
}

static void yields(const char *expression, const char *json, const char *want)
{
	struct buffer got = {0};
	struct error e = {0};
	struct jq_program *program = jq_program_open(expression, NULL, 0, &e);

	if (!unit_ok(program != NULL, "%s compiles", expression)) {
		printf("# %s\n", e.message);
		error_clear(&e);
		return;
	}
	run(program, json, &got);
	unit_same(buffer_span(&got), span_of(want), expression);
	jq_program_close(program);
	buffer_free(&got);
}

static void test_values(void)
{
	yields(".", " {\"b\": [1, 2.5, \"\\u00e9\\u0000\"], \"a\": null} ",
	       "{\"b\":[1,2.5,\"é\\u0000\"],\"a\":null} ");
	yields(".[]",
	       "[\"\\uD83Dx\", \"\\ude00\", \"\\\\ud83d\", \"\\ud83d\\uD83D\\ude00\", \"\\ud83d\"]",
	       "\"\uFFFDx\" \"\uFFFD\" \"\\\\ud83d\" \"\uFFFD\U0001F600\" \"\uFFFD\" ");
	yields(".[]", "[1,false,null,\"\",0]", "1 !false !null \"\" 0 ");
	yields("empty", "1", "");
	yields("[inputs]", "1", "[] ");
	yields("import \"agent\" as a; a::text", "{\"data\":{\"text\":\"t\"}}", "\"t\" ");
}

static void test_ends(void)
{
	yields("1, error(\"no\"), 2", "null", "1 error: no ");
	yields("error({a: 1})", "null", "error: {\"a\":1} ");
	yields("1, halt, 2", "null", "1 halted: 0 ");
	yields("\"bye\" | halt_error", "null", "error: bye halted: 5 ");
	yields("{a: 1} | halt_error(3)", "null", "error: {\"a\":1} halted: 3 ");
}

/* What libjq says of bad JSON is its own affair, but the text, which may be long, is not in it. */
static void test_bad_json(void)
{
	struct error e = {0};
	struct jq_program *program = jq_program_open(".", NULL, 0, &e);
	struct buffer got = {0};

	run(program, "{\"secret\": nonsense}", &got);
	unit_ok(span_starts(buffer_span(&got), "error: libjq cannot read it: "),
		"bad JSON is an error");
	unit_ok(strstr(buffer_string(&got), "secret") == NULL, "which does not show the text");
	run(program, "", &got);
	unit_ok(span_starts(buffer_span(&got), "error: libjq cannot read it: "),
		"nothing is no JSON");
	run(program, "[1]", &got);
	unit_same(buffer_span(&got), SPAN("[1] "), "the program runs again after an error");
	jq_program_close(program);
	buffer_free(&got);
}

static void test_again(void)
{
	struct error e = {0};
	struct jq_program *program = jq_program_open(".[]", NULL, 0, &e);
	struct buffer got = {0};
	bool truthy;

	unit_ok(jq_program_start(program, SPAN("[1,2,3]"), &e) &&
		    jq_program_next(program, NULL, &truthy, &e) == JQ_RESULT_VALUE && truthy,
		"a value can be left out");
	run(program, "[4,5]", &got);
	unit_same(buffer_span(&got), SPAN("4 5 "), "a run that was left begins anew");
	jq_program_close(program);
	program = jq_program_open("if . then halt else 1 end", NULL, 0, &e);
	run(program, "true", &got);
	run(program, "false", &got);
	unit_same(buffer_span(&got), SPAN("1 "), "so does one that has halted");
	jq_program_close(program);
	buffer_free(&got);
}

static void test_variables(void)
{
	const struct jq_variable variables[] = {{"text", SPAN("\"a\\\"b\"")},
						{"number", SPAN("[1.5]")}};
	const struct jq_variable bad = {"x", SPAN("[1")};
	struct buffer got = {0};
	struct error e = {0};
	struct jq_program *program = jq_program_open("$text, $number, $ARGS", variables, 2, &e);

	run(program, "null", &got);
	unit_same(buffer_span(&got),
		  SPAN("\"a\\\"b\" [1.5] {\"positional\":[],\"named\":{\"text\":\"a\\\"b\","
		       "\"number\":[1.5]}} "),
		  "variables, and all of them in $ARGS");
	jq_program_close(program);
	buffer_free(&got);
	program = jq_program_open(".", &bad, 1, &e);
	unit_ok(program == NULL && span_is(span_of(e.kind), "usage"),
		"a variable must be JSON: kind usage");
	unit_same(span_of(e.message), SPAN("the value of $x is not JSON"), "and a sentence");
	error_clear(&e);
}

/* The words differ between versions of libjq; that they are its own does not. */
static void test_compile_errors(void)
{
	static const char *const wrong[] = {".a +", "nope", "import \"nope\" as n; .", "$nope"};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct error e = {0};

		unit_ok(jq_program_open(wrong[i], NULL, 0, &e) == NULL, "%s does not compile",
			wrong[i]);
		unit_ok(span_starts(span_of(e.message), "jq: error") &&
			    span_ends(span_of(e.message), "jq: 1 compile error") &&
			    span_is(span_of(e.kind), "usage"),
			"as jq says");
		error_clear(&e);
	}
}

/* What a step gives: its events, or the error. */
static void step(struct jq_program *program, const char *json, const char *want)
{
	struct buffer got = {0};
	struct error e = {0};
	struct span event;

	if (!jq_program_step(program, span_of(json), &e))
		buffer_add_format(&got, "error: %s ", e.message);
	while (jq_program_event(program, &event)) {
		buffer_add_span(&got, event);
		buffer_add_char(&got, ' ');
	}
	unit_same(buffer_span(&got), span_of(want), json);
	buffer_free(&got);
	error_clear(&e);
}

static void test_steps(void)
{
	struct error e = {0};
	struct jq_program *program = jq_program_open(
	    "if .bad then error(\"no\") elif .none then empty elif .raw then .raw else "
	    "{state: ((.state // []) + [.n]), events: [.state, has(\"state\"), .n]} end",
	    NULL, 0, &e);

	step(program, "{\"bad\":1}", "error: no ");
	step(program, "{\"n\":1}", "null false 1 ");
	step(program, "{\"n\":\"\\ud83d\"}", "[1] true \"\uFFFD\" ");
	step(program, "{\"bad\":1}", "error: no ");
	step(program, "{\"none\":1}", "error: it yields nothing ");
	step(program, "{\"raw\":1}",
	     "error: the result is not an object with \"state\" and \"events\" ");
	step(program, "{\"raw\":{\"state\":1}}",
	     "error: the result has no \"state\", or its \"events\" are not a list ");
	step(program, "{\"raw\":{\"events\":[]}}",
	     "error: the result has no \"state\", or its \"events\" are not a list ");
	step(program, "{\"n\":2}", "[1,\"\uFFFD\"] true 2 ");
	step(program, "{\"raw\":{\"state\":null,\"events\":[]}}", "");
	step(program, "{\"n\":3}", "null true 3 ");
	jq_program_close(program);
}

int main(void)
{
	test_values();
	test_ends();
	test_bad_json();
	test_again();
	test_variables();
	test_compile_errors();
	test_steps();
	return unit_done();
}

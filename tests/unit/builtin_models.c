#include <signal.h>

#include "model/event_response.h"
#include "model/model.h"
#include "messages.h"
#include "unit.h"

/* ---- asking, and writing down what comes ---- */

struct recorder {
	struct loop *loop;
	struct buffer log; /* a line for each delta and for the outcome */
	struct buffer text;
	size_t deltas, cancel_after;
	struct model_call *call;
	bool done;
};

static void delta(void *context, const struct model_delta *d)
{
	struct recorder *r = context;

	switch (d->type) {
	case MODEL_TEXT:
		buffer_add_format(&r->log, "text [%.*s]\n", SPAN_ARG(d->text));
		buffer_add_span(&r->text, d->text);
		break;
	case MODEL_THINKING:
		buffer_add_format(&r->log, "thinking [%.*s]\n", SPAN_ARG(d->text));
		break;
	case MODEL_TOOL_CALL:
		buffer_add_format(&r->log, "call %d %.*s %.*s\n", d->index, SPAN_ARG(d->id),
				  SPAN_ARG(d->name));
		break;
	case MODEL_TOOL_ARGS:
		buffer_add_format(&r->log, "args %d [%.*s]\n", d->index, SPAN_ARG(d->text));
		break;
	default:
		buffer_add_text(&r->log, "unexpected\n");
	}
	if (++r->deltas == r->cancel_after) {
		model_cancel(r->call);
		loop_stop(r->loop);
	}
}

static void write_error(struct buffer *log, const struct model_error *error)
{
	buffer_add_format(log, " %s: %s", error_kind_name(error->kind), error->message);
	if (error->http_status > 0)
		buffer_add_format(log, " (http %d)", error->http_status);
	if (error->code != NULL)
		buffer_add_format(log, " (code %s)", error->code);
	if (error->request_id != NULL)
		buffer_add_format(log, " (request %s)", error->request_id);
	if (error->retryable)
		buffer_add_text(log, " (retryable)");
}

static void done(void *context, const struct model_outcome *outcome)
{
	struct recorder *r = context;

	buffer_add_text(&r->log, model_finish_name(outcome->finish));
	if (outcome->error.kind != ERROR_NONE)
		write_error(&r->log, &outcome->error);
	else
		buffer_add_format(&r->log, " in %d out %d", (int)outcome->usage.input,
				  (int)outcome->usage.output);
	if (outcome->model != NULL)
		buffer_add_format(&r->log, " by %s", outcome->model);
	if (outcome->response_id != NULL)
		buffer_add_format(&r->log, " id %s", outcome->response_id);
	buffer_add_char(&r->log, '\n');
	r->done = true;
	loop_stop(r->loop);
}

/* Ask and wait for the end; returns false when the request was refused, with the log holding why.
 */
static bool ask(struct model *model, struct loop *loop, const struct model_request *request,
		struct recorder *r)
{
	struct model_handler handler = {r, delta, done};
	struct error e = {0};
	size_t cancel_after = r->cancel_after;

	buffer_clear(&r->log);
	buffer_clear(&r->text);
	*r = (struct recorder){
	    .loop = loop, .log = r->log, .text = r->text, .cancel_after = cancel_after};
	r->call = model_ask(model, request, &handler, &e);
	if (r->call == NULL) {
		buffer_add_text(&r->log, e.message);
		error_clear(&e);
		return false;
	}
	if (r->deltas > 0 || r->done)
		buffer_add_text(&r->log, "called back at once\n");
	loop_run(loop);
	return true;
}

static void recorder_free(struct recorder *r)
{
	buffer_free(&r->log);
	buffer_free(&r->text);
}

struct bench {
	struct model_host host;
	struct model *model;
	struct recorder recorder;
};

static void bench_open(struct bench *bench, const char *spec)
{
	struct error e = {0};

	*bench = (struct bench){.host = {.loop = loop_new()}};
	bench->model = model_open(&bench->host, spec, &e);
	if (bench->model == NULL) {
		printf("Bail out! %s\n", e.message);
		exit(2);
	}
}

static void bench_close(struct bench *bench)
{
	model_close(bench->model);
	recorder_free(&bench->recorder);
	loop_free(bench->host.loop);
}

/* Ask the model and compare all that comes of it. */
static void expect(struct bench *bench, const struct model_request *request, const char *want,
		   const char *name)
{
	ask(bench->model, bench->host.loop, request, &bench->recorder);
	unit_same(buffer_span(&bench->recorder.log), span_of(want), name);
}

#define USER(text)                                                                                 \
	SPAN("{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"" text "\"}]}")

#define WEATHER                                                                                    \
	"{\"type\":\"object\",\"properties\":{\"city\":{\"enum\":[\"Köln\"]}},\"required\":["     \
	"\"city\"]}"

static const struct model_tool weather = {"weather", "", {WEATHER, sizeof WEATHER - 1}};

/* ---- test ---- */

static void expect_option(struct bench *bench, const char *key, const char *value, const char *want,
			  const char *name)
{
	struct span messages[] = {USER("hi")};
	struct model_option option = {key, span_of(value)};
	struct model_request request = {.messages = typed(messages, 1),
					.message_count = 1,
					.options = &option,
					.option_count = 1};

	expect(bench, &request, want, name);
}

static void test_test_text(void)
{
	struct span messages[] = {USER("good day")};
	struct model_request request = {.messages = typed(messages, 1), .message_count = 1};
	struct bench bench;

	bench_open(&bench, "test");
	unit_ok(strcmp(model_provider(bench.model), "test") == 0 &&
		    strcmp(model_name(bench.model), "test") == 0,
		"it is called test");
	expect(&bench, &request,
	       "text [This ]\ntext [is ]\ntext [the ]\ntext [built-in ]\ntext [test ]\n"
	       "text [model. ]\ntext [You ]\ntext [said: ]\ntext [good ]\ntext [day]\n"
	       "stop in 2 out 10 by test\n",
	       "without tools it says what it was told, word by word");
	request.max_tokens = 3;
	expect(&bench, &request,
	       "text [This ]\ntext [is ]\ntext [the ]\nlength in 2 out 3 by test\n",
	       "max_tokens cuts the answer");
	expect_option(&bench, "text", "\"a b\"", "text [a ]\ntext [b]\nstop in 1 out 2 by test\n",
		      "-o text sets the answer");
	expect_option(&bench, "text", "{\"a\":1}", "text [{\"a\":1}]\nstop in 1 out 1 by test\n",
		      "an answer that is JSON goes out as it is");
	expect_option(&bench, "text", "\"\"", "stop in 1 out 0 by test\n", "an empty answer");
	expect_option(&bench, "text", "\" \\n\"", "text [ \n]\nstop in 1 out 1 by test\n",
		      "an answer of blanks");
	expect_option(&bench, "thinking", "\"hm so\"",
		      "thinking [hm ]\nthinking [so]\ntext [This ]\ntext [is ]\ntext [the ]\ntext "
		      "[built-in ]\ntext [test ]\ntext [model. ]\ntext [You ]\ntext [said: ]\n"
		      "text [hi]\nstop in 1 out 9 by test\n",
		      "-o thinking comes first");
	bench_close(&bench);
}

static void test_test_options(void)
{
	struct span messages[] = {USER("hi")};
	struct model_option options[] = {{"text", SPAN("\"a b c\"")}, {"chunks", SPAN("2")}};
	struct model_request request = {.messages = typed(messages, 1),
					.message_count = 1,
					.options = options,
					.option_count = 2};
	struct bench bench;

	bench_open(&bench, "test");
	expect(&bench, &request, "text [a ]\ntext [b c]\nstop in 1 out 2 by test\n",
	       "-o chunks=2 of three words joins some");
	options[1].value = SPAN("5");
	expect(&bench, &request,
	       "text [a ]\ntext [b ]\ntext [c ]\ntext [a ]\ntext [b ]\nstop in 1 out 5 by test\n",
	       "-o chunks=5 repeats them");
	options[1].value = SPAN("6");
	expect(&bench, &request,
	       "text [a ]\ntext [b ]\ntext [c ]\ntext [a ]\ntext [b ]\ntext [c]\n"
	       "stop in 1 out 6 by test\n",
	       "and ends without a blank where the text does");
	options[1] = (struct model_option){"delay", SPAN("0.001")};
	expect(&bench, &request, "text [a ]\ntext [b ]\ntext [c]\nstop in 1 out 3 by test\n",
	       "-o delay waits between them");
	expect_option(
	    &bench, "temperature", "1",
	    "the model test has no option \"temperature\"; its options are calls, chunks, "
	    "delay, text, thinking",
	    "an unknown option is refused");
	expect_option(
	    &bench, "delay", "\"long\"",
	    "the option \"delay\" must be a duration, such as 90, 90s, 5m, 1h, 100ms or 1m30s",
	    "and so is a wrong value");
	expect_option(&bench, "chunks", "-1",
		      "the option \"chunks\" must be a whole number of at least 0, such as 8",
		      "or a negative one");
	bench_close(&bench);
}

static void test_test_chunks(void)
{
	struct model_option option = {"chunks", SPAN("100000")};
	struct model_request request = {.options = &option, .option_count = 1};
	struct bench bench;

	bench_open(&bench, "test");
	ask(bench.model, bench.host.loop, &request, &bench.recorder);
	unit_ok(bench.recorder.deltas == 100000, "-o chunks=100000 gives that many");
	bench.recorder.cancel_after = 1000;
	ask(bench.model, bench.host.loop, &request, &bench.recorder);
	unit_ok(bench.recorder.deltas == 1000 && !bench.recorder.done,
		"a delta may cancel the call, and nothing follows");
	bench_close(&bench);
}

static void test_test_tools(void)
{
	struct model_tool tools[] = {weather, {"list", "", SPAN("{\"type\":\"object\"}")}};
	struct span messages[] = {
	    USER("hi"),
	    SPAN("{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_call\",\"tool_call_id\":"
		 "\"call_1\",\"tool_name\":\"weather\",\"args\":{}},{\"type\":\"tool_call\","
		 "\"tool_call_id\":\"call_2\",\"tool_name\":\"list\",\"args\":{}}]}"),
	    SPAN("{\"role\":\"tool\",\"content\":[{\"type\":\"tool_result\",\"tool_call_id\":"
		 "\"call_1\",\"tool_name\":\"weather\",\"result\":\"sunny\\n\",\"is_error\":false},"
		 "{\"type\":\"tool_result\",\"tool_call_id\":\"call_2\",\"tool_name\":\"list\","
		 "\"result\":\"no\",\"is_error\":true}]}"),
	    USER("again")};
	struct model_request request = {
	    .messages = typed(messages, 4), .message_count = 1, .tools = tools, .tool_count = 2};
	struct model_option calls = {"calls", SPAN("2")};
	struct bench bench;

	bench_open(&bench, "test");
	expect(&bench, &request,
	       "call 0 call_1 weather\nargs 0 [{\"cit]\nargs 0 [y\":\"K]\nargs 0 [öln\"}]\n"
	       "call 1 call_2 list\nargs 1 [{]\nargs 1 [}]\ntool_calls in 1 out 2 by test\n",
	       "it calls every tool once, with arguments that satisfy the schema");
	request.message_count = 3;
	ask(bench.model, bench.host.loop, &request, &bench.recorder);
	unit_same(buffer_span(&bench.recorder.text),
		  SPAN("I called weather, which said:\n\nsunny\n\nAnd list, which failed:\n\nno\n"),
		  "with the results it answers");
	request.message_count = 4;
	ask(bench.model, bench.host.loop, &request, &bench.recorder);
	unit_ok(span_starts(buffer_span(&bench.recorder.log), "call 0 call_3 weather\n"),
		"asked again, it calls again, and ids go on");
	request.message_count = 3;
	request.options = &calls;
	request.option_count = 1;
	ask(bench.model, bench.host.loop, &request, &bench.recorder);
	unit_ok(span_starts(buffer_span(&bench.recorder.log), "call 0 call_3 weather\n"),
		"-o calls=2 makes it call twice before it answers");
	request.message_count = 1;
	request.tool_choice = "list";
	expect(&bench, &request,
	       "call 0 call_1 list\nargs 0 [{]\nargs 0 [}]\ntool_calls in 1 out 1 by test\n",
	       "with a tool's name as choice it calls that one");
	request.tool_choice = "none";
	ask(bench.model, bench.host.loop, &request, &bench.recorder);
	unit_same(buffer_span(&bench.recorder.text),
		  SPAN("This is the built-in test model. You said: hi"),
		  "with none, it calls none");
	bench_close(&bench);
}

/* ---- replay ---- */

static void test_replay(void)
{
	struct model_request request = {0};
	struct bench bench;

	bench_open(&bench, "replay:tests/data/replay/two.jsonl");
	unit_ok(strcmp(model_provider(bench.model), "replay") == 0 &&
		    strcmp(model_name(bench.model), "tests/data/replay/two.jsonl") == 0,
		"it is called by its file");
	expect(&bench, &request,
	       "thinking [hm é]\ntext [I ]\ntext [call]\ncall 0 c1 t\n"
	       "args 0 [{\"id\": 12345678901]\nargs 0 [234567890}]\n"
	       "call 1 c2 t\nargs 1 [{\"x\": 1.10}]\n"
	       "tool_calls in 10 out 20 by m-1 id resp_1\n",
	       "the first answer, without the attempt that was discarded and other runs");
	expect(&bench, &request,
	       "text [only in the message]\ncall 0 c3 t\nargs 0 [{broken]\n"
	       "length in -1 out -1 by m-1\n",
	       "an answer that is only in the message");
	expect(&bench, &request,
	       "text [then]\nerror quota: no more credit (http 402) (code billing) (request "
	       "req_9)\n",
	       "a fatal error is replayed");
	expect(&bench, &request,
	       "text [half]\nerror stream_truncated: the log tests/data/replay/two.jsonl ends in "
	       "the middle of this response\n",
	       "an answer that was cut off");
	expect(&bench, &request,
	       "error invalid_request: the log tests/data/replay/two.jsonl contains only 4 "
	       "responses\n",
	       "the log is exhausted");
	expect_option(&bench, "temperature", "1",
		      "the model replay has no option \"temperature\"; its options are speed, "
		      "delay, strict, run",
		      "an unknown option is refused");
	bench_close(&bench);
	bench_open(&bench, "replay:tests/data/replay/two.jsonl");
	expect_option(&bench, "speed", "10",
		      "thinking [hm é]\ntext [I ]\ntext [call]\ncall 0 c1 t\n"
		      "args 0 [{\"id\": 12345678901]\nargs 0 [234567890}]\n"
		      "call 1 c2 t\nargs 1 [{\"x\": 1.10}]\n"
		      "tool_calls in 10 out 20 by m-1 id resp_1\n",
		      "with the recorded pauses it says the same");
	bench.recorder.cancel_after = 1;
	ask(bench.model, bench.host.loop, &request, &bench.recorder);
	unit_ok(!bench.recorder.done && bench.recorder.deltas == 1,
		"nothing follows after a call was cancelled");
	bench_close(&bench);
}

/* ---- exec ---- */

static void exec(const char *command, const char *want, const char *name)
{
	struct span messages[] = {USER("hi")};
	struct model_request request = {
	    .messages = typed(messages, 1), .message_count = 1, .tools = &weather, .tool_count = 1};
	struct buffer spec = {0};
	struct bench bench;

	buffer_add_format(&spec, "exec:%s", command);
	bench_open(&bench, buffer_string(&spec));
	expect(&bench, &request, want, name);
	bench_close(&bench);
	buffer_free(&spec);
}

#define MESSAGE(content)                                                                           \
	"{\"event_type\":\"llm_end\",\"data\":{\"message\":{\"content\":" content "}}}"

static void test_exec(void)
{
	/* Lines, and what the error says about them; NULL: that they have none of the forms. */
	static const struct {
		const char *line, *fault;
	} unknown[] = {
	    {"{}", NULL},
	    {"{\"content\":\"a\"}", "unknown key \"content\""},
	    {"{\"txt\":\"a\"}", "unknown key \"txt\" (did you mean text?)"},
	    {"{\"text\":\"a\",\"thinkin\":\"b\"}",
	     "unknown key \"thinkin\" (did you mean thinking?)"},
	    {"{\"text\":null}", NULL},
	    {"{\"text\":[\"a\"]}", "text must be a string"},
	    {"{\"text\":7}", "text must be a string"},
	    {"{\"args\":{}}", NULL},
	    {"{\"usage\":5}", "usage must be an object"},
	    {"{\"usage\":{\"output_tokens\":\"2\"}}", "output_tokens must be a number"},
	    {"{\"error\":\"a\",\"retryable\":\"true\"}", "retryable must be a boolean"},
	    {"{\"error\":\"a\",\"http_status\":\"503\"}", "http_status must be a number"},
	    {"{\"error\":\"a\",\"retry_after_seconds\":[1]}",
	     "retry_after_seconds must be a number"},
	    {"{\"text\":\"a\",\"part\":1}", "unknown key \"part\""},
	    {"{\"finish_reason\":1}", "finish_reason must be a string"},
	    {"{\"error\":{\"message\":\"a\"}}", "error must be a string"},
	    {"{\"tool_name\":\"f\",\"args\":\"{}\"}", "args must be an object"},
	    {"{\"tool_name\":\"f\",\"args\":[]}", "args must be an object"},
	    {"{\"tool_name\":\"f\",\"arguments\":{\"a\":1}}", "unknown key \"arguments\""},
	    {"{\"tool_name\":\"f\",\"arg\":{}}", "unknown key \"arg\" (did you mean args?)"},
	    {"{\"event_type\":\"llm_chnk\",\"data\":{\"text\":\"a\"}}", NULL},
	    {"{\"event_type\":\"llm_chunk\",\"text\":\"a\"}", NULL},
	    {"{\"event_type\":\"llm_chunk\",\"data\":{\"text\":[\"a\"]}}", "text must be a string"},
	    {"{\"event_type\":\"llm_chunk\",\"data\":{\"text\":\"a\",\"part\":\"1\"}}",
	     "part must be a number"},
	    {"{\"event_type\":\"llm_end\",\"data\":{\"is_final\":\"no\"}}",
	     "is_final must be a boolean"},
	    {MESSAGE("\"a\""), "content must be an array"},
	    {MESSAGE("[\"a\"]"), "a part of content must be an object"},
	    {MESSAGE("[{\"text\":\"a\"}]"), "type must be a string"},
	    {MESSAGE("[{\"type\":[\"text\"],\"text\":\"a\"}]"), "type must be a string"},
	    {MESSAGE("[{\"type\":\"text\",\"text\":[\"a\"]}]"), "text must be a string"},
	    {MESSAGE("[{\"type\":\"tool_call\",\"tool_name\":\"f\",\"args\":\"{}\"}]"),
	     "args must be an object"},
	    {"{\"event_type\":\"tool_call_chunk\",\"data\":{\"tool_name\":\"f\"}}", NULL},
	    {"{\"event_type\":\"tool_call_end\",\"data\":{\"tool_name\":\"f\",\"args\":1}}",
	     "args must be an object"},
	    {"{\"event_type\":\"llm_end\"}", NULL},
	    {"{\"event_type\":\"error\",\"data\":{}}", NULL},
	};

	exec("jq -c '{text: (.messages[0].content[0].text + \" \" + .tools[0].name)}'",
	     "text [hi weather]\nstop in -1 out -1\n", "the request is JSON on stdin");
	exec("echo '{\"thinking\":\"hm\"}'; echo '{\"text\":\"a \"}'; printf '{\"text\":\"b\"}'",
	     "thinking [hm]\ntext [a ]\ntext [b]\nstop in -1 out -1\n", "short forms");
	exec("echo '{\"tool_name\":\"weather\",\"args\":{\"city\": 1.10}}'; echo "
	     "'{\"tool_name\":\"weather\",\"tool_call_id\":\"x\",\"args\":{}}'",
	     "call 0 call_1 weather\nargs 0 [{\"city\": 1.10}]\ncall 1 x weather\nargs 1 [{}]\n"
	     "tool_calls in -1 out -1\n",
	     "short calls, with and without an id");
	exec("sed -n 6,99p tests/data/replay/two.jsonl | head -11",
	     "thinking [hm é]\ntext [another run]\ntext [I ]\ntext [call]\ncall 0 c1 t\n"
	     "args 0 [{\"id\": 12345678901]\nargs 0 [234567890}]\n"
	     "call 1 c2 t\nargs 1 [{\"x\": 1.10}]\n"
	     "tool_calls in 10 out 20 by m-1 id resp_1\n",
	     "whole events");
	exec("true", "stop in -1 out -1\n", "an empty answer");
	exec("echo '{\"refusal\":\"No.\"}'", "refusal in -1 out -1\n", "a refusal");
	exec("echo '{\"text\":\"a\",\"usage\":{\"input_tokens\":3,\"output_tokens\":4}}'; echo "
	     "'{\"finish_reason\":\"MAX_TOKENS\"}'",
	     "text [a]\nlength in 3 out 4\n", "usage and the reason of the end in short forms");
	exec("echo '{\"tool_name\":\"f\",\"tool_call_id\":\"c\",\"args_delta\":\"{\"}'; echo "
	     "'{\"tool_call_id\":\"c\",\"args_delta\":\"}\"}'",
	     "call 0 c f\nargs 0 [{]\nargs 0 [}]\ntool_calls in -1 out -1\n",
	     "a call in pieces in short forms");
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		struct buffer command = {0}, want = {0};
		const char *fault = unknown[i].fault;

		buffer_add_format(&command, "echo '%s'; sleep 60", unknown[i].line);
		buffer_add_format(
		    &want,
		    "error invalid_response: line 1 of the program's "
		    "output%s%s%s" EVENT_RESPONSE_FORMS "; see agent-providers(5)\n",
		    fault != NULL ? ": " : "",
		    fault != NULL ? fault : " is no event of a response and has none of the forms ",
		    fault != NULL ? "; the forms are " : "");
		exec(buffer_string(&command), buffer_string(&want), unknown[i].line);
		buffer_free(&want);
		buffer_free(&command);
	}
	exec(
	    "echo '{\"text\":\"a\"}'; echo oh no >&2; exit 3",
	    "text [a]\nerror server: the program 'echo '{\"text\":\"a\"}'; echo oh no >&2; exit 3' "
	    "failed: exit status 3: oh no\n",
	    "a program that fails");
	exec("nothing-there 2>/dev/null",
	     "error server: the program 'nothing-there 2>/dev/null' failed: exit status 127\n",
	     "a program that is not there");
	exec(
	    "echo '{\"error\":\"too busy\",\"exception_type\":\"overloaded\",\"retryable\":true}'; "
	    "echo '{\"text\":\"after\"}'; sleep 60",
	    "error overloaded: too busy (retryable)\n", "an error it tells itself");
	exec(
	    "echo '{\"text\":\"a\"}'; echo; echo oops; sleep 60",
	    "text [a]\nerror invalid_response: line 2 of the program's output is not JSON: a value "
	    "is missing\n",
	    "a line that is not JSON");
	exec("echo 1",
	     "error invalid_response: line 1 of the program's output is not an event: a "
	     "JSON object is expected\n",
	     "a line that is no object");
	exec("echo '{\"event_type\":\"tool_call_start\",\"data\":{}}'",
	     "error invalid_response: a tool call without a tool_name\n", "a call without a name");
	exec("echo '{\"tool_name\":\"\"}'",
	     "error invalid_response: a tool call without a tool_name\n",
	     "a call with an empty name");
}

static void test_exec_idle(void)
{
	struct model_request request = {0};
	struct bench bench;

	bench_open(&bench, "exec:exec sleep 60");
	bench.host.limits.idle_seconds = 0.1;
	expect(&bench, &request,
	       "error timeout: the program 'exec sleep 60' has printed nothing for 0.1 seconds "
	       "(--idle-timeout) "
	       "(retryable)\n",
	       "a silent program is given up");
	bench_close(&bench);
}

static void stop_loop(void *context)
{
	loop_stop(context);
}

static void test_exec_cancel(void)
{
	struct model_request request = {0};
	struct bench bench;

	bench_open(&bench, "exec:echo '{\"text\":\"'$$'\"}'; exec sleep 60");
	bench.recorder.cancel_after = 1;
	ask(bench.model, bench.host.loop, &request, &bench.recorder);
	while (kill((pid_t)strtol(buffer_string(&bench.recorder.text), NULL, 10), 0) == 0) {
		loop_timer_add(bench.host.loop, 10000000, stop_loop, bench.host.loop);
		loop_run(bench.host.loop);
	}
	unit_ok(!bench.recorder.done, "a cancelled program is stopped, and nobody is told");
	bench_close(&bench);
}

/* ---- specs ---- */

static void refused(const char *spec, const char *want)
{
	struct model_host host = {.loop = loop_new()};
	struct error e = {0};

	if (unit_ok(model_open(&host, spec, &e) == NULL, "%s is refused", spec))
		unit_same(span_of(e.message), span_of(want), "and says why");
	unit_ok(strcmp(e.kind, "usage") == 0, "as a usage error");
	error_clear(&e);
	loop_free(host.loop);
}

static void test_refused(void)
{
	refused("replay:", "the model replay: names no log: write replay:FILE");
	refused("replay:tests/data/none", "tests/data/none: No such file or directory");
	refused(
	    "replay:tests/data/tools/bad/plain",
	    "tests/data/tools/bad/plain: this log contains no response of a model (no llm_start "
	    "event)");
	refused("exec:", "the model exec: names no program: write exec:COMMAND");
}

static void counts(void)
{
	unit_ok(model_tokens(SPAN("12"), -1) == 12, "a count of tokens");
	unit_ok(model_tokens(SPAN("9223372036854775807"), -1) == (int64_t)1 << 40,
		"sums of absurd counts do not overflow");
	unit_ok(model_tokens(SPAN("-5"), 7) == 7 && model_tokens(SPAN("null"), -1) == -1,
		"what is no count is not said");
}

int main(void)
{
	test_test_text();
	test_test_options();
	test_test_chunks();
	test_test_tools();
	test_replay();
	test_exec();
	test_exec_idle();
	test_exec_cancel();
	test_refused();
	counts();
	return unit_done();
}

#define _DEFAULT_SOURCE /* usleep */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop/loop.h"
#include "tool/excerpt.h"
#include "tool/manifest.h"
#include "unit.h"

/* ---- running one ---- */

struct answer {
	struct loop *loop;
	struct buffer text, streamed;
	struct tool_result result;
	int pending;
};

static void answered(void *context, const struct tool_result *result)
{
	struct answer *answer = context;

	answer->result = *result;
	buffer_clear(&answer->text);
	buffer_add_span(&answer->text, result->text);
	if (--answer->pending == 0)
		loop_stop(answer->loop);
}

static void streamed(void *context, struct span text)
{
	struct answer *answer = context;

	buffer_add_span(&answer->streamed, text);
}

static const struct tool_limits limits = {.timeout = 20, .max_result = TOOL_MAX_RESULT};

static char *const environment[] = {"PATH=/usr/bin:/bin", "AGENT_TOOL_NAME=test", NULL};

static struct tool *tool_of(const char *manifest)
{
	struct error e = {0};
	struct tool *tool =
	    manifest_read(span_of(manifest), "test.json", "tests/data/tools/folder/", NULL, &e);

	if (tool == NULL) {
		printf("Bail out! %s\n", e.message);
		exit(2);
	}
	return tool;
}

static struct tool_call *begin(struct loop *loop, const struct tool *tool, struct span args,
			       const struct tool_limits *given, const struct tool_handler *handler)
{
	const struct tool_request request = {
	    .loop = loop, .args = args, .environment = environment, .limits = *given};

	return tool_start(tool, &request, handler);
}

static void run_limited(struct answer *answer, const char *manifest, struct span args,
			const struct tool_limits *given)
{
	struct tool *tool = tool_of(manifest);
	struct tool_handler handler = {.context = answer, .output = streamed, .done = answered};

	*answer = (struct answer){.loop = loop_new(), .pending = 1};
	begin(answer->loop, tool, args, given, &handler);
	loop_run(answer->loop);
	loop_free(answer->loop);
	tool_free(tool);
}

static void run(struct answer *answer, const char *manifest, const char *args)
{
	run_limited(answer, manifest, span_of(args), &limits);
}

static void answer_free(struct answer *answer)
{
	buffer_free(&answer->text);
	buffer_free(&answer->streamed);
}

static void check(const char *manifest, const char *args, const char *want, int exit_status,
		  const char *name)
{
	struct answer answer;

	run(&answer, manifest, args);
	unit_same(buffer_span(&answer.text), span_of(want), name);
	unit_ok(answer.result.exit_status == exit_status &&
		    answer.result.is_error == (exit_status != 0),
		"%s: exit status", name);
	answer_free(&answer);
}

/* A tool whose parameters are any of p, q, list and n, and which shows its arguments. */
#define SHOW(command)                                                                              \
	"{\"name\":\"t\",\"parameters\":{\"type\":\"object\",\"properties\":{\"p\":{},\"q\":{"     \
	"\"default\":\"Q\"},\"list\":{},\"n\":{}}},\"command\":[\"printf\",\"[%s]\"," command "]}"

#define SHELL(script) "{\"name\":\"t\",\"command\":[\"sh\",\"-c\",\"" script "\"]}"

static void test_placeholders(void)
{
	check(SHOW("\"{p}\""), "{\"p\":\"a b\\n'$(x)\\u00e9\"}", "[a b\n'$(x)é]", 0,
	      "a string becomes one argument, decoded");
	check(SHOW("\"{p}\",\"{n}\""), "{\"p\":1.10,\"n\":12345678901234567890}",
	      "[1.10][12345678901234567890]", 0, "numbers keep their digits");
	check(SHOW("\"{p}\",\"{n}\""), "{\"p\":true,\"n\":{\"a\": [1]}}", "[true][{\"a\": [1]}]", 0,
	      "booleans and objects go in as JSON");
	check(SHOW("\"{p}\",\"end\""), "{}", "[end]", 0, "an absent argument is dropped");
	check(SHOW("\"--p={p}\",\"end\""), "{\"p\":null}", "[end]", 0,
	      "null counts as absent, and its whole element is dropped");
	check(SHOW("\"{q}\",\"q={q}\""), "{}", "[Q][q=Q]", 0, "the schema's default stands in");
	check(SHOW("\"{q}\""), "{\"q\":\"given\"}", "[given]", 0, "what is given wins");
	check(SHOW("\"{list}\",\"end\""), "{\"list\":[\"a b\",2,[3]]}", "[a b][2][[3]][end]", 0,
	      "an array becomes an argument for each element");
	check(SHOW("\"-i{list}\""), "{\"list\":[\"a\",\"b\"]}", "[-ia][-ib]", 0,
	      "with text around it too");
	check(SHOW("\"{list}\",\"end\""), "{\"list\":[]}", "[end]", 0,
	      "an empty array gives no argument");
	check(SHOW("\"{p}:{list}\""), "{\"p\":1,\"list\":[2, 3]}", "[1:[2, 3]]", 0,
	      "beside another placeholder an array goes in as JSON");
	check(SHOW("\"{{{p}}}\",\"a}b\",\"{{{{\""), "{\"p\":\"x\"}", "[{x}][a}b][{{]", 0,
	      "doubled braces stand for one");
	check(SHOW("\"{p}\""), "{\"p\":\"\"}", "[]", 0, "an empty string is an argument");
	check(SHOW("\"{p}\""), "{\"p\":\"a\\u0000b\"}",
	      "the argument \"p\" holds a NUL character, which cannot be passed to a program", -1,
	      "a NUL cannot be passed");
}

static void test_stdin(void)
{
	struct buffer args = {0};
	struct answer answer;

	check("{\"name\":\"t\",\"command\":[\"cat\"]}", "{\"a\" : 1.10,\"b\":\"\\u00e9\"}",
	      "{\"a\" : 1.10,\"b\":\"\\u00e9\"}", 0, "arguments arrive on stdin byte for byte");
	check(SHOW("\"{p}\""), "{\"p\":1}", "[1]", 0, "with placeholders nothing is on stdin");
	check(SHELL("exec <&-; sleep 0.1; echo done"), "{}", "done\n", 0,
	      "a tool need not read its arguments");
	buffer_add_text(&args, "{\"text\":\"");
	for (int i = 0; i < 500000; i++)
		buffer_add_text(&args, "abcdefghi ");
	buffer_add_text(&args, "\"}");
	run_limited(&answer, SHELL("wc -c"), buffer_span(&args), &limits);
	unit_same(buffer_span(&answer.text), SPAN("5000011\n"), "large arguments arrive whole");
	answer_free(&answer);
	run_limited(&answer, SHELL("head -c 3; exit 0"), buffer_span(&args), &limits);
	unit_same(buffer_span(&answer.text), SPAN("{\"t"), "or not at all");
	answer_free(&answer);
	run_limited(&answer, SHELL("cat; cat /dev/null >&2"), buffer_span(&args),
		    &(struct tool_limits){.timeout = 20, .max_result = 8000000});
	unit_same(buffer_span(&answer.text), buffer_span(&args),
		  "a tool that prints while it reads does not lock up");
	answer_free(&answer);
	buffer_free(&args);
}

static void test_errors(void)
{
	check(SHELL("echo out; echo err >&2"), "{}", "out\n", 0, "of a success only stdout counts");
	check(SHELL("printf out; printf err >&2; exit 3"), "{}", "out\nerr\nexit status 3", 3,
	      "a failure tells stdout, stderr and the exit status");
	check(SHELL("exit 1"), "{}", "exit status 1", 1, "a silent failure tells its status");
	check(SHELL("kill -9 $$"), "{}", "killed by signal 9 (Killed)", -1, "death by a signal");
	check("{\"name\":\"t\",\"command\":[\"./nothing-here\"]}", "{}",
	      "tests/data/tools/folder/nothing-here cannot be started: No such file or directory",
	      -1, "a program that is not there");
	check("{\"name\":\"t\",\"command\":[\"nothing-here\"]}", "{}",
	      "nothing-here cannot be started: No such file or directory", -1,
	      "a program that is not in PATH");
	check("{\"name\":\"t\",\"command\":[\"./README\"]}", "{}",
	      "tests/data/tools/folder/README cannot be started: Permission denied", -1,
	      "a file that is no program");
	check(
	    "{\"name\":\"t\",\"command\":[\"./upper-case\",\"{p}\"],\"parameters\":{\"properties\""
	    ":{\"p\":{}}}}",
	    "{\"p\":\"abc\"}", "ABC", 0, "a relative program starts at the manifest's folder");
}

static void test_stderr_end(void)
{
	struct answer answer;

	run(&answer, SHELL("head -c 5000 /dev/zero | tr '\\\\0' e >&2; exit 2"), "{}");
	unit_ok(span_starts(buffer_span(&answer.text), "[... 904 bytes cut ...]\neeee") &&
		    span_ends(buffer_span(&answer.text), "eeee\nexit status 2") &&
		    answer.text.len ==
			strlen("[... 904 bytes cut ...]\n") + 4096 + strlen("\nexit status 2") &&
		    !answer.result.truncated,
		"of a long stderr the last 4 KiB are told");
	answer_free(&answer);
}

/* Wait until the process `pid` has ended, whether or not somebody has reaped it. It would live for
 * a minute if nothing killed it. */
static bool ends_early(const char *pid)
{
	struct buffer path = {0};
	int tries = 3000;
	char state = 'R';

	buffer_add_format(&path, "/proc/%ld/stat", strtol(pid, NULL, 10));
	while (state != 'Z' && tries-- > 0) {
		FILE *file = fopen(buffer_string(&path), "r");

		state = 'Z';
		if (file != NULL) {
			if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
				state = 'Z';
			(void)fclose(file);
		}
		usleep(10000);
	}
	buffer_free(&path);
	return state == 'Z';
}

static void test_time(void)
{
	struct answer answer;

	run(&answer,
	    "{\"name\":\"t\",\"timeout\":0.2,\"command\":[\"sh\",\"-c\",\"echo begun; sleep 60\"]}",
	    "{}");
	unit_same(buffer_span(&answer.text), SPAN("begun\ntimed out after 0.2 seconds"),
		  "a tool past its time is stopped");
	unit_ok(answer.result.is_error && answer.result.exit_status == -1, "and that is an error");
	answer_free(&answer);
	run(&answer,
	    "{\"name\":\"t\",\"timeout\":0,\"idle_timeout\":\"200ms\",\"command\":[\"sh\",\"-c\","
	    "\"echo begun; sleep 60\"]}",
	    "{}");
	unit_same(buffer_span(&answer.text),
		  SPAN("begun\nstopped after 0.2 seconds without output"),
		  "so is one that writes nothing");
	answer_free(&answer);
	run_limited(&answer, SHELL("trap '' TERM; sleep 60 & echo $!; while :; do sleep 1; done"),
		    SPAN("{}"), &(struct tool_limits){.timeout = 1, .max_result = 1000});
	unit_ok(span_ends(buffer_span(&answer.text), "\ntimed out after 1 second"),
		"a tool that ignores TERM is killed");
	unit_ok(ends_early(buffer_string(&answer.text)), "with its whole process group");
	answer_free(&answer);
	run(&answer, SHELL("sleep 60 & echo $!"), "{}");
	unit_ok(!answer.result.is_error && ends_early(buffer_string(&answer.text)),
		"what a tool leaves behind on its stdout is not waited for, but killed");
	answer_free(&answer);
}

static void test_text(void)
{
	struct answer answer;

	check(SHELL("printf 'a\\\\303'; sleep 0.1; printf '\\\\251b\\\\377c'"), "{}",
	      "aéb\xef\xbf\xbd"
	      "c",
	      0, "a code point may come in two pieces, and what is none is replaced");
	run(&answer, SHELL("printf 'a\\\\303'"), "{}");
	unit_same(buffer_span(&answer.text), SPAN("a\xef\xbf\xbd"), "half a code point at the end");
	unit_same(buffer_span(&answer.streamed), buffer_span(&answer.text),
		  "is repaired in what is streamed, too");
	answer_free(&answer);
}

static void test_cut(void)
{
	struct tool_limits small = {.timeout = 20, .max_result = 10};
	struct answer answer;

	run_limited(&answer, SHELL("printf 0123456789"), SPAN("{}"), &small);
	unit_same(buffer_span(&answer.text), SPAN("0123456789"), "a result at the limit is whole");
	unit_ok(!answer.result.truncated, "and not marked");
	answer_free(&answer);
	run_limited(&answer, SHELL("printf 0123456789abcdef"), SPAN("{}"), &small);
	unit_same(buffer_span(&answer.text), SPAN("01234\n[... 6 bytes cut ...]\nbcdef"),
		  "a longer one is cut in the middle");
	unit_ok(answer.result.truncated, "and marked");
	unit_same(buffer_span(&answer.streamed), SPAN("0123456789abcdef"), "the stream is whole");
	answer_free(&answer);
	run_limited(&answer, SHELL("printf 'éééééééé'"), SPAN("{}"), &small);
	unit_same(buffer_span(&answer.text), SPAN("éé\n[... 8 bytes cut ...]\néé"),
		  "between code points");
	answer_free(&answer);
	run(&answer, SHELL("head -c 50000000 /dev/zero | tr '\\\\0' x"), "{}");
	unit_ok(answer.text.len == TOOL_MAX_RESULT + strlen("\n[... 49737856 bytes cut ...]\n") &&
		    memcmp(answer.text.at + TOOL_MAX_RESULT / 2,
			   "\n[... 49737856 bytes cut ...]\nx", 31) == 0,
		"of 50 MB the first and last 128 KiB are kept");
	answer_free(&answer);
}

static void test_child(void)
{
	int leak = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t blocked, old;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, &old);
	check(SHELL("ls /proc/self/fd | tr '\\\\n' ' '"), "{}", "0 1 2 3 ", 0,
	      "a child has no descriptor but its three (3 is ls's own)");
	check(SHELL("grep -E '^Sig(Blk|Ign)' /proc/self/status | rev | cut -c1-7"), "{}",
	      "0000000\n0000000\n", 0, "no signal is blocked or ignored in a child");
	check(SHELL("echo $AGENT_TOOL_NAME; read -r _ _ _ _ group _ </proc/$$/stat; test $group = "
		    "$$ && echo leader"),
	      "{}", "test\nleader\n", 0, "a child leads its group and has the environment given");
	sigprocmask(SIG_SETMASK, &old, NULL);
	close(leak);
}

static void test_parallel(void)
{
	struct tool *tool = tool_of(SHELL("cat; sleep 0.2"));
	struct answer answers[20];
	struct loop *loop = loop_new();
	int finished = 0;

	for (int i = 0; i < 20; i++) {
		struct tool_handler handler = {.context = &answers[i], .done = answered};

		/* All share the first one's count of calls under way. */
		answers[i] = (struct answer){.loop = loop, .pending = 1000};
		begin(loop, tool, i % 2 ? SPAN("{\"odd\":1}") : SPAN("{}"), &limits, &handler);
	}
	answers[0].pending = 1;
	while (finished < 20) {
		loop_run(loop);
		finished = 0;
		for (int i = 0; i < 20; i++) {
			finished += answers[i].text.len > 0;
			if (answers[i].text.len == 0)
				answers[i].pending = 1;
		}
	}
	finished = 0;
	for (int i = 0; i < 20; i++) {
		finished += span_is(buffer_span(&answers[i].text), i % 2 ? "{\"odd\":1}" : "{}");
		answer_free(&answers[i]);
	}
	unit_ok(finished == 20, "twenty tools run at once, each with its own arguments");
	loop_free(loop);
	tool_free(tool);
}

static void stop_loop(void *context)
{
	loop_stop(context);
}

static bool is_alive(pid_t pid)
{
	return kill(pid, 0) == 0;
}

static void test_cancel(void)
{
	struct tool *tool = tool_of(SHELL("echo $$; sleep 60"));
	struct answer answer = {.loop = loop_new(), .pending = 1};
	struct tool_handler handler = {.context = &answer, .output = streamed, .done = answered};
	struct tool_call *call;
	pid_t pid;

	call = begin(answer.loop, tool, SPAN("{}"), &limits, &handler);
	while (answer.streamed.len == 0) {
		loop_timer_add(answer.loop, 10000000, stop_loop, answer.loop);
		loop_run(answer.loop);
	}
	pid = (pid_t)strtol(buffer_string(&answer.streamed), NULL, 10);
	unit_ok(is_alive(pid), "a tool runs");
	tool_cancel(call, 0);
	unit_ok(!is_alive(pid) && errno == ESRCH, "cancelled without grace, it is gone at once");
	buffer_clear(&answer.streamed);
	call = begin(answer.loop, tool, SPAN("{}"), &limits, &handler);
	while (answer.streamed.len == 0) {
		loop_timer_add(answer.loop, 10000000, stop_loop, answer.loop);
		loop_run(answer.loop);
	}
	pid = (pid_t)strtol(buffer_string(&answer.streamed), NULL, 10);
	tool_cancel(call, LOOP_GRACE_SECONDS);
	while (is_alive(pid)) {
		loop_timer_add(answer.loop, 10000000, stop_loop, answer.loop);
		loop_run(answer.loop);
	}
	unit_ok(answer.pending == 1, "cancelled with grace it ends, and nobody is told");
	call = begin(answer.loop, tool, SPAN("{}"), &limits, &handler);
	tool_cancel(call, 0);
	unit_ok(true, "it may be cancelled before it has begun");
	loop_free(answer.loop);
	answer_free(&answer);
	tool_free(tool);
}

/* ---- manifests ---- */

static void bad_manifest(const char *manifest, const char *want)
{
	struct error e = {0};
	struct tool *tool = manifest_read(span_of(manifest), "m.json", "", NULL, &e);

	if (unit_ok(tool == NULL, "refused: %s", want))
		unit_same(span_of(e.message), span_of(want), "says why");
	tool_free(tool);
	error_clear(&e);
}

static void test_bad_manifests(void)
{
	bad_manifest("", "m.json:1: not valid JSON: unexpected end of text");
	bad_manifest("{\n\"name\": \"x\",\n}\n", "m.json:3: not valid JSON: a key is missing");
	bad_manifest("[1]", "m.json:1: a manifest must be a JSON object with \"name\", "
			    "\"description\", \"parameters\" and \"command\"");
	bad_manifest("\n{}", "m.json:2: the manifest has no \"name\": add one");
#define NAME                                                                                       \
	"\"name\" must be a string of at most 64 letters, digits, _ and -, beginning with a "      \
	"letter or _"
	bad_manifest("{\"name\":\n1}", "m.json:2: " NAME);
	bad_manifest("{\"name\":\"a b\"}", "m.json:1: " NAME);
	bad_manifest("{\"name\":\"1a\"}", "m.json:1: " NAME);
	bad_manifest("{\"name\":\"a23456789012345678901234567890123456789012345678901234567890"
		     "12345\"}",
		     "m.json:1: " NAME);
	bad_manifest("{\"name\":\"x\",\"description\":1}",
		     "m.json:1: \"description\" must be a string");
	bad_manifest("{\"name\":\"x\",\"parameters\":[]}",
		     "m.json:1: \"parameters\" must be a JSON Schema object, such as {\"type\": "
		     "\"object\", \"properties\": {}}");
	bad_manifest("{\"name\":\"x\",\"parameters\":{\n\"type\":\"string\"}}",
		     "m.json:2: \"parameters\" must describe an object: its \"type\" must be "
		     "\"object\"");
	bad_manifest("{\"name\":\"x\"}", "m.json:1: the manifest has no \"command\": add one, such "
					 "as [\"./program\", \"{name}\"]");
#define IDLE                                                                                       \
	"\"idle_timeout\" must be a duration, such as 90, 90s, 5m, 1h, 100ms or 1m30s, of a tool " \
	"with a "                                                                                  \
	"\"command\""
#define COMMAND                                                                                    \
	"\"command\" must be an array of strings that begins with a program, such as [\"cat\", "   \
	"\"--\", \"{path}\"]"
	bad_manifest("{\"name\":\"x\",\n\"command\":\"cat\"}", "m.json:2: " COMMAND);
	bad_manifest("{\"name\":\"x\",\"command\":[]}", "m.json:1: " COMMAND);
	bad_manifest("{\"name\":\"x\",\"command\":[\"\"]}", "m.json:1: " COMMAND);
	bad_manifest("{\"name\":\"x\",\"command\":[\"a\",\n1]}", "m.json:2: " COMMAND);
	bad_manifest("{\"name\":\"x\",\"command\":[\"cat\",\n\"{path}\"]}",
		     "m.json:2: the placeholder {path} names no property of \"parameters\": add it "
		     "there, or write {{ and }} for braces that stand for themselves");
	bad_manifest(
	    "{\"name\":\"x\",\"command\":[\"cat\",\"{path\"]}",
	    "m.json:1: \"command\" contains a { that is not closed: write {{ for a brace that "
	    "stands for itself");
	bad_manifest(
	    "{\"name\":\"x\",\"parameters\":{\"properties\":{\"p\":{}}},\"command\":[\"{p}"
	    "\"]}",
	    "m.json:1: the program itself, the first string of \"command\", must not contain a "
	    "placeholder: the model would choose what is run");
	bad_manifest(
	    "{\"name\":\"x\",\"command\":[\"a\"],\"timeout\":\"5 minutes\"}",
	    "m.json:1: \"timeout\" must be a duration, such as 90, 90s, 5m, 1h, 100ms or 1m30s");
	bad_manifest(
	    "{\"name\":\"x\",\"command\":[\"a\"],\n\"timeout\":-1}",
	    "m.json:2: \"timeout\" must be a duration, such as 90, 90s, 5m, 1h, 100ms or 1m30s");
	bad_manifest("{\"name\":\"x\",\"command\":[\"a\"],\"idle_timeout\":true}",
		     "m.json:1: " IDLE);
	bad_manifest("{\"name\":\"x\",\"agent\":\"a.json\",\"idle_timeout\":1}", "m.json:1: " IDLE);
	bad_manifest("{\"name\":\"x\",\"command\":[\"a\"],\"approval\":1}",
		     "m.json:1: \"approval\" must be true or false");
#define KEYS                                                                                       \
	"; the keys are name, description, parameters, inputSchema, command, agent, timeout, "     \
	"idle_timeout, env, env_only, "                                                            \
	"approval, idempotent, poll, $schema, title, icons, annotations, outputSchema, "           \
	"execution, "                                                                              \
	"strict, _meta"
	bad_manifest("{\"name\":\"x\",\n\"aproval\":true,\"command\":[\"a\"]}",
		     "m.json:2: unknown key \"aproval\" (did you mean approval?)" KEYS);
	bad_manifest("{\"name\":\"x\",\"Idempotent\":true,\"command\":[\"a\"]}",
		     "m.json:1: unknown key \"Idempotent\" (did you mean idempotent?)" KEYS);
	bad_manifest("{\"name\":\"x\",\"requires_confirmation\":true,\"command\":[\"a\"]}",
		     "m.json:1: unknown key \"requires_confirmation\"" KEYS);
	bad_manifest("{\"name\":\"x\",\"command\":[\"a\"],\"approval\":true,\n\"approv\\u0061l\":"
		     "false}",
		     "m.json:2: the key \"approval\" is there twice: leave one out");
	bad_manifest(
	    "{\"name\":\"x\",\"command\":[\"a\"],\"parameters\":{\"properties\":{\"p\":{},\n"
	    "\"p\":{}}}}",
	    "m.json:2: the key \"p\" is there twice: leave one out");
}

static void test_ignored_members(void)
{
	tool_free(
	    tool_of("{\"name\":\"x\",\"command\":[\"a\"],\"$schema\":\"s\",\"title\":\"t\","
		    "\"icons\":[],\"annotations\":{\"readOnlyHint\":true},\"outputSchema\":{},"
		    "\"strict\":true,\"_meta\":{\"x\":1},\"x-anything\":[]}"));
	unit_ok(true, "members for other programs are ignored");
}

static void test_folder(void)
{
	struct tool_set set = {0};
	struct error e = {0};
	const struct tool *tool;

	unit_ok(tool_set_add(&set, "", "tests/data/tools/folder", &e),
		"a folder of tools is taken");
	unit_ok(set.count == 3 && strcmp(set.tools[0]->name, "echo") == 0 &&
		    strcmp(set.tools[1]->name, "upper") == 0 &&
		    strcmp(set.tools[2]->name, "self") == 0,
		"manifests in order, then programs that describe themselves; no README, no hidden "
		"file, no program of a manifest");
	tool = tool_set_find(&set, SPAN("upper"));
	unit_ok(tool->approval && !tool->stdin_args && tool->timeout == 0, "upper: members");
	unit_same(
	    tool->parameters,
	    SPAN("{\"type\": \"object\", \"properties\": {\"text\": {\"type\": \"string\"}}}"),
	    "inputSchema is taken for parameters");
	tool = tool_set_find(&set, SPAN("echo"));
	unit_ok(!tool->approval && tool->timeout == 10 &&
		    strcmp(tool->description, "Print the text") == 0,
		"echo: members");
	tool = tool_set_find(&set, SPAN("self"));
	unit_same(tool->command, SPAN("[\"./self\"]"), "a program is its own command");
	unit_ok(tool->stdin_args && json_check(buffer_span(&tool->manifest), NULL),
		"and its manifest is JSON");
	unit_ok(tool_set_find(&set, SPAN("none")) == NULL, "an unknown name is not found");
	unit_ok(!tool_set_add(&set, "", "tests/data/tools/folder/echo.json", &e),
		"twice is refused");
	unit_same(
	    span_of(e.message),
	    SPAN("tests/data/tools/folder/echo.json: this tool is given twice: leave one out"),
	    "says so");
	error_clear(&e);
	tool_set_free(&set);
}

static void refused(const char *path, const char *want)
{
	struct tool_set set = {0};
	struct error e = {0};

	if (unit_ok(!tool_set_add(&set, "", path, &e), "refused: %s", path))
		unit_same(span_of(e.message), span_of(want), "says why");
	unit_ok(e.kind != NULL && strcmp(e.kind, "usage") == 0, "as a usage error");
	error_clear(&e);
	tool_set_free(&set);
}

static void test_refused(void)
{
	refused("tests/data/tools/nothing",
		"tests/data/tools/nothing: No such file or directory: a tool is a manifest, a "
		"program, a folder of them, or a shipped one (list_dir, read_file, shell)");
	refused("tests/data/tools/bad/plain",
		"tests/data/tools/bad/plain: neither a manifest (*.json) nor executable: chmod +x "
		"makes it a program that is asked with --describe");
	refused("tests/data/tools/bad/mute",
		"tests/data/tools/bad/mute --describe failed (exit status 3: no such option: "
		"--describe): a program without a manifest must print one when run so; or write "
		"tests/data/tools/bad/mute.json");
	refused("tests/data/tools/bad/chatty",
		"tests/data/tools/bad/chatty --describe failed (it printed no JSON object): a "
		"program without a manifest must print one when run so; or write "
		"tests/data/tools/bad/chatty.json");
	refused("tests/data/tools/bad/syntax.json",
		"tests/data/tools/bad/syntax.json:3: not valid JSON: a value is missing");
	refused("tests/data/tools/bad/placeholder.json",
		"tests/data/tools/bad/placeholder.json:6: the placeholder {file} names no property "
		"of \"parameters\": add it there, or write {{ and }} for braces that stand for "
		"themselves");
}

/* ---- the environment ---- */

static bool has(char **list, const char *variable)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, variable) == 0)
			return true;
	return false;
}

static void test_environment(void)
{
	static char *const secrets[] = {"MY_KEY", NULL};
	static char *const extra[] = {"AGENT_RUN_ID=1", "KEEP=other", NULL};
	char **list;

	setenv("OPENAI_API_KEY", "secret", 1);
	setenv("HF_TOKEN", "secret", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
	setenv("DB_PASSWORD", "secret", 1);
	setenv("X_SECRET", "secret", 1);
	setenv("MY_KEY", "secret", 1);
	setenv("KEEP", "this", 1);
	setenv("KEEPER", "this", 1);
	list = tool_environment(&(struct tool_variables){.secrets = secrets}, extra, NULL);
	unit_ok(has(list, "KEEPER=this"), "the environment is handed on");
	unit_ok(has(list, "AGENT_RUN_ID=1") && has(list, "KEEP=other") && !has(list, "KEEP=this"),
		"extra variables are added, or replace");
	unit_ok(!has(list, "OPENAI_API_KEY=secret") && !has(list, "HF_TOKEN=secret") &&
		    !has(list, "DB_PASSWORD=secret") && !has(list, "X_SECRET=secret") &&
		    !has(list, "MY_KEY=secret"),
		"secrets are not");
	free(list);
	unsetenv("OPENAI_API_KEY");
	unsetenv("HF_TOKEN");
	unsetenv("AWS_SECRET_ACCESS_KEY");
	unsetenv("DB_PASSWORD");
	unsetenv("X_SECRET");
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN); /* as process_start requires */
	/* What whoever runs the tests left open. */
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
	test_placeholders();
	test_stdin();
	test_errors();
	test_stderr_end();
	test_time();
	test_text();
	test_cut();
	test_child();
	test_parallel();
	test_cancel();
	test_bad_manifests();
	test_ignored_members();
	test_folder();
	test_refused();
	test_environment();
	return unit_done();
}

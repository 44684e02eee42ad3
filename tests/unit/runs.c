/* lib/event/runs: what a run in a log or a stream is; what an event contains. */
#include "event/runs.h"
#include "unit.h"

#define START(id, more)                                                                            \
	"{\"event_type\":\"agent_start\",\"run_id\":\"" id "\",\"data\":{\"prompt\":\"p\"" more    \
	"}}\n"
#define END(id, success)                                                                           \
	"{\"event_type\":\"agent_end\",\"run_id\":\"" id "\",\"data\":{\"success\":" success "}}"  \
	"\n"
#define RESUMES(id) ",\"resumed_from\":\"" id "\""
#define NESTED(id)  ",\"parent_run_id\":\"" id "\""
#define CHUNK(id)   "{\"event_type\":\"llm_chunk\",\"run_id\":\"" id "\",\"data\":{\"text\":\"x\"}}\n"

/* The runs of a log, or of a stream whose ended runs are forgotten. */
static struct runs *read_runs(const char *text, bool in_log)
{
	struct runs *runs = runs_new(NULL, false);
	struct span rest = span_of(text), line;
	struct event event;

	while (span_next_line(&rest, &line, NULL)) {
		struct run *run = NULL;

		if (!event_read(line, &event, NULL))
			runs_lose(runs, line, false);
		else if (in_log)
			runs_log_event(runs, &event, NULL);
		else
			run = runs_event(runs, &event, NULL);
		if (run != NULL && run->ended)
			runs_forget(runs, run);
	}
	return runs;
}

/* The runs in their order as "ID(what is known) ID(...)". */
static void runs_are(struct runs *runs, const char *want, const char *name)
{
	struct buffer got = {0};

	for (struct run *run = runs_next(runs, NULL); run != NULL; run = runs_next(runs, run)) {
		struct run *parent = runs_parent(runs, run);

		buffer_add_format(&got, "%s%s(%s%s%s", got.len > 0 ? " " : "", run->id,
				  run->started ? "s" : "", run->resumed ? "r" : "",
				  run->succeeded ? "+"
				  : run->ended   ? "-"
						 : "");
		if (run->parent_id != NULL)
			buffer_add_format(&got, " in %s", parent != NULL ? parent->id : "?");
		buffer_add_char(&got, ')');
	}
	unit_same(buffer_span(&got), span_of(want), name);
	buffer_free(&got);
	runs_free(runs);
}

static void test_lines(void)
{
	struct span text = SPAN("a\n\nb"), line;
	bool is_torn = true;

	unit_ok(span_next_line(&text, &line, &is_torn) && !is_torn, "a line");
	unit_same(line, SPAN("a"), "without its newline");
	unit_ok(span_next_line(&text, &line, &is_torn) && line.len == 0, "an empty line is a line");
	unit_ok(span_next_line(&text, &line, &is_torn) && is_torn,
		"a line without newline is torn");
	unit_same(line, SPAN("b"), "and is delivered");
	unit_ok(!span_next_line(&text, &line, &is_torn), "the end");
}

static void test_resumed(void)
{
	runs_are(read_runs(START("a", "") CHUNK("a") START("b", RESUMES("a")), true), "b(sr)",
		 "a run that resumes an open one goes on with it");
	runs_are(read_runs(START("a", "") END("a", "false") START("b", RESUMES("a"))
			       END("b", "true"),
			   true),
		 "b(sr+)", "in a log also a run that has failed goes on");
	runs_are(read_runs(START("a", "") START("b", RESUMES("a")) END("b", "false")
			       START("c", RESUMES("b")),
			   true),
		 "c(sr)", "a chain of resumed runs");
	runs_are(read_runs(START("a", "") START("b", RESUMES("a")) START("c", RESUMES("a")), true),
		 "b(sr) c(s)", "the first run that resumes another one goes on with it");
	runs_are(read_runs(START("a", "") CHUNK("b") START("b", RESUMES("a")), false), "a(s) b(s)",
		 "a run that has begun already stays a run of its own");
	runs_are(read_runs(START("a", "") START("b", RESUMES("z")), true), "a(s) b(s)",
		 "a run of another log is not resumed here");
	runs_are(read_runs(START("a", RESUMES("a")), true), "a(s)", "no run resumes itself");
	runs_are(read_runs(START("a", "") START("b", ",\"resumed_from\":\"\\u0061\""), true),
		 "b(sr)", "an id with escapes is the same id");
	runs_are(read_runs(START("a", "") START("b", RESUMES("a")) END("b", "true") START("b", ""),
			   true),
		 "b(s)", "the last agent_start counts");
}

static void test_nested(void)
{
	runs_are(read_runs(START("a", "") START("b", NESTED("a")) START("c", NESTED("b"))
			       START("d", NESTED("z")) START("e", NESTED("e")),
			   true),
		 "a(s) b(s in a) c(s in b) d(s in ?) e(s in ?)",
		 "runs that are nested, in each other, in a run elsewhere, in themselves");
	runs_are(read_runs(START("a", NESTED("b")) START("b", NESTED("a")), true),
		 "a(s in ?) b(s in a)", "two that are nested in each other");
	runs_are(read_runs(START("a", "") START("b", NESTED("a")) START("c", RESUMES("a")), false),
		 "c(sr) b(s in c)", "the open nested runs of a run that is resumed");
}

static void test_other_ids(void)
{
	runs_are(read_runs("{\"event_type\":\"llm_chunk\",\"data\":{\"text\":\"x\"}}\n" CHUNK(
			       "a") "{\"event_type\":\"llm_end\",\"data\":{}}\n",
			   true),
		 "() a()", "events without run_id are one run");
}

/* How a stream of this text ends. */
static void status_is(const char *text, int want, const char *name)
{
	struct runs *runs = read_runs(text, false);

	unit_ok(runs_status(runs) == want, "%s: %d", name, runs_status(runs));
	runs_free(runs);
}

static void test_failures(void)
{
	struct event event;
	struct runs *runs;
	struct run *run;

	status_is("", 0, "nothing");
	status_is(CHUNK("a"), 0, "a run without agent_start is a selection");
	status_is(CHUNK("a") END("a", "false"), 1, "a selection with the end of a run that failed");
	status_is(START("a", "") CHUNK("a"), 4, "a run without agent_end");
	status_is(START("a", NESTED("z")) END("a", "false"), 1,
		  "a nested run without its parent counts");
	status_is(START("a", NESTED("a")), 4, "a run that claims to be nested in itself");
	status_is(START("a", "") END("a", "true"), 0, "a run that succeeds");
	status_is(START("a", "") END("a", "false") START("b", "") END("b", "true"), 1,
		  "a run that fails");
	status_is(START("a", "") END("a", "false") START("b", RESUMES("a")) END("b", "true"), 0,
		  "a failed run that is resumed");
	status_is(START("a", "") END("a", "false") START("b", RESUMES("a")), 4,
		  "a failed run that is resumed by an open one");
	status_is(START("a", "") START("b", RESUMES("a")) END("b", "true"), 0,
		  "an open run that is resumed");
	status_is(START("a", "") START("b", NESTED("a")) END("b", "false") END("a", "true"), 0,
		  "a nested run that fails");
	status_is(START("", "") END("", "false") START("", "") END("", "true"), 1,
		  "runs without a name, of which one fails");

	runs_are(read_runs(START("a", "") START("b", "") END("b", "false") START("c", RESUMES("b")),
			   false),
		 "a(s) c(s)", "the run that resumes a forgotten one is a run of its own");
	runs = read_runs(START("a", "") START("n", NESTED("a")) START("m", NESTED("n")), false);
	run = runs_next(runs, NULL);
	event_read(SPAN(END("a", "false")), &event, NULL);
	unit_ok(runs_event(runs, &event, NULL) == run && runs_ended(runs) == 1, "a run fails");
	run->kept = true;
	event_read(SPAN(START("b", RESUMES("a"))), &event, NULL);
	unit_ok(runs_event(runs, &event, NULL) == run && run->resumed && !run->ended,
		"one that is kept goes on");
	unit_ok(runs_open(runs) == 3 && runs_ended(runs) == 0, "and is open again");
	unit_ok(run->next->excused && run->next->next->excused && !run->excused,
		"what was nested in it does not count");
	runs_free(runs);
}

#define ID_A "01939aaa-0000-7000-8000-00000000000a"
#define ID_B "01939aaa-0000-7000-8000-00000000000b"
#define LINE(type, id)                                                                             \
	"{\"event_type\":\"" type                                                                  \
	"\",\"timestamp\":\"2026-11-28T07:00:00.000000Z\",\"run_id\":\"" id "\",\"seq\":1,"
#define TORN(type, id) LINE(type, id) "\"data\":{\"prom\n"
#define CHUNK_AT(id, seq)                                                                          \
	"{\"event_type\":\"llm_chunk\",\"timestamp\":\"2026-11-28T07:00:00.000000Z\",\"run_id\":"  \
	"\"" id "\",\"seq\":" seq ",\"data\":{\"text\":\"x\"}}\n"

/* Whether events of a stream with torn lines are lost. */
static void lost_is(const char *text, bool want, const char *name)
{
	struct runs *runs = read_runs(text, false);

	unit_ok(runs_lost(runs) == want, "%s", name);
	runs_free(runs);
}

static void test_lost(void)
{
	lost_is(START(ID_A, "") TORN("llm_end", ID_A), true, "an event of an open run");
	lost_is(START(ID_A, "") TORN("llm_end", ID_A) END(ID_A, "true"), true, "of one that ends");
	lost_is(START(ID_A, "") TORN("llm_end", ID_A) START(ID_B, RESUMES(ID_A)), false,
		"of one that is resumed");
	lost_is(START(ID_A, "") TORN("llm_end", ID_A) END(ID_A, "false") START(ID_B, RESUMES(ID_A)),
		false, "of a failed one that is resumed");
	lost_is(START(ID_A, "") START(ID_B, "") TORN("llm_end", ID_A) START("c", RESUMES(ID_B)),
		true, "the line names its run");
	lost_is(START(ID_A, "") START(ID_B, NESTED(ID_A)) TORN("llm_end", ID_B)
		    START("c", RESUMES(ID_A)),
		false, "an event of a nested run whose parent is resumed");
	lost_is(START(ID_A, "") "garbage\n" START(ID_B, RESUMES(ID_A)), false,
		"else it is of the last run");
	lost_is("garbage\n" START(ID_A, "") END(ID_A, "true"), true, "of no run");
	lost_is(TORN("agent_start", ID_A), true, "an agent_start");
	lost_is(TORN("agent_start", ID_A) START(ID_B, ""), false,
		"with the next of that beginning");
	lost_is(TORN("agent_start", ID_A) LINE("agent_start", ID_B) "\"data\":{\"agent\":1}}\n",
		true, "but not of another beginning");
	lost_is(TORN("agent_start", ID_A) START(ID_B, "") CHUNK(ID_A) END(ID_A, "true"), true,
		"nor if the run itself goes on");
	lost_is(CHUNK_AT(ID_A, "0") CHUNK_AT(ID_A, "1") TORN("llm_chunk", ID_A), false,
		"a torn copy");
}

static void test_copies(void)
{
	struct runs *runs = read_runs(CHUNK_AT(ID_A, "4"), false);
	struct event event;

	event_read(SPAN(CHUNK_AT(ID_A, "4")), &event, NULL);
	unit_ok(runs_has_copy(runs, &event), "the same event");
	unit_ok(runs_event(runs, &event, NULL) == NULL, "it is ignored");
	event.seq = 5;
	unit_ok(!runs_has_copy(runs, &event), "a later seq");
	event.seq = 4;
	event.timestamp = SPAN("2026-11-28T07:00:00.000001Z");
	unit_ok(!runs_has_copy(runs, &event), "a later time");
	event.timestamp = (struct span){0};
	unit_ok(!runs_has_copy(runs, &event), "no time");
	event_read(SPAN(CHUNK_AT(ID_B, "4")), &event, NULL);
	unit_ok(!runs_has_copy(runs, &event), "another run");
	runs_free(runs);
	runs = read_runs(START(ID_A, "") START(ID_B, RESUMES(ID_A)), true);
	event_read(SPAN(CHUNK_AT(ID_A, "0")), &event, NULL);
	unit_ok(runs_has_copy(runs, &event) && runs_log_event(runs, &event, NULL) == NULL,
		"an event of a run that was resumed");
	runs_free(runs);
}

static void test_many(void)
{
	enum { RUNS = 20000 };
	struct buffer text = {0};
	struct runs *runs;

	for (int i = 0; i < RUNS; i++)
		buffer_add_format(&text,
				  "{\"event_type\":\"agent_start\",\"run_id\":\"r%d\",\"data\":{"
				  "\"resumed_from\":\"r%d\"}}\n",
				  i, i - 1);
	runs_are(read_runs(buffer_string(&text), true), "r19999(sr)",
		 "20000 runs that resume each other");
	buffer_clear(&text);
	for (int i = 0; i < 2 * RUNS; i++)
		buffer_add_format(&text,
				  "{\"event_type\":\"agent_start\",\"run_id\":\"r%d\",\"data\":{"
				  "\"resumed_from\":\"r%d\"}}\n",
				  i, i - RUNS);
	runs = read_runs(buffer_string(&text), false);
	unit_ok(runs_open(runs) == RUNS, "20000 open runs that are resumed");
	runs_free(runs);
	buffer_free(&text);
}

static void test_calls(void)
{
	struct json_walk walk = json_walk(
	    SPAN("[{\"type\":\"text\",\"text\":\"x\"},{\"type\":\"tool_call\",\"tool_call_id\":1},"
		 "{\"type\":\"tool_call\",\"executed_by\":\"provider\",\"tool_call_id\":2},"
		 "{\"type\":\"tool_call\",\"tool_call_id\":3}]"));

	unit_ok(event_next_call(&walk), "the first call");
	unit_same(json_get(walk.value, "tool_call_id"), SPAN("1"), "its id");
	unit_ok(event_next_call(&walk), "a call that the provider ran is left out");
	unit_same(json_get(walk.value, "tool_call_id"), SPAN("3"), "the next id");
	unit_ok(!event_next_call(&walk), "there are no more");
}

static void test_discards(void)
{
	struct event event;

	event_envelope(SPAN("{\"event_type\":\"llm_retry\",\"data\":{\"discard\":true}}"), &event);
	unit_ok(event_discards(&event), "a retry that discards");
	event_envelope(SPAN("{\"event_type\":\"llm_retry\",\"data\":{\"discard\":false}}"), &event);
	unit_ok(!event_discards(&event), "a retry that discards nothing");
	event_envelope(SPAN("{\"event_type\":\"note\",\"data\":{\"discard\":true}}"), &event);
	unit_ok(!event_discards(&event), "no retry");
}

static void test_usage(void)
{
	int64_t sum = -1;

	usage_add_count(&sum, -1);
	unit_ok(sum == -1, "unknown counts stay unknown");
	usage_add_count(&sum, 0);
	unit_ok(sum == 0, "nothing is known");
	usage_add_count(&sum, 5);
	usage_add_count(&sum, -1);
	unit_ok(sum == 5, "an unknown count adds nothing");
	usage_add_count(&sum, INT64_MAX);
	unit_ok(sum == 5, "a sum does not overflow");
}

int main(void)
{
	test_lines();
	test_resumed();
	test_nested();
	test_other_ids();
	test_failures();
	test_lost();
	test_copies();
	test_many();
	test_calls();
	test_discards();
	test_usage();
	return unit_done();
}

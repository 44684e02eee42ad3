/* log: what a run in a log is. */
#include "event/log.h"
#include "unit.h"

#define START(id, more)                                                                            \
	"{\"event_type\":\"agent_start\",\"run_id\":\"" id "\",\"data\":{\"prompt\":\"p\"" more    \
	"}}\n"
#define END(id, success)                                                                           \
	"{\"event_type\":\"agent_end\",\"run_id\":\"" id "\",\"data\":{\"success\":" success "}}"  \
	"\n"
#define CHUNK(id) "{\"event_type\":\"llm_chunk\",\"run_id\":\"" id "\",\"data\":{\"text\":\"x\"}}\n"

static void read_log(struct log *log, const char *text)
{
	struct span rest = span_of(text), line;
	struct event event;

	while (log_next_line(&rest, &line, NULL))
		if (event_read(line, &event, NULL))
			log_add(log, &event);
	if (log->runs == NULL)
		abort(); /* every text has runs */
}

static void test_lines(void)
{
	struct span text = SPAN("a\n\nb"), line;
	bool is_torn = true;

	unit_ok(log_next_line(&text, &line, &is_torn) && !is_torn, "a line");
	unit_same(line, SPAN("a"), "without its newline");
	unit_ok(log_next_line(&text, &line, &is_torn) && line.len == 0, "an empty line is a line");
	unit_ok(log_next_line(&text, &line, &is_torn) && is_torn, "a line without newline is torn");
	unit_same(line, SPAN("b"), "and is delivered");
	unit_ok(!log_next_line(&text, &line, &is_torn), "the end");
}

static void test_resumed(void)
{
	struct log log = {0};

	read_log(&log, START("a", "") CHUNK("a") START("b", ",\"resumed_from\":\"a\"")
			   END("b", "false") START("c", ",\"resumed_from\":\"b\"") END("c", "true")
			       START("d", ",\"resumed_from\":\"a\"")
				   START("e", ",\"resumed_from\":\"z\""));
	unit_ok(log.count == 5, "every id is a run");
	unit_ok(log_find(&log, SPAN("c")) == 2, "runs are numbered as they appear");
	unit_ok(log_find(&log, SPAN("z")) == LOG_NO_RUN, "an unknown run");
	unit_ok(log.runs[1].resumes == 0 && log.runs[2].resumes == 1, "a chain of resumed runs");
	unit_ok(log.runs[0].resumed_by == 1, "the first one that resumes a run counts");
	unit_ok(log.runs[3].resumes == 0 && log.runs[3].resumed_by == LOG_NO_RUN,
		"a run may be resumed twice");
	unit_ok(log.runs[4].resumes == LOG_NO_RUN, "a run of another log is not resumed here");
	unit_ok(!log.runs[0].ended, "a killed run has not ended");
	unit_ok(log.runs[1].ended && !log.runs[1].succeeded, "a failed run");
	unit_ok(log.runs[2].ended && log.runs[2].succeeded, "a run that succeeded");
	log_free(&log);
}

static void test_nested(void)
{
	struct log log = {0};

	read_log(&log,
		 START("a", "") START("b", ",\"parent_run_id\":\"a\"")
		     START("c", ",\"parent_run_id\":\"b\"") START("d", ",\"parent_run_id\":\"z\"")
			 START("e", ",\"parent_run_id\":\"e\""));
	unit_ok(!log.runs[0].nested && log.runs[1].nested && log.runs[2].nested, "nested runs");
	unit_ok(log_outermost(&log, 2) == 0, "the outermost run of a nested one");
	unit_ok(log_outermost(&log, 0) == 0, "a run that is not nested is its own");
	unit_ok(log.runs[3].nested && log_outermost(&log, 3) == 3, "its parent is in another log");
	unit_ok(log.runs[4].nested && log_outermost(&log, 4) == 4, "no run is its own parent");
	log_free(&log);
}

static void test_other_ids(void)
{
	struct log log = {0};

	read_log(&log,
		 "{\"event_type\":\"llm_chunk\",\"data\":{\"text\":\"x\"}}\n" CHUNK(
		     "a") "{\"event_type\":\"llm_end\",\"data\":{}}\n" START("b",
									     ",\"resumed_from\":"
									     "\"\\u0061\""));
	unit_ok(log.count == 3, "events without run_id are one run");
	unit_ok(log.runs[0].data.at == NULL, "that has no agent_start");
	unit_ok(log.runs[2].resumes == 1, "an id with escapes is the same id");
	log_free(&log);
}

static void test_many(void)
{
	enum { RUNS = 20000 };
	struct buffer text = {0};
	struct log log = {0};
	int chained = 0;

	for (int i = 0; i < RUNS; i++)
		buffer_add_format(&text,
				  "{\"event_type\":\"agent_start\",\"run_id\":\"r%d\",\"data\":{"
				  "\"resumed_from\":\"r%d\"}}\n",
				  i, i - 1);
	read_log(&log, buffer_string(&text));
	for (int i = 1; i < RUNS; i++)
		chained += log.runs[i].resumes == i - 1;
	unit_ok(chained == RUNS - 1, "%d runs that resume each other", RUNS);
	log_free(&log);
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
	test_many();
	test_calls();
	test_discards();
	test_usage();
	return unit_done();
}

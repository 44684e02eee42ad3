/* W3C Trace Context: what is read from a traceparent, and the ids that runs and calls get. */
#include "base/ids.h"
#include "unit.h"

#define TRACE  "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"

static void is_read(const char *text)
{
	char trace_id[TRACE_ID_SIZE], span_id[TRACE_SPAN_ID_SIZE];
	bool read = trace_parent_read(span_of(text), trace_id, span_id);

	unit_ok(read && strcmp(trace_id, TRACE) == 0 && strcmp(span_id, PARENT) == 0,
		"%s is a traceparent", text);
}

static void is_refused(const char *text)
{
	char trace_id[TRACE_ID_SIZE] = "", span_id[TRACE_SPAN_ID_SIZE] = "";

	unit_ok(!trace_parent_read(span_of(text), trace_id, span_id) && trace_id[0] == '\0' &&
		    span_id[0] == '\0',
		"\"%s\" is no traceparent", text);
}

static void parents(void)
{
	is_read("00-" TRACE "-" PARENT "-01");
	is_read("00-" TRACE "-" PARENT "-00");
	is_read("01-" TRACE "-" PARENT "-01");
	is_read("01-" TRACE "-" PARENT "-01-what-comes-later");

	is_refused("");
	is_refused("-------------------------------------------------------");
	is_refused("0000000000000000000000000000000000000000000000000000000");
	is_refused("00-00000000000000000000000000000000-" PARENT "-01");
	is_refused("00-" TRACE "-0000000000000000-01");
	is_refused("00-" TRACE "-" PARENT "-0");
	is_refused("00-" TRACE "-" PARENT "-0x");
	is_refused("00-" TRACE "-" PARENT "-01-more");
	is_refused("01-" TRACE "-" PARENT "-01more");
	is_refused("ff-" TRACE "-" PARENT "-01");
	is_refused("0g-" TRACE "-" PARENT "-01");
	is_refused("00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01");
	is_refused("00-" TRACE "_" PARENT "-01");
}

static void ids(void)
{
	char run[TRACE_ID_SIZE], other[TRACE_ID_SIZE], call[TRACE_SPAN_ID_SIZE];

	trace_run_id(run, SPAN("0AF76519-16cd-43dd-8448-eb211c80319c"));
	unit_same(span_of(run), SPAN(TRACE), "a UUID's digits are the trace of its run");
	trace_run_id(run, SPAN("run 1"));
	trace_run_id(other, SPAN("run 2"));
	unit_ok(strlen(run) == 32 && strlen(other) == 32 && strcmp(run, other) != 0,
		"runs with other ids get traces of their own");
	trace_run_id(run, SPAN("00000000-0000-0000-0000-000000000000"));
	unit_ok(strspn(run, "0") < 32, "no trace is zero");
	trace_span_id(call, SPAN("run"), SPAN("call"));
	unit_same(span_of(call), SPAN("b3f94cdec6cc938e"),
		  "a span is FNV-1a of the run's id and the call's");
}

int main(void)
{
	parents();
	ids();
	return unit_done();
}

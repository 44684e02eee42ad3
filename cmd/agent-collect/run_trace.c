#include "collect.h"

#include "json/json.h"

/* Runs nested deeper than this begin a trace of their own. agent-run nests less deeply. */
enum { MAX_NESTING = 64 };

void trace_call_id(char out[TRACE_SPAN_ID_SIZE], const struct result *result,
		   const struct result_call *call)
{
	struct buffer what = {0};

	json_decode(call->id, &what);
	if (what.len == 0)
		buffer_add_format(&what, "/tool/%llu", (unsigned long long)call->start.order);
	trace_span_id(out, span_of(call->run_id != NULL ? call->run_id : result->run->id),
		      buffer_span(&what));
	buffer_free(&what);
}

/* The call of `parent` that a nested run answers: the one that it names; else one that ran when it
 * began, named as its agent; else the only one that ran then. */
static const struct result_call *nesting_call(const struct result *parent,
					      const struct result *nested)
{
	struct span id = result_start(nested, START_PARENT_CALL);
	const struct result_call *found = NULL;
	size_t running = 0;

	for (size_t i = parent->calls.count; id.at != NULL && i-- > 0;)
		if (json_equal(parent->calls.at[i]->id, id))
			return parent->calls.at[i];
	for (size_t i = 0; i < parent->calls.count; i++) {
		const struct result_call *call = parent->calls.at[i];

		if (call->start.time > nested->first_time ||
		    (call->end.order != 0 && call->end.time < nested->first_time))
			continue;
		if (span_equal(call->name, nested->agent_name))
			return call;
		running++;
		found = call;
	}
	return running == 1 ? found : NULL;
}

/* The result of the run around `result`; NULL: there is none, or its events are not in the input.
 */
static const struct result *parent_of(const struct collection *collection,
				      const struct result *result)
{
	const struct run *around = runs_parent(collection->runs, result->run);

	return around != NULL ? around->state : NULL;
}

/* The trace that the run around all others belongs to, and the parent of that run. */
static void find_trace(const struct collection *collection, const struct result *result,
		       struct trace *trace)
{
	const struct result *parent = result;
	const struct run *run;
	struct span trace_parent;

	for (int depth = 0; parent != NULL && depth <= MAX_NESTING; depth++) {
		result = parent;
		parent = parent_of(collection, result);
	}
	run = result->run;
	trace_parent = json_plain(result_start(result, START_TRACE_PARENT));
	if (run->parent_id != NULL) {
		trace_run_id(trace->trace_id, span_of(run->parent_id));
		trace_span_id(trace->parent_id, span_of(run->parent_id), SPAN("/agent"));
	} else if (!trace_parent_read(trace_parent, trace->trace_id, trace->parent_id)) {
		trace_run_id(trace->trace_id, span_of(run->id));
	}
}

void trace_of(const struct collection *collection, const struct result *result, struct trace *trace)
{
	const struct result *parent = parent_of(collection, result);
	const struct result_call *call = parent != NULL ? nesting_call(parent, result) : NULL;

	*trace = (struct trace){0};
	find_trace(collection, result, trace);
	trace_span_id(trace->agent_id, span_of(result->run->id), SPAN("/agent"));
	if (call != NULL)
		trace_call_id(trace->parent_id, parent, call);
	else if (parent != NULL)
		trace_span_id(trace->parent_id, span_of(parent->run->id), SPAN("/agent"));
}

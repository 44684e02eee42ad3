#include "collect.h"

#include "json/json.h"

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

void trace_of(const struct collection *collection, const struct result *result, struct trace *trace)
{
	const struct run *run = result->run, *around = runs_parent(collection->runs, run);
	const struct result *parent = around != NULL ? around->state : NULL;
	const struct result_call *call;
	struct trace above;

	*trace = (struct trace){0};
	trace_span_id(trace->agent_id, span_of(run->id), SPAN("/agent"));
	if (run->parent_id == NULL) {
		struct span trace_parent = json_plain(result_start(result, START_TRACE_PARENT));

		if (!trace_parent_read(trace_parent, trace->trace_id, trace->parent_id))
			trace_run_id(trace->trace_id, span_of(run->id));
		return;
	}
	if (parent == NULL) { /* its events are not in the input */
		trace_run_id(trace->trace_id, span_of(run->parent_id));
		trace_span_id(trace->parent_id, span_of(run->parent_id), SPAN("/agent"));
		return;
	}
	trace_of(collection, parent, &above);
	memcpy(trace->trace_id, above.trace_id, sizeof(above.trace_id));
	call = nesting_call(parent, result);
	if (call != NULL)
		trace_call_id(trace->parent_id, parent, call);
	else
		memcpy(trace->parent_id, above.agent_id, sizeof(above.agent_id));
}

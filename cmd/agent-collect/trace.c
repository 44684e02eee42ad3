#include "trace.h"

#include "json/schema.h"

/* Runs nested deeper than this begin a trace of their own: their parents may go in circles. */
enum { MAX_NESTING = 64 };

static uint64_t fnv(uint64_t h, struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		h = (h ^ (unsigned char)text.at[i]) * UINT64_C(0x100000001b3);
	return h;
}

static void put_hex(char *out, uint64_t value)
{
	for (int i = 15; i >= 0; i--, value >>= 4)
		out[i] = "0123456789abcdef"[value & 15];
	out[16] = '\0';
}

void trace_span_id(char out[17], struct span run_id, struct span what)
{
	uint64_t h = fnv(fnv(UINT64_C(0xcbf29ce484222325), run_id), what);

	put_hex(out, h != 0 ? h : 1);
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

void trace_run_id(char out[33], struct span run_id)
{
	size_t n = 0;

	for (size_t i = 0; i < run_id.len && n <= 32; i++) {
		char c = run_id.at[i] >= 'A' && run_id.at[i] <= 'F' ? (char)(run_id.at[i] | 0x20)
								    : run_id.at[i];

		if (c == '-')
			continue;
		if (!is_hex(c) || n == 32) {
			n = 0;
			break;
		}
		out[n++] = c;
	}
	out[n] = '\0';
	if (n != 32 || strspn(out, "0") == 32) {
		put_hex(out, fnv(UINT64_C(0xcbf29ce484222325), run_id) | 1);
		put_hex(out + 16, fnv(UINT64_C(0x84222325cbf29ce4), run_id));
	}
}

static bool hex_digits(struct span text, size_t from, size_t count)
{
	bool zero = true;

	for (size_t i = from; i < from + count; i++) {
		if (!is_hex(text.at[i]))
			return false;
		zero = zero && text.at[i] == '0';
	}
	return !zero;
}

/* W3C trace context: 00-TRACE-SPAN-FLAGS. */
static bool parse_trace_parent(struct span json, struct trace *trace)
{
	struct span text = json_plain(json);

	if (text.at == NULL || text.len < 55 || text.at[2] != '-' || text.at[35] != '-' ||
	    text.at[52] != '-' || !hex_digits(text, 3, 32) || !hex_digits(text, 36, 16))
		return false;
	memcpy(trace->trace_id, text.at + 3, 32);
	trace->trace_id[32] = '\0';
	memcpy(trace->parent_id, text.at + 36, 16);
	trace->parent_id[16] = '\0';
	return true;
}

static const struct result *find_result(const struct collection *collection, const char *id)
{
	struct run *run = NULL;

	while ((run = runs_next(collection->runs, run)) != NULL)
		if (strcmp(run->id, id) == 0)
			return run->state;
	return NULL;
}

void trace_call_id(char out[17], const struct result *result, const struct call *call)
{
	struct buffer what = {0};

	json_decode(json_get(call->start.data, "tool_call_id"), &what);
	if (what.len == 0)
		buffer_add_format(&what, "/tool/%llu", (unsigned long long)call->start.order);
	trace_span_id(out, span_of(call->run_id != NULL ? call->run_id : result->run->id),
		      buffer_span(&what));
	buffer_free(&what);
}

/* The call that a nested run says it is. */
static const struct call *said_call(const struct result *parent, struct span id)
{
	for (size_t i = parent->calls.count; id.at != NULL && i-- > 0;)
		if (json_equal(json_get(parent->calls.at[i]->start.data, "tool_call_id"), id))
			return parent->calls.at[i];
	return NULL;
}

/* The call that a nested run is: the one that it names, or one that ran when it began, named as its
 * agent, else the only one. */
static const struct call *nesting_call(const struct result *parent, const struct result *nested)
{
	const struct call *found = said_call(parent, result_start(nested, "parent_tool_call_id"));
	size_t running = 0;

	if (found != NULL)
		return found;
	for (size_t i = 0; i < parent->calls.count; i++) {
		const struct call *call = parent->calls.at[i];

		if (call->start.time > nested->first_time ||
		    (call->end.order != 0 && call->end.time < nested->first_time))
			continue;
		if (span_equal(json_get(call->start.data, "tool_name"), nested->agent_name))
			return call;
		running++;
		found = call;
	}
	return running == 1 ? found : NULL;
}

static void find_trace(const struct collection *collection, const struct result *result,
		       struct trace *trace, int depth)
{
	const struct run *run = result->run;
	const struct result *parent;
	const struct call *call;
	struct trace above;

	*trace = (struct trace){0};
	trace_span_id(trace->agent_id, span_of(run->id), SPAN("/agent"));
	if (run->parent_id == NULL || depth == MAX_NESTING) {
		if (!parse_trace_parent(result_start(result, "trace_parent"), trace))
			trace_run_id(trace->trace_id, span_of(run->id));
		return;
	}
	parent = find_result(collection, run->parent_id);
	if (parent == NULL) { /* its events are not in the input */
		trace_run_id(trace->trace_id, span_of(run->parent_id));
		trace_span_id(trace->parent_id, span_of(run->parent_id), SPAN("/agent"));
		return;
	}
	find_trace(collection, parent, &above, depth + 1);
	memcpy(trace->trace_id, above.trace_id, sizeof(above.trace_id));
	call = nesting_call(parent, result);
	if (call != NULL)
		trace_call_id(trace->parent_id, parent, call);
	else
		memcpy(trace->parent_id, above.agent_id, sizeof(above.agent_id));
}

void trace_of(const struct collection *collection, const struct result *result, struct trace *trace)
{
	find_trace(collection, result, trace, 0);
}

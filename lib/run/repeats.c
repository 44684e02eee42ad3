#include "run/repeats.h"

#include <stdlib.h>

#include "base/hash.h"

/* How many responses in a row had only calls of the tool that could not be run. */
struct repeats_tool {
	const struct tool *tool;
	int faults;
	bool called, ran; /* in this response */
};

/* A call, and how often in a row it had the same result. */
struct repeats_call {
	char *name;
	struct buffer args;
	uint64_t result; /* a hash */
	int64_t count;
};

void repeats_add_fault(struct repeats *repeats, const struct tool *tool, bool faulty)
{
	size_t i = 0;

	while (i < repeats->tool_count && repeats->tools[i].tool != tool)
		i++;
	if (i == repeats->tool_count) {
		repeats->tools =
		    array_grow(repeats->tools, repeats->tool_count, sizeof(*repeats->tools));
		repeats->tools[repeats->tool_count++] = (struct repeats_tool){.tool = tool};
	}
	repeats->tools[i].called = true;
	repeats->tools[i].ran |= !faulty;
}

int repeats_faults(struct repeats *repeats, const struct tool **tool)
{
	int most = 0;

	for (size_t i = 0; i < repeats->tool_count; i++) {
		struct repeats_tool *at = &repeats->tools[i];

		if (!at->called)
			continue;
		at->faults = at->ran ? 0 : at->faults + 1;
		at->called = at->ran = false;
		if (at->faults > most) {
			most = at->faults;
			*tool = at->tool;
		}
	}
	return most;
}

static struct repeats_call *find_call(struct repeats *repeats, const struct response_call *call)
{
	for (size_t i = 0; i < repeats->call_count; i++) {
		struct repeats_call *known = &repeats->calls[i];

		if (strcmp(known->name, call->name) == 0 &&
		    json_equal(buffer_span(&known->args), response_args(call)))
			return known;
	}
	return NULL;
}

int64_t repeats_add_call(struct repeats *repeats, const struct response_call *call,
			 struct span result)
{
	uint64_t hash = hash_add(HASH_START, result);
	struct repeats_call *known = find_call(repeats, call);

	if (known == NULL) {
		repeats->calls =
		    array_grow(repeats->calls, repeats->call_count, sizeof(*repeats->calls));
		known = &repeats->calls[repeats->call_count++];
		*known = (struct repeats_call){.name = mem_copy(span_of(call->name))};
		buffer_add_span(&known->args, response_args(call));
	}
	known->count = known->result == hash ? known->count + 1 : 1;
	known->result = hash;
	return known->count;
}

void repeats_free(struct repeats *repeats)
{
	for (size_t i = 0; i < repeats->call_count; i++) {
		free(repeats->calls[i].name);
		buffer_free(&repeats->calls[i].args);
	}
	free(repeats->calls);
	free(repeats->tools);
	*repeats = (struct repeats){0};
}

#include <stdlib.h>

#include "base/utf8.h"
#include "run/run_state.h"

static bool is_used(const struct agent_run *run, struct span id)
{
	return table_find(&run->used_ids, id) != NULL;
}

const char *run_use_id(struct agent_run *run, struct span id)
{
	char *copy;

	if (!is_used(run, id)) {
		copy = mem_copy(id);
		table_add(&run->used_ids, (struct span){copy, id.len});
	}
	return table_key(&run->used_ids, id).at;
}

void run_use_history_ids(struct agent_run *run)
{
	struct buffer id = {0};

	for (size_t i = 0; i < run->conversation.calls.count; i++) {
		buffer_clear(&id);
		if (json_decode(run->conversation.calls.entries[i].call->tool_call_id, &id))
			run_use_id(run, buffer_span(&id));
	}
	buffer_free(&id);
}

const char *run_unique_id(struct agent_run *run, struct span id)
{
	enum { MAX_ID = 128 };
	bool named = id.len > 0;
	size_t n = named ? 1 : run->used_ids.count + 1;
	const char *used;
	struct buffer unique = {0};

	if (id.len > MAX_ID) {
		id.len = MAX_ID;
		id.len -= utf8_incomplete_tail(id);
	}
	do {
		buffer_clear(&unique);
		buffer_add_span(&unique, named ? id : SPAN("call"));
		if (!named || n > 1)
			buffer_add_format(&unique, "_%zu", n);
		n++;
	} while (is_used(run, buffer_span(&unique)));
	used = run_use_id(run, buffer_span(&unique));
	buffer_free(&unique);
	return used;
}

void run_free_ids(struct agent_run *run)
{
	for (size_t i = 0; i < run->used_ids.capacity; i++)
		free((char *)run->used_ids.slots[i].key.at);
	table_free(&run->used_ids);
}

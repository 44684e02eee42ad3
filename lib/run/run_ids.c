#include <stdlib.h>

#include "base/utf8.h"
#include "run/run_state.h"

static bool is_used(const struct agent_run *run, struct span id)
{
	for (size_t i = 0; i < run->used_id_count; i++)
		if (span_is(id, run->used_ids[i]))
			return true;
	return false;
}

void run_use_id(struct agent_run *run, struct span id)
{
	run->used_ids = mem_resize(run->used_ids, (run->used_id_count + 1) * sizeof(char *));
	run->used_ids[run->used_id_count++] = mem_copy(id);
}

void run_use_history_ids(struct agent_run *run)
{
	struct buffer id = {0};

	for (size_t i = 0; i < run->conversation.count; i++) {
		struct json_walk walk =
		    json_walk(json_get(run->conversation.messages[i], "content"));

		while (json_next(&walk)) {
			buffer_clear(&id);
			if (json_is(json_get(walk.value, "type"), "tool_call") &&
			    json_decode(json_get(walk.value, "tool_call_id"), &id) &&
			    !is_used(run, buffer_span(&id)))
				run_use_id(run, buffer_span(&id));
		}
	}
	buffer_free(&id);
}

const char *run_unique_id(struct agent_run *run, struct span id)
{
	enum { MAX_ID = 128 };
	bool named = id.len > 0;
	size_t n = named ? 1 : run->used_id_count + 1;
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
	run_use_id(run, buffer_span(&unique));
	buffer_free(&unique);
	return run->used_ids[run->used_id_count - 1];
}

void run_free_ids(struct agent_run *run)
{
	for (size_t i = 0; i < run->used_id_count; i++)
		free(run->used_ids[i]);
	free(run->used_ids);
}

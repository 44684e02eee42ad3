#include "envelope.h"

#include <stdlib.h>

#include "base/clock.h"
#include "totals.h"

struct made_run {
	int64_t next_seq;
	struct totals totals;
};

void envelopes_begin(struct envelopes *envelopes)
{
	uuid_v7(envelopes->run_id);
}

/* The id of an open run as the table stores it; a run that is not open is opened. */
static struct span open_run(struct envelopes *envelopes, struct span id)
{
	struct span key = table_key(&envelopes->runs, id);

	if (key.at == NULL) {
		key = (struct span){mem_copy(id), id.len};
		*table_add(&envelopes->runs, key) = (uintptr_t)mem_zero(sizeof(struct made_run));
	}
	return key;
}

static struct made_run *run_of(const struct envelopes *envelopes, struct span key)
{
	return (struct made_run *)*table_find(&envelopes->runs, key);
}

static void free_run(struct made_run *run)
{
	totals_free(&run->totals);
	free(run);
}

/* The end of a run that is open. */
static void end_run(struct envelopes *envelopes, struct span run_id)
{
	if (span_is(run_id, envelopes->run_id))
		uuid_v7(envelopes->run_id);
	free_run(run_of(envelopes, run_id));
	table_remove(&envelopes->runs, run_id);
	free((char *)run_id.at);
}

/* The run of an event. Of those without a name, agent_start begins the next: the one that is open
 * was cut off. */
static struct span find_run(struct envelopes *envelopes, struct span value, struct span type)
{
	char *id = json_text(json_get(value, "run_id"));
	bool named = id != NULL && *id != '\0';
	struct span run;

	if (!named && json_is(type, "agent_start")) {
		run = table_key(&envelopes->runs, span_of(envelopes->run_id));
		if (run.at != NULL)
			end_run(envelopes, run);
	}
	run = open_run(envelopes, span_of(named ? id : envelopes->run_id));
	free(id);
	return run;
}

/* The members that are not those of the envelope. */
static void copy_others(struct buffer *line, struct span value)
{
	static const char *const envelope[] = {"event_type", "timestamp", "run_id",
					       "seq",        "data",      NULL};

	for (struct json_walk walk = json_walk(value); json_next(&walk);) {
		if (json_is_any(walk.key, envelope))
			continue;
		json_copy_key(line, walk.key);
		json_write_line(line, walk.value);
	}
}

bool envelopes_add(struct envelopes *envelopes, struct span value, struct buffer *line)
{
	struct span type = json_get(value, "event_type"), data = json_get(value, "data");
	int64_t time = clock_parse_timestamp(json_plain(json_get(value, "timestamp")));
	struct buffer timestamp = {0}, completed = {0};
	struct made_run *made;
	struct span run;

	if (json_type(type) != JSON_STRING || (data.at != NULL && json_type(data) != JSON_OBJECT))
		return false;
	run = find_run(envelopes, value, type);
	made = run_of(envelopes, run);
	if (time < 0)
		time = clock_realtime();
	clock_add_timestamp(&timestamp, time);
	if (envelopes->by_hand)
		totals_add(&made->totals, type, data, time);
	if (envelopes->by_hand && json_is(type, "agent_end") && json_get(value, "seq").at == NULL) {
		totals_complete(&made->totals, data, time, &completed);
		data = buffer_span(&completed);
	}
	json_pack(line, "{'event_type':%j,'timestamp':%s,'run_id':%s,'seq':%d", type,
		  buffer_span(&timestamp), run, made->next_seq++);
	copy_others(line, value);
	json_pack(line, "'data':%l}", data.at != NULL ? data : SPAN("{}"));
	buffer_free(&timestamp);
	buffer_free(&completed);
	if (json_is(type, "agent_end"))
		end_run(envelopes, run);
	return true;
}

void envelopes_free(struct envelopes *envelopes)
{
	for (size_t i = 0; i < envelopes->runs.capacity; i++) {
		if (envelopes->runs.slots[i].key.at != NULL)
			free_run((struct made_run *)envelopes->runs.slots[i].value);
		free((char *)envelopes->runs.slots[i].key.at);
	}
	table_free(&envelopes->runs);
}

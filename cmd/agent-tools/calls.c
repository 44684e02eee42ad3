#include <stdlib.h>

#include "base/hash.h"
#include "calls.h"

/* A key begins with the number of the run, whose id changes when it is resumed. */
enum { RUN_SIZE = sizeof(((struct run *)NULL)->order) };

/* Strings are written anew, so that two spellings of one id are the same key. */
static void add_id(struct buffer *key, struct span id)
{
	struct buffer text = {0};

	if (json_type(id) != JSON_STRING || json_plain(id).at != NULL) {
		json_write_compact(key, id);
		return;
	}
	json_decode(id, &text);
	json_write_string(key, buffer_span(&text));
	buffer_free(&text);
}

void calls_key(const struct run *run, const struct event *event, struct buffer *key)
{
	struct span id = json_get(event->data, "tool_call_id");

	if (json_type(id) == JSON_ABSENT || json_type(id) == JSON_NULL)
		id = json_get(event->data, "tool_name");
	buffer_clear(key);
	buffer_add(key, &run->order, RUN_SIZE);
	if (id.at != NULL)
		add_id(key, id);
}

struct span calls_id(const struct buffer *key)
{
	return span_from(buffer_span(key), RUN_SIZE);
}

struct call *calls_find(const struct calls *calls, const struct buffer *key)
{
	const uintptr_t *found = table_find(&calls->open, buffer_span(key));

	return found != NULL ? (struct call *)*found : NULL;
}

/* The place of a closed key in calls->closed, and what is stored there: a hash that is not 0. */
static uint64_t closed_hash(const struct buffer *key, size_t *place)
{
	uint64_t hash = hash_add(HASH_START, buffer_span(key));

	*place = hash % CLOSED_CALLS;
	return hash != 0 ? hash : 1;
}

bool calls_was_closed(const struct calls *calls, const struct buffer *key)
{
	size_t place;
	uint64_t hash = closed_hash(key, &place);

	return calls->closed[place] == hash;
}

static void set_number(struct call *call)
{
	struct call *other = call->older;

	while (other != NULL && !span_equal(buffer_span(&other->name), buffer_span(&call->name)))
		other = other->older;
	call->number = other != NULL ? other->number + 1 : 1;
	call->overlaps = other != NULL;
	if (other != NULL)
		other->overlaps = true;
}

struct call *calls_open(struct calls *calls, struct run *run, const struct buffer *key,
			struct span name)
{
	struct call *call = mem_zero(sizeof(*call));
	size_t place;
	uint64_t hash = closed_hash(key, &place);

	*call = (struct call){.run = run,
			      .iteration = -1,
			      .log_time = -1,
			      .seconds = -1,
			      .previous = calls->last,
			      .older = run->state};
	buffer_add_span(&call->key, buffer_span(key));
	buffer_add_span(&call->name, name);
	set_number(call);
	*table_add(&calls->open, buffer_span(&call->key)) = (uintptr_t)call;
	*(calls->last != NULL ? &calls->last->next : &calls->first) = call;
	calls->last = call;
	if (call->older != NULL)
		call->older->newer = call;
	run->state = call;
	if (calls->closed[place] == hash)
		calls->closed[place] = 0;
	return call;
}

static void free_call(struct call *call)
{
	buffer_free(&call->key);
	buffer_free(&call->name);
	buffer_free(&call->args);
	free(call);
}

void calls_close(struct calls *calls, struct call *call)
{
	size_t place;
	uint64_t hash = closed_hash(&call->key, &place);

	calls->closed[place] = hash;
	table_remove(&calls->open, buffer_span(&call->key));
	*(call->previous != NULL ? &call->previous->next : &calls->first) = call->next;
	*(call->next != NULL ? &call->next->previous : &calls->last) = call->previous;
	if (call->newer != NULL)
		call->newer->older = call->older;
	else
		call->run->state = call->older;
	if (call->older != NULL)
		call->older->newer = call->newer;
	free_call(call);
}

void calls_free(struct calls *calls)
{
	for (struct call *call = calls->first, *next; call != NULL; call = next) {
		next = call->next;
		free_call(call);
	}
	table_free(&calls->open);
}

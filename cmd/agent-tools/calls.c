#include "calls.h"

#include <stdlib.h>

#include "base/hash.h"

enum {
	BUCKETS = 4096,
	CLOSED = 4096, /* slots for the hashes of closed calls */
};

struct calls {
	struct call *first, *last;
	struct call *by_key[BUCKETS], *by_name[BUCKETS];
	uint64_t closed[CLOSED];
};

struct calls *calls_new(void)
{
	return mem_zero(sizeof(struct calls));
}

/* A hash of the run (whose id changes when it is resumed) and a key or name, never 0. */
static uint64_t hash_of(const struct run *run, struct span text)
{
	uint64_t hash =
	    hash_add(HASH_START, (struct span){(const char *)&run->order, sizeof(run->order)});

	hash = hash_add(hash_add(hash, SPAN("\n")), text);
	return hash != 0 ? hash : 1;
}

/* Strings are written anew, so that two spellings of one id are the same key. */
static void add_key(struct buffer *key, struct span id)
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

void calls_key(const struct event *event, struct buffer *key)
{
	struct span id = json_get(event->data, "tool_call_id");

	if (json_type(id) == JSON_ABSENT || json_type(id) == JSON_NULL)
		id = json_get(event->data, "tool_name");
	if (id.at != NULL)
		add_key(key, id);
}

/* ---- buckets ---- */

static void link_call(struct call **bucket, struct call *call, struct call_link *link,
		      struct call_link *first)
{
	link->next = *bucket;
	link->at = bucket;
	if (first != NULL)
		first->at = &link->next;
	*bucket = call;
}

static void unlink_call(const struct call_link *link, struct call_link *next)
{
	*link->at = link->next;
	if (next != NULL)
		next->at = link->at;
}

static struct call **key_bucket(struct calls *calls, const struct call *call)
{
	return &calls->by_key[hash_of(call->run, buffer_span(&call->key)) % BUCKETS];
}

static struct call **name_bucket(struct calls *calls, const struct call *call)
{
	return &calls->by_name[hash_of(call->run, buffer_span(&call->name)) % BUCKETS];
}

struct call *calls_find(const struct calls *calls, const struct run *run, struct span key)
{
	struct call *call = calls->by_key[hash_of(run, key) % BUCKETS];

	while (call != NULL && (call->run != run || !span_equal(buffer_span(&call->key), key)))
		call = call->by_key.next;
	return call;
}

/* ---- opening and closing ---- */

/* The bucket begins with the call that was opened last, which has the highest number. */
static void give_number(const struct call *bucket, struct call *call)
{
	struct call *other = (struct call *)bucket;

	while (other != NULL && (other->run != call->run ||
				 !span_equal(buffer_span(&other->name), buffer_span(&call->name))))
		other = other->by_name.next;
	call->number = other != NULL ? other->number + 1 : 1;
	call->overlaps = other != NULL;
	if (other != NULL)
		other->overlaps = true;
}

struct call *calls_open(struct calls *calls, const struct run *run, struct span key,
			struct span name)
{
	struct call *call = mem_zero(sizeof(*call));
	uint64_t hash = hash_of(run, key);
	struct call **bucket;

	call->run = run;
	call->iteration = call->log_time = -1;
	buffer_add_span(&call->key, key);
	buffer_add_span(&call->name, name);
	bucket = name_bucket(calls, call);
	give_number(*bucket, call);
	link_call(bucket, call, &call->by_name, *bucket != NULL ? &(*bucket)->by_name : NULL);
	bucket = key_bucket(calls, call);
	link_call(bucket, call, &call->by_key, *bucket != NULL ? &(*bucket)->by_key : NULL);
	call->previous = calls->last;
	if (calls->last != NULL)
		calls->last->next = call;
	else
		calls->first = call;
	calls->last = call;
	if (calls->closed[hash % CLOSED] == hash)
		calls->closed[hash % CLOSED] = 0;
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
	uint64_t hash = hash_of(call->run, buffer_span(&call->key));

	calls->closed[hash % CLOSED] = hash;
	unlink_call(&call->by_key, call->by_key.next != NULL ? &call->by_key.next->by_key : NULL);
	unlink_call(&call->by_name,
		    call->by_name.next != NULL ? &call->by_name.next->by_name : NULL);
	if (call->previous != NULL)
		call->previous->next = call->next;
	else
		calls->first = call->next;
	if (call->next != NULL)
		call->next->previous = call->previous;
	else
		calls->last = call->previous;
	free_call(call);
}

bool calls_was_closed(const struct calls *calls, const struct run *run, struct span key)
{
	uint64_t hash = hash_of(run, key);

	return calls->closed[hash % CLOSED] == hash;
}

struct call *calls_next(const struct calls *calls, const struct call *call)
{
	return call != NULL ? call->next : calls->first;
}

void calls_free(struct calls *calls)
{
	if (calls == NULL)
		return;
	for (struct call *call = calls->first, *next; call != NULL; call = next) {
		next = call->next;
		free_call(call);
	}
	free(calls);
}

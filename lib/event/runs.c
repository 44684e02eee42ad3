#include "event/runs.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/table.h"

enum {
	BUCKETS = 1024,
	RECENT = 16384, /* slots for the hashes of ended runs; a newer one replaces an older one */
};

struct entry {
	struct run run; /* first: a struct run * is its entry */
	size_t id_len;
	uint64_t hash;
	struct entry *chain;           /* in the bucket */
	struct entry *next, *previous; /* in order of appearance */
};

/* Exit statuses are 0 to 255. */
enum { STATUSES = 256 };

struct runs {
	void (*release)(void *state);
	bool strict;
	struct entry *buckets[BUCKETS];
	struct entry *first, *last;
	struct entry *latest; /* events of one run mostly follow each other */
	uint64_t recent[RECENT];
	uint64_t seen, counted, ended, open;
	struct table losses; /* runs that ended without success: id, owned, to exit status */
	uint64_t loss_counts[STATUSES]; /* how many of them have each exit status */
};

struct runs *runs_new(void (*release)(void *state), bool strict)
{
	struct runs *runs = mem_zero(sizeof(*runs));

	runs->release = release;
	runs->strict = strict;
	return runs;
}

/* Never 0. */
static uint64_t hash_of(struct span id)
{
	uint64_t hash = hash_add(HASH_START, id);

	return hash != 0 ? hash : 1;
}

static bool is_entry(const struct entry *entry, struct span id)
{
	return entry->id_len == id.len && memcmp(entry->run.id, id.at, id.len) == 0;
}

static struct entry *find(const struct runs *runs, struct span id, uint64_t hash)
{
	struct entry *entry = runs->buckets[hash % BUCKETS];

	while (entry != NULL && (entry->hash != hash || !is_entry(entry, id)))
		entry = entry->chain;
	return entry;
}

static void chain_in(struct runs *runs, struct entry *entry)
{
	entry->chain = runs->buckets[entry->hash % BUCKETS];
	runs->buckets[entry->hash % BUCKETS] = entry;
}

static void chain_out(struct runs *runs, struct entry *entry)
{
	struct entry **link = &runs->buckets[entry->hash % BUCKETS];

	while (*link != entry)
		link = &(*link)->chain;
	*link = entry->chain;
}

static struct entry *add(struct runs *runs, struct span id, uint64_t hash)
{
	struct entry *entry = mem_zero(sizeof(*entry));

	entry->run.id = mem_copy(id);
	entry->run.order = runs->seen++;
	entry->id_len = id.len;
	entry->hash = hash;
	chain_in(runs, entry);
	entry->previous = runs->last;
	if (runs->last != NULL)
		runs->last->next = entry;
	else
		runs->first = entry;
	runs->last = entry;
	return entry;
}

static void count_run(struct runs *runs, struct run *run, enum event_type type)
{
	if (run->counts || (run->id[0] == '\0' && type == EVENT_OTHER))
		return;
	run->counts = true;
	runs->counted++;
	runs->open++;
}

static bool has_ended(const struct runs *runs, uint64_t hash)
{
	return runs->recent[hash % RECENT] == hash;
}

static void say_late(const struct event *event, struct reader *reader)
{
	if (event->type == EVENT_AGENT_END)
		reader_warn(reader, "a second agent_end of run '%.*s'; it is ignored",
			    SPAN_ARG(event->run_id));
	else
		reader_warn(reader, "an event of run '%.*s' after its agent_end; it is ignored",
			    SPAN_ARG(event->run_id));
}

/* Whether the event's seq is new, and the next one from now on. */
static bool check_seq(const struct runs *runs, struct run *run, const struct event *event,
		      struct reader *reader)
{
	if (event->seq < 0 || event->seq == INT64_MAX) /* missing, or out of range */
		return true;
	if (event->seq < run->next_seq) {
		reader_warn(reader, "seq %lld of run '%s' comes again; the event is ignored",
			    (long long)event->seq, run->id);
		return false;
	}
	if (runs->strict && event->seq > run->next_seq)
		reader_warn(reader, "%lld events of run '%s' are missing before seq %lld",
			    (long long)(event->seq - run->next_seq), run->id,
			    (long long)event->seq);
	run->next_seq = event->seq + 1;
	return true;
}

static void add_loss(struct runs *runs, struct span id, int exit_status)
{
	struct span key = table_key(&runs->losses, id);

	if (key.at == NULL)
		key = (struct span){mem_copy(id), id.len};
	else
		runs->loss_counts[*table_find(&runs->losses, key)]--;
	*table_add(&runs->losses, key) = (size_t)exit_status;
	runs->loss_counts[exit_status]++;
}

/* The run is resumed: the one that resumes it answers for both. */
static void take_back_loss(struct runs *runs, struct span id)
{
	struct span key = table_key(&runs->losses, id);

	if (key.at == NULL)
		return;
	runs->loss_counts[*table_find(&runs->losses, key)]--;
	table_remove(&runs->losses, key);
	free((char *)key.at);
}

static void end_run(struct runs *runs, struct run *run, const struct event *event)
{
	int64_t status;

	run->succeeded = json_true(json_get(event->data, "success"));
	status = json_int(json_get(event->data, "exit_status"),
			  run->succeeded ? STATUS_OK : STATUS_FAILED);
	run->ended = true;
	run->exit_status = status >= 0 && status <= 255 ? (int)status : STATUS_FAILED;
	runs->open--;
	runs->ended++;
	if (run->parent_id == NULL && run->exit_status != STATUS_OK)
		add_loss(runs, span_of(run->id), run->exit_status);
}

static void unlink_entry(struct runs *runs, struct entry *entry)
{
	chain_out(runs, entry);
	if (entry->previous != NULL)
		entry->previous->next = entry->next;
	else
		runs->first = entry->next;
	if (entry->next != NULL)
		entry->next->previous = entry->previous;
	else
		runs->last = entry->previous;
	if (runs->latest == entry)
		runs->latest = NULL;
}

static void free_entry(struct runs *runs, struct entry *entry)
{
	if (runs->release != NULL && entry->run.state != NULL)
		runs->release(entry->run.state);
	free(entry->run.id);
	free(entry->run.parent_id);
	free(entry);
}

/* ---- runs that are gone on with ---- */

/* What is still open below `old` is now below the run that carries it on. */
static void carry_nested(struct runs *runs, const struct entry *old, const struct entry *entry)
{
	for (struct entry *at = runs->first; at != NULL; at = at->next) {
		char **parent = &at->run.parent_id;

		if (*parent == NULL || !is_entry(old, span_of(*parent)))
			continue;
		free(*parent);
		*parent = mem_copy((struct span){entry->run.id, entry->id_len});
	}
}

/* The run `resumed_from` of which `entry`, just begun, is the continuation: its entry under the new
 * id, or `entry` itself where nothing of it is left. */
static struct entry *carry_on(struct runs *runs, struct entry *entry, struct span resumed_from)
{
	struct buffer id = {0};
	struct entry *old = NULL;
	uint64_t hash;

	if (!json_decode(resumed_from, &id))
		return entry;
	hash = hash_of(buffer_span(&id));
	take_back_loss(runs, buffer_span(&id));
	old = find(runs, buffer_span(&id), hash);
	buffer_free(&id);
	if (old == NULL || old == entry || old->run.ended)
		return entry;
	carry_nested(runs, old, entry);
	chain_out(runs, old);
	free(old->run.id);
	old->run.id = mem_copy((struct span){entry->run.id, entry->id_len});
	old->id_len = entry->id_len;
	old->hash = entry->hash;
	old->run.next_seq = entry->run.next_seq;
	old->run.resumed = true;
	unlink_entry(runs, entry);
	free_entry(runs, entry);
	chain_in(runs, old);
	runs->open--;
	runs->latest = old;
	return old;
}

struct run *runs_event(struct runs *runs, const struct event *event, struct reader *reader)
{
	struct span id = event->run_id.at != NULL ? event->run_id : SPAN("");
	struct entry *entry = runs->latest;

	if (entry == NULL || !is_entry(entry, id)) {
		uint64_t hash = hash_of(id);

		entry = find(runs, id, hash);
		if (entry == NULL && id.len > 0 && has_ended(runs, hash)) {
			say_late(event, reader);
			return NULL;
		}
		if (entry == NULL)
			entry = add(runs, id, hash);
		runs->latest = entry;
	}
	if (entry->run.ended) {
		say_late(event, reader);
		return NULL;
	}
	count_run(runs, &entry->run, event->type);
	if (!check_seq(runs, &entry->run, event, reader))
		return NULL;
	if (event->type == EVENT_AGENT_START) {
		if (entry->run.started) {
			reader_warn(reader, "a second agent_start of run '%s'; it is ignored",
				    entry->run.id);
			return NULL;
		}
		entry = carry_on(runs, entry, json_get(event->data, "resumed_from"));
		entry->run.started = true;
		free(entry->run.parent_id);
		entry->run.parent_id = json_text(json_get(event->data, "parent_run_id"));
	} else if (event->type == EVENT_AGENT_END) {
		end_run(runs, &entry->run, event);
	}
	return &entry->run;
}

struct run *runs_find(const struct runs *runs, struct span id)
{
	struct entry *entry = find(runs, id, hash_of(id));

	return entry != NULL ? &entry->run : NULL;
}

bool runs_has(const struct runs *runs, struct span id)
{
	uint64_t hash = hash_of(id);

	return find(runs, id, hash) != NULL || has_ended(runs, hash);
}

bool runs_is_asked(struct span run_id, const char *id)
{
	return run_id.at != NULL && (span_starts(run_id, id) || span_ends(run_id, id));
}

void runs_forget(struct runs *runs, struct run *run)
{
	struct entry *entry = (struct entry *)run;

	if (entry->id_len > 0)
		runs->recent[entry->hash % RECENT] = entry->hash;
	unlink_entry(runs, entry);
	free_entry(runs, entry);
}

struct run *runs_next(struct runs *runs, const struct run *run)
{
	struct entry *entry = run != NULL ? ((const struct entry *)run)->next : runs->first;

	return entry != NULL ? &entry->run : NULL;
}

uint64_t runs_open(const struct runs *runs)
{
	return runs->open;
}

uint64_t runs_ended(const struct runs *runs)
{
	return runs->ended;
}

bool runs_all_ended(const struct runs *runs)
{
	return runs->ended > 0 && runs->open == 0;
}

/* Whether a run that counts has not ended. */
static bool is_torn(const struct runs *runs)
{
	for (const struct entry *entry = runs->first; entry != NULL; entry = entry->next)
		if (entry->run.counts && !entry->run.ended && entry->run.parent_id == NULL)
			return true;
	return false;
}

int runs_status(const struct runs *runs)
{
	bool incomplete = runs->counted == 0 || is_torn(runs);
	int worst = STATUSES - 1;

	while (worst > STATUS_OK && runs->loss_counts[worst] == 0)
		worst--;
	return incomplete && worst < STATUS_INCOMPLETE ? STATUS_INCOMPLETE : worst;
}

int runs_verdict(const struct runs *runs, const struct reader *reader)
{
	int status = runs_status(runs), malformed = reader_status(reader);

	if (runs->seen == 0 && malformed != STATUS_USAGE)
		warn("there were no events to read; what is expected is the output of agent-run, "
		     "one JSON object a line");
	else if ((runs->seen > 0 && runs->counted == 0) || is_torn(runs))
		warn("the stream ended without agent_end: its writer was killed");
	return malformed == STATUS_USAGE || malformed > status ? malformed : status;
}

void runs_free(struct runs *runs)
{
	if (runs == NULL)
		return;
	while (runs->first != NULL) {
		struct entry *entry = runs->first;

		runs->first = entry->next;
		free_entry(runs, entry);
	}
	for (size_t i = 0; i < runs->losses.capacity; i++)
		free((char *)runs->losses.slots[i].key.at);
	table_free(&runs->losses);
	free(runs);
}

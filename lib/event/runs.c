#define _GNU_SOURCE /* memmem */
#include "event/runs_private.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/number.h"

/* Slots for the hashes of ended runs. A newer one replaces an older one. */
enum { RECENT = 16384 };

struct runs *runs_new(void (*release)(void *state), bool strict)
{
	struct runs *runs = mem_zero(sizeof(*runs));

	runs->release = release;
	runs->strict = strict;
	return runs;
}

/* ---- the list ---- */

static void list_add(struct run_list *list, struct run *run)
{
	run->previous = list->last;
	run->next = NULL;
	*(list->last != NULL ? &list->last->next : &list->first) = run;
	list->last = run;
}

static void list_remove(struct run_list *list, struct run *run)
{
	*(run->previous != NULL ? &run->previous->next : &list->first) = run->next;
	*(run->next != NULL ? &run->next->previous : &list->last) = run->previous;
}

static struct run *add_run(struct runs *runs, struct span id)
{
	struct run *run = mem_zero(sizeof(*run));

	run->id = mem_copy(id);
	run->id_len = id.len;
	run->order = runs->seen++;
	for (size_t i = 0; i < runs->start_count; i++) /* it goes on without its agent_start */
		runs->lost = runs->lost || span_is(id, runs->starts[i].run_id);
	list_add(&runs->known, run);
	*table_add(&runs->ids, run_id_of(run)) = (uintptr_t)run;
	return run;
}

static void release_state(const struct runs *runs, struct run *run)
{
	if (runs->release != NULL && run->state != NULL)
		runs->release(run->state);
	run->state = NULL;
}

static void free_run(const struct runs *runs, struct run *run)
{
	release_state(runs, run);
	free(run->id);
	free(run->parent_id);
	free(run->batch_id);
	free(run);
}

/* Free a run whose id is no longer in the table, or goes on in another run (id is NULL). */
static void remove_run(struct runs *runs, struct run *run)
{
	list_remove(run->forgotten ? &runs->failed : &runs->known, run);
	if (runs->latest == run)
		runs->latest = NULL;
	free_run(runs, run);
}

static struct run *find_run(const struct runs *runs, struct span id)
{
	const uintptr_t *address = table_find(&runs->ids, id);

	return address != NULL ? (struct run *)*address : NULL;
}

struct run *runs_next(const struct runs *runs, const struct run *run)
{
	return run != NULL ? run->next : runs->known.first;
}

/* ---- runs that have ended ---- */

/* Never 0, which is a free slot. */
static uint64_t hash_of(struct span id)
{
	return hash_add(HASH_START, id) | 1;
}

static bool has_ended(const struct runs *runs, struct span id)
{
	uint64_t hash = hash_of(id);

	return runs->recent != NULL && runs->recent[hash / 2 % RECENT] == hash;
}

bool runs_has(const struct runs *runs, struct span id)
{
	return find_run(runs, id) != NULL || has_ended(runs, id);
}

/* There are no more events with this id. */
static void note_ended(struct runs *runs, struct span id)
{
	uint64_t hash = hash_of(id);

	if (runs->recent == NULL)
		runs->recent = mem_zero(RECENT * sizeof(*runs->recent));
	if (id.len > 0)
		runs->recent[hash / 2 % RECENT] = hash;
}

void runs_forget(struct runs *runs, struct run *run)
{
	runs->lost = runs->lost || (run->lost && !run_has_failed(run) && !run->excused);
	note_ended(runs, run_id_of(run));
	if (!run_has_failed(run)) {
		table_remove(&runs->ids, run_id_of(run));
		remove_run(runs, run);
		return;
	}
	if (run->id_len == 0) /* the next run without a name is another one */
		table_remove(&runs->ids, run_id_of(run));
	list_remove(&runs->known, run);
	release_state(runs, run);
	list_add(&runs->failed, run);
	run->forgotten = true;
	if (runs->latest == run)
		runs->latest = NULL;
}

static void end_run(struct run *run, struct span data)
{
	int64_t status;

	run->succeeded = json_true(json_get(data, "success"));
	status =
	    json_int(json_get(data, "exit_status"), run->succeeded ? STATUS_OK : STATUS_FAILED);
	if (!run->started && run->parent_id == NULL)
		run->parent_id = json_text(json_get(data, "parent_run_id"));
	run->nested = run->nested || (!run->started && run->parent_id != NULL);
	run->ended = true;
	run->exit_status = status >= 0 && status <= 255 ? (int)status : STATUS_FAILED;
}

/* ---- runs that are resumed, or nested ---- */

bool runs_is_nested_in(const struct runs *runs, const struct run *run, const struct run *parent)
{
	do
		run = runs_parent(runs, run);
	while (run != NULL && run != parent);
	return run != NULL;
}

/* The nested runs of `old` become nested runs of `run`, which resumes it. Those that have not
 * succeeded do not go on. */
static void move_nested(struct runs *runs, const struct run *old, const struct run *run)
{
	if (!old->has_nested)
		return;
	for (struct run *at = runs->known.first; at != NULL; at = at->next)
		if (!at->succeeded && runs_is_nested_in(runs, at, old))
			at->excused = true;
	for (struct run *at = runs->known.first; at != NULL; at = at->next) {
		if (at->parent_id == NULL || strcmp(at->parent_id, old->id) != 0)
			continue;
		free(at->parent_id);
		at->parent_id = mem_copy(run_id_of(run));
	}
}

/* `old` goes on under the id of `run`, which it replaces. */
static void replace_run(struct runs *runs, struct run *old, struct run *run)
{
	note_ended(runs, run_id_of(old));
	table_remove(&runs->ids, run_id_of(old));
	free(old->id);
	old->id = run->id;
	old->id_len = run->id_len;
	old->next_seq = run->next_seq;
	memcpy(old->last_time, run->last_time, sizeof(old->last_time));
	*table_find(&runs->ids, run_id_of(old)) = (uintptr_t)old;
	run->id = NULL;
	if (run->counts && old->ended && old->kept) {
		runs->ended--;
		old->kept = false;
	} else {
		runs->open -= run->counts;
	}
	remove_run(runs, run);
	runs->latest = old;
}

/* Another run has started, and resumes the failed run `old`. */
static void excuse(struct runs *runs, struct run *old)
{
	old->excused = true;
	if (!old->forgotten)
		return;
	table_remove(&runs->ids, run_id_of(old));
	remove_run(runs, old);
}

/* Another run continues the conversation of the run `id`, which is over then. */
static void note_continued(struct runs *runs, struct span id)
{
	char *text = json_text(id);
	struct run *old = find_run(runs, span_of(text));

	free(text);
	if (old == NULL || old->ended || old->continued)
		return;
	old->continued = true;
	runs->open -= old->counts;
	runs->ended += old->counts;
}

/* A run has started with `data`: if a torn agent_start had the same, nothing is lost. */
static void find_torn_start(struct runs *runs, struct span data)
{
	for (size_t i = 0; i < runs->start_count; i++) {
		struct span torn = buffer_span(&runs->starts[i].data);

		if (torn.len <= data.len && memcmp(torn.at, data.at, torn.len) == 0)
			runs->starts[i].begun_again = true;
	}
}

/* The run may be nested in another one. */
static void note_parent(struct runs *runs, const struct run *run)
{
	struct run *parent = find_run(runs, span_of(run->parent_id));

	if (parent != NULL)
		parent->has_nested = true;
}

/* An agent_start of `run`; `in_log`: runs that have ended can go on. Returns the run that goes on:
 * the one that `run` resumes, or `run`. */
static struct run *start_run(struct runs *runs, struct run *run, struct span data, bool in_log)
{
	static const struct span names[] = {SPAN_INIT("resumed_from"),
					    SPAN_INIT("parent_run_id"),
					    SPAN_INIT("id"),
					    SPAN_INIT("continues"),
					    {0}};
	struct span values[4];
	struct run *old = NULL;
	bool resumed;
	char *old_id;

	json_members(json_walk(data), names, values);
	old_id = json_text(values[0]);
	if (!run->started)
		old = find_run(runs, span_of(old_id));
	free(old_id);
	/* A reader that has seen the run before may refer to it. */
	resumed = old != NULL && old != run && run->event_count == 1 &&
		  (!old->ended || old->kept || in_log);
	if (resumed) {
		if (!in_log) /* where nested runs of a dead run have no more events */
			move_nested(runs, old, run);
		replace_run(runs, old, run);
		run = old;
	} else if (old != NULL && old != run) {
		excuse(runs, old);
	}
	if (json_type(values[3]) == JSON_STRING && !run->started)
		note_continued(runs, values[3]);
	find_torn_start(runs, data);
	run->started = true;
	run->resumed = resumed;
	run->resumes = json_type(values[0]) == JSON_STRING;
	run->failure_reported = false;
	run->lost = false;
	run->ended = run->succeeded = false;
	free(run->parent_id);
	free(run->batch_id);
	run->parent_id = json_text(values[1]);
	run->batch_id = json_text(values[2]);
	run->nested = run->parent_id != NULL && strcmp(run->parent_id, run->id) != 0 &&
		      runs_has(runs, span_of(run->parent_id));
	note_parent(runs, run);
	return run;
}

struct run *runs_parent(const struct runs *runs, const struct run *run)
{
	struct run *parent = find_run(runs, span_of(run->parent_id));

	return parent != NULL && parent->order < run->order ? parent : NULL; /* no cycles */
}

/* ---- events ---- */

static void count_run(struct runs *runs, struct run *run, enum event_type type)
{
	if (run->counts || (run->id_len == 0 && type == EVENT_OTHER))
		return;
	run->counts = true;
	runs->open++;
}

static void note_seq(struct run *run, const struct event *event)
{
	if (event->seq < run->next_seq || event->seq == INT64_MAX)
		return;
	run->next_seq = event->seq + 1;
	if (event->timestamp.len == sizeof(run->last_time))
		memcpy(run->last_time, event->timestamp.at, sizeof(run->last_time));
}

/* Returns whether the event's seq is new. */
static bool check_seq(const struct runs *runs, struct run *run, const struct event *event,
		      struct reader *reader)
{
	long long seq = event->seq, missing;

	if (seq < 0 || seq == INT64_MAX) /* missing, or out of range */
		return true;
	if (seq < run->next_seq) {
		reader_warn(reader, "seq %lld of run '%s' is repeated; the event is ignored", seq,
			    run->id);
		return false;
	}
	missing = seq - run->next_seq;
	if (runs->strict && missing > 0)
		reader_warn(reader, "%lld event%s of run '%s' %s missing before seq %lld", missing,
			    plural((double)missing), run->id, missing == 1 ? "is" : "are", seq);
	note_seq(run, event);
	return true;
}

/* The run of the event, if it is known. */
static struct run *run_of(const struct runs *runs, struct span id)
{
	struct run *run = runs->latest;

	return run != NULL && span_equal(run_id_of(run), id) ? run : find_run(runs, id);
}

/* Whether the event is a copy of one of `run` (NULL: its run is not known). */
static bool is_copy(const struct runs *runs, const struct run *run, const struct event *event)
{
	if (event->run_id.len == 0 || event->seq < 0 || event->timestamp.len != EVENT_TIMESTAMP)
		return false;
	if (run == NULL)
		return has_ended(runs, event->run_id);
	return event->seq < run->next_seq &&
	       memcmp(event->timestamp.at, run->last_time, sizeof(run->last_time)) <= 0;
}

bool runs_has_copy(const struct runs *runs, const struct event *event)
{
	return is_copy(runs, run_of(runs, event->run_id), event);
}

static void report_copy(const struct event *event, struct reader *reader,
			const struct event_log *log)
{
	struct buffer text = {0};

	buffer_add_format(&text,
			  "seq %lld of run '%.*s' is repeated; the event and copies that follow it "
			  "are ignored",
			  (long long)event->seq, SPAN_ARG(event->run_id));
	if (log != NULL)
		event_log_report(log, buffer_span(&text));
	else if (reader != NULL)
		reader_report(reader, buffer_span(&text));
	buffer_free(&text);
}

/* The run of the event, which is new if it is not known. Returns NULL if it has ended and is
 * forgotten, or if the event is a copy; the first of neighbouring copies is reported. */
static struct run *find_or_add(struct runs *runs, const struct event *event, struct reader *reader,
			       const struct event_log *log, bool *copy)
{
	struct span id = event->run_id.at != NULL ? event->run_id : SPAN("");
	struct run *run = run_of(runs, id);

	*copy = !runs->strict && is_copy(runs, run, event);
	if (*copy && !runs->in_copies)
		report_copy(event, reader, log);
	runs->in_copies = *copy;
	if (*copy)
		return NULL;
	if (run == NULL && (id.len == 0 || !has_ended(runs, id)))
		run = add_run(runs, id);
	if (run != NULL)
		runs->latest = run;
	return run;
}

struct run *runs_event(struct runs *runs, const struct event *event, struct reader *reader)
{
	bool copy;
	struct run *run = find_or_add(runs, event, reader, NULL, &copy);

	if (copy)
		return NULL;
	if (run == NULL || run->ended) {
		reader_warn(reader,
			    event->type == EVENT_AGENT_END
				? "a second agent_end of run '%.*s'; it is ignored"
				: "an event of run '%.*s' after its agent_end; it is ignored",
			    SPAN_ARG(event->run_id));
		return NULL;
	}
	run->event_count++;
	count_run(runs, run, event->type);
	if (!check_seq(runs, run, event, reader))
		return NULL;
	if (event->type == EVENT_AGENT_START && run->started) {
		reader_warn(reader, "a second agent_start of run '%s'; it is ignored", run->id);
		return NULL;
	}
	if (event->type == EVENT_AGENT_START)
		return start_run(runs, run, event->data, false);
	if (event->type == EVENT_AGENT_END) {
		end_run(run, event->data);
		note_parent(runs, run);
		runs->open -= !run->continued;
		runs->ended += !run->continued;
	}
	return run;
}

struct run *runs_log_event(struct runs *runs, const struct event *event,
			   const struct event_log *log)
{
	bool copy;
	struct run *run = find_or_add(runs, event, NULL, log, &copy);

	if (run == NULL)
		return NULL;
	run->event_count++;
	note_seq(run, event);
	if (event->type == EVENT_AGENT_START)
		return start_run(runs, run, event->data, true);
	if (event->type == EVENT_AGENT_END)
		end_run(run, event->data);
	return run;
}

/* ---- lines that are skipped ---- */

/* The data of an agent_start as far as the line has it; absent: it is not one. */
static struct span torn_start(struct span line)
{
	static const char before_data[] = ",\"data\":";
	struct event event;
	const char *data;

	if (!event_head(line, &event) || event.type != EVENT_AGENT_START)
		return (struct span){0};
	data = memmem(event.run_id.at, (size_t)(line.at + line.len - event.run_id.at), before_data,
		      strlen(before_data));
	if (data == NULL)
		return span_from(line, line.len);
	data += strlen(before_data);
	return span_from(line, (size_t)(data - line.at));
}

static void add_torn_start(struct runs *runs, struct span head, struct span data)
{
	struct torn_start *start;
	struct event event;

	event_head(head, &event);
	runs->lost = runs->lost || runs_has(runs, event.run_id);
	runs->starts = array_grow(runs->starts, runs->start_count, sizeof(*runs->starts));
	start = &runs->starts[runs->start_count++];
	*start = (struct torn_start){.run_id = mem_copy(event.run_id)};
	buffer_add_span(&start->data, data);
}

void runs_lose(struct runs *runs, struct span head, bool too_long)
{
	struct span start = torn_start(head);
	struct run *run = runs->latest;
	struct event event;

	if (event_head(head, &event) && runs_has_copy(runs, &event))
		return;
	if (start.at != NULL && !too_long) {
		add_torn_start(runs, head, start);
		return;
	}
	if (event_head(head, &event)) {
		run = find_run(runs, event.run_id);
		if (run == NULL && !has_ended(runs, event.run_id))
			run = add_run(runs, event.run_id);
		if (run != NULL && too_long && event.type == EVENT_AGENT_END)
			run->end_skipped = true;
	}
	while (run != NULL && run->parent_id != NULL)
		run = runs_parent(runs, run);
	if (run != NULL)
		run->lost = true;
	else
		runs->lost = true;
}

static bool start_lost(const struct runs *runs)
{
	for (size_t i = 0; i < runs->start_count; i++)
		if (!runs->starts[i].begun_again)
			return true;
	return false;
}

/* Whether events of a run in the list are lost, and no other run resumes or continues it. */
static bool list_lost(const struct run_list *list)
{
	for (const struct run *run = list->first; run != NULL; run = run->next)
		if (run->lost && !run->excused && !run->continued)
			return true;
	return false;
}

bool runs_lost(const struct runs *runs)
{
	return runs->lost || start_lost(runs) || list_lost(&runs->known) ||
	       list_lost(&runs->failed);
}

/* ---- the end ---- */

static void free_list(const struct runs *runs, const struct run_list *list)
{
	for (struct run *run = list->first, *next; run != NULL; run = next) {
		next = run->next;
		free_run(runs, run);
	}
}

void runs_free(struct runs *runs)
{
	if (runs == NULL)
		return;
	free_list(runs, &runs->known);
	free_list(runs, &runs->failed);
	table_free(&runs->ids);
	for (size_t i = 0; i < runs->start_count; i++) {
		free(runs->starts[i].run_id);
		buffer_free(&runs->starts[i].data);
	}
	free(runs->starts);
	free(runs->recent);
	free(runs);
}

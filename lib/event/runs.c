#include "event/runs.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/number.h"
#include "base/table.h"
#include "event/terminal.h"

/* Slots for the hashes of ended runs. A newer one replaces an older one. */
enum { RECENT = 16384 };

struct runs {
	void (*release)(void *state);
	bool strict;
	struct table ids; /* of the runs in the list, to their addresses */
	struct run *first, *last;
	struct run *latest; /* of the last event: most events of a run are neighbours */
	uint64_t recent[RECENT];
	uint64_t seen, open, ended;
	struct table failures; /* ids of the runs that failed, owned, to their exit statuses */
};

struct runs *runs_new(void (*release)(void *state), bool strict)
{
	struct runs *runs = mem_zero(sizeof(*runs));

	runs->release = release;
	runs->strict = strict;
	return runs;
}

/* ---- the list ---- */

static struct span id_of(const struct run *run)
{
	return (struct span){run->id, run->id_len};
}

static struct run *add_run(struct runs *runs, struct span id)
{
	struct run *run = mem_zero(sizeof(*run));

	run->id = mem_copy(id);
	run->id_len = id.len;
	run->order = runs->seen++;
	run->previous = runs->last;
	if (runs->last != NULL)
		runs->last->next = run;
	else
		runs->first = run;
	runs->last = run;
	*table_add(&runs->ids, id_of(run)) = (uintptr_t)run;
	return run;
}

static void free_run(const struct runs *runs, struct run *run)
{
	if (runs->release != NULL && run->state != NULL)
		runs->release(run->state);
	free(run->id);
	free(run->parent_id);
	free(run);
}

/* Free a run that is no longer in the table. */
static void remove_run(struct runs *runs, struct run *run)
{
	if (run->previous != NULL)
		run->previous->next = run->next;
	else
		runs->first = run->next;
	if (run->next != NULL)
		run->next->previous = run->previous;
	else
		runs->last = run->previous;
	if (runs->latest == run)
		runs->latest = NULL;
	free_run(runs, run);
}

struct run *runs_find(const struct runs *runs, struct span id)
{
	const uintptr_t *address = table_find(&runs->ids, id);

	return address != NULL ? (struct run *)*address : NULL;
}

struct run *runs_next(const struct runs *runs, const struct run *run)
{
	return run != NULL ? run->next : runs->first;
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

	return runs->recent[hash / 2 % RECENT] == hash;
}

bool runs_has(const struct runs *runs, struct span id)
{
	return runs_find(runs, id) != NULL || has_ended(runs, id);
}

void runs_forget(struct runs *runs, struct run *run)
{
	uint64_t hash = hash_of(id_of(run));

	if (run->id_len > 0)
		runs->recent[hash / 2 % RECENT] = hash;
	table_remove(&runs->ids, id_of(run));
	remove_run(runs, run);
}

static void add_failure(struct runs *runs, struct span id, int exit_status)
{
	if (table_find(&runs->failures, id) == NULL)
		id.at = mem_copy(id);
	*table_add(&runs->failures, id) = (uintptr_t)exit_status;
}

static void remove_failure(struct runs *runs, struct span id)
{
	struct span key = table_key(&runs->failures, id);

	table_remove(&runs->failures, key);
	free((char *)key.at);
}

static void end_run(struct runs *runs, struct run *run, struct span data)
{
	int64_t status;

	run->succeeded = json_true(json_get(data, "success"));
	status =
	    json_int(json_get(data, "exit_status"), run->succeeded ? STATUS_OK : STATUS_FAILED);
	run->ended = true;
	run->exit_status = status >= 0 && status <= 255 ? (int)status : STATUS_FAILED;
	runs->open--;
	runs->ended++;
	if (run->parent_id == NULL && run->exit_status != STATUS_OK)
		add_failure(runs, id_of(run), run->exit_status);
}

/* ---- runs that are resumed ---- */

/* The open nested runs of `old` become nested runs of `run`. */
static void move_nested(struct runs *runs, const struct run *old, const struct run *run)
{
	for (struct run *at = runs->first; at != NULL; at = at->next) {
		if (at->parent_id == NULL || strcmp(at->parent_id, old->id) != 0)
			continue;
		free(at->parent_id);
		at->parent_id = mem_copy(id_of(run));
	}
}

/* `run` has just started and resumes the run `old_id`. If that is open, return it, under the id of
 * `run`, which it replaces. */
static struct run *resume(struct runs *runs, struct run *run, struct span old_id)
{
	struct run *old = runs_find(runs, old_id);

	remove_failure(runs, old_id);
	if (old == NULL || old == run || old->ended)
		return run;
	move_nested(runs, old, run);
	table_remove(&runs->ids, id_of(old));
	free(old->id);
	old->id = run->id;
	old->id_len = run->id_len;
	old->next_seq = run->next_seq;
	old->resumed = true;
	*table_find(&runs->ids, id_of(old)) = (uintptr_t)old;
	run->id = NULL;
	remove_run(runs, run);
	runs->open--;
	runs->latest = old;
	return old;
}

static struct run *start_run(struct runs *runs, struct run *run, struct span data)
{
	char *resumed_from = json_text(json_get(data, "resumed_from"));

	if (resumed_from != NULL)
		run = resume(runs, run, span_of(resumed_from));
	free(resumed_from);
	run->started = true;
	free(run->parent_id);
	run->parent_id = json_text(json_get(data, "parent_run_id"));
	return run;
}

/* ---- events ---- */

static void count_run(struct runs *runs, struct run *run, enum event_type type)
{
	if (run->counts || (run->id_len == 0 && type == EVENT_OTHER))
		return;
	run->counts = true;
	runs->open++;
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
	run->next_seq = seq + 1;
	return true;
}

/* Returns NULL if the run has ended and is forgotten. */
static struct run *find_or_add(struct runs *runs, struct span id)
{
	struct run *run = runs->latest;

	if (run != NULL && span_equal(id_of(run), id))
		return run;
	run = runs_find(runs, id);
	if (run == NULL && (id.len == 0 || !has_ended(runs, id)))
		run = add_run(runs, id);
	if (run != NULL)
		runs->latest = run;
	return run;
}

struct run *runs_event(struct runs *runs, const struct event *event, struct reader *reader)
{
	struct run *run = find_or_add(runs, event->run_id.at != NULL ? event->run_id : SPAN(""));

	if (run == NULL || run->ended) {
		reader_warn(reader,
			    event->type == EVENT_AGENT_END
				? "a second agent_end of run '%.*s'; it is ignored"
				: "an event of run '%.*s' after its agent_end; it is ignored",
			    SPAN_ARG(event->run_id));
		return NULL;
	}
	count_run(runs, run, event->type);
	if (!check_seq(runs, run, event, reader))
		return NULL;
	if (event->type == EVENT_AGENT_START && run->started) {
		reader_warn(reader, "a second agent_start of run '%s'; it is ignored", run->id);
		return NULL;
	}
	if (event->type == EVENT_AGENT_START)
		return start_run(runs, run, event->data);
	if (event->type == EVENT_AGENT_END)
		end_run(runs, run, event->data);
	return run;
}

bool runs_id_matches(struct span run_id, const char *id)
{
	return run_id.at != NULL && (span_starts(run_id, id) || span_ends(run_id, id));
}

/* ---- the result ---- */

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

/* Whether events have come, but the end of a run has not. */
static bool is_incomplete(const struct runs *runs)
{
	for (const struct run *run = runs->first; run != NULL; run = run->next)
		if (run->counts && !run->ended && run->parent_id == NULL)
			return true;
	return runs->seen > 0 && runs->open + runs->ended == 0;
}

int runs_status(const struct runs *runs)
{
	size_t worst = runs->seen == 0 || is_incomplete(runs) ? STATUS_INCOMPLETE : STATUS_OK;

	for (size_t i = 0; i < runs->failures.capacity; i++)
		if (runs->failures.slots[i].value > worst)
			worst = runs->failures.slots[i].value;
	return (int)worst;
}

int runs_verdict(const struct runs *runs, const struct reader *reader, const char *id)
{
	int status = runs_status(runs), input = reader_status(reader);

	if (runs->seen == 0 && input != STATUS_USAGE && id != NULL)
		warn("the input has no run whose id starts or ends with '%s' (--run)", id);
	else if (runs->seen == 0 && input != STATUS_USAGE)
		warn("the input has no events; the output of agent-run is expected, one JSON "
		     "object per line");
	else if (is_incomplete(runs))
		warn("the stream ended without agent_end: its writer was killed");
	return input == STATUS_USAGE || input > status ? input : status;
}

bool run_error_sentence(const struct runs *runs, struct run *run, const struct event *event,
			struct buffer *out)
{
	bool fatal = event->type == EVENT_ERROR && json_true(json_get(event->data, "fatal"));
	bool ended = event->type == EVENT_AGENT_END && !run->failure_reported && !run->succeeded;

	if (!fatal && !ended)
		return false;
	if (runs->open + runs->ended > 1 && run->id_len > 0) {
		buffer_add_text(out, "run ");
		terminal_add_line(out, id_of(run));
		buffer_add_text(out, fatal ? ": " : "");
	} else if (ended) {
		buffer_add_text(out, "the run");
	}
	if (fatal) {
		terminal_add_string(out, json_get(event->data, "error"),
				    "an error without a message");
		run->failure_reported = true;
	} else {
		buffer_add_text(out, " ended with status '");
		terminal_add_string(out, json_get(event->data, "status"), "failed");
		buffer_add_text(out, "'");
	}
	return true;
}

void runs_free(struct runs *runs)
{
	if (runs == NULL)
		return;
	for (struct run *run = runs->first, *next; run != NULL; run = next) {
		next = run->next;
		free_run(runs, run);
	}
	for (size_t i = 0; i < runs->failures.capacity; i++)
		free((char *)runs->failures.slots[i].key.at);
	table_free(&runs->failures);
	table_free(&runs->ids);
	free(runs);
}

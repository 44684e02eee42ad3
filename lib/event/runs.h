/*
 * runs: the runs of a stream, separated by run_id, and whether they are complete.
 *
 * The readers that exit with the run's status (agent-text, agent-tools, agent-collect) pass every
 * event to runs_event. It finds the event's run, checks the rules of agent-events(5) (agent_start
 * first, seq without gaps, one agent_end) and stores how the run ended. Memory is used for open
 * runs, for the ids of runs that failed, and for a fixed number of recently ended runs (to detect a
 * second agent_end). Events without run_id belong to one run without a name, which needs no
 * agent_start. If only events of unknown types have no run_id, its end is not required.
 *
 * A run that resumes another one (resumed_from) counts as one run with it. If the old run is open,
 * it continues under the new id, as do its open nested runs. If it has failed, its failure no
 * longer counts.
 */
#ifndef EVENT_RUNS_H
#define EVENT_RUNS_H

#include "event/event.h"
#include "event/reader.h"

struct run {
	char *id;        /* "" for the run without a name */
	char *parent_id; /* parent_run_id of a nested run; NULL: none */
	int64_t next_seq;
	bool started, ended;
	bool counts;           /* its agent_end is required */
	bool resumed;          /* an agent_start named it in resumed_from */
	int exit_status;       /* of agent_end */
	bool succeeded;        /* as agent_end says */
	bool failure_reported; /* by run_error_sentence */
	uint64_t order;        /* 0, 1, ... in the order of appearance */
	void *state;           /* the reader's own */

	/* private */
	size_t id_len;
	struct run *next, *previous; /* in order of appearance */
};

struct runs;

/* `release` frees a run's state when the run is forgotten (may be NULL). Gaps in seq are reported
 * only if `strict`, because filters make them. */
struct runs *runs_new(void (*release)(void *state), bool strict);

/* Return the run of `event`, which its first event creates. Returns NULL if the event must be
 * ignored: its seq is repeated, it follows agent_end, or it is a second agent_start. These faults
 * and, if `strict`, gaps in seq are reported through reader_warn. `reader` may be NULL. */
struct run *runs_event(struct runs *runs, const struct event *event, struct reader *reader);

/* The run with this run_id, unless it is forgotten; NULL if there is none. */
struct run *runs_find(const struct runs *runs, struct span id);

/* Whether there was an event of this run, as far as that is known: it is open or ended recently. */
bool runs_has(const struct runs *runs, struct span id);

/* Whether --run ID selects `run_id`: the run_id starts with ID or ends with it. (The ends of ids
 * that were made at the same time differ, their beginnings do not.) */
bool runs_id_matches(struct span run_id, const char *id);

/* The run has ended and its reader no longer needs it: forget everything except its id. */
void runs_forget(struct runs *runs, struct run *run);

/* The runs that are not forgotten, in order of appearance: pass NULL to get the first; NULL after
 * the last. */
struct run *runs_next(const struct runs *runs, const struct run *run);

/* The number of runs that have not ended, and of those that have. */
uint64_t runs_open(const struct runs *runs);
uint64_t runs_ended(const struct runs *runs);

/* Whether at least one run has ended and none is open: --follow is complete. */
bool runs_all_ended(const struct runs *runs);

/* The highest exit status of the runs, at the end of the input. Nested runs do not count, because
 * their parents report their failures. If a run is still open, or there was none at all, it is at
 * least STATUS_INCOMPLETE. */
int runs_status(const struct runs *runs);

/* The exit status of a program at the end of its input: runs_status, or reader_status if that is
 * worse. Warns if the stream is incomplete, or if it has no event (`id`, unless NULL: of the runs
 * that --run ID selects). */
int runs_verdict(const struct runs *runs, const struct reader *reader, const char *id);

/* Append why the run failed, as one sentence that is safe for a terminal: the message of a fatal
 * `error`, or the status of an `agent_end` without success if no fatal error came before. The
 * sentence names the run if there are several. Returns false, appending nothing, for any other
 * event. */
bool run_error_sentence(const struct runs *runs, struct run *run, const struct event *event,
			struct buffer *out);

void runs_free(struct runs *runs);

#endif

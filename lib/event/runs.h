/*
 * runs: the runs of a stream, kept apart by run_id, and whether they are whole.
 *
 * The readers that exit with the run's status (agent-text, agent-tools, agent-collect) give every
 * event to runs_event, which finds its run, checks what the contract promises (agent_start first,
 * seq without a hole, agent_end once) and remembers how it ended. Memory is held for runs that are
 * open and for a bounded number of recent ended ones (to recognise a second agent_end), nothing
 * else. Events without run_id belong to one nameless run; a stream of hand-written events needs no
 * agent_start. As long as nothing but events of unknown types came without run_id, nobody waits for
 * their end.
 */
#ifndef EVENT_RUNS_H
#define EVENT_RUNS_H

#include "event/event.h"
#include "event/reader.h"

struct run {
	char *id;        /* "" for the nameless run */
	char *parent_id; /* parent_run_id of a nested run; NULL: none */
	int64_t next_seq;
	bool started, ended;
	bool counts;       /* its agent_end is waited for; not so for stray events without run_id */
	bool resumed;      /* it was gone on with: an agent_start named it in resumed_from */
	int exit_status;   /* of agent_end */
	bool succeeded;    /* as agent_end says */
	bool failure_said; /* of failure.h */
	uint64_t order;    /* 0, 1, ... in the order in which the runs appeared */
	void *state;       /* the reader's own */
};

struct runs;

/* A run that is gone on with after its writer was killed, or after it failed, counts as one: an
 * agent_start with resumed_from carries the open run on under its new id (and those nested in it
 * that are open have that for their parent), and takes back the failure of one that had ended. */

/* `release` frees a run's state when the run is forgotten (may be NULL). Holes in seq are told only
 * when `strict`: a filter makes them on purpose. */
struct runs *runs_new(void (*release)(void *state), bool strict);

/* The run of `event`, made at its first event. Faults are said through reader_warn (a seq that
 * comes again, an event after agent_end, a second agent_end or agent_start, and with `strict` a
 * hole in seq; nothing is said when `reader` is NULL); NULL for an event that must be ignored
 * because of that (not for a hole). */
struct run *runs_event(struct runs *runs, const struct event *event, struct reader *reader);

/* The open or not yet forgotten run whose run_id is `id`; NULL: there is none. */
struct run *runs_find(const struct runs *runs, struct span id);

/* Whether the run was seen, and is open or ended not long ago. */
bool runs_has(const struct runs *runs, struct span id);

/* Whether `run_id` is one that --run ID asks for: it begins with ID, or ends with it (the ends of
 * ids that were made at the same time differ, their beginnings do not). */
bool runs_is_asked(struct span run_id, const char *id);

/* The run has ended and its reader is done with it: forget all but its id. */
void runs_forget(struct runs *runs, struct run *run);

/* The open runs, in order of appearance: pass NULL first; NULL after the last. */
struct run *runs_next(struct runs *runs, const struct run *run);

/* How many runs are open (started or seen, not ended), and how many have ended. */
uint64_t runs_open(const struct runs *runs);
uint64_t runs_ended(const struct runs *runs);

/* Whether at least one run has ended and none is open: a reader that follows has what it waits for.
 */
bool runs_all_ended(const struct runs *runs);

/* The worst (numerically highest) exit status of the runs that have ended; for a nested run nothing
 * counts, its parent answers for it. Runs still open, or no run at all in input that had lines,
 * make it STATUS_INCOMPLETE at least. Call at the end of input. */
int runs_status(const struct runs *runs);

/* What a program is to exit with at the end of its input: runs_status, or reader_status when that
 * is worse. Says what the stream lacked. */
int runs_verdict(const struct runs *runs, const struct reader *reader);

void runs_free(struct runs *runs);

#endif

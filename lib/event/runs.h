/*
 * runs: the runs of a stream or of a log, separated by run_id: which run resumes which, which is
 * nested in which, and how each has ended.
 *
 * The readers of a stream (agent-text, agent-tools, agent-collect) pass every event to runs_event.
 * It checks the rules of agent-events(5) (agent_start first, seq without gaps, one agent_end).
 * Memory is used for open runs, for runs that failed, and for a fixed number of ids of recently
 * ended runs (to detect a second agent_end). Events without run_id belong to one run without a
 * name. A run without agent_start was selected by a filter or written by hand: its agent_end is not
 * required.
 *
 * The readers of a whole log (history, batch, replay) pass every event to runs_log_event.
 *
 * A run that resumes another one (resumed_from) is one run with it, which continues under the new
 * id. In a stream this is so only for open runs, and for failed ones that the reader keeps; the
 * failure of others no longer counts. An agent_start that is not the first event of its run does
 * not make two runs one. A run that is open when another one continues its conversation (continues)
 * was killed, which no longer counts.
 */
#ifndef EVENT_RUNS_H
#define EVENT_RUNS_H

#include "event/event.h"
#include "event/log.h"
#include "event/reader.h"

struct run {
	char *id;        /* "" for the run without a name */
	char *parent_id; /* parent_run_id of a nested run; NULL: none */
	char *batch_id;  /* the id of its line of a batch; NULL: none */
	bool nested;     /* its parent appeared before it, and reports its failure; or it has no
			  * agent_start, and its agent_end names a parent */
	int64_t next_seq;
	bool started, ended;
	bool counts;           /* it is one of runs_open or runs_ended */
	bool resumed;          /* its last agent_start resumed it */
	bool resumes;          /* it resumes a run, which may not have appeared */
	int exit_status;       /* of agent_end */
	bool succeeded;        /* as agent_end says */
	bool failure_reported; /* by run_error_sentence */
	uint64_t order;        /* 0, 1, ... in the order of appearance */
	void *state;           /* the reader's own */
	bool overlaps;         /* set by the reader: another run, beside it, was open too */
	bool kept;             /* set by the reader: it failed, and goes on if another resumes it */
	bool excused;   /* it failed or was cut off, but another run resumes it or its parent */
	bool continued; /* it was cut off, and another run of its session continues its conversation
			 */

	/* private */
	size_t id_len;
	uint64_t event_count;
	char last_time[EVENT_TIMESTAMP]; /* of the event before next_seq */
	bool has_nested;                 /* perhaps: other runs are nested in it */
	bool lost;                       /* some of its events were in lines that are skipped */
	bool end_skipped;                /* its agent_end was one of them */
	bool forgotten;                  /* it is in the list of failed runs */
	struct run *next, *previous;     /* in order of appearance */
};

struct runs;

/* `release` frees a run's state when the run is forgotten (may be NULL). Gaps in seq are reported
 * only if `strict`, because filters make them. */
struct runs *runs_new(void (*release)(void *state), bool strict);

/* Return the run of `event`, which its first event creates. Returns NULL if the event must be
 * ignored: its seq is repeated, it follows agent_end, or it is a second agent_start. These faults
 * and, if `strict`, gaps in seq are reported through reader_warn; of neighbouring copies
 * (runs_has_copy) only the first, and not as a fault unless `strict`. `reader` may be NULL. */
struct run *runs_event(struct runs *runs, const struct event *event, struct reader *reader);

/* Return the run of an event of a log, which its first event creates; NULL if it is a copy
 * (runs_has_copy) or of a run that another one has resumed. Neighbouring copies are reported once,
 * if `log` has a source. Runs are not forgotten, and nothing else is checked: the last agent_start
 * and agent_end of a run count. A run that has ended can be resumed, too. */
struct run *runs_log_event(struct runs *runs, const struct event *event,
			   const struct event_log *log);

/* Whether the event is a copy of one that was there before, such as the end of a log that is
 * written twice after a power cut: its seq is repeated, and it is not newer than the last event of
 * its run. */
bool runs_has_copy(const struct runs *runs, const struct event *event);

/* A line was skipped of which at least the beginning is `head`: an event of its run (also of one
 * that has not appeared), if it names one, or else of the run of the last event is lost. It does
 * not matter if another run resumes that run, or if the line was the agent_start of a run that has
 * no other events, and was started again. `too_long`: the line was whole, but too long. */
void runs_lose(struct runs *runs, struct span head, bool too_long);

/* Whether an event that matters was lost. */
bool runs_lost(const struct runs *runs);

/* The run in which `run` is nested; NULL if it is not nested, or that run is forgotten or has not
 * appeared before it. */
struct run *runs_parent(const struct runs *runs, const struct run *run);

/* Whether `run` is nested in `parent`, directly or not. */
bool runs_is_nested_in(const struct runs *runs, const struct run *run, const struct run *parent);

/* Whether there was an event of this run, as far as that is known: it is open or ended recently. */
bool runs_has(const struct runs *runs, struct span id);

/* The run has ended and its reader no longer needs it: forget everything except its id, and whether
 * it failed. */
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
 * their parents report their failures. It is at least STATUS_INCOMPLETE if a run that has started
 * is still open. */
int runs_status(const struct runs *runs);

/* The same, with a warning if such a run is open. */
int runs_verdict(const struct runs *runs);

/* Append why the run failed, as one sentence that is safe for a terminal: the message of a fatal
 * `error`, or the status of an `agent_end` without success if no fatal error came before. The
 * sentence names the run if there are several. Returns false, appending nothing, for any other
 * event. */
bool run_error_sentence(const struct runs *runs, struct run *run, const struct event *event,
			struct buffer *out);

void runs_free(struct runs *runs);

#endif

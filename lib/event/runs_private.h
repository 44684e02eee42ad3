/*
 * runs_private: what runs.c and runs_result.c (how runs have ended) share. Nobody else includes it.
 */
#ifndef EVENT_RUNS_PRIVATE_H
#define EVENT_RUNS_PRIVATE_H

#include "base/table.h"
#include "event/runs.h"

struct run_list {
	struct run *first, *last;
};

struct torn_start {
	char *run_id;
	struct buffer data; /* as far as the line has it */
	bool begun_again;   /* a run has started with the same data */
};

struct runs {
	void (*release)(void *state);
	bool strict;
	struct table ids;       /* of the runs in both lists, to their addresses */
	struct run_list known;  /* not forgotten */
	struct run_list failed; /* forgotten, without state; runs that resume them excuse them */
	struct run *latest;     /* of the last event: most events of a run are neighbours */
	uint64_t *recent;       /* NULL: no run was forgotten */
	uint64_t seen, open, ended;
	bool lost;                 /* an event of a run that is not in the lists */
	struct torn_start *starts; /* torn agent_starts */
	size_t start_count;
	bool in_copies; /* the last event was a copy, which was reported */
};

static inline struct span run_id_of(const struct run *run)
{
	return (struct span){run->id, run->id_len};
}

/* Whether its failure counts. */
static inline bool run_has_failed(const struct run *run)
{
	return run->ended && !run->nested && !run->excused &&
	       (!run->succeeded || run->exit_status != STATUS_OK);
}

#endif

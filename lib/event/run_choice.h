/*
 * run_choice: the runs that --run selects.
 *
 * An ID names a run by its run_id, by the id of its line of a batch, as `last`, or by the beginning
 * or the end of its run_id: the first of these that any run satisfies counts. A run and those that
 * resume it are one run; a nested run is not chosen if its parent is. The ID must not name several
 * runs.
 */
#ifndef EVENT_RUN_CHOICE_H
#define EVENT_RUN_CHOICE_H

#include "base/patterns.h"
#include "base/table.h"
#include "event/event.h"

struct listed_run;

/* Zeroed: every run is chosen. */
struct run_choice {
	struct patterns ids;
	/* private */
	struct listed_run *runs;
	size_t count;
	struct table by_id; /* of the runs, to their positions */
	size_t latest;      /* the run of the last event */
	int *best;          /* how well the best run matches each ID */
	bool is_resolved;   /* all runs were known before the first event was read */
};

/* How well an ID names a run; 0: not at all. `last` is not considered. */
int run_choice_match(const char *id, struct span run_id, struct span batch_id);

/* Add the IDs of the comma-separated `list`; ends the program if there are none. */
void run_choice_add(struct run_choice *choice, const char *list);

/* Choose among the runs of regular files before they are read ("-" and no file: standard input). If
 * an ID is `last`, a pipe is copied to a file first, whose name replaces that in `files` (until the
 * program ends); else nothing is done if a file is a pipe. Does nothing if there are no events.
 * Returns false, with a message, if an ID names several runs, or none unless `follow`. */
bool run_choice_resolve(struct run_choice *choice, char **files, size_t count, bool follow);

/* Whether the run of the event is chosen. If the runs were not known before, those are that match
 * as well as any run so far. */
bool run_choice_has(struct run_choice *choice, const struct event *event);

/* At the end of an input whose runs were not known: whether each ID named one run. Reports those
 * that did not; `input` names the input. */
bool run_choice_check(const struct run_choice *choice, const char *input);

void run_choice_free(struct run_choice *choice);

#endif

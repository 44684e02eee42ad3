/*
 * history: what was said before, read from an event log or from an array of messages.
 *
 * Of a log, every prompt, answer and tool result is taken in order; answers that were discarded are
 * not, nor are nested runs. The last run may not be over: killed in the middle, or failed. What is
 * known of it is kept, so that another run can go on with the first thing that is missing.
 */
#ifndef RUN_HISTORY_H
#define RUN_HISTORY_H

#include "run/conversation.h"
#include "run/budget.h"

/* What became of a call of the last answer. */
struct history_call {
	struct span id; /* JSON string, of history.message */
	enum {
		HISTORY_CALL_NEW,   /* it has not begun */
		HISTORY_CALL_BEGUN, /* it had begun, and nobody knows how far it came */
		HISTORY_CALL_DONE,
	} state;
	struct span result; /* JSON string, of the text that was read */
	bool is_error;
};

/* Zeroed: empty. */
struct history {
	struct conversation conversation;

	/* The last answer when some of its calls have no result; it is not yet part of the
	 * conversation. Absent: none. Spans are of the text that was read. */
	struct span message;
	struct history_call *calls;
	size_t call_count;

	/* The last run that is not nested, as its events say; strings are owned, NULL: not said. */
	char *run_id, *agent_name, *model, *provider, *prompt, *system;
	bool ended, succeeded;             /* agent_end was there */
	bool is_final;                     /* the last answer was the last; why it ended: */
	struct span finish_reason, answer; /* JSON of the text that was read */
	int64_t since;            /* the iteration after which its present agent took over */
	struct usage_total total; /* what it and the runs nested in it used */
};

/* Read `text`, which must live as long as the history and came from `source` (for messages of
 * errors). An array holds neutral messages, or those of Chat Completions ({"role": ..., "content":
 * "text" or parts, "tool_calls": ...}); with an array a line they are one conversation. False with
 * `e` when it is neither an array nor a log. */
bool history_load(struct history *history, struct span text, const char *source, struct error *e);

/* The last answer becomes part of the conversation: a call whose result is missing gets one that
 * says it was interrupted. */
void history_close(struct history *history);

/* The model of the last run as --model takes it, which the caller frees; NULL: not said. */
char *history_model(const struct history *history);

void history_free(struct history *history);

/* ---- inside: history_log.c ---- */
bool history_load_log(struct history *history, struct span text, const char *source,
		      struct error *e);

#endif

/*
 * history: the conversation before a run, read from an event log or from an array of messages.
 *
 * A log gives its prompts, responses and tool results in their order, without discarded responses
 * and nested runs. Its last run may have been killed or have failed: the history has its state, so
 * that another run can go on with the first thing that is missing.
 */
#ifndef RUN_HISTORY_H
#define RUN_HISTORY_H

#include "run/conversation.h"
#include "run/budget.h"

/* The state of a call of the last response. */
struct history_call {
	struct span id, name; /* JSON strings, of history.message */
	enum {
		HISTORY_CALL_NEW,     /* it has not begun */
		HISTORY_CALL_BEGUN,   /* it has begun; whether it had an effect is not known */
		HISTORY_CALL_STOPPED, /* the same; it was stopped with its run, and has a result */
		HISTORY_CALL_DONE,
	} state;
	struct span result; /* JSON string, of the text that was read */
	bool is_error;
};

/* Zeroed: empty. */
struct history {
	struct conversation conversation;

	/* The last response, which is not part of the conversation yet: its calls may lack results,
	 * or --resume may leave it out. Absent: none. Spans point into the text that was read. */
	struct span message, finish_reason; /* JSON */
	bool is_final;                      /* it is the answer */
	bool is_left_out;                   /* when the run is resumed (event_is_left_out) */
	bool is_wrap_up;                    /* it answers the last request at a limit */
	bool follows_left_out;              /* the message before it is such a response, too */
	struct history_call *calls;
	size_t call_count;
	struct buffer unfinished; /* the text of a response after it that was interrupted */

	/* The last run that is not nested. Strings are owned; NULL: not known. */
	char *run_id, *agent_name, *model, *provider, *prompt, *system;
	struct span tools;        /* the names of its agent's tools: JSON */
	bool ended, succeeded;    /* agent_end was there */
	bool has_schema;          /* the answer of its agent must satisfy a schema */
	struct span last_words;   /* the wrap-up that history_reopen left out, JSON; absent: none */
	bool calls_used_up;       /* it ended at the limit of tool calls */
	int64_t agent_since;      /* the iteration after which its last agent took over */
	struct usage_total total; /* what it and the runs nested in it used */

	size_t damaged;       /* the last damaged line of the log; 0: none */
	bool misses_response; /* calls of the last run have begun, but not their response */
	bool misses_start;    /* its agent_start is lost, which is not that of run_id */
};

/* Read `text`, which must live as long as the history; `source` names it in errors. An array has
 * neutral messages, or those of Chat Completions ({"role": ..., "content": "text" or parts,
 * "tool_calls": ...}); the arrays of several lines are one conversation. Damaged lines of a log are
 * reported and skipped (event/log.h). False with `e` if the text is neither an array nor a log. */
bool history_load(struct history *history, struct span text, const char *source, struct error *e);

/* Make the last response part of the conversation. The result of a call that has none says that the
 * call was interrupted, and so does the text of a response that did not end. */
void history_close(struct history *history);

/* The last run is resumed: leave out its last response if that is to be requested again. It does
 * not count as an iteration then; its tokens and cost count. */
void history_reopen(struct history *history);

/* Whether the last run can be resumed. False with `e` if its agent_start is missing, or a response
 * whose tools were called, because line `damaged` of the log (0: none) is not an event: they would
 * be called again. */
bool history_can_resume(const struct history *history, const char *log, size_t damaged,
			struct error *e);

/* The model of the last run in the form of --model, which the caller frees; NULL: not known. */
char *history_model(const struct history *history);

/* Whether a call of the tool `name` has not begun. */
bool history_has_new_call(const struct history *history, const char *name);

void history_free(struct history *history);

/* ---- inside: history_log.c ---- */
/* As history_load, for a log. */
bool history_load_log(struct history *history, struct span text, const char *source,
		      struct error *e);

#endif

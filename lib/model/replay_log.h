/*
 * replay_log: the recorded runs of an event log, whose responses the model "replay:FILE" repeats.
 *
 * A run that resumes another one is part of that one, which it continues.
 */
#ifndef MODEL_REPLAY_LOG_H
#define MODEL_REPLAY_LOG_H

#include "model/model.h"

/* A recorded response. */
struct replay_response {
	struct span *lines; /* of the log */
	size_t count;
	bool ended;          /* by llm_end or an error */
	bool failed;         /* by an error */
	bool left_out;       /* if its run is resumed (event_is_left_out) */
	double cost_usd;     /* negative: unknown */
	bool corrected;      /* it did not satisfy the schema; a correction was requested */
	int64_t begun;       /* time of its llm_start in microseconds since 1970; -1: unknown */
	size_t first, steps; /* the request had the steps of the run between these */
	struct span agent;   /* data of the agent_start or agent_updated before it, or absent */
};

/* A message of the conversation, without its history. */
struct replay_step {
	enum {
		REPLAY_USER,
		REPLAY_CORRECTION,
		REPLAY_RESPONSE,
		REPLAY_RESULTS,
		REPLAY_HANDOFF,
	} type;
	/* JSON: data of agent_start, the text of the error, the message of llm_end (of
	 * RESPONSE and RESULTS), data of agent_updated */
	struct span value;
};

struct replay_run {
	struct span run_id; /* absent: the run resumes another one, to which its events belong */
	struct span start;  /* data of agent_start; absent: there is none */
	struct span agent;  /* as in the responses */
	struct span limit;  /* JSON string: the limit at which the run ended; absent: none */
	bool nested;
	double cost_usd; /* so far, with the runs nested in it */
	struct replay_response *responses;
	size_t response_count;
	struct replay_step *steps;
	size_t first_step; /* after a handoff, the first step that the next agent gets */
	size_t step_count;
	struct span *results; /* data of tool_end */
	size_t result_count;
	const struct secrets *secrets; /* masked in all of it; NULL: none */
};

struct replay_log {
	struct buffer text;
	struct replay_run *runs;
	size_t run_count;
	const struct secrets *secrets;
	/* private */
	char *path;
	size_t users;
	struct replay_log *next; /* in host->logs */
};

/* Index the log in `log->text`, which must not change afterwards. Lines that are not events are
 * reported, with the log's name `source` (NULL: not reported), and skipped. */
void replay_log_read(struct replay_log *log, const char *source);
void replay_log_free(struct replay_log *log);

/* Read the log `path`, or use it again if a model has it open. What is not a regular file can be
 * read only once, and stays open as long as the host. NULL with `e` if it cannot be read. */
struct replay_log *replay_log_open(struct model_host *host, const char *path, struct error *e);
void replay_log_close(struct model_host *host, struct replay_log *log);
void replay_log_close_all(struct model_host *host);

/* ---- replay_check.c ---- */

/* The messages that equalled the recorded ones in earlier requests of the run. Zeroed: none. */
struct replay_checked {
	struct message **messages; /* by step; NULL: not compared yet */
	size_t count;
	struct table results; /* from the id of a call to its result in run->results, plus 1 */
};
void replay_checked_free(struct replay_checked *checked);

/* Whether the request is the one that `response` answers, as far as a log shows: prompt,
 * attachments, instructions, names of tools, texts, calls and their results. Else writes the first
 * difference to `why`. Messages in `checked` are not compared again. */
bool replay_check(const struct replay_run *run, const struct replay_response *response,
		  const struct model_request *request, struct replay_checked *checked,
		  struct buffer *why);

/* Set `out` to the text of the last part of a message, masked as in the run: in a prompt, the part
 * after the attachments. */
void replay_prompt_text(const struct replay_run *run, const struct message *message,
			struct buffer *out);

#endif

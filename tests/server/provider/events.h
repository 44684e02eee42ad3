/*
 * events: bodies that are event streams: made up, and changed into odd but legal forms.
 */
#ifndef PROVIDER_EVENTS_H
#define PROVIDER_EVENTS_H

#include "base/buffer.h"

/* Chunks of a chat completion, as the openai-chat protocol has them. */
void events_say(struct buffer *body, struct span text); /* word by word */
void events_call(struct buffer *body, const char *id, int index, struct span name,
		 struct span arguments);
void events_generate(struct buffer *body, long count, const char *word);
void events_finish(struct buffer *body, const char *finish_reason);

/* How a stream of events is changed before it is sent. */
struct mutation {
	const char *line_end; /* a literal; NULL: as it is */
	bool comments;        /* comment lines before and between events */
	bool no_space;        /* "data:{" instead of "data: {" */
	bool split;           /* the JSON of an event over two data: lines */
	bool ids;             /* id: and retry: lines in every event */
	bool byte_order_mark;
	int open_end; /* 1: no blank line behind the last event, 2: not even a line end */
};

void events_mutate(struct buffer *body, const struct mutation *mutation);

/* The offset behind the event (`by_line`: the line) that begins at `from`; body.len at the end. */
size_t events_next(struct span body, size_t from, bool by_line);

#endif

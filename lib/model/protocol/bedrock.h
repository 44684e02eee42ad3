/*
 * bedrock: Amazon Bedrock's ConverseStream, one protocol for the models of many makers. Private to
 * its files:
 *   bedrock.c           the decoder: events, and how an answer ends
 *   bedrock_blocks.c    content blocks into deltas, with what must go back of them
 *   bedrock_failure.c   exceptions inside a stream
 *   bedrock_request.c   the request: URL and parameters
 *   bedrock_tools.c     the request's tools
 *   bedrock_messages.c  the request's conversation
 *   bedrock_files.c     its attachments
 *
 * The answer is an AWS event stream (net/aws_stream.h). Blocks of text and reasoning begin with
 * their first piece, only calls are announced; every payload has a member "p" of random length, to
 * be ignored; the counts come behind the end (messageStop).
 */
#ifndef MODEL_BEDROCK_H
#define MODEL_BEDROCK_H

#include "model/failure.h"
#include "model/protocol/joint.h"
#include "model/protocol/protocol.h"

/* ---- the decoder ---- */

enum bedrock_kind {
	BEDROCK_NONE,
	BEDROCK_TEXT,
	BEDROCK_THINKING,
	BEDROCK_CALL,
	BEDROCK_RESULT, /* of a call that the provider ran */
};

/* The content block at hand. */
struct bedrock_block {
	int64_t index; /* the provider's */
	enum bedrock_kind kind;
	struct buffer signature; /* of reasoning, decoded */
	struct buffer redacted;  /* reasoning that only the provider can read: base64 */
	struct buffer list;      /* of text: citations; of a result: its content; JSON, parted by
				  * commas */
	struct buffer head;      /* of a result: the object that began it */
	struct joint joint;
	int call;  /* of a call or a result: the index of the call; -1: an unknown one */
	bool some; /* something was emitted of it */
};

struct bedrock_decoder {
	struct decoder base;
	struct pieces pieces;
	struct buffer stop, args; /* args: to work in */
	struct bedrock_block block;
	struct buffer *ids; /* of the calls, by index */
	int call_count;
	int calls_here; /* of these, run here */
	bool text_open; /* text was emitted last: the next of another block must not join it */
	int64_t input, output, cache_read, cache_write; /* tokens; -1: not said */
	bool stopped;                                   /* messageStop was seen */
	struct failure failure;
};

/* The block `index` begins with what its start says (absent: nothing). */
bool bedrock_block_start(struct bedrock_decoder *d, int64_t index, struct span start);
void bedrock_block_delta(struct bedrock_decoder *d, int64_t index, struct span delta);
void bedrock_block_stop(struct bedrock_decoder *d);

/* A block that came whole, in a document. */
bool bedrock_block_whole(struct bedrock_decoder *d, int64_t index, struct span block);
void bedrock_blocks_free(struct bedrock_decoder *d);

/* Record the exception `name` ("throttlingException") that came in the stream; returns false. */
bool bedrock_exception(struct bedrock_decoder *d, struct span name, struct span payload);

/* ---- the request ---- */

/* Longest id and longest name of a call. */
enum { BEDROCK_MAX_ID = 64 };

/* As protocol.h says. */
bool bedrock_answers_by_tool(const struct provider *provider, const char *model,
			     const struct model_request *request);
bool bedrock_request(const struct provider *provider, const char *model, const char *base_url,
		     const struct model_request *request, struct http_request *out,
		     struct error *e);

/* As protocol.h says: those that answer with text, as a stream. */
bool bedrock_list_request(const struct provider *provider, const char *base_url,
			  struct http_request *out, struct error *e);
void bedrock_list_read(struct span json, struct buffer *out);

/* What a request is made of while it is written. */
struct bedrock_writer {
	const struct provider *provider;
	const char *model;
	const struct model_request *request;
	struct buffer *out;
	struct error *e;
};

/* Append the value of "messages". */
bool bedrock_write_messages(const struct bedrock_writer *w);

/* Append "toolConfig" where one is due: tools are offered, or the conversation holds calls. */
void bedrock_write_tools(const struct bedrock_writer *w);

/* Append what keeps Claude from making several calls at once. */
void bedrock_write_single(const struct bedrock_writer *w);

/* Append the block of an attachment; `count`, the documents so far, makes their names differ. False
 * with a usage error for what cannot be sent. */
bool bedrock_write_file(const struct bedrock_writer *w, struct span part, int *count,
			struct buffer *out);

#endif

/*
 * answer: what the server sends for one request, as a line of its script describes it.
 */
#ifndef PROVIDER_ANSWER_H
#define PROVIDER_ANSWER_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

enum framing { FRAMING_AUTO, FRAMING_CHUNKED, FRAMING_LENGTH, FRAMING_CLOSE };

/* How an answer ends. */
enum ending {
	ENDING_WHOLE,
	ENDING_FIN,          /* the connection is closed in the middle */
	ENDING_RST,          /* the same with a reset */
	ENDING_CHUNK_HEADER, /* closed in the middle of the next chunk's header */
	ENDING_HANG,         /* nothing more is sent, the connection stays */
};

/* What one write carries. */
struct piece {
	size_t end;     /* offset in the body behind its last byte */
	size_t claimed; /* the size its chunk header names: more than it holds where it is cut */
};

struct answer {
	char *if_path, *if_body; /* for which requests: a glob, a part of the text; NULL: any */

	int status;
	char *type;            /* NULL: no Content-Type */
	char *early;           /* "103 Early Hints", an informational answer before; or NULL */
	struct buffer headers; /* "Name: value\r\n" lines */
	struct buffer body;
	size_t claimed_length; /* for Content-Length; more than the body where it is cut */
	enum framing framing;  /* never FRAMING_AUTO once it is read */
	bool close;            /* the connection is closed behind the answer */

	struct piece *pieces;
	size_t piece_count;
	double wait, delay; /* seconds before the head, and between pieces */
	enum ending ending;
	bool hang_before_head;
	bool stamped; /* STAMP_MARK in a piece is replaced by the time it is written */
	bool used;
};

/* A stamp: nanoseconds of the monotonic clock, as wide as the mark that it replaces. */
#define STAMP_MARK "00000000000000000000"
enum { STAMP_DIGITS = sizeof(STAMP_MARK) - 1 };

/* Read the description of the `number`th answer: words KEY=VALUE, quoted as in a shell. On failure
 * returns false and fills `e`. */
bool answer_parse(struct answer *answer, int number, const char *description, struct error *e);

void answer_free(struct answer *answer);

#endif

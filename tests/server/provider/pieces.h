/*
 * pieces: a body cut into writes, and into less than a whole body.
 */
#ifndef PROVIDER_PIECES_H
#define PROVIDER_PIECES_H

#include "answer.h"

struct cutting {
	enum { BY_DEFAULT, BY_EVENT, BY_LINE, BY_SIZE, BY_RANDOM, BY_OFFSET, WHOLE } by;
	size_t size;   /* BY_SIZE: bytes a piece; BY_RANDOM: 1 to 2 * size - 1 */
	uint64_t seed; /* BY_RANDOM; not 0 */
	size_t *offsets;
	size_t offset_count;
	bool gzip;     /* RFC 1952 with stored blocks: all that puts a client's decoder to work */
	bool is_short; /* only `length` bytes of the body are sent */
	size_t length;
};

/* Cut the body of `answer`. Its claimed_length becomes that of the whole body. */
void pieces_cut(struct answer *answer, const struct cutting *cutting);

#endif

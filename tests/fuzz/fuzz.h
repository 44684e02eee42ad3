/*
 * fuzz: what the fuzzers share. Each is one file that feeds bytes from outside to one part and
 * aborts when a promise of its header does not hold; tests/fuzz/run builds and runs them.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/utf8.h"

/* Unlike assert it says nothing about who is to blame: it is the fuzzer's finding. */
#define must(condition)                                                                            \
	((condition)                                                                               \
	     ? (void)0                                                                             \
	     : (fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition),     \
		abort()))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input in memory of exactly its size, so that reading a byte too far is noticed; freed by
 * buffer_free. */
static inline struct buffer fuzz_copy(const uint8_t *data, size_t size)
{
	struct buffer copy = {.at = mem_alloc(size), .len = size, .cap = size};

	if (size > 0)
		memcpy(copy.at, data, size);
	return copy;
}

static inline bool is_utf8(struct span text)
{
	return utf8_valid(text) == text.len;
}

/* Give `text` to `feed` in pieces whose sizes come from `seed`. */
static inline bool fuzz_feed(struct span text, uint32_t seed,
			     bool (*feed)(void *context, struct span piece), void *context)
{
	while (text.len > 0) {
		size_t size = 1 + (seed >> 16) % 7 * ((seed >> 20) % 5);
		struct buffer piece;
		bool good;

		seed = seed * 1103515245 + 12345;
		if (size > text.len)
			size = text.len;
		piece = fuzz_copy((const uint8_t *)text.at, size);
		good = feed(context, buffer_span(&piece));
		buffer_free(&piece);
		if (!good)
			return false;
		text = span_from(text, size);
	}
	return true;
}

#endif

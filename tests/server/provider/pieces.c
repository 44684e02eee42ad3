#include "pieces.h"

#include <stdlib.h>

#include "events.h"

static uint64_t random_next(uint64_t *state)
{
	/* xorshift64: the same pieces from the same seed everywhere. */
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static size_t next_end(const struct answer *answer, const struct cutting *cutting, size_t from,
		       uint64_t *random)
{
	struct span body = buffer_span(&answer->body);
	size_t rest = body.len - from, size = rest;

	switch (cutting->by) {
	case BY_EVENT:
		return events_next(body, from, false);
	case BY_LINE:
		return events_next(body, from, true);
	case BY_SIZE:
		size = cutting->size;
		break;
	case BY_RANDOM:
		size = 1 + random_next(random) % (2 * cutting->size - 1);
		break;
	case BY_OFFSET:
		for (size_t i = 0; i < cutting->offset_count; i++)
			if (cutting->offsets[i] > from && cutting->offsets[i] - from < size)
				size = cutting->offsets[i] - from;
		break;
	case BY_DEFAULT:
	case WHOLE:
		break;
	}
	return from + (size < rest ? size : rest);
}

static void truncate_body(struct answer *answer, size_t cut)
{
	while (answer->piece_count > 1 && answer->pieces[answer->piece_count - 2].end >= cut)
		answer->piece_count--;
	if (cut == 0)
		answer->piece_count = 0;
	if (answer->piece_count > 0 && answer->pieces[answer->piece_count - 1].end > cut)
		answer->pieces[answer->piece_count - 1].end = cut;
	if (answer->body.len > cut)
		answer->body.len = cut;
}

/* ---- gzip ---- */

static uint32_t crc32_of(struct span text)
{
	uint32_t crc = 0xFFFFFFFF;

	for (size_t i = 0; i < text.len; i++) {
		crc ^= (unsigned char)text.at[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
	}
	return ~crc;
}

static void add_little_endian(struct buffer *out, uint32_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		buffer_add_char(out, (char)(value >> 8 * i & 0xFF));
}

static void add_stored(struct buffer *out, struct span text)
{
	enum { BLOCK = 65535 };

	while (text.len > 0) {
		uint32_t len = text.len < BLOCK ? (uint32_t)text.len : BLOCK;

		buffer_add_char(out, 0);
		add_little_endian(out, len, 2);
		add_little_endian(out, ~len, 2);
		buffer_add(out, text.at, len);
		text = span_from(text, len);
	}
}

static void wrap_in_gzip(struct answer *answer)
{
	struct buffer out = {0};
	struct span body = buffer_span(&answer->body);
	uint32_t crc = crc32_of(body);
	size_t at = 0;

	buffer_add(&out, "\x1F\x8B\x08\0\0\0\0\0\0\xFF", 10);
	for (size_t i = 0; i < answer->piece_count; i++) {
		struct piece *piece = &answer->pieces[i];
		size_t begin = i == 0 ? 0 : out.len; /* the header goes with the first piece */

		add_stored(&out, (struct span){body.at + at, piece->end - at});
		at = piece->end;
		if (i + 1 == answer->piece_count) {
			buffer_add(&out, "\x01\0\0\xFF\xFF", 5);
			add_little_endian(&out, crc, 4);
			add_little_endian(&out, (uint32_t)body.len, 4);
		}
		*piece = (struct piece){out.len, out.len - begin};
	}
	buffer_free(&answer->body);
	answer->body = out;
}

/* ---- cut ---- */

void pieces_cut(struct answer *answer, const struct cutting *cutting)
{
	size_t at = 0, cap = 0;
	uint64_t random = cutting->seed;

	while (at < answer->body.len) {
		size_t end = next_end(answer, cutting, at, &random);

		if (answer->piece_count == cap) {
			cap = cap > 0 ? 2 * cap : 16;
			answer->pieces = mem_resize(answer->pieces, cap * sizeof(*answer->pieces));
		}
		answer->pieces[answer->piece_count++] = (struct piece){end, end - at};
		at = end;
	}
	if (cutting->gzip)
		wrap_in_gzip(answer);
	answer->claimed_length = answer->body.len;
	if (cutting->is_short)
		truncate_body(answer, cutting->length);
}

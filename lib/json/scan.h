/*
 * scan: the bytes of strings, a block at a time: 16 with SSE2, which every x86-64 has, elsewhere 8
 * in a machine word. Private to lib/json and lib/event.
 */
#ifndef JSON_SCAN_H
#define JSON_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Whether a string cannot hold `c` as it is: a quote, a backslash, a control character. */
static inline bool scan_stops(char c)
{
	return c == '"' || c == '\\' || (unsigned char)c < 0x20;
}

/* The character for which `c` behind a backslash stands; '\0' if it is none of those that stand for
 * one character (all but u). */
static inline char scan_escaped(char c)
{
	static const char characters[256] = {
	    ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
	    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};

	return characters[(unsigned char)c];
}

/* A block of bytes: `stop` has a bit for each at which scan_stops, `high` one for each outside
 * ASCII; the first byte's is the lowest, the next ones' are SCAN_STEP bits apart. */
struct scan_block {
	uint64_t stop, high;
};

#ifdef __SSE2__

enum { SCAN_BLOCK = 16, SCAN_STEP = 1 };

static inline struct scan_block scan_block(const char *at)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
	__m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
	__m128i slash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
	__m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
	__m128i stop = _mm_or_si128(_mm_or_si128(quote, slash), control);

	return (struct scan_block){(unsigned)_mm_movemask_epi8(stop),
				   (unsigned)_mm_movemask_epi8(bytes)};
}

#else

enum { SCAN_BLOCK = 8, SCAN_STEP = 8 };

/* No byte's sum carries into the next: x + 0x7F has the top bit unless the seven bits x are 0, and
 * x + 0x60 unless they are below 0x20. */
static inline struct scan_block scan_block(const char *at)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
	uint64_t bytes, quote, slash, fine;

	memcpy(&bytes, at, sizeof(bytes));
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	bytes = __builtin_bswap64(bytes);
#endif
	quote = bytes ^ ones * '"';
	slash = bytes ^ ones * '\\';
	fine = (((quote & ~tops) + ones * 0x7F) | quote) &
	       (((slash & ~tops) + ones * 0x7F) | slash) &
	       (((bytes & ~tops) + ones * 0x60) | bytes);
	return (struct scan_block){~fine & tops, bytes & tops};
}

#endif

/* The first byte of [at, end) at which scan_stops; `end` when there is none. *ascii becomes false
 * when a byte before it is outside ASCII. Nothing outside of [begin, end) is read; with `begin`
 * well before `at` the last bytes are scanned as fast as the others. */
static inline const char *scan_string(const char *begin, const char *at, const char *end,
				      bool *ascii)
{
	uint64_t high = 0;

	while (at < end) {
		size_t left = (size_t)(end - at), seen = 0;
		struct scan_block block;

		if (left >= SCAN_BLOCK) {
			block = scan_block(at);
			left = SCAN_BLOCK;
		} else if (end - begin >= SCAN_BLOCK) {
			seen = SCAN_STEP * (SCAN_BLOCK - left);
			block = scan_block(end - SCAN_BLOCK);
			block.stop >>= seen;
			block.high >>= seen;
		} else {
			if (scan_stops(*at))
				break;
			high |= (unsigned char)*at & 0x80U;
			at++;
			continue;
		}
		if (block.stop != 0) {
			/* the bytes below the lowest stop */
			high |= block.high & (block.stop - 1) & ~block.stop;
			at += __builtin_ctzll(block.stop) / SCAN_STEP;
			break;
		}
		high |= block.high;
		at += left;
	}
	if (high != 0)
		*ascii = false;
	return at;
}

/* Whether the `len` bytes at `at`, SCAN_BLOCK at least, are ASCII that may stand in a string as it
 * is. */
static inline bool scan_is_plain(const char *at, size_t len)
{
	uint64_t odd = 0;

	for (size_t i = 0; i < len; i += SCAN_BLOCK) {
		struct scan_block block =
		    scan_block(at + (i + SCAN_BLOCK <= len ? i : len - SCAN_BLOCK));

		odd |= block.stop | block.high;
	}
	return odd == 0;
}

/* The place behind the string that begins at `at`; `end` if the string has no end. */
static inline const char *scan_past_string(const char *at, const char *end)
{
	const char *quote = at + 1;

	while (quote < end && (quote = memchr(quote, '"', (size_t)(end - quote))) != NULL) {
		const char *slash = quote;

		while (slash > at + 1 && slash[-1] == '\\')
			slash--;
		if ((quote - slash) % 2 == 0)
			return quote + 1;
		quote++;
	}
	return end;
}

#endif

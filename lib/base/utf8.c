#define _XOPEN_SOURCE 700 /* wcwidth */
#include "base/utf8.h"

#include <wchar.h>

enum { REPLACEMENT = 0xFFFD };

/* A well-formed sequence by its first byte: its length and the range of its second byte
 * (Unicode table 3-7). Length 0: no sequence starts with this byte. */
struct lead {
	unsigned char length, low, high;
};

static struct lead lead_of(unsigned char c)
{
	if (c < 0x80)
		return (struct lead){1, 0, 0};
	if (c < 0xC2)
		return (struct lead){0, 0, 0};
	if (c < 0xE0)
		return (struct lead){2, 0x80, 0xBF};
	if (c < 0xF0)
		return (struct lead){3, c == 0xE0 ? 0xA0 : 0x80, c == 0xED ? 0x9F : 0xBF};
	if (c < 0xF5)
		return (struct lead){4, c == 0xF0 ? 0x90 : 0x80, c == 0xF4 ? 0x8F : 0xBF};
	return (struct lead){0, 0, 0};
}

/* The number of valid bytes of the sequence at the start of `text`, at least 1. Sets *whole if the
 * sequence is complete. */
static size_t sequence(struct span text, bool *whole)
{
	const unsigned char *at = (const unsigned char *)text.at;
	struct lead lead = lead_of(at[0]);
	size_t n = 1;

	*whole = false;
	if (lead.length == 0)
		return 1;
	while (n < lead.length) {
		unsigned char low = n == 1 ? lead.low : 0x80, high = n == 1 ? lead.high : 0xBF;

		if (n == text.len || at[n] < low || at[n] > high)
			return n;
		n++;
	}
	*whole = true;
	return n;
}

/* The position of the first non-ASCII byte at or after `i`. */
static size_t skip_ascii(struct span text, size_t i)
{
	while (i + 8 <= text.len) {
		uint64_t eight;

		memcpy(&eight, text.at + i, 8);
		eight &= UINT64_C(0x8080808080808080);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		if (eight != 0)
			return i + (size_t)__builtin_ctzll(eight) / 8;
#else
		if (eight != 0)
			break;
#endif
		i += 8;
	}
	while (i < text.len && (unsigned char)text.at[i] < 0x80)
		i++;
	return i;
}

/* The length of the well-formed sequence of two or more bytes at `at`, or 0. `left` bytes are
 * available. A fast path of sequence() for valid text. */
static size_t whole_sequence(const unsigned char *at, size_t left)
{
	unsigned char c = at[0];

	if (c < 0xE0)
		return c >= 0xC2 && left >= 2 && utf8_continues((char)at[1]) ? 2 : 0;
	if (left < 3 || !utf8_continues((char)at[1]) || !utf8_continues((char)at[2]))
		return 0;
	if (c < 0xF0)
		return (c != 0xE0 || at[1] >= 0xA0) && (c != 0xED || at[1] < 0xA0) ? 3 : 0;
	if (left < 4 || !utf8_continues((char)at[3]))
		return 0;
	return (c > 0xF0 || at[1] >= 0x90) && (c < 0xF4 || (c == 0xF4 && at[1] < 0x90)) ? 4 : 0;
}

size_t utf8_valid(struct span text)
{
	const unsigned char *at = (const unsigned char *)text.at;
	size_t i = 0;

	for (;;) {
		size_t n;

		i = skip_ascii(text, i);
		if (i == text.len)
			return i;
		n = whole_sequence(at + i, text.len - i);
		if (n == 0)
			return i;
		i += n;
	}
}

void utf8_add(struct buffer *out, struct span text)
{
	bool whole;

	for (;;) {
		size_t good = utf8_valid(text);

		buffer_add(out, text.at, good);
		text = span_from(text, good);
		if (text.len == 0)
			return;
		buffer_add(out, "\xEF\xBF\xBD", 3);
		text = span_from(text, sequence(text, &whole));
	}
}

void utf8_add_code_point(struct buffer *out, uint32_t c)
{
	unsigned char bytes[4];
	size_t n = 0;

	if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
		c = REPLACEMENT;
	if (c < 0x80) {
		bytes[n++] = (unsigned char)c;
	} else if (c < 0x800) {
		bytes[n++] = (unsigned char)(0xC0 | c >> 6);
		bytes[n++] = (unsigned char)(0x80 | (c & 0x3F));
	} else if (c < 0x10000) {
		bytes[n++] = (unsigned char)(0xE0 | c >> 12);
		bytes[n++] = (unsigned char)(0x80 | (c >> 6 & 0x3F));
		bytes[n++] = (unsigned char)(0x80 | (c & 0x3F));
	} else {
		bytes[n++] = (unsigned char)(0xF0 | c >> 18);
		bytes[n++] = (unsigned char)(0x80 | (c >> 12 & 0x3F));
		bytes[n++] = (unsigned char)(0x80 | (c >> 6 & 0x3F));
		bytes[n++] = (unsigned char)(0x80 | (c & 0x3F));
	}
	buffer_add(out, bytes, n);
}

uint32_t utf8_decode(struct span text, size_t *size)
{
	static const unsigned char payload[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
	uint32_t c;
	bool whole;

	*size = sequence(text, &whole);
	if (!whole)
		return REPLACEMENT;
	c = (unsigned char)text.at[0] & payload[*size];
	for (size_t i = 1; i < *size; i++)
		c = c << 6 | ((unsigned char)text.at[i] & 0x3F);
	return c;
}

size_t utf8_incomplete_tail(struct span text)
{
	bool whole;

	for (size_t n = 1; n <= 3 && n <= text.len; n++) {
		struct span tail = span_from(text, text.len - n);
		unsigned char c = (unsigned char)tail.at[0];

		if (c < 0x80)
			return 0;
		if (c >= 0xC0)
			return lead_of(c).length > n && sequence(tail, &whole) == n ? n : 0;
	}
	return 0;
}

/* The columns of a code point: 0 (combining, format), 1, or 2 (wide). */
static size_t columns_of(uint32_t c)
{
	int width = wcwidth((wchar_t)c);

	return width < 0 ? 0 : (size_t)width;
}

size_t utf8_columns(struct span text)
{
	size_t width = 0;

	while (text.len > 0) {
		size_t size;

		width += columns_of(utf8_decode(text, &size));
		text = span_from(text, size);
	}
	return width;
}

struct span utf8_cut(struct span text, size_t columns)
{
	size_t width = 0, used = 0;

	while (used < text.len) {
		size_t size;

		width += columns_of(utf8_decode(span_from(text, used), &size));
		if (width > columns)
			break;
		used += size;
	}
	return (struct span){text.at, used};
}

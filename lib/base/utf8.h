/*
 * utf8: validation, repair and streaming of UTF-8 (Unicode 15, section 3.9, table 3-7).
 *
 * Repair follows the recommended practice of the same section: each maximal ill-formed subpart
 * becomes one U+FFFD, as browsers do (WHATWG Encoding).
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdint.h>

#include "base/buffer.h"

/* Whether `c` is a byte of a sequence other than its first. */
static inline bool utf8_continues(char c)
{
	return ((unsigned char)c & 0xC0) == 0x80;
}

/* The number of bytes at the start of `text` that are well-formed; text.len if all are. */
size_t utf8_valid(struct span text);

/* Append `text` to `out`, with ill-formed bytes replaced by U+FFFD. */
void utf8_add(struct buffer *out, struct span text);

/* Append one code point; surrogates and values above U+10FFFF become U+FFFD. */
void utf8_add_code_point(struct buffer *out, uint32_t code_point);

/* Decode the code point at the start of `text` (text.len > 0) and store its length in bytes. For an
 * ill-formed sequence, returns U+FFFD and stores the length of its maximal subpart. */
uint32_t utf8_decode(struct span text, size_t *size);

/* The number of bytes (0 to 3) at the end of `text` that start a sequence which more bytes could
 * complete. A stream holds them back until the next read, and repairs them at its end. */
size_t utf8_incomplete_tail(struct span text);

/* The columns that `text` takes on a terminal. Uses the tables of the C library, so the program
 * must have called setlocale(LC_CTYPE, "C.UTF-8"). */
size_t utf8_columns(struct span text);

/* The longest beginning of `text` that fits into `columns`. It ends neither inside a code point nor
 * before a combining mark. */
struct span utf8_cut(struct span text, size_t columns);

#endif

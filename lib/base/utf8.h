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

/* How many bytes from the start of `text` are well-formed; text.len when all are. */
size_t utf8_valid(struct span text);

/* Append `text` to `out`, ill-formed bytes replaced by U+FFFD. */
void utf8_add(struct buffer *out, struct span text);

/* Append one code point; surrogates and values above U+10FFFF become U+FFFD. */
void utf8_add_code_point(struct buffer *out, uint32_t code_point);

/* Decode the code point at the start of `text` (text.len > 0) and store how many bytes it takes.
 * An ill-formed sequence gives U+FFFD and the length of its maximal subpart. */
uint32_t utf8_decode(struct span text, size_t *size);

/* How many bytes at the end of `text` are the beginning of a sequence that more bytes could
 * complete (0 to 3). A stream holds them back until the next read, and repairs them at its end. */
size_t utf8_incomplete_tail(struct span text);

/* Columns that a code point takes on a terminal: 0 (combining, format), 1, or 2 (wide). By the C
 * library's tables, so the program must have called setlocale(LC_CTYPE, "C.UTF-8"). */
int utf8_width(uint32_t code_point);

/* Columns that `text` takes. */
size_t utf8_columns(struct span text);

/* The longest beginning of `text` that fits into `columns`. It ends neither inside a code point nor
 * before a combining mark. */
struct span utf8_cut(struct span text, size_t columns);

#endif

/*
 * buffer: a growing array of bytes, and allocation that never fails.
 *
 * A zeroed struct buffer is empty and ready. The owner frees it with buffer_free. Running out of
 * memory ends the program with a message, so no caller checks for it.
 */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stdarg.h>

#include "base/span.h"

struct buffer {
	char *at;
	size_t len;
	size_t cap;
};

/* malloc, realloc, calloc and strndup that end the program if memory runs out. */
void *mem_alloc(size_t size);
void *mem_zero(size_t size);
void *mem_resize(void *old, size_t size);
char *mem_copy(struct span text);
/* A copy of a NULL-terminated array of strings, in one block of memory that the caller frees. */
char **strings_copy(char *const *strings);
/* The formatted text, which the caller frees. */
char *mem_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Set `size` bytes aside. If memory runs out, they are given back and `used` is called once, which
 * may use them to write what must be written before the program ends. */
void mem_reserve(size_t size, void (*used)(void *context), void *context);
void mem_reserve_free(void);

/* Make room for one element of `size` bytes after the `count` elements of `array`, and return the
 * array, which may have moved. The capacity follows from `count` (4, 8, 16, ...), so an array that
 * always grows through this function needs no capacity member. list->at = array_grow(list->at,
 * list->count, sizeof(*list->at)); list->at[list->count++] = element; */
void *array_grow(void *array, size_t count, size_t size);

/* What buffer_reserve does when there is no room. */
void buffer_grow(struct buffer *b, size_t extra);

/* Make room for `extra` more bytes after `len`. The contents and `len` do not change. */
static inline void buffer_reserve(struct buffer *b, size_t extra)
{
	if (extra > b->cap - b->len || b->at == NULL)
		buffer_grow(b, extra);
}

void buffer_add(struct buffer *b, const void *bytes, size_t len);
static inline void buffer_add_char(struct buffer *b, char c)
{
	buffer_reserve(b, 1);
	b->at[b->len++] = c;
}

void buffer_add_span(struct buffer *b, struct span text);
void buffer_add_text(struct buffer *b, const char *text);
void buffer_add_format(struct buffer *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void buffer_add_format_list(struct buffer *b, const char *format, va_list args);

/* Remove the first `n` bytes. */
void buffer_drop(struct buffer *b, size_t n);

/* The contents, valid until the buffer changes. An empty buffer gives an empty span, never an
 * absent one. */
static inline struct span buffer_span(const struct buffer *b)
{
	return (struct span){b->at != NULL ? b->at : "", b->len};
}

/* The contents as a C string, valid until the buffer changes. Writes a NUL after the contents. */
const char *buffer_string(struct buffer *b);

/* The same; NULL if the buffer is empty. */
const char *buffer_string_or_null(struct buffer *b);

/* Return the contents as a C string that the caller frees. The buffer is empty afterwards. */
char *buffer_take(struct buffer *b);

/* Release unused capacity of a buffer that will not grow. */
void buffer_shrink(struct buffer *b);

void buffer_clear(struct buffer *b);
void buffer_free(struct buffer *b);

#endif

#include "base/buffer.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"

/* A failed allocation reaches nothing else. */
static struct {
	void *memory;
	void (*used)(void *context);
	void *context;
} reserve;

void mem_reserve(size_t size, void (*used)(void *context), void *context)
{
	reserve.memory = mem_alloc(size);
	reserve.used = used;
	reserve.context = context;
}

void mem_reserve_free(void)
{
	free(reserve.memory);
	reserve.memory = NULL;
	reserve.used = NULL;
}

static _Noreturn void run_out(void)
{
	void (*used)(void *context) = reserve.used;

	mem_reserve_free();
	if (used != NULL)
		used(reserve.context);
	die(STATUS_FAILED, "out of memory");
}

static void *checked(void *memory)
{
	if (memory == NULL)
		run_out();
	return memory;
}

void *mem_alloc(size_t size)
{
	return checked(malloc(size > 0 ? size : 1));
}

void *mem_zero(size_t size)
{
	return checked(calloc(1, size > 0 ? size : 1));
}

void *mem_resize(void *old, size_t size)
{
	return checked(realloc(old, size > 0 ? size : 1));
}

void *array_grow(void *array, size_t count, size_t size)
{
	enum { FIRST = 4 };
	bool is_full = count == 0 || (count >= FIRST && (count & (count - 1)) == 0);

	return is_full ? mem_resize(array, (count > 0 ? 2 * count : FIRST) * size) : array;
}

char *mem_copy(struct span text)
{
	char *copy = mem_alloc(text.len + 1);

	if (text.len > 0)
		memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	return copy;
}

char **strings_copy(char *const *strings)
{
	size_t count = 0, size = sizeof(char *);
	char **copy, *at;

	for (; strings[count] != NULL; count++)
		size += sizeof(char *) + strlen(strings[count]) + 1;
	copy = mem_alloc(size);
	at = (char *)(copy + count + 1);
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(strings[i]) + 1;

		copy[i] = memcpy(at, strings[i], len);
		at += len;
	}
	copy[count] = NULL;
	return copy;
}

void buffer_grow(struct buffer *b, size_t extra)
{
	size_t need, cap;

	if (extra > SIZE_MAX / 2 - b->len)
		run_out();
	need = b->len + extra;
	cap = b->cap > 0 ? b->cap : 64;
	while (cap < need)
		cap *= 2;
	b->at = mem_resize(b->at, cap);
	b->cap = cap;
}

void buffer_add(struct buffer *b, const void *bytes, size_t len)
{
	if (len == 0)
		return;
	buffer_reserve(b, len);
	memcpy(b->at + b->len, bytes, len);
	b->len += len;
}

void buffer_add_span(struct buffer *b, struct span text)
{
	buffer_add(b, text.at, text.len);
}

void buffer_add_text(struct buffer *b, const char *text)
{
	buffer_add(b, text, strlen(text));
}

void buffer_add_format(struct buffer *b, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	buffer_add_format_list(b, format, args);
	va_end(args);
}

void buffer_add_format_list(struct buffer *b, const char *format, va_list args)
{
	va_list again;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (len < 0)
		return;
	buffer_reserve(b, (size_t)len + 1);
	vsnprintf(b->at + b->len, (size_t)len + 1, format, args);
	b->len += (size_t)len;
}

void buffer_drop(struct buffer *b, size_t n)
{
	if (n == 0)
		return;
	b->len -= n;
	if (b->len > 0)
		memmove(b->at, b->at + n, b->len);
}

const char *buffer_string(struct buffer *b)
{
	buffer_reserve(b, 1);
	b->at[b->len] = '\0';
	return b->at;
}

const char *buffer_string_or_null(struct buffer *b)
{
	return b->len > 0 ? buffer_string(b) : NULL;
}

char *buffer_take(struct buffer *b)
{
	char *text;

	buffer_string(b);
	text = b->at;
	*b = (struct buffer){0};
	return text;
}

char *mem_format(const char *format, ...)
{
	struct buffer text = {0};
	va_list args;

	va_start(args, format);
	buffer_add_format_list(&text, format, args);
	va_end(args);
	return buffer_take(&text);
}

void buffer_shrink(struct buffer *b)
{
	if (b->at == NULL || b->cap == b->len)
		return;
	b->at = mem_resize(b->at, b->len);
	b->cap = b->len > 0 ? b->len : 1;
}

void buffer_clear(struct buffer *b)
{
	b->len = 0;
}

void buffer_free(struct buffer *b)
{
	free(b->at);
	*b = (struct buffer){0};
}

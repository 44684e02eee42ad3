#define _DEFAULT_SOURCE /* getentropy */
#include "base/ids.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"

void uuid_v7(char out[UUID_SIZE])
{
	uint64_t random[2], high, low;

	if (getentropy(random, sizeof(random)) != 0)
		random[0] = random[1] = (uint64_t)clock_monotonic();
	high = (uint64_t)(clock_realtime() / 1000) << 16 | 0x7000 | (random[0] & 0x0FFF);
	low = UINT64_C(1) << 63 | random[1] >> 2;
	snprintf(out, UUID_SIZE, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(high >> 32),
		 (unsigned)(high >> 16 & 0xFFFF), (unsigned)(high & 0xFFFF), (unsigned)(low >> 48),
		 (unsigned long long)(low & UINT64_C(0xFFFFFFFFFFFF)));
}

/* Offsets of the fields of a traceparent, and the length of version 00. */
enum { TRACE_AT = 3, SPAN_AT = 36, FLAGS_AT = 53, LENGTH = 55 };

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool is_hex_field(struct span text, size_t from, size_t len)
{
	for (size_t i = from; i < from + len; i++)
		if (!is_hex(text.at[i]))
			return false;
	return true;
}

static bool is_id(struct span text, size_t from, size_t len)
{
	size_t zeros = 0;

	while (zeros < len && text.at[from + zeros] == '0')
		zeros++;
	return zeros < len && is_hex_field(text, from, len);
}

bool trace_parent_read(struct span text, char trace_id[TRACE_ID_SIZE],
		       char span_id[TRACE_SPAN_ID_SIZE])
{
	bool first_version = span_starts(text, "00-");

	if (text.len < LENGTH || (text.len > LENGTH && (first_version || text.at[LENGTH] != '-')))
		return false;
	if (text.at[TRACE_AT - 1] != '-' || text.at[SPAN_AT - 1] != '-' ||
	    text.at[FLAGS_AT - 1] != '-' || span_starts(text, "ff"))
		return false;
	if (!is_hex_field(text, 0, 2) || !is_id(text, TRACE_AT, 32) || !is_id(text, SPAN_AT, 16) ||
	    !is_hex_field(text, FLAGS_AT, 2))
		return false;
	memcpy(trace_id, text.at + TRACE_AT, 32);
	trace_id[32] = '\0';
	memcpy(span_id, text.at + SPAN_AT, 16);
	span_id[16] = '\0';
	return true;
}

static void put_hex(char *out, uint64_t value)
{
	for (int i = 15; i >= 0; i--, value >>= 4)
		out[i] = "0123456789abcdef"[value & 15];
	out[16] = '\0';
}

/* Write the 32 hex digits of a UUID in lower case. Returns false if `run_id` is not a UUID or is
 * zero. */
static bool read_uuid(char out[TRACE_ID_SIZE], struct span run_id)
{
	size_t n = 0;

	for (size_t i = 0; i < run_id.len; i++) {
		char c = run_id.at[i];

		if (c == '-')
			continue;
		if (c >= 'A' && c <= 'F')
			c |= 0x20;
		if (!is_hex(c) || n == 32)
			return false;
		out[n++] = c;
	}
	out[n] = '\0';
	return n == 32 && strspn(out, "0") < 32;
}

void trace_run_id(char out[TRACE_ID_SIZE], struct span run_id)
{
	if (read_uuid(out, run_id))
		return;
	put_hex(out, hash_add(HASH_START, run_id) | 1);
	put_hex(out + 16, hash_add(UINT64_C(0x84222325cbf29ce4), run_id));
}

void trace_span_id(char out[TRACE_SPAN_ID_SIZE], struct span run_id, struct span part)
{
	uint64_t hash = hash_add(hash_add(HASH_START, run_id), part);

	put_hex(out, hash != 0 ? hash : 1);
}

/*
 * latency
 *
 * Reads a stream whose chunks carry the time at which they were written (the test server's
 * stamp=yes) and prints how many there were and, in microseconds, the median and the 99th
 * percentile of the time from the server's write to this read.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"

enum { STAMP_DIGITS = 20 };

static int compare(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

/* The stamp in `line`; -1: none. A stamp is followed by a space. Of our own events only chunks
 * count: the last ones repeat the whole text. */
static int64_t stamp_of(struct span line)
{
	size_t digits = 0;

	if (span_starts(line, "{") && !span_starts(line, "{\"event_type\":\"llm_chunk\""))
		return -1;

	for (size_t i = 0; i < line.len; i++) {
		if (!isdigit((unsigned char)line.at[i])) {
			if (digits == STAMP_DIGITS && line.at[i] == ' ')
				return strtoll(line.at + i - STAMP_DIGITS, NULL, 10);
			digits = 0;
		} else {
			digits++;
		}
	}
	return -1;
}

/* Take the lines that are complete. */
static void take_lines(struct buffer *in, struct buffer *latencies, int64_t now)
{
	const char *newline;

	while (in->len > 0 && (newline = memchr(in->at, '\n', in->len)) != NULL) {
		size_t len = (size_t)(newline - in->at);
		int64_t stamp = stamp_of((struct span){in->at, len});

		if (stamp >= 0) {
			int64_t latency = now - stamp;

			buffer_add(latencies, &latency, sizeof(latency));
		}
		buffer_drop(in, len + 1);
	}
}

int main(void)
{
	enum { READ = 65536 };
	struct buffer in = {0}, latencies = {0};
	ssize_t n;
	size_t count;
	int64_t *values;

	do {
		buffer_reserve(&in, READ);
		n = read(STDIN_FILENO, in.at + in.len, READ);
		if (n > 0)
			in.len += (size_t)n;
		take_lines(&in, &latencies, clock_monotonic());
	} while (n > 0);
	count = latencies.len / sizeof(int64_t);
	if (count == 0)
		die(STATUS_FAILED, "no stamp was read");
	values = (int64_t *)(void *)latencies.at;
	qsort(values, count, sizeof(*values), compare);
	printf("%zu %lld %lld\n", count, (long long)values[count / 2] / 1000,
	       (long long)values[count * 99 / 100] / 1000);
	buffer_free(&in);
	buffer_free(&latencies);
	return STATUS_OK;
}

#include "histogram.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

enum {
	EXACT = 1000,
	BITS = 7, /* a bucket is 1/2^BITS of an octave */
	PER_OCTAVE = 1 << BITS,
};

#define UNITS_PER_SECOND 1e6
#define MOST_UNITS       1e18 /* fits an uint64_t, and is 30,000 years */

/* Durations below 2 * PER_OCTAVE microseconds have a bucket each. */
static size_t bucket_of(double seconds)
{
	double units = seconds * UNITS_PER_SECOND;
	uint64_t value = units < MOST_UNITS ? (uint64_t)(units + 0.5) : (uint64_t)MOST_UNITS;
	unsigned octave = 0;

	while (value >> octave >= 2 * PER_OCTAVE)
		octave++;
	return (size_t)octave * PER_OCTAVE + (size_t)(value >> octave);
}

/* The middle of a bucket. */
static double bucket_seconds(size_t bucket)
{
	unsigned octave = bucket < 2 * PER_OCTAVE ? 0 : (unsigned)(bucket / PER_OCTAVE - 1);
	uint64_t low = (uint64_t)(bucket - (size_t)octave * PER_OCTAVE) << octave;
	uint64_t width = UINT64_C(1) << octave;

	return ((double)low + (double)(width - 1) / 2) / UNITS_PER_SECOND;
}

static void count(struct histogram *h, double seconds)
{
	size_t bucket = bucket_of(seconds);

	for (; h->bucket_count <= bucket; h->bucket_count++) {
		h->buckets = array_grow(h->buckets, h->bucket_count, sizeof(*h->buckets));
		h->buckets[h->bucket_count] = 0;
	}
	h->buckets[bucket]++;
}

void histogram_add(struct histogram *h, double seconds)
{
	if (h->count < EXACT) {
		h->exact = array_grow(h->exact, h->count, sizeof(*h->exact));
		h->exact[h->count] = seconds;
	} else {
		for (size_t i = 0; h->exact != NULL && i < EXACT; i++)
			count(h, h->exact[i]);
		free(h->exact);
		h->exact = NULL;
		count(h, seconds);
	}
	if (h->count == 0 || seconds < h->min)
		h->min = seconds;
	if (h->count == 0 || seconds > h->max)
		h->max = seconds;
	h->sum += seconds;
	h->count++;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double exact_quantile(const struct histogram *h, uint64_t rank)
{
	double *sorted = mem_alloc(h->count * sizeof(*sorted));
	double value;

	memcpy(sorted, h->exact, h->count * sizeof(*sorted));
	qsort(sorted, h->count, sizeof(*sorted), compare);
	value = sorted[rank - 1];
	free(sorted);
	return value;
}

double histogram_quantile(const struct histogram *h, double q)
{
	double share = q * (double)h->count, value;
	uint64_t rank = (uint64_t)share, seen = 0;
	size_t bucket = 0;

	if (h->count == 0)
		return 0;
	rank += (double)rank < share || rank == 0;
	if (rank > h->count)
		rank = h->count;
	if (h->exact != NULL)
		return exact_quantile(h, rank);
	while (bucket + 1 < h->bucket_count && (seen += h->buckets[bucket]) < rank)
		bucket++;
	value = bucket_seconds(bucket);
	return value < h->min ? h->min : value > h->max ? h->max : value;
}

void histogram_free(struct histogram *h)
{
	free(h->exact);
	free(h->buckets);
	*h = (struct histogram){0};
}

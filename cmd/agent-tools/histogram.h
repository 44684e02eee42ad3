/*
 * histogram: durations counted in constant memory, for quantiles.
 *
 * The first thousand are kept as they are and give exact quantiles; more of them are counted in
 * buckets that are 1/128 of their lower bound wide, so that a quantile is off by 0.4 % at most.
 */
#ifndef AGENT_TOOLS_HISTOGRAM_H
#define AGENT_TOOLS_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed: empty. */
struct histogram {
	uint64_t count;
	double sum, min, max; /* seconds */
	double *exact;        /* the first ones; NULL once there are buckets */
	uint64_t *buckets;
	size_t bucket_count;
};

/* Count a duration; `seconds` is not negative and finite. */
void histogram_add(struct histogram *histogram, double seconds);

/* The smallest duration that at least the share `q` (0 to 1) of all do not exceed (nearest rank).
 * 0 when there are none. */
double histogram_quantile(const struct histogram *histogram, double q);

void histogram_free(struct histogram *histogram);

#endif

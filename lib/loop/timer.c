#include "loop/private.h"

#include <limits.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/clock.h"

static bool is_before(const struct loop_timer *a, const struct loop_timer *b)
{
	return a->due != b->due ? a->due < b->due : a->number < b->number;
}

static void put(struct loop *loop, size_t place, struct loop_timer *timer)
{
	loop->timers[place] = timer;
	timer->place = place;
}

static void rise(struct loop *loop, struct loop_timer *timer, size_t place)
{
	while (place > 0) {
		size_t parent = (place - 1) / 2;

		if (!is_before(timer, loop->timers[parent]))
			break;
		put(loop, place, loop->timers[parent]);
		place = parent;
	}
	put(loop, place, timer);
}

static void sink(struct loop *loop, struct loop_timer *timer, size_t place)
{
	for (;;) {
		size_t child = place * 2 + 1;

		if (child >= loop->timer_count)
			break;
		if (child + 1 < loop->timer_count &&
		    is_before(loop->timers[child + 1], loop->timers[child]))
			child++;
		if (!is_before(loop->timers[child], timer))
			break;
		put(loop, place, loop->timers[child]);
		place = child;
	}
	put(loop, place, timer);
}

static struct loop_timer *add(struct loop *loop, int64_t nanoseconds, bool source,
			      void (*due)(void *context), void *context)
{
	struct loop_timer *timer = mem_zero(sizeof(*timer));
	int64_t now = clock_monotonic();

	if (nanoseconds < 0)
		nanoseconds = 0;
	timer->loop = loop;
	timer->due = nanoseconds < INT64_MAX - now ? now + nanoseconds : INT64_MAX;
	timer->number = loop->timer_number++;
	timer->source = source;
	timer->call = due;
	timer->context = context;
	loop->timers = array_grow(loop->timers, loop->timer_count, sizeof(*loop->timers));
	rise(loop, timer, loop->timer_count++);
	return timer;
}

struct loop_timer *loop_timer_add(struct loop *loop, int64_t nanoseconds,
				  void (*due)(void *context), void *context)
{
	return add(loop, nanoseconds, false, due, context);
}

struct loop_timer *loop_source_timer_add(struct loop *loop, int64_t nanoseconds,
					 void (*due)(void *context), void *context)
{
	return add(loop, nanoseconds, true, due, context);
}

void loop_timer_remove(struct loop_timer *timer)
{
	struct loop_timer *last;
	struct loop *loop;

	if (timer == NULL)
		return;
	loop = timer->loop;
	last = loop->timers[--loop->timer_count];
	if (last != timer) {
		if (is_before(last, timer))
			rise(loop, last, timer->place);
		else
			sink(loop, last, timer->place);
	}
	free(timer);
}

int timers_timeout(const struct loop *loop)
{
	int64_t left;

	if (loop->timer_count == 0)
		return -1;
	left = loop->timers[0]->due - clock_monotonic();
	if (left <= 0)
		return 0;
	/* Rounded up: waking early would mean waiting again. */
	left = (left - 1) / 1000000 + 1;
	return left < INT_MAX ? (int)left : INT_MAX;
}

static struct loop_timer *take_first(struct loop *loop)
{
	struct loop_timer *first = loop->timers[0];
	struct loop_timer *last = loop->timers[--loop->timer_count];

	if (loop->timer_count > 0)
		sink(loop, last, 0);
	return first;
}

static void park(struct loop *loop, struct loop_timer *first)
{
	first->parked = true;
	first->due = INT64_MAX;
	sink(loop, first, 0);
}

void timers_release(struct loop *loop)
{
	for (size_t i = 0; i < loop->timer_count; i++)
		if (loop->timers[i]->parked) {
			loop->timers[i]->parked = false;
			loop->timers[i]->due = 0;
			rise(loop, loop->timers[i], i);
		}
}

/* Timers added by those that run wait for the next round, or descriptors would starve. */
void timers_run(struct loop *loop)
{
	uint64_t added_before = loop->timer_number;
	int64_t now;

	if (loop->timer_count == 0)
		return;
	now = clock_monotonic();
	while (!loop->stopped && loop->timer_count > 0) {
		struct loop_timer *timer = loop->timers[0];
		void (*call)(void *context) = timer->call;
		void *context = timer->context;

		if (timer->due > now || timer->number >= added_before)
			break;
		if (timer->source && loop->held_since != 0) {
			park(loop, timer);
			continue;
		}
		free(take_first(loop));
		call(context);
	}
}

void timers_free(struct loop *loop)
{
	for (size_t i = 0; i < loop->timer_count; i++)
		free(loop->timers[i]);
	free(loop->timers);
	loop->timers = NULL;
	loop->timer_count = 0;
}

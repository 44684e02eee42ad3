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

/* Move `timer` from `place` to where it belongs in the heap: up, or else down. */
static void settle(struct loop *loop, struct loop_timer *timer, size_t place)
{
	struct loop_timer **timers = loop->timers;

	for (; place > 0 && is_before(timer, timers[(place - 1) / 2]); place = (place - 1) / 2)
		put(loop, place, timers[(place - 1) / 2]);
	for (;;) {
		size_t child = place * 2 + 1;

		if (child + 1 < loop->timer_count && is_before(timers[child + 1], timers[child]))
			child++;
		if (child >= loop->timer_count || !is_before(timers[child], timer))
			break;
		put(loop, place, timers[child]);
		place = child;
	}
	put(loop, place, timer);
}

/* Change when `timer` is due. */
static void move(struct loop_timer *timer, int64_t due)
{
	timer->due = due;
	settle(timer->loop, timer, timer->place);
}

static struct loop_timer *add(struct loop *loop, int64_t nanoseconds, bool source,
			      void (*due)(void *context), void *context)
{
	struct loop_timer *timer = mem_zero(sizeof(*timer));
	int64_t now = clock_monotonic();

	if (nanoseconds < 0)
		nanoseconds = 0;
	*timer = (struct loop_timer){
	    .loop = loop,
	    .due = nanoseconds < INT64_MAX - now ? now + nanoseconds : INT64_MAX,
	    .number = loop->timer_number++,
	    .source = source,
	    .call = due,
	    .context = context,
	};
	loop->timers = array_grow(loop->timers, loop->timer_count, sizeof(struct loop_timer *));
	settle(loop, timer, loop->timer_count++);
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
	if (last != timer)
		settle(loop, last, timer->place);
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

void timers_release(struct loop *loop)
{
	for (size_t i = 0; i < loop->timer_count; i++)
		if (loop->timers[i]->parked) {
			loop->timers[i]->parked = false;
			move(loop->timers[i], 0);
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
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): a removed timer left the heap */
		void (*call)(void *context) = timer->call;
		void *context = timer->context;

		if (timer->due > now || timer->number >= added_before)
			break;
		if (timer->source && loop_is_held(loop)) {
			timer->parked = true;
			move(timer, INT64_MAX);
			continue;
		}
		loop_timer_remove(timer);
		call(context);
	}
}

void timers_free(struct loop *loop)
{
	for (size_t i = 0; i < loop->timer_count; i++)
		free(loop->timers[i]);
	free(loop->timers);
}

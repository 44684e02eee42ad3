#include "timers.h"

#include <stdlib.h>

#include "base/buffer.h"

static void put(struct timers *timers, size_t position, struct timer *timer)
{
	timers->heap[position - 1] = timer;
	timer->position = position;
}

static struct timer *at(const struct timers *timers, size_t position)
{
	return timers->heap[position - 1];
}

static void move_up(struct timers *timers, struct timer *timer)
{
	size_t position = timer->position;

	for (; position > 1 && at(timers, position / 2)->due > timer->due; position /= 2)
		put(timers, position, at(timers, position / 2));
	put(timers, position, timer);
}

static void move_down(struct timers *timers, struct timer *timer)
{
	size_t position = timer->position;

	for (;;) {
		size_t child = 2 * position;

		if (child < timers->count && at(timers, child + 1)->due < at(timers, child)->due)
			child++;
		if (child > timers->count || at(timers, child)->due >= timer->due)
			break;
		put(timers, position, at(timers, child));
		position = child;
	}
	put(timers, position, timer);
}

void timers_set(struct timers *timers, struct timer *timer, int64_t due)
{
	timer->due = due;
	if (timer->position == 0) {
		if (timers->count == timers->cap) {
			timers->cap = timers->cap > 0 ? 2 * timers->cap : 64;
			timers->heap =
			    mem_resize(timers->heap, timers->cap * sizeof(*timers->heap));
		}
		timers->count++;
		put(timers, timers->count, timer);
	}
	move_up(timers, timer);
	move_down(timers, timer);
}

void timers_clear(struct timers *timers, struct timer *timer)
{
	size_t position = timer->position;
	struct timer *last;

	if (position == 0)
		return;
	last = at(timers, timers->count--);
	timer->position = 0;
	if (last == timer)
		return;
	put(timers, position, last);
	move_up(timers, last);
	move_down(timers, last);
}

struct timer *timers_first(const struct timers *timers)
{
	return timers->count > 0 ? timers->heap[0] : NULL;
}

void timers_free(struct timers *timers)
{
	free(timers->heap);
}

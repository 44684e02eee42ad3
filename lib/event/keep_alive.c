#include "event/keep_alive.h"

#include "base/clock.h"

void keep_alive_written(struct keep_alive *alive)
{
	if (alive->seconds > 0)
		alive->due = clock_monotonic() + clock_nanoseconds(alive->seconds);
}

int64_t keep_alive_add(struct keep_alive *alive, struct buffer *out)
{
	if (alive->due == 0) /* the stream begins */
		keep_alive_written(alive);
	if (alive->due == 0 || alive->due > clock_monotonic())
		return alive->due;
	buffer_add_text(out, ": keep-alive\n\n");
	keep_alive_written(alive);
	return alive->due;
}

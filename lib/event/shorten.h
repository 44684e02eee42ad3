/*
 * shorten: cut an event that readers would refuse.
 */
#ifndef EVENT_SHORTEN_H
#define EVENT_SHORTEN_H

#include "base/buffer.h"

/* If the event that begins at `start` of the buffer is longer than EVENT_MAX_LINE, cut its longest
 * strings, or leave out the values of its largest members, and mark it by `truncated`. Its data, an
 * object whose closing brace is not written yet, begins at `data`. */
void event_shorten(struct buffer *lines, size_t start, size_t data);

#endif

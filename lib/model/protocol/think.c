#include "model/protocol/think.h"

#include <string.h>

static const struct span opening = {"<think>", 7};
static const struct span closing = {"</think>", 8};

static void emit(struct think *think, bool thinking, struct span text)
{
	if (text.len > 0)
		think->emit(think->context, thinking, text);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Whether `text` is shorter than `tag` and begins it. */
static bool begins(struct span text, struct span tag)
{
	return text.len < tag.len && memcmp(text.at, tag.at, text.len) == 0;
}

static const char *find(struct span text, struct span tag)
{
	for (size_t i = 0; i + tag.len <= text.len; i++)
		if (memcmp(text.at + i, tag.at, tag.len) == 0)
			return text.at + i;
	return NULL;
}

static void hold(struct think *think, struct span text)
{
	/* `text` may stand in `held` itself. */
	if (think->held.len > 0) {
		buffer_drop(&think->held, think->held.len - text.len);
	} else {
		buffer_clear(&think->held);
		buffer_add_span(&think->held, text);
	}
}

static void inside(struct think *think, struct span text)
{
	const char *end = find(text, closing);
	size_t keep = 0;

	if (end != NULL) {
		size_t before = (size_t)(end - text.at);

		think->state = THINK_AFTER;
		emit(think, true, (struct span){text.at, before});
		emit(think, false, span_from(text, before + closing.len));
		buffer_clear(&think->held);
		return;
	}
	for (size_t len = closing.len - 1; len > 0 && keep == 0; len--)
		if (len <= text.len && begins(span_from(text, text.len - len), closing))
			keep = len;
	emit(think, true, (struct span){text.at, text.len - keep});
	hold(think, span_from(text, text.len - keep));
}

static void before(struct think *think, struct span text)
{
	size_t space = 0;
	struct span rest;

	while (space < text.len && is_space(text.at[space]))
		space++;
	rest = span_from(text, space);
	if (begins(rest, opening)) {
		hold(think, text);
	} else if (rest.len >= opening.len && memcmp(rest.at, opening.at, opening.len) == 0) {
		think->state = THINK_INSIDE;
		inside(think, span_from(rest, opening.len));
	} else {
		think->state = THINK_AFTER;
		emit(think, false, text);
		buffer_clear(&think->held);
	}
}

void think_feed(struct think *think, struct span text)
{
	if (think->state == THINK_AFTER) {
		emit(think, false, text);
		return;
	}
	if (text.len == 0)
		return;
	if (think->held.len > 0) {
		buffer_add_span(&think->held, text);
		text = buffer_span(&think->held);
	}
	if (think->state == THINK_BEFORE)
		before(think, text);
	else
		inside(think, text);
}

void think_end(struct think *think)
{
	emit(think, think->state == THINK_INSIDE, buffer_span(&think->held));
	buffer_free(&think->held);
	think->state = THINK_AFTER;
}

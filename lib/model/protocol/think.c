#include "model/protocol/think.h"

static const struct span opening = SPAN_INIT("<think>");
static const struct span closing = SPAN_INIT("</think>");

/* The position of `tag` in `text`, or of its beginning at the end of `text`; text.len: neither. */
static size_t find_tag(struct span text, struct span tag)
{
	for (size_t i = 0; i < text.len; i++)
		if (memcmp(text.at + i, tag.at, text.len - i < tag.len ? text.len - i : tag.len) ==
		    0)
			return i;
	return text.len;
}

/* The held text may begin with the opening tag. Returns false as long as that is not decided. */
static bool read_opening(struct think *think)
{
	struct span text = buffer_span(&think->held);

	while (text.len > 0 && span_is_space(text.at[0]))
		text = span_from(text, 1);
	think->state = THINK_AFTER;
	if (find_tag(text, opening) > 0)
		return true;
	if (text.len >= opening.len) {
		think->state = THINK_INSIDE;
		buffer_drop(&think->held, think->held.len - text.len + opening.len);
		return true;
	}
	think->state = THINK_BEFORE;
	return false;
}

/* Emit the reasoning up to the closing tag. Returns false as long as there is none. */
static bool read_closing(struct think *think, struct decoder *d)
{
	struct span text = buffer_span(&think->held);
	size_t end = find_tag(text, closing);
	bool found = text.len - end >= closing.len;

	decoder_emit_text(d, MODEL_THINKING, (struct span){text.at, end});
	buffer_drop(&think->held, found ? end + closing.len : end);
	if (found)
		think->state = THINK_AFTER;
	return found;
}

static void feed(struct think *think, struct decoder *d, struct span text)
{
	if (think->state == THINK_AFTER) {
		decoder_emit_text(d, MODEL_TEXT, text);
		return;
	}
	if (text.len == 0)
		return;
	buffer_add_span(&think->held, text);
	if ((think->state == THINK_BEFORE && !read_opening(think)) ||
	    (think->state == THINK_INSIDE && !read_closing(think, d)))
		return;
	decoder_emit_text(d, MODEL_TEXT, buffer_span(&think->held));
	buffer_clear(&think->held);
}

/* A text ends the reasoning before it: first emit what is held back of the reasoning. */
void think_text(struct think *think, struct decoder *d, struct span value)
{
	struct span text = pieces_text(&d->pieces, &think->partial_text, value);

	if (text.len == 0)
		return;
	decoder_emit_text(d, MODEL_THINKING, partial_char_end(&think->partial_thinking));
	feed(think, d, text);
}

bool think_reasoning(struct think *think, struct decoder *d, struct span value)
{
	decoder_emit_text(d, MODEL_THINKING,
			  pieces_text(&d->pieces, &think->partial_thinking, value));
	return decoder_is_text(value);
}

void think_end(struct think *think, struct decoder *d)
{
	decoder_emit_text(d, MODEL_THINKING, partial_char_end(&think->partial_thinking));
	feed(think, d, partial_char_end(&think->partial_text));
	decoder_emit_text(d, think->state == THINK_INSIDE ? MODEL_THINKING : MODEL_TEXT,
			  buffer_span(&think->held));
	buffer_clear(&think->held);
	think->state = THINK_AFTER;
}

void think_free(struct think *think)
{
	buffer_free(&think->held);
}
